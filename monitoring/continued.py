"""Which replaced facts were wrong, and which have only gone on or been added to since."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from patients.models import (
    Adherence,
    DrawVerdict,
    Episode,
    Event,
    Override,
    Patient,
    Rating,
    StopReason,
    Trial,
)
from patients.record.treatment import Course

_Fact = Trial | Event | Episode | Rating | DrawVerdict
TABLES: dict[str, type[_Fact]] = {
    "trial": Trial,
    "event": Event,
    "episode": Episode,
    "rating": Rating,
    "verdict": DrawVerdict,
}
Replaced = tuple[int, int, str, int, datetime]  # patient, assessment, table, fact, made at


@dataclass(frozen=True)
class Wrong:
    """One replaced fact on which an assessment rested: that was wrong, or that told too little.

    ``known_since`` is when the wrong thing was first said, by this fact or by an earlier version of
    it. ``trial_id`` names a course that stands, and whose end, adherence or judgement says that it
    can be no failure: what was said of it was wrong only if it was said to have failed.
    """

    patient_id: int
    assessment_id: int
    known_since: datetime
    trial_id: int | None = None


def wrong_among(replaced: Sequence[Replaced]) -> list[Wrong]:
    """Keep the replaced facts that were wrong, and the courses that can be no failure."""
    if not replaced:
        return []
    known = {
        name: _with_what_stands_now(model, [row[3] for row in replaced if row[2] == name])
        for name, model in TABLES.items()
        if any(row[2] == name for row in replaced)
    }
    zones = {
        each.pk: each.team.site.zone
        for each in Patient.objects.select_related("team__site").filter(
            pk__in={row[0] for row in replaced}
        )
    }
    wrong = []
    for patient_id, assessment_id, table, fact_id, made_at in replaced:
        before, after = known[table][fact_id]
        told_on = made_at.astimezone(zones[patient_id]).date()
        if _is_wrong(before, after, told_on=told_on):
            since = _said_since(before, after, told_on=told_on)
            wrong.append(Wrong(patient_id, assessment_id, since))
        elif isinstance(after, Trial) and _can_be_no_failure(after):
            since = _said_since(before, None, told_on=told_on)
            wrong.append(Wrong(patient_id, assessment_id, since, fact_id))
    return wrong


def _can_be_no_failure(trial: Trial) -> bool:
    by_reason = trial.stop_reason in {StopReason.INTOLERANCE, StopReason.NON_ADHERENCE}
    by_judgement = trial.override in {Override.INADEQUATE, Override.INDETERMINATE}
    return by_reason or by_judgement or trial.adherence == Adherence.POOR


def _with_what_stands_now(
    model: type[_Fact], ids: Iterable[int]
) -> dict[int, tuple[_Fact, _Fact | None]]:
    """Give each fact with the one that stands for it now; None where it was withdrawn."""
    found: dict[int, tuple[_Fact, _Fact | None]] = {}
    for before in model._default_manager.filter(pk__in=list(ids)):
        after: _Fact | None = before
        while after is not None and after.superseded_at is not None:
            after = cast("_Fact | None", after.superseded_by)
        found[before.pk] = before, after
    return found


def _said_since(before: _Fact, after: _Fact | None, *, told_on: date) -> datetime:
    """Say since when what was wrong stood: a version that added to it had taken it over."""
    first: _Fact = before
    of_the_patient = type(before)._default_manager.filter(patient=before.patient_id)
    while earlier := of_the_patient.filter(superseded_by=first.pk).first():
        if not _is_wrong(earlier, after, told_on=told_on):
            break
        first = earlier
    return first.recorded_at


def _is_wrong(before: _Fact, after: _Fact | None, *, told_on: date) -> bool:
    if isinstance(before, Trial) and isinstance(after, Trial):
        return not is_continued(Course.of(before), Course.of(after), told_on=told_on)
    if isinstance(before, Event) and isinstance(after, Event):
        same = ("kind", "atc", "started_on")
        return _differ(before, after, same) or before.stopped_on not in {None, after.stopped_on}
    if isinstance(before, Episode) and isinstance(after, Episode):
        return is_restated(before, after)
    if isinstance(before, Rating) and isinstance(after, Rating):
        return _differ(before, after, ("rated_at", "total"))
    if isinstance(before, DrawVerdict) and isinstance(after, DrawVerdict):
        return before.verdict != after.verdict
    return True


def _differ(before: _Fact, after: _Fact, names: Iterable[str]) -> bool:
    return any(getattr(before, name) != getattr(after, name) for name in names)


def is_restated(before: Episode, after: Episode) -> bool:
    """Tell whether something that an assessment goes by was said of an episode otherwise before.

    What was not known and is known now is news, and so is the end of the episode. A primary scale
    is chosen over the one that was gone by until then.
    """
    could_be_unknown = ("diagnosis", "is_bipolar", "earlier_failures", "ended_on")
    return _differ(before, after, ("started_on", "primary_instrument")) or any(
        getattr(before, name) not in {None, "", getattr(after, name)} for name in could_be_unknown
    )


def is_continued(before: Course, after: Course, *, told_on: date) -> bool:
    """Tell whether all that was said of a course on that day stands, and something was added.

    A later dose, the end of the course, an adherence that was not known and a person's first
    judgement are news. A dose that was planned for later had not been given yet.
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
        and before.override in {Override.NONE, after.override}
    )


_FIXED = ("drug", "atc", "kind", "started_on")
