"""What is owed to whom: owed with the flag, gathered into mails (sent by mail_round.py)."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, time, timedelta

from django.db import transaction
from django.db.models import prefetch_related_objects

from monitoring.models import (
    Alert,
    Delivery,
    DeliveryState,
    Flag,
    FlagKind,
    FlagLevel,
    FlagState,
    Urgency,
)
from patients.models import Clinician, Membership, PatientStatus

ALERTS_AT_ONCE = 500


def next_digest_at(clinician: Clinician, *, at: datetime) -> datetime:
    """Find the next time the clinician's own clock shows their digest hour."""
    local = at.astimezone(clinician.zone)
    hour = time(clinician.digest_hour)
    due = datetime.combine(local.date(), hour, tzinfo=clinician.zone)
    if due <= at:
        due = datetime.combine(local.date() + timedelta(days=1), hour, tzinfo=clinician.zone)
    return due


def follow_preferences(clinician: Clinician, *, at: datetime) -> None:
    """Move what is owed with the next digest to the hour that the clinician has chosen now."""
    Alert.objects.filter(
        clinician=clinician, urgency=Urgency.DIGEST, delivery=None, dropped_at=None
    ).update(due_at=next_digest_at(clinician, at=at))


def queue(
    flags: Sequence[Flag],
    *,
    at: datetime,
    occasion: str = "",
    only: Collection[int] | None = None,
) -> None:
    """Owe the news of each flag to every member of the patient's team, in the flag's transaction.

    A patient who is no longer followed raises no alert. `only` are the clinicians who are told, of
    those who are members; by default all of them.
    """
    prefetch_related_objects(flags, "patient")
    told = [flag for flag in flags if flag.patient.status == PatientStatus.ACTIVE]
    if not told:
        return
    members = defaultdict(list)
    for membership in Membership.objects.select_related("clinician").filter(
        team__in={flag.patient.team_id for flag in told}, clinician__is_active=True
    ):
        members[membership.team_id].append(membership.clinician)
    Alert.objects.bulk_create(
        [
            _owe(flag, clinician, occasion=occasion, at=at)
            for flag in told
            for clinician in members[flag.patient.team_id]
            if only is None or clinician.pk in only
        ],
        ignore_conflicts=True,
    )


def tell(flag: Flag, people: Sequence[Clinician], *, occasion: str, at: datetime) -> None:
    """Owe these people the news of a safety flag at once, in the transaction of the deed.

    It is owed whether or not the patient is still followed: only for the dead it is too late.
    """
    if flag.patient.status == PatientStatus.DECEASED:
        return
    Alert.objects.bulk_create(
        [
            Alert(
                flag=flag,
                clinician=person,
                urgency=Urgency.PROMPT,
                occasion=occasion,
                owed_at=at,
                due_at=at,
            )
            for person in people
        ],
        ignore_conflicts=True,
    )


def pass_on(alert: Alert, people: Sequence[Clinician], *, at: datetime) -> None:
    """Owe these people what somebody who left was owed, unless they were told of it already."""
    is_prompt = alert.urgency == Urgency.PROMPT
    Alert.objects.bulk_create(
        [
            Alert(
                flag=alert.flag,
                clinician=person,
                urgency=alert.urgency,
                occasion=alert.occasion,
                owed_at=at,
                due_at=at if is_prompt else next_digest_at(person, at=at),
            )
            for person in people
        ],
        ignore_conflicts=True,
    )


def tell_operators(*, at: datetime) -> None:
    """Owe every operator a mail about the running of the site, in the transaction of its reason."""
    Delivery.objects.bulk_create(
        Delivery(clinician=operator, urgency=Urgency.OPERATION, made_at=at, send_after=at)
        for operator in Clinician.objects.filter(is_operator=True, is_active=True)
    )


def owe_way_to_password(people: Collection[Clinician], *, at: datetime) -> None:
    """Owe these people the mail that leads to a new password, unless it is on its way already."""
    waiting = Delivery.objects.filter(
        clinician__in=people, urgency=Urgency.PASSWORD, state=DeliveryState.OWED
    )
    told = set(waiting.values_list("clinician_id", flat=True))
    Delivery.objects.bulk_create(
        Delivery(clinician=person, urgency=Urgency.PASSWORD, made_at=at, send_after=at)
        for person in people
        if person.pk not in told
    )


def _owe(flag: Flag, clinician: Clinician, *, occasion: str, at: datetime) -> Alert:
    is_prompt = flag.level != FlagLevel.WATCH
    return Alert(
        flag=flag,
        clinician=clinician,
        urgency=Urgency.PROMPT if is_prompt else Urgency.DIGEST,
        occasion=occasion,
        owed_at=at,
        due_at=at if is_prompt else next_digest_at(clinician, at=at),
    )


@transaction.atomic
def gather(*, at: datetime) -> int:
    """Put the alerts that are due into mails, one a person and urgency; say how many alerts.

    Thirty flags at once are one mail. What nobody needs to hear any more is dropped, aloud.
    """
    due = list(
        Alert.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("flag__patient", "clinician")
        .filter(delivery=None, dropped_at=None, due_at__lte=at)
        .order_by("due_at")[:ALERTS_AT_ONCE]
    )
    teams = set(
        Membership.objects.filter(clinician__in={alert.clinician_id for alert in due}).values_list(
            "clinician_id", "team_id"
        )
    )
    mails: dict[tuple[int, str], list[Alert]] = defaultdict(list)
    for alert in due:
        is_member = (alert.clinician_id, alert.flag.patient.team_id) in teams
        if is_member and _is_still_needed(alert):
            mails[alert.clinician_id, alert.urgency].append(alert)
        else:
            alert.dropped_at = at
            alert.save(update_fields=["dropped_at"])
    for (clinician_id, urgency), alerts in mails.items():
        delivery = Delivery.objects.create(
            clinician_id=clinician_id, urgency=urgency, made_at=at, send_after=at
        )
        Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(delivery=delivery)
    return len(due)


def _is_still_needed(alert: Alert) -> bool:
    return alert.clinician.is_active and not is_over(alert.flag)


def is_over(flag: Flag) -> bool:
    """Tell whether nobody needs to hear of a flag any more."""
    if flag.level == FlagLevel.SAFETY:
        is_dead = flag.patient.status == PatientStatus.DECEASED
        return is_dead or flag.state == FlagState.RESOLVED
    # Whoever acted on what was wrong hears of it, whatever a colleague has done since
    is_open = flag.state in {FlagState.RAISED, FlagState.SEEN} or flag.kind == FlagKind.CORRECTED
    return flag.patient.status != PatientStatus.ACTIVE or not is_open
