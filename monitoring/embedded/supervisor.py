"""Keeps the programs of one copy running: starts them, starts them again, stops them in order."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from monitoring.embedded import watchdog
from monitoring.embedded.log import Log, NobodyListens
from monitoring.embedded.processes import Child, Program

_TICK_S = 0.2
_FIRST_BACK_OFF_S = 0.5
_LONGEST_BACK_OFF_S = 30.0
_STEADY_AFTER_S = 60.0  # who ran that long starts again with the first back-off
_HURRY_WITHIN_S = 2.0


class StopAsked(BaseException):
    """Somebody pressed Ctrl-C, sent a signal, or closed the terminal."""


@dataclass
class _Kept:
    """A program that is to run, its present child, and when to start the next one."""

    child: Child
    started_at_s: float
    back_off_s: float = _FIRST_BACK_OFF_S
    start_again_at_s: float | None = None  # None: the child is thought to run


class Supervisor:
    """Everything happens in one thread, so that forking is safe and the order is plain."""

    def __init__(self, *, lock: IO[str], log: Log) -> None:
        self._log = log
        self._lock = lock
        self._kept: dict[str, _Kept] = {}
        self._stops_asked = 0
        self._may_interrupt = False
        for asked in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if asked != signal.SIGHUP or signal.getsignal(asked) != signal.SIG_IGN:  # nohup
                signal.signal(asked, self._on_signal)
        self._watchdog = self._start_watchdog()

    # Starting and watching

    def start(self, program: Program) -> Child:
        """Start a program and keep it running from now on."""
        kept = _Kept(self._spawn(program), time.monotonic())
        self._kept[program.name] = kept
        return kept.child

    def run_to_end(self, program: Program) -> int:
        """Run a program once; give its exit code."""
        child = self.start(program)
        while not child.has_ended():
            self.tick()
        self._kept.pop(program.name)
        self._bury(child)
        return child.exit_code or 0

    def tick(self) -> None:
        """Pass on what is said while something else is waited for."""
        self._pass_on(0.02)
        if self._stops_asked:
            raise StopAsked

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let a stop signal break into work that is done in this very process."""
        self._may_interrupt = True
        try:
            yield
        finally:
            self._may_interrupt = False

    def run_until_stopped(self) -> None:
        """Start again whatever ends, until somebody asks for the end."""
        while not self._stops_asked:
            self._pass_on(_TICK_S)
            for kept in self._kept.values():
                self._look_after(kept)

    def _look_after(self, kept: _Kept) -> None:
        now_s = time.monotonic()
        program = kept.child.program
        if kept.start_again_at_s is not None:
            if now_s >= kept.start_again_at_s:
                kept.child, kept.started_at_s = self._spawn(program), now_s
                kept.start_again_at_s = None
        elif kept.child.has_ended():
            self._bury(kept.child)
            if now_s - kept.started_at_s > _STEADY_AFTER_S:
                kept.back_off_s = _FIRST_BACK_OFF_S
            code, wait_s = kept.child.exit_code, kept.back_off_s
            self._say(program.name, f"ended with code {code}; starts again in {wait_s:g} s")
            kept.start_again_at_s = now_s + wait_s
            kept.back_off_s = min(2 * wait_s, _LONGEST_BACK_OFF_S)

    # Stopping

    def stop(self, *names: str) -> None:
        """Stop these programs one after the other, gracefully; in a hurry when asked once more."""
        for name in names:
            kept = self._kept.pop(name, None)
            if kept is not None and kept.start_again_at_s is None:
                self._stop_child(kept.child)

    def leave(self) -> None:
        """Send the watchdog home: there is nobody left to look after."""
        self._watchdog.communicate()

    def _stop_child(self, child: Child) -> None:
        child.ask_to_stop()
        asked_at_s = time.monotonic()
        while not child.has_ended():
            self._pass_on(0.02)
            patience_s = _HURRY_WITHIN_S if self._stops_asked > 1 else child.program.stop_within_s
            if time.monotonic() - asked_at_s > patience_s:
                self._say(child.program.name, "does not stop and is ended by force")
                break
        self._bury(child)
        self._say(child.program.name, "has stopped")

    def _bury(self, child: Child) -> None:
        child.kill_group()  # a leader that was killed leaves its own children behind
        self._tell_watchdog(f"-{child.pid}\n")
        self._pass_on(0)  # its last words

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._stops_asked += 1
        if self._may_interrupt:
            raise StopAsked

    # Neighbours

    def _spawn(self, program: Program) -> Child:
        child = Child(program)
        self._tell_watchdog(f"+{child.pid} {int(program.stop_signal)}\n")
        if child.output is not None:
            self._log.follow(program.name, child.output)
        return child

    def _start_watchdog(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, "-I", "-S", str(Path(watchdog.__file__))],
            stdin=subprocess.PIPE,
            pass_fds=[self._lock.fileno()],
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )

    def _tell_watchdog(self, line: str) -> None:
        pipe = self._watchdog.stdin
        if pipe is None:
            raise TypeError("the watchdog has no pipe")
        try:
            pipe.write(line)
            pipe.flush()
        except BrokenPipeError:
            self._watchdog = self._start_watchdog()
            for kept in self._kept.values():
                self._tell_watchdog(f"+{kept.child.pid} {int(kept.child.program.stop_signal)}\n")

    def _pass_on(self, within_s: float) -> None:
        try:
            self._log.pass_on(within_s=within_s)
        except NobodyListens:
            self._stops_asked += 1

    def _say(self, name: str, line: str) -> None:
        try:
            self._log.say(name, line)
        except NobodyListens:
            self._stops_asked += 1
