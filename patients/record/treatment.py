"""Courses on the record: what is given; new, corrected, withdrawn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Q

from patients import audit
from patients.models import (
    WITHOUT_DRUG,
    Adherence,
    DoseStep,
    Override,
    Patient,
    StopReason,
    Trial,
    TrialKind,
)
from patients.record.versions import count_up, lock

Dose = tuple[date, Decimal]
EARLIEST = date(1950, 1, 1)  # what is earlier is a slip of the pen
_ZONES = timedelta(days=1)  # it may be tomorrow already where it was written
# Taken together for so long, two antidepressants are a combination and no change of the drug
TOGETHER_DAYS = 28
# Antidepressants, also in one tablet with a psycholeptic; antipsychotics such as quetiapine
_TRIED_ALONE, _LITHIUM = ("N06A", "N06CA", "N05A"), "N05AN"
_ANTIDEPRESSANTS, _MAO_INHIBITORS = "N06A", "N06AF"
_ESKETAMINE = "N06AX27"  # given beside one under a watch of the blood pressure, and not forbidden


class TrialFault(Exception):
    """A course that cannot be; says in a sentence what would be right."""


class DoseBeforeTrial(TrialFault):
    """A dose is given from the first day of its trial on, or later."""


class TrialReplaced(Exception):
    """This trial is no longer the current one; somebody has changed it in the meantime."""


@dataclass(frozen=True)
class Course:
    """Everything that is said of one course."""

    drug: str
    atc: str
    started_on: date
    doses: tuple[Dose, ...] = ()
    stopped_on: date | None = None
    stop_reason: str = ""
    kind: TrialKind = TrialKind.ANTIDEPRESSANT
    adherence: Adherence = Adherence.UNKNOWN
    override: Override = Override.NONE
    override_reason: str = ""

    @classmethod
    def of(cls, trial: Trial) -> "Course":
        """Read a course back from the record."""
        steps = trial.dose_steps.order_by("started_on")
        return cls(
            drug=trial.drug,
            atc=trial.atc,
            started_on=trial.started_on,
            doses=tuple((step.started_on, step.dose_mg) for step in steps),
            stopped_on=trial.stopped_on,
            stop_reason=trial.stop_reason,
            kind=TrialKind(trial.kind),
            adherence=Adherence(trial.adherence),
            override=Override(trial.override),
            override_reason=trial.override_reason,
        )


@transaction.atomic
def record_trial(
    *,
    patient: Patient,
    drug: str,
    atc: str,
    started_on: date,
    doses: Sequence[Dose],
    stopped_on: date | None = None,
    stop_reason: str = "",
    by: str,
    at: datetime,
) -> Trial:
    """Record one course of one antidepressant, with the daily dose from each day on."""
    course = Course(
        drug=drug,
        atc=atc,
        started_on=started_on,
        doses=tuple(doses),
        stopped_on=stopped_on,
        stop_reason=stop_reason,
    )
    return record_course(patient=patient, course=course, by=by, at=at)


@transaction.atomic
def record_course(*, patient: Patient, course: Course, by: str, at: datetime) -> Trial:
    """Record one course, of an antidepressant or of what stands beside one."""
    lock(patient.pk)
    _check(course, patient, at=at)
    trial = _create(patient, course, by=by, at=at)
    _say("record_trial", trial, by=by, at=at)
    return trial


@transaction.atomic
def stop_trial(
    *, trial: Trial, stopped_on: date, stop_reason: StopReason, by: str, at: datetime
) -> Trial:
    """Say when and why a trial ended; the running one stays on record as it was known."""
    known = Course.of(trial)
    course = replace(
        known,
        stopped_on=stopped_on,
        stop_reason=stop_reason.value,
        # a change that was planned for later did not come about
        doses=tuple(each for each in known.doses if each[0] <= stopped_on),
    )
    return correct_trial(trial=trial, course=course, reason="the trial was stopped", by=by, at=at)


@transaction.atomic
def correct_trial(*, trial: Trial, course: Course, reason: str, by: str, at: datetime) -> Trial:
    """Replace a course by what is right or new, with a reason; the earlier one stays readable."""
    before = _lock_current(trial, reason=reason)
    _check(course, before.patient, but=before, at=at)
    after = _create(before.patient, course, by=by, at=at)
    before.superseded_at, before.superseded_by = at, after
    before.superseded_reason = reason.strip()
    before.save()
    _say("correct_trial", before, by=by, at=at)
    return after


@transaction.atomic
def withdraw_trial(*, trial: Trial, reason: str, by: str, at: datetime) -> None:
    """Say that a course should not be on this record at all."""
    before = _lock_current(trial, reason=reason)
    before.superseded_at, before.superseded_reason = at, reason.strip()
    before.save()
    _say("withdraw_trial", before, by=by, at=at)


def _lock_current(trial: Trial, *, reason: str) -> Trial:
    if not reason.strip():
        message = "Say why the course is corrected."
        raise TrialFault(message)
    lock(trial.patient_id)
    before: Trial = Trial.objects.select_related("patient").get(pk=trial.pk)
    if before.superseded_at is not None:
        raise TrialReplaced(str(trial))
    return before


def _create(patient: Patient, course: Course, *, by: str, at: datetime) -> Trial:
    columns = {name: value for name, value in vars(course).items() if name != "doses"}
    trial = Trial(patient=patient, recorded_at=at, recorded_by=by, **columns)
    trial.save(force_insert=True)
    DoseStep.objects.bulk_create(
        [DoseStep(trial=trial, started_on=day, dose_mg=dose) for day, dose in course.doses]
    )
    return trial


def _say(verb: str, trial: Trial, *, by: str, at: datetime) -> None:
    audit.write(verb=verb, subject=f"trial:{trial.pk}", by=by, at=at, patient_id=trial.patient_id)
    count_up([trial.patient_id], at=at)


def _check(course: Course, patient: Patient, *, at: datetime, but: Trial | None = None) -> None:
    """Refuse a course that cannot be, or that is on record already."""
    if any(day < course.started_on for day, _ in course.doses):
        message = "A dose begins on the first day of its trial, or later."
        raise DoseBeforeTrial(message)
    if len({day for day, _ in course.doses}) < len(course.doses):
        message = "Two doses begin on one day; give the one that was taken from that day on."
        raise TrialFault(message)
    check_days(patient, course.started_on, course.stopped_on, at=at)
    if course.stopped_on is not None and any(day > course.stopped_on for day, _ in course.doses):
        message = "A dose begins after the last day of the trial; check both days."
        raise TrialFault(message)
    if course.kind in WITHOUT_DRUG and course.doses:
        message = "A course without a drug has no daily dose."
        raise TrialFault(message)
    if course.override and not course.override_reason.strip():
        message = "Say why you judge the adequacy otherwise than the rule."
        raise TrialFault(message)
    if course.atc and (but is None or (course.kind, course.atc) != (but.kind, but.atc)):
        _refuse_no_antidepressant(course)
    if course.atc:
        _refuse_overlap(course, patient, but=but)
        _refuse_together(
            course, patient, but=but, today=at.astimezone(patient.team.site.zone).date()
        )


def _refuse_no_antidepressant(course: Course) -> None:
    """A drug against something else is no trial, and would count as a failed treatment."""
    if course.kind == TrialKind.ANTIDEPRESSANT and not may_be_trial(course.atc):
        message = (
            f"{course.atc} is no code of an antidepressant, and its course no trial: correct the "
            f"code, or record {course.drug} as what it is."
        )
        raise TrialFault(message)


def may_be_trial(atc: str) -> bool:
    """Tell whether a drug of this code can be given against depression as a trial of its own."""
    return atc.startswith(_TRIED_ALONE) and not atc.startswith(_LITHIUM)


def check_days(
    patient: Patient, started_on: date, stopped_on: date | None, *, at: datetime
) -> None:
    """Refuse days that cannot be, of a course or of an event."""
    last = at.astimezone(patient.team.site.zone).date() + _ZONES
    for is_wrong, sentence in (
        (
            patient.birth_date is not None and started_on < patient.birth_date,
            "The first day lies before the patient was born; check the year.",
        ),
        (started_on < EARLIEST, "The first day is too long ago; check the year."),
        (
            stopped_on is not None and stopped_on < started_on,
            "The last day comes before the first.",
        ),
        (
            started_on > last or (stopped_on is not None and stopped_on > last),
            "A day that is yet to come is not known; check the year.",
        ),
    ):
        if is_wrong:
            raise TrialFault(sentence)


def _refuse_overlap(course: Course, patient: Patient, *, but: Trial | None) -> None:
    """One drug is taken in one course at a time; a change of its dose is a step of that course."""
    same = Trial.objects.filter(patient=patient, atc=course.atc, superseded_at=None)
    same = same.exclude(pk=None if but is None else but.pk).filter(
        Q(stopped_on=None) | Q(stopped_on__gt=course.started_on)
    )
    if course.stopped_on is not None:
        same = same.filter(started_on__lt=course.stopped_on)
    other = same.order_by("started_on").first()
    if other is not None:
        until = "today" if other.stopped_on is None else f"{other.stopped_on:%d-%b-%Y}"
        message = (
            f"{other.drug} is on record from {other.started_on:%d-%b-%Y} to {until} already. "
            "Record a change of the dose there, or correct that trial."
        )
        raise TrialFault(message)


def _refuse_together(course: Course, patient: Patient, *, but: Trial | None, today: date) -> None:
    """Two antidepressants taken together are one trial in combination, and no two trials.

    What stands on record so already may be corrected in other things.
    """
    others = Trial.objects.filter(patient=patient, superseded_at=None).exclude(atc=course.atc)
    known = None if but is None else Course.of(but)
    for other in map(Course.of, others.exclude(pk=None if but is None else but.pk)):
        days, clash = _days_together(course, other, today), _clash(course, other)
        if known and clash == _clash(known, other) and days <= _days_together(known, other, today):
            continue
        stands = f"{other.drug} is on record from {other.started_on:%d-%b-%Y} to "
        stands += "today" if other.stopped_on is None else f"{other.stopped_on:%d-%b-%Y}"
        if clash == "mao inhibitor" and days > 0:
            message = (
                f"{stands}. {course.drug} and {other.drug} are not taken together: one of them is "
                "an irreversible MAO inhibitor. Check the days of both."
            )
            raise TrialFault(message)
        if clash == "two trials" and (
            days >= TOGETHER_DAYS or (days > 0 and course.started_on == other.started_on)
        ):
            message = (
                f"{stands}. Two antidepressants taken together are one trial in combination: give "
                f"the last day of the one that was stopped, or record {course.drug} as “"
                f"{TrialKind.COMBINATION.label}”."
            )
            raise TrialFault(message)


def _clash(one: Course, other: Course) -> str:
    """Name what forbids two courses to run together, if anything does.

    With an irreversible MAO inhibitor it is the drug that counts, whatever the course is called.
    """
    both = (one, other)
    if not all(each.atc.startswith(_ANTIDEPRESSANTS) for each in both):
        return ""
    if any(each.atc.startswith(_MAO_INHIBITORS) for each in both):
        return "" if any(each.atc == _ESKETAMINE for each in both) else "mao inhibitor"
    return "two trials" if all(each.kind == TrialKind.ANTIDEPRESSANT for each in both) else ""


def _days_together(one: Course, other: Course, today: date) -> int:
    """Count the days on which both run; one that is running may end today at the earliest."""
    ends = [each.stopped_on or max(today, each.started_on) for each in (one, other)]
    first = max(one.started_on, other.started_on)
    runs_on = one.stopped_on is None or one.stopped_on > first
    runs_on &= other.stopped_on is None or other.stopped_on > first
    return max((min(ends) - first).days, 1 if runs_on else 0)
