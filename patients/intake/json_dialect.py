"""From the bytes of a JSON message to reports of draws; pure, so that any door can use it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from patients.intake import strict_json
from patients.intake.panels import (
    DRAWS_AT_MOST,
    RESULTS_AT_MOST,
    RESULTS_OF_A_MESSAGE_AT_MOST,
    Panel,
    PanelShell,
    fault_of_accessions,
    fault_of_analytes,
    fault_of_value_and_unit,
)
from patients.intake.reports import DrawReport
from patients.intake.strict_json import Unreadable

__all__ = ["Fault", "Faulty", "Unreadable", "read_json"]

FAULTS_AT_MOST = 100  # a message with more is beyond a list
_FAULTS_TO_READ = 2_000  # of one draw; more come only of a message that is no draw at all


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


_NO_DAY = "is no day and time of any calendar; write it like “2026-11-02T08:10:00+01:00”"
NO_DAYS = dict.fromkeys(
    ("datetime_parsing", "datetime_from_date_parsing", "datetime_object_invalid"), _NO_DAY
)
# What the reader says of itself is for programmers; these are for whoever sent the message
_PLAIN_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of this message; a misspelt name is refused, not dropped",
    "string_pattern_mismatch": "must be one line of text, without control characters",
    "string_unicode": "holds a half of a character (a lone surrogate)",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "string_type": "must be a text in quotes",
    "list_type": "must be a list in square brackets",
    "too_short": "must hold at least {min_length}",
    "too_long": "must hold at most {max_length}",
    "literal_error": "must be one of {expected}, written exactly so",
    "bool_type": "must be true or false, without quotes",
    "int_type": "must be a whole number, without quotes",
    "model_type": "must be an object in braces",
    **NO_DAYS,
}


def _name_faults(found: ValidationError, *, root: str) -> list[Fault]:
    if found.error_count() > _FAULTS_TO_READ:
        return [Fault(root, f"has {found.error_count()} faults; it is no draw as it is taken here")]
    return [
        Fault(
            pointer=root + "".join(f"/{step}" for step in fault["loc"]),
            detail=_PLAIN_WORDS.get(fault["type"], fault["msg"]).format(**fault.get("ctx", {})),
        )
        for fault in found.errors(include_url=False, include_input=False)
    ]


def _faults_between_draws(draws: list[Any]) -> Iterator[Fault]:
    if len(draws) > DRAWS_AT_MOST:
        return
    yield from _named("", fault_of_accessions(_texts(draws, "accession")))
    count = sum(len(_results_of(draw) or ()) for draw in draws)
    if count > RESULTS_OF_A_MESSAGE_AT_MOST:
        detail = (
            f"must hold at most {RESULTS_OF_A_MESSAGE_AT_MOST} results in all; it holds {count}. "
            "Send fewer draws at once"
        )
        yield Fault("/draws", detail)


def _results_of(draw: Any) -> list[Any] | None:
    results = draw.get("results") if isinstance(draw, dict) else None
    return results if isinstance(results, list) else None


def _faults_within_draw(draw: Any, *, pointer: str) -> Iterator[Fault]:
    """Name what is wrong between fields: pydantic leaves it unsaid where one of them is wrong."""
    results = _results_of(draw)
    if results is None or len(results) > RESULTS_AT_MOST:
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
    strict_json.refuse_what_is_no_text(body, data)
    if isinstance(data, dict) and "draws" in data:
        return _read_draws(data), True
    report, faults = _read_draw(data, pointer="")
    if report is None:
        raise Faulty(faults)
    return [report], False


def _read_draws(data: dict[str, Any]) -> list[DrawReport]:
    faults: list[Fault] = []
    draws = data["draws"] if isinstance(data["draws"], list) else []
    try:
        PanelShell.model_validate(data)
    except ValidationError as found:
        faults += _name_faults(found, root="")
        draws = draws[:DRAWS_AT_MOST]
    faults += _faults_between_draws(data["draws"] if draws else [])
    if any(fault.pointer == "/draws" for fault in faults):
        raise Faulty(faults)  # too many to be looked at one by one
    reports = []
    for place, draw in enumerate(draws):
        report, more = _read_draw(draw, pointer=f"/draws/{place}")
        faults += more
        if len(faults) > FAULTS_AT_MOST:
            detail = (
                f"there are more faults than these; draws behind the one at {place} were not read"
            )
            raise Faulty([*faults[:FAULTS_AT_MOST], Fault("", detail)])
        if report is not None:
            reports.append(report)
    if faults:
        raise Faulty(faults)
    return reports


def _read_draw(data: Any, *, pointer: str) -> tuple[DrawReport | None, list[Fault]]:
    try:
        return Panel.model_validate(data).as_report(pointer=pointer), []
    except ValidationError as found:
        faults = [
            *_name_faults(found, root=pointer),
            *_faults_within_draw(data, pointer=pointer),
        ]
        return None, list(dict.fromkeys(faults))
