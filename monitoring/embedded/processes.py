"""One child process of this copy: started on a leash, stopped together with its whole group."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any

from monitoring.embedded.accounts import Account

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run: its name in the log, its command, and how it is asked to stop."""

    name: str
    command: tuple[str, ...]
    folder: Path
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within_s: float = 25
    account: Account | None = None
    environment: Mapping[str, str] | None = None  # None: ours
    text_in: str = field(default="", repr=False)  # what it reads first; secrets go this way


class Child:
    """A program that runs as the leader of its own process group."""

    def __init__(self, program: Program, *, output: int | IO[Any] = subprocess.PIPE) -> None:
        self.program = program
        self._process = subprocess.Popen(  # noqa: S603 - the commands are our own
            program.command,
            stdin=subprocess.PIPE if program.text_in else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=program.folder,
            env=program.environment,
            process_group=0,
            preexec_fn=leash(program.stop_signal, program.account),
        )
        if self._process.stdin is not None:
            with self._process.stdin as pipe:
                pipe.write(program.text_in.encode())

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def output(self) -> IO[bytes] | None:
        return self._process.stdout

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode

    def ask_to_stop(self) -> None:
        """Ask the leader; it knows how to stop its own children."""
        if not self.has_ended():
            self._process.send_signal(self.program.stop_signal)

    def wait(self, *, within_s: float) -> bool:
        """Wait for the leader to end, and say whether it did."""
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill_group(self) -> None:
        """End at once whatever is left of the group, the leader's own children included."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # nobody is left
        except PermissionError:
            if sys.platform != "darwin":  # macOS says so of a group that has just ended
                raise
        self._process.wait()


def leash(stop_signal: signal.Signals, account: Account | None = None) -> Callable[[], None]:
    """Make what a child does before it becomes its program: change account, and die with us.

    The supervisor may itself be killed. Linux then sends `stop_signal` to its children; the
    watchdog (watchdog.py) ends the rest, and all of them on systems that know no such thing.
    """
    return partial(_on_leash, ctypes.CDLL(None), os.getpid(), stop_signal, account)


def _on_leash(
    libc: ctypes.CDLL, parent: int, stop_signal: signal.Signals, account: Account | None
) -> None:
    if account is not None:
        account.become()  # first: a change of account forgets the parent's death signal
    if sys.platform == "linux":
        libc.prctl(_PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)  # the parent died in between
