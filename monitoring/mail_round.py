"""One round of the post: the mails that are due, one after the other, by one worker at a time.

A mail server that accepts and never answers costs whoever waits for it as long as it is given. So
it may hold one process of the workers at most, and after a failure everybody's mail waits a while.
"""

import logging
import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from time import monotonic

from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction
from django.db.models import Case, F, Value, When
from django.db.models.functions import Greatest

from monitoring import emails
from monitoring.models import Delivery, DeliveryState, Urgency

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]

# Longer than a mail server is given to answer, so that no second worker takes a mail in hand
LEASE = timedelta(minutes=2)
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=5)
# A round ends long before the queue would kill it; the next one goes on
ROUND_LASTS_S = 45
# Any number will do that nothing else takes a lock by
_LOCK = 7_264_001
# Somebody waits before the screen for the way to a new password
_PROMPT_FIRST = Case(
    When(urgency=Urgency.PROMPT, then=Value(0)),
    When(urgency=Urgency.PASSWORD, then=Value(1)),
    default=Value(2),
)


def deliver_due(*, clock: Clock) -> int:
    """Send the mails that are due, and say how many left.

    Somebody else on a round means that there is nothing to do. One connection carries all of them,
    and the first failure of the server itself ends the round.
    """
    with _only_one() as it_is_us:
        if not it_is_us:
            return 0
        server, sent, began = get_connection(), 0, monotonic()
        try:
            while monotonic() - began < ROUND_LASTS_S:
                delivery = lease_next(at=clock())
                if delivery is None:
                    break
                if not _deliver(delivery, server, has_sent=sent > 0, clock=clock):
                    break
                sent += delivery.state == DeliveryState.SENT
        finally:
            _hang_up(server)
    return sent


@contextmanager
def _only_one() -> Iterator[bool]:
    """Hold the round's lock, which PostgreSQL frees when its holder dies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        [is_ours] = cursor.fetchone()
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


@transaction.atomic
def lease_next(*, at: datetime) -> Delivery | None:
    """Take the next mail that is due, what is pressing first, and keep others away from it.

    The lease is committed before the mail leaves. A worker that dies gives the mail back when the
    lease runs out: told twice under one Message-ID is a nuisance, never told is harm.
    """
    delivery = (
        Delivery.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("clinician")
        .filter(state=DeliveryState.OWED, send_after__lte=at)
        .order_by(_PROMPT_FIRST, "send_after")
        .first()
    )
    if delivery is not None:
        delivery.attempts += 1
        delivery.send_after = at + LEASE
        delivery.save(update_fields=["attempts", "send_after"])
    return delivery


def _deliver(delivery: Delivery, server: BaseEmailBackend, *, has_sent: bool, clock: Clock) -> bool:
    """Send one mail; return False if the server itself has failed, so that it ends the round."""
    if not delivery.clinician.is_active:
        _end(delivery, DeliveryState.DROPPED, fault="", at=clock())
        return True
    try:
        server.open()
        emails.send(delivery, server)
    except smtplib.SMTPRecipientsRefused as fault:
        [(code, _text)] = fault.recipients.values()
        if 500 <= code < 600:
            _end(delivery, DeliveryState.REFUSED, fault=f"refused with {code}", at=clock())
        else:
            _postpone(delivery, fault=f"refused with {code}", at=clock())
    except smtplib.SMTPDataError as fault:
        _postpone(delivery, fault=f"refused with {fault.smtp_code}", at=clock())
    except (smtplib.SMTPException, OSError) as fault:
        failed_at = clock()
        _postpone(delivery, fault=type(fault).__name__, at=failed_at)
        # One that takes only so many mails a connection has not failed for the others
        if not has_sent:
            _hold_others(delivery, at=failed_at)
        return False
    else:
        _end(delivery, DeliveryState.SENT, fault="", at=clock())
    return True


def _end(delivery: Delivery, state: DeliveryState, *, fault: str, at: datetime) -> None:
    delivery.state, delivery.fault, delivery.ended_at = state, fault, at
    delivery.save(update_fields=["state", "fault", "ended_at"])


def _postpone(delivery: Delivery, *, fault: str, at: datetime) -> None:
    """Let the mail wait the longer the oftener it was tried."""
    pause = min(FIRST_PAUSE * 2 ** min(delivery.attempts - 1, 10), LONGEST_PAUSE)
    delivery.fault, delivery.send_after = fault, at + pause
    delivery.save(update_fields=["fault", "send_after"])
    logger.warning("Mail %s could not be sent (%s); trying again", delivery.message_id, fault)


def _hold_others(failed: Delivery, *, at: datetime) -> None:
    """Let what is due by now wait with the mail that could not be sent: it is the same server."""
    Delivery.objects.filter(state=DeliveryState.OWED, send_after__lte=at).update(
        send_after=failed.send_after,
        attempts=Greatest(F("attempts"), failed.attempts),
        fault=failed.fault,
    )


def _hang_up(server: BaseEmailBackend) -> None:
    with suppress(smtplib.SMTPException, OSError):  # what was sent is marked already
        server.close()
