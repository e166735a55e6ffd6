"""Somebody leaves: what they had in hand or were owed goes to others, and they are signed out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery

from monitoring import alerts, duties, flags, safety, sessions
from monitoring.models import (
    LEFT_BEHIND,
    Alert,
    Delivery,
    DeliveryState,
    Flag,
    FlagEvent,
    FlagKind,
    FlagState,
)
from patients.models import CareTeam, Clinician, Membership, Patient, Role, SafetyDuty
from patients.record.duties import name_clinician
from patients.record.people import set_active, set_operator


class CannotLeave(Exception):
    """Closing the account would leave something to nobody, or to somebody who cannot take it."""


@dataclass(frozen=True)
class Left:
    """What became of what somebody had in hand, and what a person should see to now."""

    sign_ins_ended: int
    safety_flags: int
    flags: int
    patients_renamed: int
    alerts_passed_on: int
    alerts_for_nobody: int
    warnings: tuple[str, ...]


@transaction.atomic
def close(
    clinician: Clinician,
    *,
    successor: Clinician | None,
    may_leave_nobody_to_alert: bool = False,
    by: str,
    at: datetime,
) -> Left:
    """Close the account in one transaction with everything that follows from it.

    A successor takes over where they are a member of the patient's team; elsewhere, and without
    one, it is the team's: whoever is first there, or everybody.
    """
    Clinician.objects.select_for_update().get(pk=clinician.pk)
    teams = list(CareTeam.objects.select_related("site").filter(members=clinician))
    _check_successor(clinician, successor, teams)
    deserted = [team for team in teams if not _others(team, clinician)]
    if deserted and not may_leave_nobody_to_alert:
        names = ", ".join(f"“{team}”" for team in deserted)
        message = (
            f"nobody else is in {names}, and safety alerts there would reach nobody. Add somebody "
            "first (add_clinician), or say --leave-nobody-to-alert"
        )
        raise CannotLeave(message)
    warnings = (*_warnings(clinician, teams), *_operator_warning(clinician))
    set_active(clinician=clinician, is_active=False, by=by, at=at)
    set_operator(clinician=clinician, is_operator=False, by=by, at=at)
    renamed = _rename(clinician, successor, by=by, at=at)
    safety_flags = _pass_on_safety(clinician, successor, at=at)
    others = _put_up_again(clinician, successor, at=at)
    passed_on, for_nobody = _pass_on_alerts(clinician, successor, at=at)
    return Left(
        sign_ins_ended=sessions.end_all_of(clinician),
        safety_flags=safety_flags,
        flags=others,
        patients_renamed=renamed,
        alerts_passed_on=passed_on,
        alerts_for_nobody=for_nobody,
        warnings=warnings,
    )


def _check_successor(
    clinician: Clinician, successor: Clinician | None, teams: Sequence[CareTeam]
) -> None:
    if successor is None:
        return
    if successor.pk == clinician.pk or not successor.is_active:
        message = f"{successor.email} cannot take over: it is an account that is closed"
        raise CannotLeave(message)
    if not successor.memberships.filter(team__in=teams).exists():
        message = (
            f"{successor.email} is in none of the teams of {clinician.email} and may not see their "
            "patients; add_clinician lets somebody join a team"
        )
        raise CannotLeave(message)


def _others(team: CareTeam, clinician: Clinician) -> list[Membership]:
    return [each for each in duties.team_of(team.pk).members if each.clinician_id != clinician.pk]


def _warnings(clinician: Clinician, teams: Sequence[CareTeam]) -> list[str]:
    """Say which duties nobody holds then, and where nobody is left who may change them."""
    warnings = []
    for own in clinician.memberships.select_related("team__site"):
        others = _others(own.team, clinician)
        duty = SafetyDuty(own.safety_duty)
        if duty is not SafetyDuty.NONE and not any(each.safety_duty == duty for each in others):
            warnings.append(
                f"Nobody in “{own.team}” has the duty “{duty.value}” any more: set it again under "
                "Site settings. Until then others of the team are told."
            )
    for site in {team.site for team in teams}:
        leads = Membership.objects.filter(
            team__site=site, role=Role.LEAD, clinician__is_active=True
        )
        if leads.exists() and not leads.exclude(clinician=clinician).exists():
            warnings.append(
                f"Nobody leads a team of “{site}” any more and can change its settings: "
                "add_clinician EMAIL --team TEAM --role lead."
            )
    return warnings


def _operator_warning(clinician: Clinician) -> list[str]:
    operators = Clinician.objects.filter(is_operator=True, is_active=True)
    if clinician.is_operator and not operators.exclude(pk=clinician.pk).exists():
        return ["Nobody is an operator any more: make_operator EMAIL."]
    return []


def _heir(successor: Clinician | None, team_id: int) -> Clinician | None:
    """Give the successor, where they are a member."""
    if successor is None or not successor.memberships.filter(team=team_id).exists():
        return None
    return successor


def _rename(clinician: Clinician, successor: Clinician | None, *, by: str, at: datetime) -> int:
    """Name somebody else, or nobody, for the patients who had this clinician as theirs."""
    patients = list(Patient.objects.filter(named_clinician=clinician))
    for patient in patients:
        heir = _heir(successor, patient.team_id)
        name_clinician(patient=patient, clinician=heir, by=by, at=at)
    return len(patients)


def _pass_on_safety(clinician: Clinician, successor: Clinician | None, *, at: datetime) -> int:
    """Let the safety flags that were theirs be somebody else's, who is told at once."""
    owned = (
        Flag.objects.up()
        .filter(kind=FlagKind.SAFETY, owner=clinician)
        .select_for_update(of=("self",))
        .select_related("patient__team__site")
    )
    found = list(owned)
    for flag in found:
        safety.leave_behind(flag, to=_heir(successor, flag.patient.team_id), at=at)
    return len(found)


def _put_up_again(clinician: Clinician, successor: Clinician | None, *, at: datetime) -> int:
    """Let the other flags that they alone had in hand be new to the team."""
    taken = FlagEvent.objects.filter(flag=OuterRef("pk"), state=FlagState.ACKNOWLEDGED)
    in_hand = (
        Flag.objects.up()
        .filter(~Q(kind=FlagKind.SAFETY), state=FlagState.ACKNOWLEDGED)
        .annotate(taken_by=Subquery(taken.order_by("-pk").values("by")[:1]))
        .filter(taken_by=clinician.pk)
        .select_for_update(of=("self",))
        .select_related("patient")
    )
    found = list(in_hand)
    for flag in found:
        flag.state, flag.has_returned = FlagState.RAISED, True
        flag.version += 1
        flag.save(update_fields=["state", "has_returned", "version"])
        event = FlagEvent.objects.create(
            flag=flag, at=at, state=FlagState.RAISED, reason=LEFT_BEHIND
        )
        heir = _heir(successor, flag.patient.team_id)
        alerts.queue(
            [flag], at=at, occasion=f"{LEFT_BEHIND}:{event.pk}", only=[heir.pk] if heir else None
        )
    flags.refresh_need([flag.patient_id for flag in found])
    return len(found)


def _pass_on_alerts(
    clinician: Clinician, successor: Clinician | None, *, at: datetime
) -> tuple[int, int]:
    """Owe others what this clinician was owed and never got; nobody is told one thing twice."""
    unpaid = list(
        Alert.objects.select_for_update(of=("self",))
        .filter(clinician=clinician, dropped_at=None)
        .filter(Q(delivery=None) | Q(delivery__state=DeliveryState.OWED))
        .select_related("flag__patient")
    )
    passed_on = for_nobody = 0
    for alert in unpaid:
        if alerts.is_over(alert.flag):
            continue
        team_id = alert.flag.patient.team_id
        heir = _heir(successor, team_id)
        heirs = [heir] if heir else duties.team_of(team_id).everybody
        alerts.pass_on(alert, heirs, at=at)
        passed_on += bool(heirs)
        for_nobody += not heirs
    Alert.objects.filter(pk__in=[each.pk for each in unpaid]).update(delivery=None, dropped_at=at)
    Delivery.objects.filter(clinician=clinician, state=DeliveryState.OWED).update(
        state=DeliveryState.DROPPED, ended_at=at
    )
    return passed_on, for_nobody


def reopen(clinician: Clinician, *, by: str, at: datetime) -> None:
    """Let somebody sign in again, in the teams that they were in."""
    set_active(clinician=clinician, is_active=True, by=by, at=at)
