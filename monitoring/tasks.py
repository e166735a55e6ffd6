"""What the queue may ask for: each task reads the clock and calls one function."""

import gc

from celery import shared_task
from django.utils import timezone

from monitoring import (
    alerts,
    days,
    door_log,
    flags,
    ingest,
    mail_round,
    overdue,
    safety,
    sessions,
    silences,
    uploads,
    wake,
)
from monitoring.recompute import (
    PATIENTS_AT_ONCE,
    assess_stale_patients,
    mark_outdated,
    work_off_backlog,
)

# What is loaded by now stays for good in every child of the worker: the collector need not walk it
gc.freeze()


@shared_task
def assess_stale() -> None:
    """Assess a batch of those who wait, and ask for another if the batch was full."""
    wake.take_call()
    if assess_stale_patients(at=timezone.now(), at_most=PATIENTS_AT_ONCE) == PATIENTS_AT_ONCE:
        wake.wake_workers()


@shared_task
def sweep() -> None:
    """Find by the versions themselves whoever waits, whatever the queue has lost."""
    at = timezone.now()
    mark_outdated(at=at)
    work_off_backlog(at=at)
    uploads.forget_old(at=at)


@shared_task
def deliver_alerts() -> None:
    """Put what is due into mails, and send them unless another worker is about it."""
    at = timezone.now()
    while alerts.gather(at=at):
        pass
    mail_round.deliver_due(clock=timezone.now)


@shared_task
def escalate_safety() -> None:
    """Tell cover and lead what nobody has seen to, also what fell due while nobody worked."""
    safety.escalate_due(at=timezone.now())


@shared_task
def look_after_laboratories() -> None:
    """Place what waited for a patient known by now, and see whether a laboratory fell silent."""
    at = timezone.now()
    ingest.replay_parked(at=at)
    silences.watch(at=at)


@shared_task
def replay_parked() -> None:
    """Try again what waits for its turn, for a draw that has come, or for a changed profile."""
    ingest.replay_samples(at=timezone.now())
    ingest.replay_in_turn(at=timezone.now())
    before = None
    while (left := ingest.replay_of_older_profiles(at=timezone.now())) and left != before:
        before = left


@shared_task
def forget_old_lines() -> None:
    """Delete the lines about requests that are no longer kept, and sign-ins that ended long ago."""
    sessions.forget_old(at=timezone.now())
    while door_log.forget_old(at=timezone.now()) == door_log.FORGOTTEN_AT_ONCE:
        pass


@shared_task
def follow_calendar() -> None:
    """End snoozes, find what is overdue, and assess anew whose picture the day has changed."""
    at = timezone.now()
    flags.wake_snoozed(at=at)
    # A batch a task: a day's first look at everybody must not hold up what has just arrived
    if days.look_at_today(at=at) == overdue.PATIENTS_AT_ONCE:
        wake.post(follow_calendar.name)
