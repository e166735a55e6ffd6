"""The record as tables: draws, ratings, trials, events and assessments, the newest first."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from analytics.course_findings import nearest_day
from instruments import INSTRUMENTS, Instrument
from monitoring.charts import clinical_date
from monitoring.history import estimate_of
from monitoring.models import RiskAssessment
from monitoring.portal import dates, words
from monitoring.portal.presenters.banner import capitalised
from monitoring.portal.presenters.risk import Risk, risk_of
from monitoring.portal.timeline import dose_in_words
from monitoring.queries import PatientRecord
from patients.models import Event, Rating, Trial, TrialKind


@dataclass(frozen=True)
class RatingRow:
    """One completed scale."""

    rated: SafeString
    scale: str
    total: str
    change: str
    self_harm: str
    is_replaced: bool
    note: str
    link: str


def rating_rows(record: PatientRecord) -> list[RatingRow]:
    """Lay the ratings out, the newest on top, each against the first of its scale."""
    zone = record.patient.team.site.zone
    first: dict[str, int] = {}
    for rating in record.ratings:
        if rating.total is not None and rating.superseded_at is None:
            first.setdefault(rating.instrument, rating.total)
    return [
        _rating_row(
            rating,
            first=first.get(rating.instrument),
            zone=zone,
            public_id=str(record.patient.public_id),
        )
        for rating in reversed(record.ratings)
    ]


def _rating_row(rating: Rating, *, first: int | None, zone: ZoneInfo, public_id: str) -> RatingRow:
    scale = INSTRUMENTS.get(rating.instrument)
    total = _("No total: incomplete") if rating.total is None else str(rating.total)
    change = ""
    if rating.total is not None and first and rating.total != first:
        change = words.percent(rating.total / first - 1)
    note = ""
    if rating.superseded_at is not None:
        note = format_html(
            "{} {}: {}",
            _("Replaced"),
            dates.system_moment(rating.superseded_at),
            rating.superseded_reason,
        )
    elif scale and rating.total is not None and rating.total <= scale.remission_at_most:
        note = _("In the range of remission")
    elif scale and rating.total is not None:
        note = capitalised(words.severity(scale.band(rating.total).name))
    return RatingRow(
        rated=dates.clinical_moment(rating.rated_at, zone=zone),
        scale=rating.instrument,
        total=total,
        change=change,
        self_harm=_self_harm(rating),
        is_replaced=rating.superseded_at is not None,
        note=note,
        link=""
        if rating.superseded_at is not None
        else reverse("portal:correct_rating", args=[public_id, rating.pk]),
    )


def _self_harm(rating: Rating) -> str:
    scale = INSTRUMENTS.get(rating.instrument)
    answer = rating.self_harm_answer
    if scale is None or (rating.items is None and answer is None):
        return _("Not recorded")
    if answer is None:
        return _("Not answered")
    highest = scale.highest_answers[scale.self_harm_item - 1]
    if _is_by_total(rating, scale) and answer < highest:
        said = _("At least %(answer)d of %(highest)d, by the total")
        return said % {"answer": answer, "highest": highest}
    return _("%(answer)d of %(highest)d") % {"answer": answer, "highest": highest}


def _is_by_total(rating: Rating, scale: Instrument) -> bool:
    """Tell whether the answer is no more than what the total alone proves."""
    if rating.items is not None or rating.total is None or not rating.self_harm_answer:
        return False
    return rating.self_harm_answer == scale.least_self_harm(rating.total)


@dataclass(frozen=True)
class TrialRow:
    """One course of one antidepressant."""

    drug: str
    atc: str
    started: SafeString
    doses: SafeString
    stopped: SafeString | str
    reason: str
    lasted: str
    stop_link: str
    link: str
    kind: str
    taken: str
    adequacy: str


def trial_rows(record: PatientRecord, *, today: date) -> list[TrialRow]:
    """Lay the trials out, the newest on top."""
    return [
        _trial_row(
            trial,
            public_id=str(record.patient.public_id),
            today=today,
            adequacy=_adequacy(trial, record),
        )
        for trial in reversed(record.trials)
    ]


def _adequacy(trial: Trial, record: PatientRecord) -> str:
    """Say what the rule, or a clinician, makes of a trial."""
    course = record.estimate.course if record.estimate else None
    zone = record.patient.team.site.zone
    for verdict in course.trials if course else ():
        if verdict.trial_id == trial.pk:
            said = capitalised(verdict.words)
            if verdict.adequate_at is not None:
                said = _("%(said)s; adequate from %(day)s") % {
                    "said": said,
                    "day": clinical_date(nearest_day(verdict.adequate_at, zone)),
                }
            if trial.override:
                said = _("%(said)s; judged by a clinician: %(judged)s (%(reason)s)") % {
                    "said": said,
                    "judged": trial.get_override_display(),
                    "reason": trial.override_reason,
                }
            return said
    return "" if trial.kind == TrialKind.ANTIDEPRESSANT else _("Stands beside the trials")


def _trial_row(trial: Trial, *, public_id: str, today: date, adequacy: str) -> TrialRow:
    steps = sorted(trial.dose_steps.all(), key=lambda step: step.started_on)
    doses = format_html_join(
        ", ",
        "{} {} {}",
        ((dose_in_words(step), _("from"), dates.day(step.started_on)) for step in steps),
    )
    is_running = trial.stopped_on is None
    end = trial.stopped_on or today
    return TrialRow(
        drug=trial.drug,
        atc=trial.atc,
        started=dates.day(trial.started_on),
        doses=doses
        or format_html("{}", _("Not applicable") if not trial.atc else _("Not recorded")),
        stopped=_("Running") if trial.stopped_on is None else dates.day(trial.stopped_on),
        reason=trial.get_stop_reason_display() if trial.stop_reason else "",
        lasted=dates.duration(max((end - trial.started_on).days, 0)),
        stop_link=reverse("portal:stop_trial", args=[public_id, trial.pk]) if is_running else "",
        link=reverse("portal:correct_trial", args=[public_id, trial.pk]),
        kind=""
        if trial.kind == TrialKind.ANTIDEPRESSANT
        else capitalised(trial.get_kind_display()),
        taken=_("Adherence: %(how)s") % {"how": trial.get_adherence_display()}
        if trial.adherence
        else "",
        adequacy=adequacy,
    )


@dataclass(frozen=True)
class EventRow:
    """Something that disturbs a reading."""

    kind: str
    atc: str
    started: SafeString
    stopped: SafeString | str
    note: str
    link: str

    @classmethod
    def of(cls, event: Event, *, public_id: str) -> "EventRow":
        """Put one event into words."""
        return cls(
            kind=capitalised(event.get_kind_display()),
            atc=event.atc,
            started=dates.day(event.started_on),
            stopped=_("No end recorded")
            if event.stopped_on is None
            else dates.day(event.stopped_on),
            note=event.note,
            link=reverse("portal:correct_event", args=[public_id, event.pk]),
        )


@dataclass(frozen=True)
class AssessmentRow:
    """One estimate on record."""

    made: SafeString
    risk: Risk
    state: str
    model: str
    policy: str
    link: str

    @classmethod
    def of(cls, assessment: RiskAssessment, *, public_id: str) -> "AssessmentRow":
        """Put one assessment into words."""
        return cls(
            made=dates.system_moment(assessment.made_at),
            risk=risk_of(assessment, estimate_of(assessment)),
            state=capitalised(words.state(assessment.state)) if assessment.state else "",
            model=assessment.model,
            policy=assessment.policy,
            link=reverse("portal:explanation", args=[public_id, assessment.pk])
            if "contributions" in assessment.content
            else "",
        )
