"""From the bytes of a JSON message to reports of draws; pure, so that any door can use it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from patients.intake import strict_json
from patients.intake.panels import (
    Panel,
    PanelList,
    fault_of_accessions,
    fault_of_analytes,
    fault_of_value_and_unit,
)
from patients.intake.reports import DrawReport
from patients.intake.strict_json import Unreadable

__all__ = ["Fault", "Faulty", "Unreadable", "read_json"]


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: where it stands and what would be right."""

    pointer: str
    detail: str


class Faulty(Exception):
    """The message is JSON, but not a draw; every fault is named."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


# What the reader says of itself is for programmers; these are for whoever sent the message
_PLAIN_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of this message; a misspelt name is refused, not dropped",
    "string_pattern_mismatch": "must be one line of text, without control characters",
    "string_unicode": "holds a half of a character (a lone surrogate)",
    "string_too_short": "must not be empty",
    "model_type": "must be an object in braces",
}


def _name_faults(found: ValidationError) -> list[Fault]:
    return [
        Fault(
            pointer="".join(f"/{step}" for step in fault["loc"]),
            detail=_PLAIN_WORDS.get(fault["type"], fault["msg"]).format(**fault.get("ctx", {})),
        )
        for fault in found.errors(include_url=False, include_input=False)
    ]


def _faults_between_fields(data: Any) -> Iterator[Fault]:
    """Name what is wrong between fields: pydantic leaves it unsaid where one of them is wrong."""
    draws = data.get("draws") if isinstance(data, dict) else None
    if isinstance(draws, list):
        yield from _named("", fault_of_accessions(_texts(draws, "accession")))
        for place, draw in enumerate(draws):
            yield from _faults_within_draw(draw, pointer=f"/draws/{place}")
    else:
        yield from _faults_within_draw(data, pointer="")


def _faults_within_draw(draw: Any, *, pointer: str) -> Iterator[Fault]:
    results = draw.get("results") if isinstance(draw, dict) else None
    if not isinstance(results, list):
        return
    yield from _named(pointer, fault_of_analytes(_texts(results, "analyte")))
    for place, result in enumerate(results):
        if isinstance(result, dict):
            fault = fault_of_value_and_unit(
                result.get("status"), result.get("value"), result.get("unit")
            )
            yield from _named(f"{pointer}/results/{place}", fault)


def _named(pointer: str, fault: PydanticCustomError | None) -> list[Fault]:
    return [Fault(pointer, fault.message())] if fault else []


def _texts(parts: list[Any], name: str) -> list[str]:
    found = (part.get(name) for part in parts if isinstance(part, dict))
    return [text.strip() for text in found if isinstance(text, str)]


def read_json(body: bytes) -> tuple[list[DrawReport], bool]:
    """Read one draw, or a list of draws; say whether it was a list.

    Raises
    ------
    Unreadable
        When the bytes are not strict JSON.
    Faulty
        When a field is missing, unknown, or has a value that cannot be right.
    """
    data = strict_json.load(body)
    is_list = isinstance(data, dict) and "draws" in data
    try:
        if is_list:
            draws = PanelList.model_validate(data).draws
            return [
                each.as_report(pointer=f"/draws/{place}") for place, each in enumerate(draws)
            ], True
        return [Panel.model_validate(data).as_report(pointer="")], False
    except ValidationError as found:
        faults = [*_name_faults(found), *_faults_between_fields(data)]
        raise Faulty(list(dict.fromkeys(faults))) from found
