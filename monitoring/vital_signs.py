"""Whether every part of the site is well, and what it has in hand: asked by /health/ and status.

Whatever is away is reported, never raised, and never waited for longer than a moment.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from threading import Lock, Thread

from django.conf import settings
from django.db import Error, connection
from django.db.models import Count, Exists, Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Greatest
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from monitoring import pulse, silences
from monitoring.models import (
    Alert,
    Attempt,
    DeliveryState,
    Escalation,
    Flag,
    FlagLevel,
    FlagState,
    RiskAssessment,
)
from monitoring.safety_list import MAIL_IS_LATE_AFTER
from patients.models import Membership, Parked, ParkedState, Patient, Result

OK = "ok"
ANSWERS_WITHIN_S = 2.0
# The sweep comes every 10 seconds; who waits six times as long is not being looked after
WAITS_AT_MOST = timedelta(seconds=60)

_one_at_a_time = Lock()


@dataclass(frozen=True)
class VitalSigns:
    """Each part is "ok", or says what is the matter.

    A laboratory that has fallen silent is none of the parts: the site is well all the same. It is
    not while a safety flag is up in a team without anybody who could see it.
    """

    database: str
    broker: str
    worker: str
    beat: str
    silent_laboratories: str = ""
    unattended_safety: str = ""

    @property
    def are_well(self) -> bool:
        parts = {self.database, self.broker, self.worker, self.beat}
        return parts == {OK} and not self.unattended_safety

    @property
    def said(self) -> dict[str, str]:
        """Give each part its word; what else is the matter, only when it is."""
        return {name: word for name, word in asdict(self).items() if word}


@dataclass(frozen=True)
class Counts:
    """What is on record and what is in hand."""

    results: int
    parked: int
    patients: int
    stale_patients: int
    oldest_stale_s: float
    assessments: int
    flags_open: dict[str, int]
    alerts_owed: int
    alerts_sent: int


@dataclass(frozen=True)
class Told:
    """What the database says of itself and of the work: how long somebody has waited for it."""

    database: str
    to_be_assessed: timedelta = timedelta(0)
    to_be_told: timedelta = timedelta(0)
    silent: str = ""
    unattended: str = ""


def take(*, at: datetime) -> VitalSigns:
    """Look at every part once."""
    told = _ask_database(at=at)
    broker, worker, beat = _ask_broker()
    if worker == OK and told.to_be_assessed > WAITS_AT_MOST:
        seconds = told.to_be_assessed.total_seconds()
        worker = f"stalled: somebody has waited {seconds:.0f} s to be assessed"
    if worker == OK and told.to_be_told > MAIL_IS_LATE_AFTER:
        seconds = told.to_be_told.total_seconds()
        worker = f"stalled: a safety alert has waited {seconds:.0f} s to be sent"
    return VitalSigns(told.database, broker, worker, beat, told.silent, told.unattended)


def _ask_database(*, at: datetime) -> Told:
    """Ask aside, so that a server that takes the question and never answers is left alone."""
    answers: SimpleQueue[Told] = SimpleQueue()
    Thread(target=_look_aside, args=(answers, at), name="vital-signs", daemon=True).start()
    try:
        return answers.get(timeout=ANSWERS_WITHIN_S)
    except Empty:
        return Told(f"away: no answer within {ANSWERS_WITHIN_S:g} s")


def _look_aside(answers: "SimpleQueue[Told]", at: datetime) -> None:
    """Ask the database by a connection of this thread; of many questions that hang, one does."""
    if not _one_at_a_time.acquire(timeout=ANSWERS_WITHIN_S):
        return
    try:
        waits = longest_wait(at=at), longest_alert(at=at)
        answers.put(Told(OK, *waits, say_silences(), say_unattended()))
    except Error as fault:
        answers.put(Told(f"away: {type(fault).__name__}"))
    finally:
        connection.close()
        _one_at_a_time.release()


def say_silences() -> str:
    """Say how many laboratories are silent and since when, without naming one; else nothing."""
    silent = silences.open_silences()
    if not silent:
        return ""
    since = silent[0].last_heard_at
    return f"{len(silent)}, no data since {since:%A %Y-%m-%dT%H:%MZ}"


def say_unattended() -> str:
    """Say how many safety flags are up that nobody can see, for their team has no active member."""
    members = Membership.objects.filter(team=OuterRef("patient__team"), clinician__is_active=True)
    unseen = Flag.objects.up().filter(~Exists(members), level=FlagLevel.SAFETY).count()
    return f"{unseen}, in teams without an active member: add one" if unseen else ""


def longest_wait(*, at: datetime) -> timedelta:
    """Say how long the patient who waits longest has waited for a worker.

    After a failed attempt a patient rests on purpose; the wait counts from the end of the rest.
    """
    rests_until = Attempt.objects.filter(patient=OuterRef("pk")).values("retry_at")
    since = (
        Patient.objects.stale()
        .annotate(rests_until=Subquery(rests_until))
        .aggregate(since=Min(Greatest("stale_since", Coalesce("rests_until", "stale_since"))))
    )["since"]
    return timedelta(0) if since is None else max(at - since, timedelta(0))


def longest_alert(*, at: datetime) -> timedelta:
    """Say how long the news of a safety flag, or a step of its timer, has waited for a worker."""
    owed = Alert.objects.filter(flag__level=FlagLevel.SAFETY, dropped_at=None).filter(
        Q(delivery=None) | Q(delivery__state=DeliveryState.OWED)
    )
    since = owed.exclude(flag__state=FlagState.RESOLVED).aggregate(since=Min("due_at"))["since"]
    waiting = Escalation.objects.filter(done_at=None, called_off_at=None)
    step = waiting.aggregate(since=Min("due_at"))["since"]
    waits: list[timedelta] = [at - each for each in (since, step) if each is not None]
    return max([timedelta(0), *waits])


def _ask_broker() -> tuple[str, str, str]:
    """Ask by a line of one's own: the shared one keeps silent for a moment after a failure."""
    try:
        with Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=ANSWERS_WITHIN_S / 2,
            socket_connect_timeout=ANSWERS_WITHIN_S / 2,
            retry=Retry(NoBackoff(), 0),
        ) as line:
            beats = line.mget([pulse.WORKER, pulse.BEAT])
    except RedisError as fault:
        unknown = "away: not known without the broker"
        return f"away: {type(fault).__name__}", unknown, unknown
    silent = f"away: no pulse for {pulse.LASTS_S} s"
    worker, beat = (silent if each is None else OK for each in beats)
    return OK, worker, beat


def count(*, at: datetime) -> Counts:
    """Count what is on record and in hand; the database must be there."""
    oldest = Patient.objects.stale().aggregate(since=Min("stale_since"))["since"]
    by_kind = Flag.objects.up().values_list("kind").annotate(n=Count("pk")).order_by("kind")
    return Counts(
        results=Result.objects.current().count(),
        parked=Parked.objects.filter(state=ParkedState.WAITING).count(),
        patients=Patient.objects.count(),
        stale_patients=Patient.objects.stale().count(),
        oldest_stale_s=0.0 if oldest is None else max((at - oldest).total_seconds(), 0.0),
        assessments=RiskAssessment.objects.count(),
        flags_open=dict(by_kind),
        alerts_owed=_owed_alerts(),
        alerts_sent=Alert.objects.filter(delivery__state=DeliveryState.SENT).count(),
    )


def _owed_alerts() -> int:
    not_in_a_mail = Alert.objects.filter(delivery=None, dropped_at=None)
    not_sent = Alert.objects.filter(delivery__state=DeliveryState.OWED)
    return not_in_a_mail.count() + not_sent.count()
