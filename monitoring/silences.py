"""Whether a laboratory has fallen silent: its own rhythm is learned, or set in its profile.

"No open flags" is good news only while results come in. Each laboratory has a longest pause that is
usual for it (a weekend, a night); a pause that is half as long again raises a flag for operators,
which is mailed to them, shown on the worklist too, and ends by itself with the next message.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db import connection, transaction
from django.db.models import OuterRef, Subquery

from monitoring import alerts
from monitoring.models import Silence
from patients.models import Inbound, Laboratory

LEARNED_FROM = timedelta(weeks=8)
WEEKS_AT_LEAST = 3
LONGER_THAN_USUAL = 1.5
# As long as nothing is learned: longer than a long weekend
AT_FIRST = timedelta(days=4)
# However often a laboratory pushes, a shorter pause is nobody's business, unless somebody says so
NEVER_WITHIN = timedelta(hours=2)

# The longest pause of each of the last weeks; a pause belongs to the week in which it ends
_PAUSES = """
SELECT max(pause) FROM (
    SELECT received_at, received_at - lag(received_at) OVER (ORDER BY received_at) AS pause
      FROM patients_inbound WHERE laboratory_id = %s AND received_at BETWEEN %s AND %s
) AS message
 WHERE pause IS NOT NULL
 GROUP BY floor(extract(epoch FROM %s::timestamptz - received_at) / 604800)
"""


@dataclass(frozen=True)
class Rhythm:
    """How long a laboratory may be silent, and how that is known."""

    allowed: timedelta
    is_set: bool = False
    is_learned: bool = False


def rhythm_of(laboratory: Laboratory, *, at: datetime) -> Rhythm:
    """Say after which silence somebody should ask."""
    if laboratory.silent_after_h is not None:
        return Rhythm(timedelta(hours=laboratory.silent_after_h), is_set=True)
    with connection.cursor() as cursor:
        cursor.execute(_PAUSES, [laboratory.pk, at - LEARNED_FROM, at, at])
        pauses = [pause for (pause,) in cursor.fetchall()]
    if len(pauses) < WEEKS_AT_LEAST:
        return Rhythm(AT_FIRST)
    usual = timedelta(seconds=median(pause.total_seconds() for pause in pauses))
    return Rhythm(max(usual * LONGER_THAN_USUAL, NEVER_WITHIN), is_learned=True)


def last_heard() -> dict[int, datetime]:
    """Say when each laboratory sent its last message; one that never did is left out."""
    newest = Inbound.objects.filter(laboratory=OuterRef("pk")).order_by("-received_at")
    heard = Laboratory.objects.annotate(heard_at=Subquery(newest.values("received_at")[:1]))
    return dict(heard.exclude(heard_at=None).values_list("pk", "heard_at"))


@transaction.atomic
def watch(*, at: datetime) -> None:
    """Raise the flag of every laboratory that fell silent, and lower it where data came."""
    laboratories = Laboratory.objects.in_bulk()
    for laboratory_id, heard_at in last_heard().items():
        laboratory = laboratories[laboratory_id]
        is_set = laboratory.silent_after_h is not None
        is_quiet = is_set or at - heard_at > NEVER_WITHIN
        if not (laboratory.is_active and is_quiet):
            _end(laboratory_id, at=at)
            continue
        allowed = rhythm_of(laboratory, at=at).allowed
        if at - heard_at <= allowed:
            _end(laboratory_id, at=at)
            continue
        _silence, is_new = Silence.objects.get_or_create(
            laboratory=laboratory,
            ended_at=None,
            defaults={
                "last_heard_at": heard_at,
                "allowed_h": allowed.total_seconds() / 3600,
                "raised_at": at,
            },
        )
        if is_new:
            alerts.tell_operators(at=at)


def _end(laboratory_id: int, *, at: datetime) -> None:
    Silence.objects.filter(laboratory=laboratory_id, ended_at=None).update(ended_at=at)


def open_silences() -> list[Silence]:
    """Give the laboratories that are silent, the longest first."""
    return list(
        Silence.objects.filter(ended_at=None).select_related("laboratory").order_by("last_heard_at")
    )
