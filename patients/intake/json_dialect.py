"""From the bytes of a JSON message to reports of draws; pure, so that any door can use it."""

from dataclasses import dataclass

from pydantic import ValidationError

from patients.intake import strict_json
from patients.intake.panels import Panel, PanelList
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
    "string_pattern_mismatch": "is not in the form {pattern}",
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
        raise Faulty(_name_faults(found)) from found
