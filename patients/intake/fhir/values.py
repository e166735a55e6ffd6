"""What was measured: the digits exactly as sent, the unit, and what stands where no number is."""

import json
from decimal import Decimal
from typing import NamedTuple

from patients import units
from patients.intake.fhir.datatypes import DIGITS_AT_MOST, UCUM, Quantity
from patients.intake.fhir.faults import not_usable
from patients.intake.fhir.lines import code_of, line, words_of
from patients.intake.fhir.resources import Observation
from patients.intake.reports import Comparator

# HL7 ObservationInterpretation: off scale low, off scale high
_OFF_SCALE: tuple[Comparator, ...] = ("<", ">")


class Value(NamedTuple):
    """A value as it goes into the report."""

    text: str | None
    comparator: Comparator = ""
    unit: str = ""
    absent_reason: str = ""


def value_of(observation: Observation, *, root: str) -> Value:
    """Read the value of an Observation, whichever of FHIR's kinds it is.

    A number in a text, a code or a range is no concentration: its text is handed on as it stands,
    so that a person can say what it means. So are a number below zero and no value at all: FHIR
    allows both, and a person can ask what was meant.
    """
    if observation.value_quantity is not None:
        return _flagged(_quantity(observation.value_quantity, root=f"{root}.value"), observation)
    for name in observation.value_kinds:
        return Value(_other_value(observation, name))
    if observation.data_absent_reason is not None:
        return Value(None, absent_reason=code_of(observation.data_absent_reason, 100))
    if observation.component:
        return Value(line(f"components: {_components(observation)}", 200))
    return Value(None)


def _quantity(quantity: Quantity, *, root: str) -> Value:
    unit = _unit_of(quantity)
    if quantity.value is None:
        if quantity.comparator is not None:
            raise not_usable("required", f"{root}.value", "a comparator needs a value beside it")
        return Value("", unit=unit)
    return Value(digits_of(quantity.value, root=f"{root}.value"), quantity.comparator or "", unit)


def _flagged(value: Value, observation: Observation) -> Value:
    """Believe the interpretation that says the value lies beyond what can be measured."""
    codes = {code_of(each, 10) for each in observation.interpretation}
    beyond = [mark for mark in _OFF_SCALE if mark in codes]
    if value.comparator or not value.text or len(beyond) != 1:
        return value
    return value._replace(comparator=beyond[0])


def digits_of(number: int | Decimal, *, root: str) -> str:
    """Write a number out as it was sent: 37.50 stays 37.50."""
    if isinstance(number, Decimal) and abs(number.adjusted()) > DIGITS_AT_MOST:
        raise not_usable("value", root, "value is beyond anything that is measured")
    text = format(number, "f") if isinstance(number, Decimal) else str(number)
    whole, _, broken = text.removeprefix("-").partition(".")
    if max(len(whole), len(broken)) > DIGITS_AT_MOST:
        raise not_usable(
            "value", root, f"value has more than {DIGITS_AT_MOST} digits on a side of the point"
        )
    return text


def _unit_of(quantity: Quantity) -> str:
    """Prefer the UCUM code; where it and the printed unit contradict, let nobody read either."""
    code, printed = quantity.code or "", line(quantity.unit, 50)
    if quantity.system != UCUM or not code:
        return printed or line(code, 50)
    if printed and units.is_known(code) and units.is_known(printed):
        one = Decimal(1)
        if units.convert(one, code, into="ng/mL") != units.convert(one, printed, into="ng/mL"):
            return line(f"{printed} ≠ {code}", 50)
    return line(code, 50)


def _other_value(observation: Observation, name: str) -> str:
    value = getattr(observation, name)
    if name == "value_codeable_concept":
        return words_of(value, 200)
    if isinstance(value, str):
        return line(value, 200)
    if isinstance(value, bool | int):
        return json.dumps(value)
    text = json.dumps(value if isinstance(value, dict) else value.model_dump(), default=str)
    return line(f"{name.removeprefix('value_').replace('_', ' ')}: {text}", 200)


def _components(observation: Observation) -> str:
    return ", ".join(
        words_of(each.code, 40) + (" …" if each.value_kinds else "")
        for each in observation.component
    )
