"""Units of concentration are converted exactly."""

from decimal import Decimal

import pytest

from patients.units import KNOWN_UNITS, UnknownUnit, convert, is_known

# Expected values by hand: one step of the prefix is a factor of 1,000, mL to L another 1,000
CONVERSIONS = [
    ("37.50", "ng/mL", "ng/mL", "37.50"),
    ("37500", "pg/mL", "ng/mL", "37.500"),
    ("37.50", "ug/L", "ng/mL", "37.50"),
    ("37.50", "µg/L", "ng/mL", "37.50"),
    ("37.50", "μg/l", "ng/mL", "37.50"),
    ("0.0375", "mg/L", "ng/mL", "37.5"),
    ("1.79", "ng/L", "pg/mL", "1.79"),
    ("0.00179", "ng/mL", "pg/mL", "1.79"),
    ("0.48", "mg/dL", "mg/L", "4.8"),
    ("4.8", "ug/mL", "mg/L", "4.8"),
    ("1", "g/L", "ng/mL", "1000000"),
    (
        "12345678901234567890.12345678901234567890",
        "ng/L",
        "pg/mL",
        "12345678901234567890.12345678901234567890",
    ),
]


@pytest.mark.parametrize(("value", "unit", "into", "expected"), CONVERSIONS)
def test_a_value_is_expressed_in_another_unit(
    value: str, unit: str, into: str, expected: str
) -> None:
    assert convert(Decimal(value), unit, into=into) == Decimal(expected)


def test_trailing_zeros_are_kept() -> None:
    assert str(convert(Decimal("37.50"), "ng/mL", into="ng/mL")) == "37.50"


@pytest.mark.parametrize("unit", KNOWN_UNITS)
def test_there_and_back_is_the_same_value(unit: str) -> None:
    value = Decimal("31.10")

    there = convert(value, unit, into="ng/mL")

    assert convert(there, "ng/mL", into=unit) == value


@pytest.mark.parametrize("unit", ["ng", "NG/ML", "IU/mL", "ng/mol", "ng/mL/h", "mmol/L"])
def test_an_unknown_unit_is_refused(unit: str) -> None:
    assert not is_known(unit)
    with pytest.raises(UnknownUnit, match=unit):
        convert(Decimal(1), unit, into="ng/mL")
