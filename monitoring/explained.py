"""The explanation of an assessment on record: one structure for pages, printed reports and the API.

It is made from what the assessment says, by the rules that it names, and from what persons had said
by then of its draws and trials; never from the record of another day.
"""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Q

from analytics import Estimate
from analytics.definitions import NoSuchRules
from analytics.explanation import Decision, Explanation, explain
from monitoring.actors import actor
from monitoring.history import estimate_of
from monitoring.models import RiskAssessment
from patients.models import Draw, DrawVerdict, Trial


def explanation_of(assessment: RiskAssessment | None, *, zone: ZoneInfo) -> Explanation | None:
    """Explain an assessment by the calendar of its site; None where nothing could be estimated."""
    estimate = estimate_of(assessment)
    if assessment is None or estimate is None:
        return None
    decisions = (
        *_about_draws(assessment.patient_id, at=assessment.made_at),
        *_about_trials(estimate),
    )
    try:
        return explain(estimate, made_at=assessment.made_at, zone=zone, decisions=decisions)
    except NoSuchRules:
        return None


def _about_draws(patient_id: int, *, at: datetime) -> Iterator[Decision]:
    """Read the words on draws that stood at a moment, by the times that the draws had then."""
    stood = Q(recorded_at__lte=at) & (Q(superseded_at=None) | Q(superseded_at__gt=at))
    said = {
        each.draw_public_id: each
        for each in DrawVerdict.objects.filter(stood, patient=patient_id).order_by("pk")
    }
    known = Draw.objects.filter(stood, patient=patient_id, public_id__in=said)
    for draw in known.order_by("collected_at", "pk"):
        verdict = said[draw.public_id]
        yield Decision(
            verdict=verdict.verdict,
            drawn_at=draw.collected_at,
            trial=None,
            reason=verdict.reason,
            by=actor(verdict.recorded_by),
            at=verdict.recorded_at,
        )


def _about_trials(estimate: Estimate) -> Iterator[Decision]:
    """Read who judged a trial otherwise than the rule, and why, from the version that was used."""
    trials = estimate.course.trials if estimate.course else ()
    judged = {each.trial_id: each.number for each in trials if each.is_overridden}
    for trial in Trial.objects.filter(pk__in=[pk for pk in judged if pk is not None]).order_by(
        "pk"
    ):
        first = _first_to_say(trial)
        yield Decision(
            verdict=trial.override,
            drawn_at=None,
            trial=judged[trial.pk],
            reason=trial.override_reason,
            by=actor(first.recorded_by),
            at=first.recorded_at,
        )


def _first_to_say(trial: Trial) -> Trial:
    """Find the version in which the judgement was written down; later ones only took it over."""
    first = trial
    while earlier := Trial.objects.filter(superseded_by=first.pk).first():
        if (earlier.override, earlier.override_reason) != (trial.override, trial.override_reason):
            break
        first = earlier
    return first
