"""Daily doses as people write them: a number and its unit, in milligrams."""

import re
from decimal import Decimal

_PER_MG = {"mg": Decimal(1), "g": Decimal(1000), "µg": Decimal("0.001"), "ug": Decimal("0.001")}
_PER_MG |= {"μg": Decimal("0.001"), "mcg": Decimal("0.001")}  # the Greek letter, and the spelling
_DOSE = re.compile(r"\s*(\d{1,6}(?:[.,]\d{1,4})?)\s*([^\s\d/]+)?\s*(?:/\s*(?:d|day)|daily)?\s*")


# A thousand in one country, a number with three decimals in another
_EITHER = re.compile(r"([1-9]\d{0,2})[.,](\d{3})")


class DoseFault(ValueError):
    """A dose that cannot be read; says what would be right."""


def daily_mg(text: str) -> Decimal:
    """Read a daily dose: 50 mg, 37.5 mg/d, 0.9 g.

    A number alone is refused: nobody can tell whether it is milligrams or tablets.
    """
    found = _DOSE.fullmatch(text)
    if found is None:
        message = f"“{text}” is not a daily dose; write a number and its unit, such as “50 mg”"
        raise DoseFault(message)
    number, unit = found.groups()
    if unit is None:
        message = f"“{text}”: say the unit of the daily dose too, such as “{number} mg”"
        raise DoseFault(message)
    per_mg = _PER_MG.get(unit) or _PER_MG.get(unit.casefold())  # MG is often printed so
    if per_mg is None:
        message = f"“{text}”: “{unit}” is no unit of a daily dose; use mg, g or µg"
        raise DoseFault(message)
    if per_mg <= 1 and (either := _EITHER.fullmatch(number)) is not None:
        whole, rest = either.groups()
        decimals = rest.rstrip("0")
        part = f"{whole}.{decimals}" if decimals else whole
        once = f"{part}0" if decimals == rest else part  # three decimals would be as unclear again
        message = f"“{text}” may be {whole}{rest} or {part}; write {whole}{rest} {unit}, "
        message += f"or {once} {unit}"
        raise DoseFault(message)
    dose = Decimal(number.replace(",", ".")) * per_mg
    if dose == 0:
        message = f"“{text}”: a daily dose is above zero; when the drug was stopped, stop the trial"
        raise DoseFault(message)
    return dose
