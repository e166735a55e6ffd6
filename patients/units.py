"""Units of concentration, converted exactly: moving the decimal point is all that happens."""

from decimal import Decimal
from functools import lru_cache

# Powers of ten between the unit and one gram per litre (UCUM, case-sensitive codes; the spellings
# with u, µ (U+00B5) and μ (U+03BC) are the same unit, and so are l and L)
_POWER_OF_G_PER_L = {
    "g/L": 0,
    "g/dL": 1,
    "mg/mL": 0,
    "mg/dL": -2,
    "mg/L": -3,
    "ug/mL": -3,
    "ug/dL": -5,
    "ug/L": -6,
    "ng/mL": -6,
    "ng/dL": -8,
    "ng/L": -9,
    "pg/mL": -9,
    "pg/dL": -11,
    "pg/L": -12,
    "fg/mL": -12,
}
KNOWN_UNITS = tuple(_POWER_OF_G_PER_L)


class UnknownUnit(Exception):
    """The unit is not in the table, so no value can be given in another."""


@lru_cache(maxsize=1024)
def _power_of(unit: str) -> int:
    spelt = unit.strip().replace("µ", "u").replace("μ", "u")
    mass, slash, volume = spelt.partition("/")
    if slash and volume.endswith("l"):
        volume = f"{volume[:-1]}L"
    try:
        return _POWER_OF_G_PER_L[f"{mass}/{volume}"]
    except KeyError:
        raise UnknownUnit(unit) from None


def is_known(unit: str) -> bool:
    """Tell whether the unit can be converted."""
    try:
        _power_of(unit)
    except UnknownUnit:
        return False
    return True


def power_between(unit: str, into: str) -> int:
    """Give the power of ten by which a number in one unit becomes one in another."""
    return _power_of(unit) - _power_of(into)


def convert(value: Decimal, unit: str, *, into: str) -> Decimal:
    """Express a concentration in another unit, with every digit that was sent.

    The digits are kept and the exponent is moved, so no precision of any context rounds it.
    """
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        message = f"{value} is not a number that has a unit"
        raise TypeError(message)
    power = power_between(unit, into)
    if power == 0 and exponent <= 0:
        return value  # as most values come
    moved = Decimal((sign, digits, exponent + power))
    # 375 moved up by two digits is 3.75E+4; written out it is 37500
    return moved if moved.as_tuple().exponent <= 0 else Decimal(f"{moved:f}")  # type: ignore[operator]
