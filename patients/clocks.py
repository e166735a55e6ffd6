"""Hours that a clock on the wall leaves out or shows twice, where summer time begins and ends."""

from datetime import datetime, timedelta


def is_left_out(at: datetime) -> bool:
    """Tell whether the clocks of its zone never showed this time, being put forward over it."""
    return _turn(at) > timedelta()


def comes_twice(at: datetime) -> bool:
    """Tell whether the clocks of its zone showed this time twice, having been put back."""
    return _turn(at) < timedelta()


def _turn(at: datetime) -> timedelta:
    """Say by how much the clocks are put forward at this time; see PEP 495."""
    before, after = at.replace(fold=0).utcoffset(), at.replace(fold=1).utcoffset()
    return (after or timedelta()) - (before or timedelta())
