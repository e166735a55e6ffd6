"""How flags fare with the people who get them: how fast, how often overridden, how often right."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db.models import Prefetch

from monitoring.models import (
    AcknowledgeReason,
    Flag,
    FlagEvent,
    FlagKind,
    FlagState,
    ResolveReason,
)
from patients.models import Clinician

DAYS = 90
# Kinds that say what may come of a course, so that one can look whether it came
_FORESEE = (FlagKind.TRENDING, FlagKind.EARLY_NON_IMPROVEMENT, FlagKind.DRIFTING)
_OVERRIDES = {
    AcknowledgeReason.DISAGREE.value,
    AcknowledgeReason.EXPLAINED.value,
    ResolveReason.NOT_USEFUL.value,
}
_MEETS = "meets TRD rule"


@dataclass(frozen=True)
class KindFigures:
    """What became of the flags of one kind.

    Attributes
    ----------
    taken_on
        How many somebody acknowledged, snoozed or resolved.
    overridden
        How many of these somebody saw otherwise, explained by something else, or found not useful.
    median_h
        Hours until somebody did; None where nobody has.
    patients, borne_out
        For the kinds that foresee: how many patients, and how many of them meet the rule now.
    """

    kind: FlagKind
    raised: int
    taken_on: int
    overridden: int
    median_h: float | None
    patients: int | None
    borne_out: int | None


def flag_figures(reader: Clinician, *, at: datetime) -> list[KindFigures]:
    """Count the flags of the reader's patients that were raised in the last 90 days, by kind."""
    by_people = FlagEvent.objects.filter(by__isnull=False).order_by("at")
    flags = (
        Flag.objects.visible_to(reader)
        .filter(raised_at__gte=at - timedelta(days=DAYS), raised_at__lte=at)
        .select_related("patient__standing__assessment")
        .prefetch_related(Prefetch("events", by_people, to_attr="steps"))
    )
    by_kind: dict[str, list[Flag]] = {kind.value: [] for kind in FlagKind}
    for flag in flags:
        by_kind[flag.kind].append(flag)
    return [_of(FlagKind(kind), found) for kind, found in by_kind.items() if found]


def _of(kind: FlagKind, flags: list[Flag]) -> KindFigures:
    hours, overridden = [], 0
    for flag in flags:
        steps: Iterable[FlagEvent] = getattr(flag, "steps", ())
        acts = [step for step in steps if step.state not in {FlagState.RAISED, FlagState.SEEN}]
        if acts:
            hours.append((acts[0].at - flag.raised_at) / timedelta(hours=1))
            overridden += any(step.reason in _OVERRIDES for step in acts)
    patients = {flag.patient_id: flag for flag in flags} if kind in _FORESEE else None
    return KindFigures(
        kind=kind,
        raised=len(flags),
        taken_on=len(hours),
        overridden=overridden,
        median_h=median(hours) if hours else None,
        patients=None if patients is None else len(patients),
        borne_out=None if patients is None else sum(map(_meets_rule, patients.values())),
    )


def _meets_rule(flag: Flag) -> bool:
    standing = getattr(flag.patient, "standing", None)
    return standing is not None and standing.assessment.state.startswith(_MEETS)
