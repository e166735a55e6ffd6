"""The record as tables: draws, ratings, trials, events and assessments, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from analytics import Estimate
from instruments import INSTRUMENTS
from monitoring.models import RiskAssessment
from monitoring.portal import dates, words
from monitoring.portal.presenters.banner import Tag, capitalised
from monitoring.portal.presenters.risk import Risk, risk_of
from monitoring.portal.timeline import dose_in_words
from monitoring.queries import PatientRecord, estimate_of
from patients.models import Draw, Event, Rating, Result, ResultStatus, Trial

_RESULT_TONES = {
    ResultStatus.PRELIMINARY: "waiting",
    ResultStatus.CORRECTED: "attention",
    ResultStatus.AMENDED: "attention",
}


@dataclass(frozen=True)
class Cell:
    """One analyte of one draw: the value in the column's unit, and what must be said with it."""

    value: str
    tags: list[Tag]
    notes: list[str]


@dataclass(frozen=True)
class DrawRow:
    """One draw, a cell for each analyte of the table."""

    collected: SafeString
    laboratory: str
    accession: str
    cells: list[tuple[str, Cell]]
    is_replaced: bool
    note: str


@dataclass(frozen=True)
class DrawTable:
    """The draws with a column for each analyte that was ever measured, and its unit."""

    columns: list[tuple[str, str]]
    rows: list[DrawRow]


def draw_table(record: PatientRecord) -> DrawTable:
    """Lay the draws out, the newest on top."""
    zone = record.patient.team.site.zone
    analytes = {
        result.analyte.code: result.analyte
        for draw in record.draws
        for result in draw.results.all()
    }
    columns = sorted(analytes.values(), key=lambda analyte: analyte.position)
    reasons = _reasons(record.estimate)
    newest = sorted(record.draws, key=lambda draw: (draw.collected_at, draw.pk), reverse=True)
    rows = []
    for draw in newest:
        results = list(draw.results.all())
        rows.append(
            DrawRow(
                collected=dates.clinical_moment(draw.collected_at, zone=zone),
                laboratory=draw.laboratory.name,
                accession=draw.accession,
                cells=[
                    (
                        f"{analyte.code}, {analyte.unit}",
                        _cell(
                            [each for each in results if each.analyte_id == analyte.pk],
                            unit=analyte.unit,
                            reason=reasons.get((analyte.code, draw.collected_at.timestamp()), ""),
                        ),
                    )
                    for analyte in columns
                ],
                is_replaced=draw.superseded_at is not None,
                note=_replaced(draw),
            )
        )
    return DrawTable([(each.code, each.unit) for each in columns], rows)


def _reasons(estimate: Estimate | None) -> dict[tuple[str, float], str]:
    parts = estimate.left_out if estimate else ()
    return {
        (part.analyte, part.drawn_at.timestamp()): words.left_out(part)
        for part in parts
        if part.reasons != (words.CENSORED,)
    }


def _replaced(draw: Draw) -> str:
    if draw.superseded_at is None:
        return ""
    return format_html(
        "{} {}: {}",
        _("Replaced"),
        dates.system_moment(draw.superseded_at),
        _("the laboratory sent another time of collection"),
    )


def _cell(versions: Sequence[Result], *, unit: str, reason: str) -> Cell:
    """Put one analyte into words: the current version first, then what it was before."""
    if not versions:
        return Cell(_("No data"), [], [])
    current = next((each for each in versions if each.superseded_at is None), versions[-1])
    tags: list[Tag] = []
    status = ResultStatus(current.status)
    if status in _RESULT_TONES and current.value is not None:
        tags.append((_RESULT_TONES[status], capitalised(str(status.label))))
    notes: list[str] = [*_as_sent(current, unit=unit)]
    if reason and current.superseded_at is None:
        notes.append(_("Not scored: %(reason)s") % {"reason": reason})
    before = [each for each in versions if each is not current]
    notes.extend(
        format_html(
            "{} {}",
            _("Was %(value)s, replaced") % {"value": _value(old)},
            dates.system_moment(old.superseded_at),
        )
        for old in reversed(before)
        if _is_another_value(old, current) and old.superseded_at is not None
    )
    return Cell(_value(current), tags, notes)


def _is_another_value(old: Result, now: Result) -> bool:
    return (old.value, old.comparator) != (now.value, now.comparator)


def _value(result: Result) -> str:
    """Give the value as it was sent; in the record's unit where another one was sent."""
    if result.value is None:
        return no_value(result.status, absent_reason=result.absent_reason)
    is_as_sent = result.sent_unit.strip() == result.analyte.unit
    value = result.sent_value if is_as_sent and result.sent_value else f"{result.value:f}"
    return f"{result.get_comparator_display()}{value}"


def no_value(status: str, *, absent_reason: str) -> str:
    """Say why there is no value; it is never shown as a zero."""
    match status:
        case ResultStatus.CANCELLED:
            return _("Cancelled")
        case ResultStatus.ENTERED_IN_ERROR:
            return _("Withdrawn: entered in error")
        case ResultStatus.REGISTERED:
            return _("Pending")
        case _ if absent_reason:
            return _("No value: %(reason)s") % {"reason": absent_reason}
        case _:
            return _("No value")


def _as_sent(result: Result, *, unit: str) -> list[str]:
    if result.value is None or result.sent_unit.strip() == unit or not result.sent_unit:
        return []
    return [
        _("Converted from %(value)s %(unit)s")
        % {
            "value": f"{result.get_comparator_display()}{result.sent_value}",
            "unit": result.sent_unit,
        }
    ]


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


def rating_rows(record: PatientRecord) -> list[RatingRow]:
    """Lay the ratings out, the newest on top, each against the first of its scale."""
    zone = record.patient.team.site.zone
    first: dict[str, int] = {}
    for rating in record.ratings:
        if rating.total is not None and rating.superseded_at is None:
            first.setdefault(rating.instrument, rating.total)
    return [
        _rating_row(rating, first=first.get(rating.instrument), zone=zone)
        for rating in reversed(record.ratings)
    ]


def _rating_row(rating: Rating, *, first: int | None, zone: ZoneInfo) -> RatingRow:
    scale = INSTRUMENTS.get(rating.instrument)
    total = _("No total: incomplete") if rating.total is None else str(rating.total)
    change = ""
    if rating.total is not None and first and rating.total != first:
        change = words.percent(rating.total / first - 1)
    note = ""
    if rating.superseded_at is not None:
        note = format_html("{} {}", _("Replaced"), dates.system_moment(rating.superseded_at))
    elif scale and rating.total is not None and rating.total <= scale.remission_at_most:
        note = _("In the range of remission")
    return RatingRow(
        rated=dates.clinical_moment(rating.rated_at, zone=zone),
        scale=rating.instrument,
        total=total,
        change=change,
        self_harm=_self_harm(rating),
        is_replaced=rating.superseded_at is not None,
        note=note,
    )


def _self_harm(rating: Rating) -> str:
    scale = INSTRUMENTS.get(rating.instrument)
    if scale is None or rating.items is None:
        return _("Not recorded")
    answer = scale.self_harm_answer(rating.items)
    if answer is None:
        return _("Not answered")
    highest = scale.highest_answers[scale.self_harm_item - 1]
    return _("%(answer)d of %(highest)d") % {"answer": answer, "highest": highest}


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


def trial_rows(record: PatientRecord, *, today: date) -> list[TrialRow]:
    """Lay the trials out, the newest on top."""
    return [
        _trial_row(trial, public_id=str(record.patient.public_id), today=today)
        for trial in reversed(record.trials)
    ]


def _trial_row(trial: Trial, *, public_id: str, today: date) -> TrialRow:
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
        doses=doses or format_html("{}", _("Not recorded")),
        stopped=_("Running") if trial.stopped_on is None else dates.day(trial.stopped_on),
        reason=trial.get_stop_reason_display() if trial.stop_reason else "",
        lasted=dates.duration(max((end - trial.started_on).days, 0)),
        stop_link=reverse("portal:stop_trial", args=[public_id, trial.pk]) if is_running else "",
    )


@dataclass(frozen=True)
class EventRow:
    """Something that disturbs a reading."""

    kind: str
    atc: str
    started: SafeString
    stopped: SafeString | str
    note: str

    @classmethod
    def of(cls, event: Event) -> "EventRow":
        """Put one event into words."""
        return cls(
            kind=capitalised(event.get_kind_display()),
            atc=event.atc,
            started=dates.day(event.started_on),
            stopped=_("No end recorded")
            if event.stopped_on is None
            else dates.day(event.stopped_on),
            note=event.note,
        )


@dataclass(frozen=True)
class AssessmentRow:
    """One estimate on record."""

    made: SafeString
    risk: Risk
    state: str
    model: str
    policy: str

    @classmethod
    def of(cls, assessment: RiskAssessment) -> "AssessmentRow":
        """Put one assessment into words."""
        return cls(
            made=dates.system_moment(assessment.made_at),
            risk=risk_of(assessment, estimate_of(assessment)),
            state=capitalised(words.state(assessment.state)) if assessment.state else "",
            model=assessment.model,
            policy=assessment.policy,
        )
