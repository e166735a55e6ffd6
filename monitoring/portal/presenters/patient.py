"""One patient in words: who, where they stand, and everything on record."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from monitoring.explained import explanation_of
from monitoring.models import FlagLevel, FlagState
from monitoring.portal import dates, timeline, words
from monitoring.portal.presenters import draws
from monitoring.portal.presenters import record as tables
from monitoring.portal.presenters.banner import Banner
from monitoring.portal.presenters.contradictions import NamedOtherwise, named_otherwise
from monitoring.portal.presenters.explanation import course_sections
from monitoring.portal.presenters.flags import URGENCY, FlagCard
from monitoring.portal.presenters.risk import RiskBlock
from monitoring.portal.presenters.sections import Section
from monitoring.portal.scales import scale_of
from monitoring.queries import SIL6R, PatientRecord


@dataclass(frozen=True)
class PatientPage:
    """Everything that portal/patient.html prints."""

    public_id: str
    banner: Banner
    chart: timeline.Figure | None
    sentence: str
    named_otherwise: list[NamedOtherwise]
    open_flags: list[FlagCard]
    past_flags: list[FlagCard]
    risk: RiskBlock | None
    by_the_rules: tuple[Section, ...]
    draws: draws.DrawTable
    ratings: list[tables.RatingRow]
    trials: list[tables.TrialRow]
    events: list[tables.EventRow]
    assessments: list[tables.AssessmentRow]

    @classmethod
    def of(cls, record: PatientRecord, *, at: datetime) -> "PatientPage":
        """Put the record into words, as known now."""
        patient = record.patient
        zone = patient.team.site.zone
        today = at.astimezone(zone).date()
        said = sentence_of(record, at=at)
        started_on = record.episode.started_on if record.episode else None
        by_urgency = sorted(record.flags, key=lambda flag: URGENCY[FlagLevel(flag.level)])
        flags = [(flag, FlagCard.as_raised(flag)) for flag in by_urgency]
        return cls(
            public_id=str(patient.public_id),
            banner=Banner.of(
                patient,
                numbers=[each.value for each in record.identifiers],
                today=today,
                started_on=started_on,
                is_linked=False,
            ),
            chart=timeline.draw_timeline(record, sentence=said, at=at),
            sentence=said,
            named_otherwise=named_otherwise(record),
            open_flags=[card for flag, card in flags if flag.state != FlagState.RESOLVED],
            past_flags=[card for flag, card in flags if flag.state == FlagState.RESOLVED],
            risk=None
            if record.assessment is None
            else RiskBlock.of(
                record.assessment,
                record.estimate,
                zone=zone,
                is_outdated=record.assessment.history_version != patient.history_version,
            ),
            by_the_rules=course_sections(explanation_of(record.assessment, zone=zone)),
            draws=draws.draw_table(record),
            ratings=tables.rating_rows(record),
            trials=tables.trial_rows(record, today=today),
            events=[
                tables.EventRow.of(event, public_id=str(patient.public_id))
                for event in reversed(record.events)
            ],
            assessments=[
                tables.AssessmentRow.of(each, public_id=str(patient.public_id))
                for each in record.assessments
            ],
        )


def sentence_of(record: PatientRecord, *, at: datetime) -> str:
    """Say in a few plain sentences where the patient stands."""
    return " ".join([_of_therapy(record, at=at), _of_marker(record), _of_symptoms(record)])


def _of_therapy(record: PatientRecord, *, at: datetime) -> str:
    zone = record.patient.team.site.zone
    if record.episode is None:
        return _("No first dose of an antidepressant is on record.")
    days = (at.astimezone(zone).date() - record.episode.started_on).days
    if days < 0:
        return _("The first dose lies ahead.")
    running = [trial.drug for trial in record.trials if trial.stopped_on is None]
    values = {"time": dates.duration(days), "drugs": ", ".join(running)}
    if not record.trials:
        return _("%(time)s since the first dose; which drug it is is not on record.") % values
    if not running:
        return _("%(time)s since the first dose; no trial is running.") % values
    return _("%(time)s since the first dose; now on %(drugs)s.") % values


def _of_marker(record: PatientRecord) -> str:
    line = words.trajectory_of(record.estimate, SIL6R)
    if line is None:
        return _("There is no usable draw of sIL-6R yet.")
    return _("sIL-6R: latest %(value)s ng/mL; %(trend)s.") % {
        "value": _latest_text(record) or f"{line.latest_comparator}{line.latest_value:g}",
        "trend": words.trend(line).sentence,
    }


def _latest_text(record: PatientRecord) -> str:
    """Give the latest scored value with the digits of the record, where it is still there."""
    line = words.trajectory_of(record.estimate, SIL6R)
    for draw in reversed(record.draws):
        if line is None or draw.collected_at != line.latest_at:
            continue
        for result in draw.results.all():
            if result.analyte.code == SIL6R and result.superseded_at is None and result.value:
                return f"{result.comparator}{result.value:f}"
    return ""


def _of_symptoms(record: PatientRecord) -> str:
    scale = scale_of(record)
    totals = [
        rating.total
        for rating in record.ratings
        if rating.instrument == scale and rating.superseded_at is None and rating.total is not None
    ]
    if not totals:
        if not record.ratings:
            return _("There is no rating yet.")
        return _("There is no rating by the %(scale)s yet.") % {"scale": scale}
    first, last = totals[0], totals[-1]
    values = {"scale": scale, "first": first, "last": last}
    if len(totals) == 1:
        return _("%(scale)s is %(last)d.") % values
    if first == last or not first:
        return _("%(scale)s is %(last)d, as at first %(first)d.") % values
    change = {**values, "change": words.percent(last / first - 1)}
    return _("%(scale)s went from %(first)d to %(last)d (%(change)s).") % change
