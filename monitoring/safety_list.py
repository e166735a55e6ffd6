"""What of the safety path a reader must see: asked of the database alone, without a worker."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Prefetch, Q

from monitoring import duties
from monitoring.models import (
    Alert,
    DeliveryState,
    Escalation,
    EscalationStep,
    Flag,
    FlagEvent,
    FlagKind,
    FlagState,
)
from patients.models import Clinician

# A mail about self-harm that has not left after this long is said to be late
MAIL_IS_LATE_AFTER = timedelta(minutes=5)
_URGENCIES = {"immediate": 0, "urgent": 1, "same_day": 2}


@dataclass(frozen=True)
class OpenCase:
    """One open safety flag, and what of it is due."""

    flag: Flag
    steps: tuple[Escalation, ...]
    first: tuple[Clinician, ...]
    concerns_reader: bool
    mail_is_late: bool

    def step(self, step: EscalationStep) -> Escalation | None:
        """Find the newest step of this kind."""
        return next((each for each in reversed(self.steps) if each.step == step), None)

    def is_past(self, step: EscalationStep, *, at: datetime) -> bool:
        """Tell whether a step has fallen due, whether or not a worker has done it."""
        found = self.step(step)
        return found is not None and found.called_off_at is None and found.due_at <= at


def open_cases(clinician: Clinician, *, at: datetime) -> list[OpenCase]:
    """Read the open safety flags of the reader's teams, the most urgent first."""
    late = Alert.objects.filter(
        flag=OuterRef("pk"), dropped_at=None, owed_at__lte=at - MAIL_IS_LATE_AFTER
    ).filter(Q(delivery=None) | ~Q(delivery__state=DeliveryState.SENT))
    found = list(
        Flag.objects.visible_to(clinician)
        .up()
        .filter(kind=FlagKind.SAFETY)
        .select_related("patient__team__site", "owner")
        .prefetch_related(
            Prefetch("escalations", Escalation.objects.order_by("pk")),
            Prefetch("events", FlagEvent.objects.select_related("by", "rating").order_by("pk")),
        )
        .annotate(mail_is_late=Exists(late))
    )
    teams = {each.patient.team_id: None for each in found}
    members = {team_id: duties.team_of(team_id) for team_id in teams}
    cases = [_case(flag, members[flag.patient.team_id], reader=clinician, at=at) for flag in found]
    return sorted(cases, key=lambda case: (_URGENCIES[case.flag.urgency], case.flag.raised_at))


def _case(flag: Flag, team: duties.Team, *, reader: Clinician, at: datetime) -> OpenCase:
    steps = tuple(flag.escalations.all())
    first = duties.first_told(flag, team)
    concerned = [*first, flag.owner] if flag.state != FlagState.ACKNOWLEDGED else []
    for each in steps:
        if each.called_off_at is None and each.due_at <= at:
            concerned += duties.told_at(EscalationStep(each.step), flag, team)
    return OpenCase(
        flag=flag,
        steps=steps,
        first=tuple(first),
        concerns_reader=any(each is not None and each.pk == reader.pk for each in concerned),
        mail_is_late=bool(getattr(flag, "mail_is_late", False)),
    )


def alarm(clinician: Clinician, *, at: datetime) -> Sequence[OpenCase]:
    """Give the open cases that ask for this reader now; the alarm on every page is made of them."""
    is_open = Flag.objects.visible_to(clinician).up().filter(kind=FlagKind.SAFETY)
    if not is_open.exists():
        return ()
    return [case for case in open_cases(clinician, at=at) if case.concerns_reader]
