"""What is wrong with a FHIR message: the fault, where it stands, and what would be right."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

FAULTS_AT_MOST = 50  # a message with more is beyond a list


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong; `code` is of FHIR's required value set IssueType."""

    code: str
    expression: str
    detail: str


class Refused(Exception):
    """The message is not taken: 400 for what is not FHIR R4, 422 for what cannot be used."""

    def __init__(self, faults: Sequence[Fault], *, status: int) -> None:
        super().__init__(f"{len(faults)} faults, {status}")
        self.faults = tuple(faults[:FAULTS_AT_MOST])
        self.status = status


def not_fhir(code: str, expression: str, detail: str) -> Refused:
    """Refuse what is no FHIR R4."""
    return Refused([Fault(code, expression, detail)], status=400)


def not_usable(code: str, expression: str, detail: str) -> Refused:
    """Refuse what is FHIR R4, but cannot be used here."""
    return Refused([Fault(code, expression, detail)], status=422)


# FHIRPath knows one element value[x], whichever type it has in the JSON
_CHOICES = re.compile(
    r"^(value|effective|collected|fastingStatus|deceased|multipleBirth|author|asNeeded)"
    r"(?=Quantity|CodeableConcept|String|Boolean|Integer|Range|Ratio|SampledData|Time|DateTime"
    r"|Period|Timing|Instant|Duration|Reference|\[x\]).+$"
)


def path_of(root: str, steps: Sequence[int | str]) -> str:
    """Name a place as FHIRPath does: Observation.code.coding[0].system."""
    path = root
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        elif (choice := _CHOICES.match(step)) is not None:
            path += f".{choice[1]}"
        else:
            path += f".{step}"
    return path


_PLAIN_WORDS = {
    "missing": ("required", "is missing"),
    "string_type": ("structure", "must be a text in quotes"),
    "tuple_type": ("structure", "must be a list in square brackets"),
    "model_type": ("structure", "must be an object in braces"),
    "dict_type": ("structure", "must be an object in braces"),
    "bool_type": ("structure", "must be true or false, without quotes"),
    "literal_error": ("code-invalid", "must be one of {expected}, written exactly so"),
    "string_pattern_mismatch": ("value", "is not in the form that FHIR asks for"),
    "string_too_long": ("too-long", "is longer than {max_length} characters"),
    "too_long": ("too-costly", "must hold at most {max_length} items; send fewer at once"),
}


def faults_in(
    found: ValidationError, *, root: str, unknown: str = "is not an element of FHIR R4"
) -> list[Fault]:
    """Put what pydantic found into our words; the values themselves are never repeated."""
    faults: list[Fault] = []
    for fault in found.errors(include_url=False, include_input=False)[:FAULTS_AT_MOST]:
        kind, context = fault["type"], fault.get("ctx", {})
        steps = [*fault["loc"], *([context["at"]] if context.get("at") else [])]
        if kind == "extra_forbidden":
            code, detail = "structure", f"{unknown} here; a misspelt name is refused, not dropped"
        elif kind in _PLAIN_WORDS:
            code, pattern = _PLAIN_WORDS[kind]
            detail = pattern.format(**context)
        else:
            code, detail = str(context.get("code", "invalid")), fault["msg"]
        faults.append(Fault(code, path_of(root, steps), f"{name_of(root, steps)} {detail}"))
    return list(dict.fromkeys(faults))


def name_of(root: str, steps: Sequence[int | str]) -> str:
    """Name an element as the JSON does, with the one that holds it: valueQuantity.comparator."""
    names = [step for step in steps if isinstance(step, str)][-2:]
    return shorten(".".join(names) or root)


def shorten(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:60]}…"
