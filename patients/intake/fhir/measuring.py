"""How a result was measured, as components of its Observation: run, calibrator, dilution, CV.

FHIR has no elements for these; a component is where it puts what qualifies a value. Which is meant
is told by a code of our own, or by the same word where a component has words only.
"""

from patients.intake.fhir.datatypes import UCUM
from patients.intake.fhir.faults import not_usable
from patients.intake.fhir.lines import line, words_of
from patients.intake.fhir.resources import Component, Observation
from patients.intake.fhir.values import digits_of
from patients.intake.reports import Measurement

MEASUREMENT = "urn:soundings:measurement"
_AT_MOST = {"run": 100, "calibrator": 100, "dilution": 50}
REPLICATE_CV = "replicate-cv"
_WORDS = {
    "run": "run",
    "assay run": "run",
    "calibrator": "calibrator",
    "calibrator lot": "calibrator",
    "dilution": "dilution",
    "dilution factor": "dilution",
    "replicate cv": REPLICATE_CV,
}


def measurement_of(observation: Observation, *, root: str) -> Measurement | None:
    """Read what components say of the measuring; other components are left alone."""
    said: dict[str, str] = {}
    for place, each in enumerate(observation.component):
        name = _meant_by(each)
        if name == REPLICATE_CV:
            said["replicate_cv_percent"] = _percent(each, root=f"{root}.component[{place}]")
        elif name:
            said[name] = _text(each, at_most=_AT_MOST[name])
    return Measurement(**said) if any(said.values()) else None


def _meant_by(component: Component) -> str:
    for coding in component.code.coding:
        if coding.system == MEASUREMENT and coding.code in {*_AT_MOST, REPLICATE_CV}:
            return coding.code
    if any(coding.code for coding in component.code.coding):
        return ""  # a code of another system says what it is, whatever the words are
    return _WORDS.get(words_of(component.code, 100).casefold(), "")


def _text(component: Component, *, at_most: int) -> str:
    if component.value_ratio is not None:
        parts = [component.value_ratio.get(each) or {} for each in ("numerator", "denominator")]
        return line(":".join(str(each.get("value", "")) for each in parts), at_most)
    if component.value_quantity is not None:
        return line(str(component.value_quantity.value or ""), at_most)
    if component.value_integer is not None:
        return str(component.value_integer)
    if component.value_codeable_concept is not None:
        return words_of(component.value_codeable_concept, at_most)
    return line(component.value_string, at_most)


def _percent(component: Component, *, root: str) -> str:
    """Read a coefficient of variation; a fraction of one is not taken for per cent."""
    quantity = component.value_quantity
    if quantity is None or quantity.value is None:
        if component.value_kinds:
            raise not_usable("value", f"{root}.value", "a replicate CV must be a valueQuantity")
        return ""
    text = digits_of(quantity.value, root=f"{root}.value")
    unit = quantity.code if quantity.system == UCUM else quantity.unit
    if unit != "%" or text.startswith("-"):
        raise not_usable(
            "value", f"{root}.value", "a replicate CV must be a number in per cent (%)"
        )
    return text
