"""Straight-line code made from arithmetic that is written with loops, for floats.

A formula for any number of markers is written in loops over small matrices. For one patient the
loops cost four times the arithmetic. So the formula is run once on symbols that write down what is
done with them, and what they wrote is compiled: the same operations in the same order, so the same
bits, each done once.
"""

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any

Numbers = tuple[float, ...]


class _Symbol:
    """A number not known yet."""

    __slots__ = ("name", "tape")

    def __init__(self, name: str, tape: dict[str, str]) -> None:
        self.name, self.tape = name, tape

    def _noted(self, formula: str) -> "_Symbol":
        name = self.tape.setdefault(formula, f"v{len(self.tape)}")
        return _Symbol(name, self.tape)

    def __add__(self, other: object) -> "_Symbol":
        return self._noted(f"{self.name} + {_word(other)}")

    def __radd__(self, other: object) -> "_Symbol":
        return self._noted(f"{_word(other)} + {self.name}")

    def __sub__(self, other: object) -> "_Symbol":
        return self._noted(f"{self.name} - {_word(other)}")

    def __rsub__(self, other: object) -> "_Symbol":
        return self._noted(f"{_word(other)} - {self.name}")

    def __mul__(self, other: object) -> "_Symbol":
        return self._noted(f"{self.name} * {_word(other)}")

    def __rmul__(self, other: object) -> "_Symbol":
        return self._noted(f"{_word(other)} * {self.name}")

    def __truediv__(self, other: object) -> "_Symbol":
        return self._noted(f"{self.name} / {_word(other)}")

    def __rtruediv__(self, other: object) -> "_Symbol":
        return self._noted(f"{_word(other)} / {self.name}")

    def __neg__(self) -> "_Symbol":
        return self._noted(f"-{self.name}")

    def __gt__(self, other: object) -> "_Symbol":
        return self._noted(f"{self.name} > {_word(other)}")

    def __bool__(self) -> bool:
        raise TypeError("what is done with numbers may not depend on their values")


def _word(number: object) -> str:
    if isinstance(number, _Symbol):
        return number.name
    if not isinstance(number, int | float) or not isfinite(number):
        raise TypeError(
            f"{number!r}; wanted: a number that is finite, or what became of the arguments"
        )
    return f"({float(number)!r})"


def unrolled(work: Callable[..., Sequence[Any]], arguments: int) -> Callable[..., Numbers]:
    """Compile a work that adds, subtracts, multiplies, divides and compares its arguments.

    Parameters
    ----------
    work : callable
        Takes numbers, returns a sequence of numbers; what it does may not depend on their values.
    arguments : int
        How many it takes.

    Returns
    -------
    callable
        The same for floats, without loops; returns a tuple.
    """
    tape: dict[str, str] = {}
    names = [f"x{place}" for place in range(arguments)]
    results = work(*[_Symbol(name, tape) for name in names])
    steps = [f"    {name} = {formula}" for formula, name in tape.items()]
    given = ", ".join(names)
    returned = ", ".join(map(_word, results))
    code = "\n".join([f"def straight({given}):", *steps, f"    return ({returned},)"])
    made: dict[str, Any] = {}
    exec(compile(code, f"<{__name__}>", "exec"), {"__builtins__": {}}, made)  # noqa: S102 - our own formula, of nothing that was read
    straight: Callable[..., Numbers] = made["straight"]
    return straight
