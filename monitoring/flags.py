"""The life of a flag: raised by an assessment, seen, acknowledged, resolved; never twice open."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from monitoring import alerts
from monitoring.flag_news import escalates, may_be_raised, new_among
from monitoring.models import (
    LAPSED,
    NO_LONGER_SO,
    NOW_SO,
    OVERTAKEN,
    SNOOZE_ENDED,
    WITH_OWN_PATH,
    AcknowledgeReason,
    Flag,
    FlagEvent,
    FlagKind,
    FlagLevel,
    FlagState,
    ResolveReason,
)
from patients.models import Clinician
from patients.statements import Question, ask, numbers

LONGEST_SNOOZE = timedelta(weeks=12)

STEPS: dict[FlagState, frozenset[FlagState]] = {
    FlagState.RAISED: frozenset(
        {FlagState.SEEN, FlagState.ACKNOWLEDGED, FlagState.SNOOZED, FlagState.RESOLVED}
    ),
    FlagState.SEEN: frozenset({FlagState.ACKNOWLEDGED, FlagState.SNOOZED, FlagState.RESOLVED}),
    FlagState.ACKNOWLEDGED: frozenset({FlagState.SNOOZED, FlagState.RESOLVED}),
    FlagState.SNOOZED: frozenset({FlagState.ACKNOWLEDGED, FlagState.RESOLVED}),
    FlagState.RESOLVED: frozenset(),
}


class FlagHasMoved(Exception):
    """Somebody, or the system, has changed this flag since the page was drawn."""


class SnoozeFault(Exception):
    """A snooze that cannot be; says what would be right."""


class SafetyHasItsOwnPath(Exception):
    """A safety flag is taken on by name, never snoozed, and ends with a recorded outcome only."""


@dataclass(frozen=True)
class Wanted:
    """A flag that an assessment wants up, or (`is_raise` false) would keep up if it is.

    `since`: when the newest that it speaks of came about; a flag resolved before was not of it.
    """

    kind: FlagKind
    level: FlagLevel
    reasons: tuple[str, ...]
    is_raise: bool
    since: datetime | None = None


class Assessed(NamedTuple):
    """A new assessment of a patient, and which flags it wants."""

    patient_id: int
    assessment_id: int | None
    wanted: Sequence[Wanted]


def reconcile(assessed: Sequence[Assessed], *, at: datetime) -> list[Flag]:
    """Bring the flags of these patients in line with their assessments; give back the new ones.

    The caller holds the patients' rows, so nobody else raises a flag for them meanwhile. Kinds with
    a path of their own are none of our business here.
    """
    past = _past_flags([each.patient_id for each in assessed])
    raised: list[Flag] = []
    for each in assessed:
        before = past.get(each.patient_id)
        if before or each.wanted:  # most have neither
            raised += _reconcile_one(each, before or {}, at=at)
    if raised:
        Flag.objects.bulk_create(raised)
        FlagEvent.objects.bulk_create(
            [
                FlagEvent(flag=flag, at=at, state=FlagState.RAISED, assessment_id=flag.raised_by_id)
                for flag in raised
            ]
        )
    return raised


def _past_flags(patient_ids: Sequence[int]) -> dict[int, dict[str, list[Flag]]]:
    [flagged] = ask((_FLAGGED, [numbers(patient_ids)]))
    past: dict[int, dict[str, list[Flag]]] = {}
    if not flagged:
        return past
    earlier = (
        Flag.objects.select_for_update(of=("self",))
        .filter(patient__in=[patient_id for (patient_id,) in flagged])
        .exclude(kind__in=WITH_OWN_PATH)
        .order_by("raised_at")
    )
    for flag in earlier:
        past.setdefault(flag.patient_id, {}).setdefault(flag.kind, []).append(flag)
    return past


_FLAGGED = """
SELECT DISTINCT patient_id FROM monitoring_flag
 WHERE patient_id = ANY(%s::bigint[])
   AND kind NOT IN ('safety', 'overdue', 'correction_changed_the_picture')
"""


def _reconcile_one(assessed: Assessed, past: dict[str, list[Flag]], *, at: datetime) -> list[Flag]:
    raised = []
    for each in assessed.wanted:
        before = past.get(each.kind, [])
        if each.is_raise and escalates(before, each.level):
            _overtake(before[-1], assessed, at=at)
            raised.append(_new_flag(assessed, each, has_returned=False, at=at))
        elif each.is_raise and may_be_raised(before, each.level, each.reasons, each.since, at=at):
            raised.append(_new_flag(assessed, each, has_returned=bool(before), at=at))
        elif before and before[-1].resolved_at is None:
            _renew(before[-1], assessed, each, at=at)
    for kind in past.keys() - {each.kind for each in assessed.wanted}:
        _lapse(past[kind][-1], assessed, at=at)
    return raised


def _renew(flag: Flag, assessed: Assessed, wanted: Wanted, *, at: datetime) -> None:
    """Let an open flag say why it is up now; a reason that it never had brings it back, once."""
    if flag.level != wanted.level or flag.reasons == list(wanted.reasons):
        return
    gone = new_among(flag.reasons, wanted.reasons)
    news = new_among(wanted.reasons, flag.reasons) if wanted.is_raise else []
    told = {reason[1:] for reason in flag.events.values_list("reason", flat=True) if reason}
    flag.reasons = list(wanted.reasons)
    made = assessed.assessment_id
    flag.raised_by_id = made or flag.raised_by_id
    flag.save(update_fields=["reasons", "raised_by"])
    FlagEvent.objects.bulk_create(
        FlagEvent(
            flag=flag, at=at, state=flag.state, reason=NO_LONGER_SO + each, assessment_id=made
        )
        for each in gone
    )
    if flag.kind == FlagKind.CORRECTED:  # tells those who acted, and nobody else
        return
    for each in new_among(news, told):
        flag.has_returned |= flag.state != FlagState.RAISED
        _step(flag, FlagState.RAISED, by=None, reason=NOW_SO + each, assessed=assessed, at=at)
        alerts.queue([flag], at=at, occasion=f"{NOW_SO}{flag.version}")


def bring_back(flag: Flag, *, reason: str, at: datetime) -> None:
    """Let an open flag that somebody has looked at be new again, for a new fact."""
    flag.has_returned = True
    _step(flag, FlagState.RAISED, by=None, reason=NOW_SO + reason, at=at)


def _overtake(flag: Flag, assessed: Assessed, *, at: datetime) -> None:
    """Let a flag give way to the more urgent one that takes its place, and says so anew."""
    _step(flag, FlagState.RESOLVED, by=None, reason=OVERTAKEN, assessed=assessed, at=at)


def _new_flag(assessed: Assessed, wanted: Wanted, *, has_returned: bool, at: datetime) -> Flag:
    return Flag(
        patient_id=assessed.patient_id,
        kind=wanted.kind,
        level=wanted.level,
        raised_at=at,
        raised_by_id=assessed.assessment_id,
        reasons=list(wanted.reasons),
        has_returned=has_returned,
    )


def _lapse(flag: Flag, assessed: Assessed, *, at: datetime) -> None:
    """Take note that the reason is gone; an open flag is resolved by that, and says so."""
    if flag.lapsed_at is not None:
        return
    flag.lapsed_at = at
    if flag.resolved_at is None:
        _step(flag, FlagState.RESOLVED, by=None, reason=LAPSED, assessed=assessed, at=at)
    else:
        flag.save(update_fields=["lapsed_at"])


def _step(
    flag: Flag,
    state: FlagState,
    *,
    by: Clinician | None,
    reason: str = "",
    plan: str = "",
    assessed: Assessed | None = None,
    at: datetime,
) -> None:
    flag.state = state
    flag.version += 1
    if state != FlagState.SNOOZED:
        flag.snoozed_until = None
    if state == FlagState.RESOLVED:
        flag.resolved_at = at
    flag.save()
    FlagEvent.objects.create(
        flag=flag,
        at=at,
        by=by,
        state=state,
        reason=reason,
        plan=plan,
        assessment_id=None if assessed is None else assessed.assessment_id,
    )


def see(*, flag: Flag, version: int, by: Clinician, at: datetime) -> None:
    """Say that a person has looked at the flag."""
    _act(flag, FlagState.SEEN, version=version, by=by, at=at)


def acknowledge(
    *,
    flag: Flag,
    version: int,
    reason: AcknowledgeReason,
    plan: str,
    by: Clinician,
    at: datetime,
) -> None:
    """Take the flag on, with a reason and perhaps a plan."""
    _refuse_safety(flag)
    _act(flag, FlagState.ACKNOWLEDGED, version=version, by=by, reason=reason, plan=plan, at=at)


def resolve(
    *, flag: Flag, version: int, reason: ResolveReason, plan: str, by: Clinician, at: datetime
) -> None:
    """End the flag by a person's word."""
    _refuse_safety(flag)
    _act(flag, FlagState.RESOLVED, version=version, by=by, reason=reason, plan=plan, at=at)


@transaction.atomic
def snooze(
    *, flag: Flag, version: int, until: datetime, reason: str, by: Clinician, at: datetime
) -> None:
    """Put a flag aside until a time, with a reason; it comes back by itself, or when it worsens."""
    _refuse_safety(flag)
    if not reason.strip():
        raise SnoozeFault(_("Say why the flag may wait."))
    if not at < until <= at + LONGEST_SNOOZE:
        raise SnoozeFault(_("A snooze ends within 12 weeks, and not in the past."))
    now = lock_as_seen(flag, version=version)
    if FlagState.SNOOZED not in STEPS[FlagState(now.state)]:
        raise FlagHasMoved(_describe_last_step(now))
    now.snoozed_until = until
    _step(now, FlagState.SNOOZED, by=by, plan=reason.strip(), at=at)
    refresh_need([now.patient_id])


@transaction.atomic
def wake_snoozed(*, at: datetime) -> int:
    """Bring back the flags whose snooze has ended; say how many. Their team is told anew."""
    ended = list(
        Flag.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("patient")
        .filter(state=FlagState.SNOOZED, snoozed_until__lte=at)
    )
    for flag in ended:
        flag.has_returned = True
        _step(flag, FlagState.RAISED, by=None, reason=SNOOZE_ENDED, at=at)
    alerts.queue(ended, at=at, occasion=SNOOZE_ENDED)
    if ended:
        refresh_need([flag.patient_id for flag in ended])
    return len(ended)


def raise_beside(wanted: dict[int, Wanted | None], *, kind: FlagKind, at: datetime) -> list[Flag]:
    """Raise, keep or lapse the flags of one kind that has a path of its own; give the new ones.

    The caller holds the patients' rows.
    """
    past: dict[int, list[Flag]] = {}
    earlier = Flag.objects.select_for_update(of=("self",)).filter(patient__in=wanted, kind=kind)
    for flag in earlier.order_by("raised_at"):
        past.setdefault(flag.patient_id, []).append(flag)
    raised = []
    for patient_id, each in wanted.items():
        before = {kind.value: past[patient_id]} if patient_id in past else {}
        one = Assessed(patient_id, None, [] if each is None else [each])
        raised += _reconcile_one(one, before, at=at)
    Flag.objects.bulk_create(raised)
    FlagEvent.objects.bulk_create(
        [FlagEvent(flag=flag, at=at, state=FlagState.RAISED) for flag in raised]
    )
    return raised


def _refuse_safety(flag: Flag) -> None:
    if flag.kind == FlagKind.SAFETY:
        raise SafetyHasItsOwnPath(str(flag))


def _act(
    flag: Flag,
    state: FlagState,
    *,
    version: int,
    by: Clinician,
    reason: str = "",
    plan: str = "",
    at: datetime,
) -> None:
    with transaction.atomic():
        step(flag, state, version=version, by=by, reason=reason, plan=plan, at=at)


def step(
    flag: Flag,
    state: FlagState,
    *,
    version: int,
    by: Clinician,
    reason: str = "",
    plan: str = "",
    at: datetime,
) -> Flag:
    """Take one step, if the flag still stands as it did when the person decided."""
    now = lock_as_seen(flag, version=version)
    if state not in STEPS[FlagState(now.state)]:
        raise FlagHasMoved(_describe_last_step(now))
    _step(now, state, by=by, reason=reason, plan=plan.strip(), at=at)
    refresh_need([now.patient_id])
    return now


def lock_as_seen(flag: Flag, *, version: int) -> Flag:
    """Take the open flag's row, if it still stands as it did when the person decided."""
    now = Flag.objects.select_for_update(of=("self",)).select_related("patient").get(pk=flag.pk)
    if now.version != version or now.state == FlagState.RESOLVED:
        raise FlagHasMoved(_describe_last_step(now))
    return now


def end(flag: Flag, *, reason: str, plan: str, by: Clinician, at: datetime) -> None:
    """Resolve a flag whose row the caller holds."""
    _step(flag, FlagState.RESOLVED, by=by, reason=reason, plan=plan, at=at)


def _describe_last_step(flag: Flag) -> str:
    last = flag.events.select_related("by").latest("pk")
    who = str(last.by) if last.by else _("the system")
    return _("This flag is %(state)s since %(at)s, by %(who)s.") % {
        "state": FlagState(last.state).label,
        "at": f"{last.at:%d-%b-%Y %H:%M} UTC",
        "who": who,
    }


_REFRESH_NEED = """
UPDATE monitoring_standing AS standing
   SET need = coalesce(open.need, 0)
  FROM unnest(%s::bigint[]) AS asked (patient_id)
  LEFT JOIN (
        SELECT patient_id, max(CASE
                   WHEN level = 'safety' THEN
                        CASE urgency WHEN 'immediate' THEN 8 WHEN 'urgent' THEN 7 ELSE 6 END
                   WHEN level = 'high' AND state NOT IN ('acknowledged', 'snoozed') THEN 5
                   WHEN level = 'watch' AND state NOT IN ('acknowledged', 'snoozed') THEN 3
                   WHEN level = 'high' THEN 2
                   ELSE 1 END) AS need
          FROM monitoring_flag
         WHERE state <> 'resolved' AND patient_id = ANY(%s::bigint[])
         GROUP BY patient_id
       ) AS open USING (patient_id)
 WHERE standing.patient_id = asked.patient_id
   AND standing.need <> coalesce(open.need, 0)
"""


def need_refreshed(patient_ids: Iterable[int]) -> Question:
    """Ask for the worklist's order to be brought in line with the open flags."""
    ids = numbers(patient_ids)
    return _REFRESH_NEED, [ids, ids]


def refresh_need(patient_ids: Iterable[int]) -> None:
    """Bring the worklist's order in line with the open flags, in the flags' own transaction."""
    ask(need_refreshed(patient_ids))
