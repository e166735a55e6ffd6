"""Which replaced facts were not wrong: a course or an event that has gone on since."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from patients.models import Adherence, Event, Patient, StopReason, Trial
from patients.record.treatment import Course

_Fact = Trial | Event
Replaced = tuple[int, int, str, int, datetime]  # patient, assessment, table, fact, made at


@dataclass(frozen=True)
class Wrong:
    """One replaced fact on which an assessment rested: that was wrong, or that told too little.

    ``trial_id`` names a course that stands, and whose end or adherence says that it can be no
    failure: what was said of it was wrong only if it was said to have failed.
    """

    patient_id: int
    assessment_id: int
    known_since: datetime
    trial_id: int | None = None


def wrong_among(replaced: Sequence[Replaced]) -> list[Wrong]:
    """Keep the replaced courses and events that were wrong, and those that can be no failure."""
    if not replaced:
        return []
    trials = _with_what_stands_now(Trial, [row[3] for row in replaced if row[2] == "trial"])
    events = _with_what_stands_now(Event, [row[3] for row in replaced if row[2] == "event"])
    zones = {
        each.pk: each.team.site.zone
        for each in Patient.objects.select_related("team__site").filter(
            pk__in={row[0] for row in replaced}
        )
    }
    wrong = []
    for patient_id, assessment_id, table, fact_id, made_at in replaced:
        before, after = (trials if table == "trial" else events)[fact_id]
        told_on = made_at.astimezone(zones[patient_id]).date()
        if after is None or not _goes_on(before, after, told_on=told_on):
            wrong.append(Wrong(patient_id, assessment_id, before.recorded_at))
        elif isinstance(after, Trial) and _can_be_no_failure(after):
            wrong.append(Wrong(patient_id, assessment_id, before.recorded_at, fact_id))
    return wrong


def _can_be_no_failure(trial: Trial) -> bool:
    by_reason = trial.stop_reason in {StopReason.INTOLERANCE, StopReason.NON_ADHERENCE}
    return by_reason or trial.adherence == Adherence.POOR


def _with_what_stands_now(
    model: type[Trial] | type[Event], ids: Iterable[int]
) -> dict[int, tuple[_Fact, _Fact | None]]:
    """Give each fact with the one that stands for it now; None where it was withdrawn."""
    found: dict[int, tuple[_Fact, _Fact | None]] = {}
    for before in model._default_manager.filter(pk__in=list(ids)):
        after: _Fact | None = before
        while after is not None and after.superseded_at is not None:
            after = cast("_Fact | None", after.superseded_by)
        found[before.pk] = before, after
    return found


def _goes_on(before: _Fact, after: _Fact, *, told_on: date) -> bool:
    if isinstance(before, Trial) and isinstance(after, Trial):
        return is_continued(Course.of(before), Course.of(after), told_on=told_on)
    if isinstance(before, Event) and isinstance(after, Event):
        same = ("kind", "atc", "started_on")
        stands = all(getattr(before, name) == getattr(after, name) for name in same)
        return stands and before.stopped_on in {None, after.stopped_on}
    return False


def is_continued(before: Course, after: Course, *, told_on: date) -> bool:
    """Tell whether all that was said of a course on that day stands, and something was added.

    A later dose, the end of the course, an adherence that was not known and a person's judgement
    are news. A dose that was planned for later had not been given yet.
    """
    if any(getattr(before, name) != getattr(after, name) for name in _FIXED):
        return False
    until = min(told_on, after.stopped_on or told_on)
    given = tuple(each for each in before.doses if each[0] <= until)
    return (
        after.doses[: len(given)] == given
        and before.stopped_on in {None, after.stopped_on}
        and before.stop_reason in {"", after.stop_reason}
        and before.adherence in {Adherence.UNKNOWN, after.adherence}
    )


_FIXED = ("drug", "atc", "kind", "started_on")
