"""The copy that is measured: `manage.py up` in a temporary folder, on real servers, fsync on."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from monitoring.embedded import ports

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def running() -> Iterator[None]:
    """Run a copy and point this process's settings at it."""
    with tempfile.TemporaryDirectory(prefix="soundings-bench-", ignore_cleanup_errors=True) as var:
        port = ports.choose(None)
        os.environ |= {"VAR": var, "PORT": str(port), "PUSHES_PER_MINUTE": str(10**9)}
        os.environ["LOG_LEVEL"] = "WARNING"
        os.environ["DJANGO_SETTINGS_MODULE"] = "monitoring.settings"
        log = Path(var) / "up.log"
        with log.open("wb") as output:
            up = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--no-demo"],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            while "Soundings is ready" not in log.read_text():
                if up.poll() is not None:
                    sys.exit(log.read_text())
                time.sleep(0.1)
            yield
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(60)


def port() -> int:
    return int(os.environ["PORT"])


def database_environment() -> dict[str, str]:
    """Tell pgbench and psql where the database is, without a word on any command line."""
    url = urlsplit(
        json.loads((Path(os.environ["VAR"]) / "addresses.json").read_text())["database_url"]
    )
    return {
        **os.environ,
        "PGHOST": str(url.hostname),
        "PGPORT": str(url.port),
        "PGUSER": str(url.username),
        "PGPASSWORD": str(url.password),
        "PGDATABASE": url.path.lstrip("/"),
    }


@contextmanager
def worker_held() -> Iterator[None]:
    """Hold the worker still, so that the door is measured and not the assessing beside it."""
    found = subprocess.run(
        ["pgrep", "-f", "monitoring.celery worker"], capture_output=True, text=True, check=False
    )
    mine = [
        int(pid)
        for pid in found.stdout.split()
        if f"VAR={os.environ['VAR']}".encode()
        in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    ]
    for pid in mine:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in mine:
            os.kill(pid, signal.SIGCONT)
