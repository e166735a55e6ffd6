"""What the given part of a vector may hold, by its kind; the same as docs/reference/vectors.md."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

Word = TypeVar("Word", bound=StrEnum)
Shape = Mapping[str, Any]  # the fields that may stand there; of a list or an object, its own


class GivenIsUnfit(Exception):
    """What a vector gives has not the shape of its kind, so that nothing can be answered."""


def _plain(*names: str) -> dict[str, None]:
    return dict.fromkeys(names)


_HISTORY: Shape = {
    **_plain("at_day", "rules", "no_episode", "is_bipolar", "is_psychotic", "earlier_failures"),
    **_plain("primary_instrument", "rs2228145"),
    "ratings": _plain("day", "total", "instrument"),
    "trials": {
        **_plain("from_day", "to_day", "stop_reason", "atc", "drug", "kind", "adherence"),
        **_plain("override", "least_mg"),
        "doses": _plain("from_day", "mg"),
    },
    "results": {
        **_plain("day", "value", "analyte", "comparator", "status", "kit", "laboratory", "lot"),
        **_plain("haemolysis", "thaws", "local_hour", "local_day", "matrix", "assay_cv"),
        **_plain("is_confirmed", "is_overridden", "is_duplicate", "is_matrix_wrong"),
        **_plain("is_kit_unknown", "is_unsuitable", "is_zero", "is_kept_out"),
    },
    "events": _plain("kind", "from_day", "to_day", "atc"),
}
SHAPES: dict[str, Shape] = {
    "score": _plain("instrument", "items", "total"),
    "history": _HISTORY,
    "staging": _plain("duration_months", "severity", "failed_trials", "is_augmented", "has_ect"),
    "reference change": _plain("within_cv", "assay_cv", "z", "draws_before", "form"),
    "false alarms": _plain("draws", "z"),
    "real change": {
        **_plain("analyte", "assay_cv", "zone"),
        "results": _plain("drawn_at", "value", "comparator", "kit", "is_scored", "assay_cv"),
    },
    "schedule": {
        **_plain("what", "started_on", "done_on", "today", "ended_on"),
        "plan": _plain("weeks", "every_weeks", "days_before", "days_after", "baseline_before"),
    },
    "correction": {"before": _HISTORY, "after": _HISTORY},
    "genotype": _plain("level_ng_ml", "typical_ng_ml", "genotype"),
    "dose": _plain("text"),
    "rules": _plain("day", "name"),
}


def refuse_strangers(kind: str, given: Mapping[str, Any]) -> None:
    """Refuse a field that its kind does not have: left unread, it would agree by not counting.

    Raises
    ------
    GivenIsUnfit
        Says which field, and which there are.
    """
    _refuse(given, SHAPES[kind], where="")


def _refuse(given: object, shape: Shape, *, where: str) -> None:
    if isinstance(given, list):
        for place, each in enumerate(given):
            _refuse(each, shape, where=f"{where}[{place}]")
    if not isinstance(given, Mapping):
        return
    for name, value in given.items():
        inside = f"{where}.{name}" if where else name
        if name not in shape:
            message = f"{inside}: there is no such field; wanted: {', '.join(shape)}"
            raise GivenIsUnfit(message)
        if shape[name] is not None:
            _refuse(value, shape[name], where=inside)


class _Wanted(dict[str, Any]):
    """An object of a vector; what must stand there and does not is no refusal to agree with."""

    def __missing__(self, name: str) -> Any:
        message = f"{name}: not given"
        raise GivenIsUnfit(message)


def with_all_wanted(given: Any) -> Any:
    """Make every object of a vector say which field it lacks when that is asked for."""
    if isinstance(given, Mapping):
        return _Wanted({name: with_all_wanted(value) for name, value in given.items()})
    return [with_all_wanted(each) for each in given] if isinstance(given, list) else given


def day_given(name: str, text: str) -> date:
    """Read a day.

    Raises
    ------
    ValueError
        There is no such day.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f"{name}: {text!r} is no day of the calendar; write it as 2026-11-28"
        raise ValueError(message) from None


def word_given(name: str, text: str, words: type[Word]) -> Word:
    """Read one word of several.

    Raises
    ------
    ValueError
        It is none of them.
    """
    try:
        return words(text)
    except ValueError:
        message = f"{name}: {text!r}; wanted: {', '.join(words)}"
        raise ValueError(message) from None
