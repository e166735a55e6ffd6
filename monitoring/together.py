"""Doing for many in one go what threads of one process ask for at one moment.

Whoever comes while another thread is at it leaves its wish with those that wait, and finds it done
when it is its turn. Alone, nobody waits for anybody.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

Wish = TypeVar("Wish")
Outcome = TypeVar("Outcome")
AT_MOST = 50


class Together(Generic[Wish, Outcome]):
    """Calls `do_all` with the wishes that wait; it gives their outcomes in the same order.

    `do_all` must not be called within a transaction: what it commits is committed for others too.
    """

    def __init__(self, do_all: Callable[[Sequence[Wish]], Sequence[Outcome]]) -> None:
        self._do_all = do_all
        self._waiting: deque[tuple[Wish, Future[Outcome]]] = deque()
        self._lock = threading.Lock()

    def do(self, wish: Wish) -> Outcome:
        """Have a wish done, by this thread or by another; a fault is raised in all whom it hit."""
        mine: Future[Outcome] = Future()
        self._waiting.append((wish, mine))
        with self._lock:
            while not mine.done():
                self._do_some()
        return mine.result()

    def _do_some(self) -> None:
        taken = [self._waiting.popleft() for _ in range(min(AT_MOST, len(self._waiting)))]
        try:
            outcomes = self._do_all([wish for wish, _future in taken])
        except BaseException as fault:  # nobody may be left waiting
            for _wish, future in taken:
                future.set_exception(fault)
            if not isinstance(fault, Exception):
                raise
            return
        for (_wish, future), outcome in zip(taken, outcomes, strict=True):
            future.set_result(outcome)
