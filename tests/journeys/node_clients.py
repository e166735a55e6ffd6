"""The clients of the Node world, fetched by npm for one run only, as their lock file says."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

LOCKED = Path(__file__).with_name("node")


def install(folder: Path) -> str:
    """Fetch the clients into a folder; give the reason where that cannot be (CI=true: fail)."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        return _cannot("No npm and node here, so the Node clients were not tried.")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(LOCKED / name, folder)
    command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        return _cannot(f"npm could not fetch the Node clients: {done.stderr[-500:]}")
    return ""


def _cannot(reason: str) -> str:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    return reason
