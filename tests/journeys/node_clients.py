"""The clients of the Node world, fetched by npm for one run only."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CLIENTS = ("fhir-kit-client@2.0.3", "@medplum/core@4.5.2")


def install(folder: Path) -> str:
    """Fetch the clients into a folder; give the reason where that cannot be (CI=true: fail)."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        return _cannot("No npm and node here, so the Node clients were not tried.")
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", *CLIENTS]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        return _cannot(f"npm could not fetch the Node clients: {done.stderr[-500:]}")
    return ""


def _cannot(reason: str) -> str:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    return reason
