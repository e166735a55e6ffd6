"""Wishes of one moment are done in one go, each gets its own outcome, and none waits for ever."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from monitoring.together import AT_MOST, Together

PATIENCE_S = 10


class Held:
    """Does wishes, the first time only when it is let go; counts how many came in one go."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.is_begun, self.may_go_on = threading.Event(), threading.Event()

    def do_all(self, wishes: Sequence[int]) -> list[int]:
        self.calls.append(len(wishes))
        self.is_begun.set()
        assert self.may_go_on.wait(PATIENCE_S)
        if -1 in wishes:
            raise ValueError("-1 cannot be done")
        return [wish * wish for wish in wishes]


def while_held(together: Together[int, int], held: Held, wishes: Sequence[int]) -> list[object]:
    """Ask for the first wish, and for the others while it is being done."""
    with ThreadPoolExecutor(len(wishes)) as threads:
        first = threads.submit(together.do, wishes[0])
        assert held.is_begun.wait(PATIENCE_S)
        rest = [threads.submit(together.do, wish) for wish in wishes[1:]]
        until = time.monotonic() + PATIENCE_S
        while len(together._waiting) < len(rest):  # until they have come, and wait
            assert time.monotonic() < until
            time.sleep(0.001)
        held.may_go_on.set()
        asked = [first, *rest]
        return [each.exception(PATIENCE_S) or each.result() for each in asked]


def test_what_comes_meanwhile_is_done_in_one_go() -> None:
    held = Held()

    outcomes = while_held(Together(held.do_all), held, range(10))

    assert outcomes == [n * n for n in range(10)]
    assert held.calls == [1, 9]


def test_no_more_are_done_in_one_go_than_agreed() -> None:
    held = Held()

    outcomes = while_held(Together(held.do_all), held, range(AT_MOST + 11))

    assert outcomes == [n * n for n in range(AT_MOST + 11)]
    assert held.calls == [1, AT_MOST, 10]


def test_a_fault_is_told_to_all_whom_it_hit_and_to_nobody_else() -> None:
    held = Held()

    first, *rest = while_held(Together(held.do_all), held, [3, 4, -1])

    assert first == 9
    assert [str(each) for each in rest] == ["-1 cannot be done"] * 2


def test_after_a_fault_it_goes_on() -> None:
    held = Held()
    held.may_go_on.set()
    together = Together(held.do_all)
    with pytest.raises(ValueError, match="cannot be done"):
        together.do(-1)

    assert together.do(7) == 49


def test_those_who_come_again_at_once_are_done_in_one_go_again() -> None:
    held = Held()
    together = Together(held.do_all, patience_s=1)
    while_held(together, held, [1, 2, 3])

    with ThreadPoolExecutor(2) as threads:
        again = [threads.submit(together.do, wish) for wish in (4, 5)]

        assert [each.result(PATIENCE_S) for each in again] == [16, 25]
    assert held.calls == [1, 2, 2]


def test_who_comes_when_the_others_do_not_waits_no_longer_than_agreed() -> None:
    held = Held()
    together = Together(held.do_all, patience_s=0.05)
    while_held(together, held, [1, 2, 3])

    assert together.do(4) == 16
    assert held.calls == [1, 2, 1]


def test_who_comes_later_waits_for_nobody() -> None:
    held = Held()
    together = Together(held.do_all, patience_s=0.05)
    while_held(together, held, [1, 2, 3])
    time.sleep(0.06)
    together._are_enough = NeverEnough()

    assert together.do(4) == 16


class NeverEnough(threading.Event):
    """Whoever waits for it has waited in vain."""

    def wait(self, timeout: float | None = None) -> bool:
        raise AssertionError(f"waits for {timeout} s")
