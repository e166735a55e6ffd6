"""The safety path: from a positive answer on self-harm to a person's recorded outcome.

It begins in the transaction of the rating and needs nothing but the database: no queue, no model,
no threshold, no mail. Every step that is due is a row with its time, so that a page can show it and
a worker that was away can make it good.
"""

from datetime import datetime
from typing import cast

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Greatest

from instruments import INSTRUMENTS, SafetyLevel
from monitoring import alerts, duties, flags
from monitoring.models import (
    ATTEMPTED,
    HANDED_OVER,
    LEFT_BEHIND,
    OUTCOME_RECORDED,
    REPEATED,
    TOLD_ANEW,
    CrisisPlan,
    Escalation,
    EscalationStep,
    Flag,
    FlagEvent,
    FlagKind,
    FlagLevel,
    FlagState,
    SafetyOutcome,
    SafetyUrgency,
)
from monitoring.outcomes import Outcome, OutcomeFault, check, columns_of, outcome_of
from patients import audit
from patients.models import Clinician, Patient, PatientStatus, Rating

REASON = "self_harm_item_above_zero"
_RANK = {level.value: place for place, level in enumerate(SafetyLevel)}


class NotOfTheTeam(Exception):
    """A safety flag is handed to somebody who may see the patient."""


def look_at(rating: Rating, *, at: datetime) -> Flag | None:
    """Raise the safety flag in the transaction of the rating itself; a repeat joins the open one.

    The caller holds the patient's row. A zero raises nothing, and says nothing either.
    """
    level = INSTRUMENTS[rating.instrument].self_harm.level(rating.self_harm_answer)
    if level is None:
        return None
    is_open = Flag.objects.up().filter(patient=rating.patient_id, kind=FlagKind.SAFETY)
    known = is_open.select_for_update(of=("self",)).first()
    if known is None:
        return _raise(rating, level, at=at)
    return _repeat(known, rating, level, at=at)


def look_again(corrected: Rating, before: Rating, *, at: datetime) -> Flag | None:
    """Look at a corrected rating: a higher answer, or the same one of a later day, is a new one.

    One that was assessed since, as it is dated now, was seen to.
    """
    if (corrected.self_harm_answer or 0) > (before.self_harm_answer or 0):
        return look_at(corrected, at=at)
    outcomes = SafetyOutcome.objects.filter(patient=corrected.patient_id)
    is_seen_to = outcomes.filter(assessed_at__gte=corrected.rated_at).exists()
    if corrected.rated_at <= before.rated_at or is_seen_to:
        return None
    return look_at(corrected, at=at)


@transaction.atomic
def take_up_again(patient: Patient, *, at: datetime) -> Flag | None:
    """Raise anew what ended because the patient was said to have died, and has not.

    Nobody can be asked who has died, so such a flag ends with nothing assessed; and of one that is
    open nobody was told meanwhile.
    """
    ended = Flag.objects.filter(patient=patient, kind=FlagKind.SAFETY).order_by("-raised_at")
    last = ended.select_related("outcome", "patient").first()
    if last is not None and last.resolved_at is None:
        return _tell_anew(last, at=at)
    if last is None or last.outcome is None:
        return None
    if not outcome_of(last.outcome).is_attempt(last):
        return None
    event = last.events.filter(rating__isnull=False).latest("at")
    return _raise(cast("Rating", event.rating), SafetyLevel(last.urgency), at=at)


def _tell_anew(flag: Flag, *, at: datetime) -> Flag:
    """Tell of an open flag from the beginning, as if it had been raised now."""
    event = FlagEvent.objects.create(flag=flag, at=at, state=flag.state, reason=TOLD_ANEW)
    team = duties.team_of(flag.patient.team_id)
    owner = [each for each in team.everybody if each.pk == flag.owner_id]
    told = owner if flag.state == FlagState.ACKNOWLEDGED else duties.first_told(flag, team)
    alerts.tell(flag, told, occasion=f"{TOLD_ANEW}:{event.pk}", at=at)
    if flag.state != FlagState.ACKNOWLEDGED:
        _set_timer(flag, at=at)
    return flag


def _raise(rating: Rating, level: SafetyLevel, *, at: datetime) -> Flag:
    earlier = Flag.objects.filter(patient=rating.patient_id, kind=FlagKind.SAFETY)
    flag = Flag(
        patient=rating.patient,
        kind=FlagKind.SAFETY,
        level=FlagLevel.SAFETY,
        urgency=SafetyUrgency(level.value),
        raised_at=at,
        reasons=[REASON],
        has_returned=earlier.exists(),
    )
    team = duties.team_of(rating.patient.team_id)
    first = duties.first_told(flag, team)
    flag.owner = first[0] if len(first) == 1 else None
    flag.save()
    FlagEvent.objects.create(flag=flag, at=at, state=FlagState.RAISED, rating=rating)
    alerts.tell(flag, first, occasion="", at=at)
    _set_timer(flag, at=at)
    flags.refresh_need([flag.patient_id])
    return flag


def _repeat(flag: Flag, rating: Rating, level: SafetyLevel, *, at: datetime) -> Flag:
    """Let a further positive answer count: who has taken the flag on must look again.

    Cover and lead are told anew where they had been told of the earlier answer only; a step that
    still waits stays, for it comes sooner.
    """
    if _RANK[level.value] > _RANK[flag.urgency]:
        flag.urgency = SafetyUrgency(level.value)
    was_taken_on = flag.state == FlagState.ACKNOWLEDGED
    flag.has_returned |= flag.state != FlagState.RAISED
    flag.state = FlagState.RAISED
    flag.version += 1
    flag.save()
    FlagEvent.objects.create(
        flag=flag, at=at, state=FlagState.RAISED, reason=REPEATED, rating=rating
    )
    owner = [flag.owner] if flag.owner else []
    team = duties.team_of(flag.patient.team_id)
    told = list(dict.fromkeys([*owner, *duties.first_told(flag, team)]))
    alerts.tell(flag, told, occasion=f"{REPEATED}:{rating.pk}", at=at)
    if was_taken_on:
        _stop_asking(flag, at=at)
    _set_timer(flag, at=at)
    flags.refresh_need([flag.patient_id])
    return flag


def _set_timer(flag: Flag, *, at: datetime) -> None:
    plan = duties.plan_of(flag.patient.team.site)
    waiting = set(
        Escalation.objects.filter(flag=flag, done_at=None, called_off_at=None).values_list(
            "step", flat=True
        )
    )
    Escalation.objects.bulk_create(
        [
            Escalation(flag=flag, step=step, due_at=at + plan.waits_before(step))
            for step in (EscalationStep.COVER, EscalationStep.LEAD)
            if step not in waiting
        ]
    )


def _wait(flag: Flag, step: EscalationStep, *, at: datetime) -> None:
    """Let a step wait as long as the site says, unless it waits already."""
    due_at = at + duties.plan_of(flag.patient.team.site).waits_before(step)
    waiting = Escalation(flag=flag, step=step, due_at=due_at)
    Escalation.objects.bulk_create([waiting], ignore_conflicts=True)


def call_off(flag: Flag, *, at: datetime) -> None:
    """Stop the timer: nothing is waited for any more."""
    Escalation.objects.filter(flag=flag, done_at=None, called_off_at=None).update(called_off_at=at)


def _stop_asking(flag: Flag, *, at: datetime) -> None:
    """Stop asking for somebody to take it on; the outcome is waited for from the first who did."""
    waiting = Escalation.objects.filter(flag=flag, done_at=None, called_off_at=None)
    waiting.exclude(step=EscalationStep.UNCLOSED).update(called_off_at=at)


@transaction.atomic
def take_on(*, flag: Flag, version: int, plan: str, by: Clinician, at: datetime) -> None:
    """Take the flag on by name; from now on the outcome is waited for."""
    now = flags.step(
        flag,
        FlagState.ACKNOWLEDGED,
        version=version,
        by=by,
        reason="reviewing",
        plan=plan,
        at=at,
    )
    Flag.objects.filter(pk=now.pk).update(owner=by)
    _stop_asking(now, at=at)
    _wait(now, EscalationStep.UNCLOSED, at=at)


@transaction.atomic
def hand_over(
    *, flag: Flag, version: int, to: Clinician, note: str, by: Clinician, at: datetime
) -> None:
    """Name who sees to the flag instead: told at once, and the timer runs until they take it on."""
    if not to.is_active or not to.memberships.filter(team=flag.patient.team_id).exists():
        raise NotOfTheTeam(str(flag))
    now = flags.lock_as_seen(flag, version=version)
    if now.state == FlagState.ACKNOWLEDGED:
        _stop_asking(now, at=at)
    now.state, now.owner = FlagState.RAISED, to
    now.version += 1
    now.save()
    event = FlagEvent.objects.create(
        flag=now,
        at=at,
        by=by,
        state=FlagState.RAISED,
        reason=HANDED_OVER,
        plan=f"→ {to}. {note}".strip(),
    )
    alerts.tell(now, [to], occasion=f"{HANDED_OVER}:{event.pk}", at=at)
    _set_timer(now, at=at)
    flags.refresh_need([now.patient_id])


def leave_behind(flag: Flag, *, to: Clinician | None, at: datetime) -> None:
    """Let a flag whose owner no longer signs in be up for somebody else: told at once, timed anew.

    The caller holds the flag's row. Without a successor it is for whoever is first now.
    """
    team = duties.team_of(flag.patient.team_id)
    told = [to] if to else duties.first_told(flag, team)
    if flag.state == FlagState.ACKNOWLEDGED:
        call_off(flag, at=at)
    flag.state, flag.owner = FlagState.RAISED, told[0] if len(told) == 1 else None
    flag.version += 1
    flag.save()
    event = FlagEvent.objects.create(
        flag=flag,
        at=at,
        state=FlagState.RAISED,
        reason=LEFT_BEHIND,
        plan=f"→ {duties.names(told)}" if told else "",
    )
    alerts.tell(flag, told, occasion=f"{LEFT_BEHIND}:{event.pk}", at=at)
    _set_timer(flag, at=at)
    flags.refresh_need([flag.patient_id])


@transaction.atomic
def close(*, flag: Flag, version: int, outcome: Outcome, by: Clinician, at: datetime) -> None:
    """End the flag by the recorded outcome of a structured assessment, and by nothing less."""
    now = flags.lock_as_seen(flag, version=version)
    check(outcome, now, at=at)
    if outcome.is_attempt(now):
        missing = ", ".join(outcome.not_assessed(now))
        message = f"nobody was reached, or this was not assessed: {missing}"
        raise OutcomeFault(f"{message}. That is an attempt, not an outcome")
    if not outcome.actions:
        message = "say what was done"
        raise OutcomeFault(message)
    now.outcome = SafetyOutcome.objects.create(
        patient=now.patient, recorded_by=by, recorded_at=at, **columns_of(outcome)
    )
    flags.end(now, reason=OUTCOME_RECORDED, plan=outcome.note.strip(), by=by, at=at)
    call_off(now, at=at)
    audit.write(
        verb="record_safety_outcome",
        subject=f"flag:{now.pk}",
        by=audit.name_of(by),
        at=at,
        patient_id=now.patient_id,
    )
    flags.refresh_need([now.patient_id])


@transaction.atomic
def record_attempt(
    *, flag: Flag, version: int, outcome: Outcome, by: Clinician, at: datetime
) -> None:
    """Write down that somebody tried; the flag stays up as it is, and its timer goes on."""
    now = flags.lock_as_seen(flag, version=version)
    check(outcome, now, at=at)
    if not outcome.is_attempt(now):
        message = "the person was reached and assessed: that is an outcome, not an attempt"
        raise OutcomeFault(message)
    now.version += 1
    now.save()
    FlagEvent.objects.create(
        flag=now,
        at=at,
        by=by,
        state=now.state,
        reason=ATTEMPTED,
        plan=outcome.in_words(now.patient.team.site.zone),
    )
    audit.write(
        verb="record_safety_attempt",
        subject=f"flag:{now.pk}",
        by=audit.name_of(by),
        at=at,
        patient_id=now.patient_id,
    )


@transaction.atomic
def escalate_due(*, at: datetime) -> int:
    """Do every step of the timer that is due, however late; say how many.

    The flags are locked with their steps: whoever acts on a flag at this moment goes first. After
    its last step a flag is told of again and again until it has an outcome.
    """
    due = list(
        Escalation.objects.select_for_update(of=("self", "flag"), skip_locked=True)
        .select_related("flag__patient")
        .filter(done_at=None, called_off_at=None, due_at__lte=at)
        .order_by("due_at")
    )
    for each in due:
        if each.flag.patient.status == PatientStatus.DECEASED:
            call_off(each.flag, at=at)
            continue
        step, team = EscalationStep(each.step), duties.team_of(each.flag.patient.team_id)
        told = duties.told_at(step, each.flag, team)
        alerts.tell(each.flag, told, occasion=f"{step}:{each.pk}", at=at)
        FlagEvent.objects.create(
            flag=each.flag, at=at, state=each.flag.state, reason=step, plan=duties.names(told)
        )
        each.done_at = at
        each.save(update_fields=["done_at"])
    _forget_none(at=at)
    return len(due)


def _forget_none(*, at: datetime) -> None:
    """Let every open flag wait for a step: nobody has acted, or no outcome was recorded since.

    Of the dead nobody is told any more; should that be put right, the flag is found here.
    """
    waiting = Escalation.objects.filter(flag=OuterRef("pk"), done_at=None, called_off_at=None)
    is_taken_on = Q(state=FlagState.ACKNOWLEDGED)
    for step, of_state, awaited in (
        (EscalationStep.REMINDER, ~is_taken_on, waiting.exclude(step=EscalationStep.UNCLOSED)),
        (EscalationStep.UNCLOSED, is_taken_on, waiting.filter(step=EscalationStep.UNCLOSED)),
    ):
        forgotten = (
            Flag.objects.up()
            .filter(of_state, ~Exists(awaited), kind=FlagKind.SAFETY)
            .exclude(patient__status=PatientStatus.DECEASED)
            .select_related("patient__team__site")
            .select_for_update(of=("self",), skip_locked=True)
        )
        for flag in forgotten:
            _wait(flag, step, at=at)


@transaction.atomic
def change_plan(plan: CrisisPlan, *, by: str, at: datetime) -> int:
    """Save a site's crisis plan; the steps still to come of open flags go by its times.

    Says how many were moved. What is due already stays due, and nothing becomes due in the past.
    """
    before = CrisisPlan.objects.select_for_update().filter(pk=plan.pk).first()
    before = before or CrisisPlan(site=plan.site)
    plan.changed_at, plan.changed_by = at, by
    plan.save()
    to_come = Escalation.objects.filter(
        flag__patient__team__site=plan.site, done_at=None, called_off_at=None, due_at__gt=at
    )
    moved = 0
    for step in EscalationStep:
        later = plan.waits_before(step) - before.waits_before(step)
        if later:
            due_at = Greatest(F("due_at") + later, Value(at))
            moved += to_come.filter(step=step).update(due_at=due_at)
    audit.write(verb="change_crisis_plan", subject=f"site:{plan.pk}", by=by, at=at)
    return moved
