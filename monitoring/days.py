"""What days bring by themselves: weeks that are full, visits that are missed, wash-outs that end.

Nobody records anything on such a day, so nobody becomes stale by it. Every patient is looked at
once a day; whose picture the day has changed is assessed anew, as after a change of the record.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from analytics.corrections import is_said_otherwise
from monitoring import overdue, wake
from monitoring.history import estimate_of
from monitoring.models import Standing
from monitoring.recompute import estimates_of
from monitoring.site_rules import rules_of_patients
from patients.record.versions import count_up

logger = logging.getLogger(__name__)


@transaction.atomic
def look_at_today(*, at: datetime, at_most: int = overdue.PATIENTS_AT_ONCE) -> int:
    """Look at some patients who were not looked at today; say how many."""
    looked_at = overdue.check_visits(at=at, at_most=at_most)
    changed = _whose_picture_changed(looked_at, at=at)
    if changed:
        count_up(changed, at=at)
        transaction.on_commit(wake.wake_workers)
    return len(looked_at)


def _whose_picture_changed(patient_ids: Sequence[int], *, at: datetime) -> list[int]:
    """Say of whom something else is to be said today than when they were assessed, some day before.

    Of whom the record has changed since is not asked: they are assessed anyway.
    """
    standings = Standing.objects.select_related("assessment").filter(
        patient__in=patient_ids,
        patient__stale_since=None,
        assessment__made_at__date__lt=at.date(),
    )
    said = {
        standing.patient_id: estimate
        for standing in standings
        if (estimate := estimate_of(standing.assessment)) is not None
    }
    if not said:
        return []
    rules = rules_of_patients(list(said), at=at)
    try:
        with transaction.atomic():
            now = estimates_of(list(said), rules, at=at)
    except Exception as fault:
        # One history may be at fault: assessing tries them one by one, and counts what fails
        logger.warning("%d patients could not be looked at: %s", len(said), type(fault).__name__)
        return list(said)
    return [each.patient_id for each in now if is_said_otherwise(said[each.patient_id], each)]
