"""Doing for many in one go what threads of one process ask for at one moment.

Whoever comes while another thread is at it leaves its wish with those that wait. When that thread
is done, the first of those that wait does the wishes of all of them. Alone, nobody waits for
anybody.

Those who have just been answered often come again at once. Whoever leads next may give them a
moment, so that one that came a little early and many that come a little late do not take turns.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Wish = TypeVar("Wish")
Outcome = TypeVar("Outcome")
AT_MOST = 50


def _closed() -> threading.Lock:
    gate = threading.Lock()
    gate.acquire()
    return gate


@dataclass(eq=False)
class _Waiting(Generic[Wish, Outcome]):
    """A wish, and the gate before which its thread waits: until it is done, or is to be led."""

    wish: Wish
    gate: threading.Lock = field(default_factory=_closed)
    leads: bool = False
    outcome: Outcome | None = None
    fault: BaseException | None = None


class Together(Generic[Wish, Outcome]):
    """Calls `do_all` with the wishes that wait; it gives their outcomes in the same order.

    `do` must not be called within a transaction: what `do_all` commits is committed for others too.

    Parameters
    ----------
    do_all
        Does the wishes.
    patience_s
        For how long after their answer those who were here are waited for, until as many have come
        as there were.
    """

    def __init__(
        self,
        do_all: Callable[[Sequence[Wish]], Sequence[Outcome]],
        *,
        patience_s: float = 0.0,
    ) -> None:
        self._do_all, self._patience_s = do_all, patience_s
        # How many may come again, and until when they would
        self._expected, self._until = 0, 0.0
        self._are_enough = threading.Event()
        self._waiting: deque[_Waiting[Wish, Outcome]] = deque()
        self._is_led = False
        self._lock = threading.Lock()

    def do(self, wish: Wish) -> Outcome:
        """Have a wish done, by this thread or by another; a fault is raised in all whom it hit."""
        mine: _Waiting[Wish, Outcome] = _Waiting(wish)
        with self._lock:
            self._waiting.append(mine)
            mine.leads, self._is_led = not self._is_led, True
            if len(self._waiting) >= self._expected:
                self._are_enough.set()
        if not mine.leads:
            mine.gate.acquire()
        if mine.leads:
            self._lead()
        if mine.fault is not None:
            raise mine.fault
        return mine.outcome  # type: ignore[return-value]

    def _lead(self) -> None:
        """Do what waits, let the next one lead, and let go those whose wishes are done."""
        self._await_others()
        with self._lock:
            taken = [self._waiting.popleft() for _ in range(min(AT_MOST, len(self._waiting)))]
        try:
            outcomes = self._do_all([each.wish for each in taken])
            for each, outcome in zip(taken, outcomes, strict=True):
                each.outcome = outcome
        except BaseException as fault:  # nobody may be left waiting; each raises it by itself
            for each in taken:
                each.fault = fault
        with self._lock:
            # One alone that met another is chance; several in one go come again in one go
            about = len(taken) + len(self._waiting)
            self._expected = min(AT_MOST, about) if len(taken) > 1 else 0
            self._until = time.monotonic() + self._patience_s
            self._is_led = bool(self._waiting)
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].gate.release()
        for each in taken:
            if not each.leads:
                each.gate.release()

    def _await_others(self) -> None:
        """Wait for those who were here just now, if they may still come again."""
        with self._lock:
            left_s = self._until - time.monotonic()
            if left_s <= 0 or len(self._waiting) >= self._expected:
                return
            self._are_enough.clear()
        self._are_enough.wait(left_s)
