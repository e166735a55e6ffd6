"""Whether an answer is what was expected: every expected field, and no more than these."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose
from typing import Any


@dataclass(frozen=True)
class Difference:
    """Where an answer first differs, what was expected there, and what was got."""

    where: str
    expected: Any
    got: Any

    def __str__(self) -> str:
        return f"{self.where or 'answer'}: expected {self.expected!r}, got {self.got!r}"


def first_difference(
    expected: Any, got: Any, *, tolerance: float, where: str = ""
) -> Difference | None:
    """Find the first place where they differ.

    A field that is not expected may be anything; an object that is expected to be empty is empty.
    """
    if isinstance(expected, dict) and isinstance(got, dict) and expected:
        for name, wanted in expected.items():
            inside = f"{where}.{name}" if where else name
            if name not in got:
                return Difference(inside, wanted, got.get("sentence"))
            if found := first_difference(wanted, got[name], tolerance=tolerance, where=inside):
                return found
        return None
    if isinstance(expected, list) and isinstance(got, Sequence) and not isinstance(got, str):
        if len(expected) != len(got):
            return Difference(where, expected, list(got))
        for place, (wanted, one) in enumerate(zip(expected, got, strict=True)):
            inside = f"{where}[{place}]"
            if found := first_difference(wanted, one, tolerance=tolerance, where=inside):
                return found
        return None
    numbers = (int, float)
    if (
        isinstance(expected, numbers)
        and isinstance(got, numbers)
        and not (isinstance(expected, bool) or isinstance(got, bool))
    ):
        is_same = isclose(expected, got, rel_tol=0, abs_tol=tolerance)
        return None if is_same else Difference(where, expected, got)
    is_same = type(expected) is type(got) and expected == got
    return None if is_same else Difference(where, expected, got)
