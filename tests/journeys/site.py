"""One copy of Soundings as a stranger would run it, seen from outside: processes, pages, mails."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import httpx

from monitoring.embedded import ports
from monitoring.embedded.processes import leash
from tests.journeys.mail import MailServer

ROOT = Path(__file__).resolve().parents[2]
READY = "Soundings is ready"
# Told apart by what stands in their command; the watchdog is nobody's business but its own
_SIGNS = {
    "postgres": "bin/postgres",
    "valkey": "valkey-server",
    "web": "granian",
    "worker": "--app monitoring.celery worker",
    "beat": "--app monitoring.celery beat",
    "watchdog": "watchdog.py",
}


class RunningSite:
    """`manage.py up` in a folder of its own, on a port of its own, with its own mail server."""

    def __init__(self, folder: Path) -> None:
        self.var = folder / "var"
        self.port = ports.choose(None)
        self.url = f"http://127.0.0.1:{self.port}"
        self.mail_server = MailServer()
        self._log_file = folder / "up.log"
        ours = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SITE_URL"}  # of the tests' own process
        self.environment = {
            **{key: value for key, value in os.environ.items() if key not in ours},
            "VAR": str(self.var),
            "PORT": str(self.port),
            "EMAIL_URL": f"smtp://127.0.0.1:{self.mail_server.port}",
        }
        self._up: subprocess.Popen[bytes] | None = None

    # Its life

    def start(self, *options: str) -> None:
        """Run `manage.py up` and wait for the line that says it is ready."""
        self.mail_server.start()
        self.launch(*options)
        wait_for(lambda: READY in self.log or self.has_ended, within_s=90, what=lambda: self.log)
        assert not self.has_ended, self.log

    def launch(self, *options: str) -> None:
        with self._log_file.open("wb") as log:
            self._up = subprocess.Popen(
                [sys.executable, "manage.py", "up", *options],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                preexec_fn=leash(signal.SIGTERM),  # it ends with the tests, however they end
            )

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop it as an operator would; give the exit code."""
        self.up.send_signal(how)
        return self.up.wait(60)

    def end(self) -> None:
        if self._up is not None and not self.has_ended:
            self.stop()
        self.mail_server.stop()

    @property
    def up(self) -> "subprocess.Popen[bytes]":
        assert self._up is not None, "not launched"
        return self._up

    @property
    def has_ended(self) -> bool:
        return self.up.poll() is not None

    @property
    def log(self) -> str:
        return self._log_file.read_text(errors="replace")

    def wait_until_healthy(self) -> None:
        """Wait until web, database, broker, worker and beat are all well."""
        wait_for(lambda: self.status_of("/health/") == 200, within_s=120, what=lambda: self.log)

    # What people and programs see

    @property
    def mails(self) -> list[EmailMessage]:
        return self.mail_server.mails

    def status_of(self, path: str) -> int | None:
        """Give the status of a page, or None if nobody answers."""
        try:
            return httpx.get(self.url + path, timeout=5).status_code
        except httpx.TransportError:
            return None

    def manage(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002 - as subprocess calls it
    ) -> "subprocess.CompletedProcess[str]":
        """Run `manage.py` as an operator of this copy would."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            input=input,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    # Its processes

    def processes(self) -> dict[str, list[int]]:
        """Give the processes of this copy by name, the leader of each first."""
        found: dict[str, list[int]] = {}
        leaders = {pid: name for pid in self._pids() if (name := _name_of(pid))}
        for pid, name in leaders.items():
            if leaders.get(_parent_of(pid)) == name:
                found.setdefault(name, []).append(pid)
            else:
                found.setdefault(name, []).insert(0, pid)
        return found

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to the leader of that name; give its process number."""
        pid = self.processes()[name][0]
        os.kill(pid, how)
        return pid

    def assert_nothing_is_left(self) -> None:
        """Every process of this copy has ended."""
        wait_for(lambda: not self._pids(), within_s=15, what=lambda: str(self.processes()))

    def _pids(self) -> list[int]:
        mine = self.up.pid
        return [
            pid
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and (pid := int(entry.name)) != mine and self._owns(entry)
        ]

    def _owns(self, process: Path) -> bool:
        """Recognise our processes by their folder or by the VAR they were given."""
        try:
            if process.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False
            if process.joinpath("cwd").readlink().is_relative_to(self.var):
                return True
            given = process.joinpath("environ").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return False
        return f"VAR={self.var}".encode() in given


def wait_for(
    is_so: Callable[[], bool], *, within_s: float, what: Callable[[], str] = lambda: ""
) -> None:
    """Wait until something is so; fail with what is known when it takes too long."""
    patience_ends = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < patience_ends, what()
        time.sleep(0.05)


def _name_of(pid: int) -> str | None:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return None
    if command.startswith("postgres: "):
        return "postgres"  # a server process that works for one connection
    return next((name for name, sign in _SIGNS.items() if sign in command), None)


def _parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
