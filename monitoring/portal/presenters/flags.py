"""A flag in words: what it is, since when, why, and everything that was done about it."""

from dataclasses import dataclass
from itertools import pairwise

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics import Estimate
from monitoring.charts import clinical_date
from monitoring.history import estimate_of
from monitoring.models import (
    ATTEMPTED,
    HANDED_OVER,
    LAPSED,
    LEFT_BEHIND,
    NO_LONGER_SO,
    NOW_SO,
    OUTCOME_RECORDED,
    OVERTAKEN,
    REPEATED,
    SNOOZE_ENDED,
    TOLD_ANEW,
    AcknowledgeReason,
    EscalationStep,
    Flag,
    FlagEvent,
    FlagKind,
    FlagLevel,
    FlagState,
    ResolveReason,
)
from monitoring.portal import dates, flag_words
from monitoring.portal.presenters.banner import Tag, capitalised

_TONES = {FlagLevel.SAFETY: "urgent", FlagLevel.HIGH: "urgent", FlagLevel.WATCH: "attention"}

# The order in which flags of one patient are read
URGENCY = {FlagLevel.SAFETY: 0, FlagLevel.HIGH: 1, FlagLevel.WATCH: 2}


# Steps that are told by their reason, whatever the state they leave the flag in
_BY_REASON: dict[str, Promise] = {
    REPEATED: gettext_lazy("A further positive answer was entered"),
    HANDED_OVER: gettext_lazy("Handed over by %(who)s"),
    LEFT_BEHIND: gettext_lazy("Up again: whoever had it in hand no longer signs in"),
    ATTEMPTED: gettext_lazy("Attempt recorded by %(who)s; the flag stays up"),
    EscalationStep.COVER: gettext_lazy("Nobody had taken it on in time: cover was told"),
    EscalationStep.LEAD: gettext_lazy("Nobody had taken it on in time: lead was told"),
    EscalationStep.REMINDER: gettext_lazy("Nobody has taken it on yet: all were told again"),
    EscalationStep.UNCLOSED: gettext_lazy("No outcome was recorded in time: lead was told"),
    TOLD_ANEW: gettext_lazy("The patient is not dead, as had been said: told of anew"),
    SNOOZE_ENDED: gettext_lazy("The time it was put aside for has ended"),
    OUTCOME_RECORDED: gettext_lazy("Closed by %(who)s with a recorded outcome"),
    LAPSED: gettext_lazy("Ended by itself: what raised it is no longer so"),
    OVERTAKEN: gettext_lazy("Gave way to a more urgent flag of the same kind"),
}


@dataclass(frozen=True)
class Step:
    """One step in the life of a flag; `link` leads to the earlier flag that it speaks of."""

    at: SafeString
    text: str
    plan: str
    link: str = ""


@dataclass(frozen=True)
class FlagCard:
    """One flag, ready to print."""

    reference: str
    title: str
    tone: str
    tags: list[Tag]
    since: SafeString
    reasons: list[str]
    is_safety: bool
    is_open: bool

    @classmethod
    def of(cls, flag: Flag, *, estimate: Estimate | None) -> "FlagCard":
        """Say what a flag is about, with the numbers of the estimate that speaks for it."""
        return cls(
            reference=flag.reference,
            title=flag.get_kind_display(),
            tone=_tone(flag),
            tags=_tags(flag),
            since=dates.system_moment(flag.raised_at),
            reasons=[
                flag_words.flag_reason(code, kind=flag.kind, estimate=estimate)
                for code in flag.reasons
            ],
            is_safety=flag.kind == FlagKind.SAFETY,
            is_open=flag.state != FlagState.RESOLVED,
        )

    @classmethod
    def as_raised(cls, flag: Flag) -> "FlagCard":
        """Say it with the numbers of the assessment that raised it."""
        return cls.of(flag, estimate=estimate_of(flag.raised_by))


def _tone(flag: Flag) -> str:
    match FlagState(flag.state):
        case FlagState.RESOLVED:
            return "done"
        case FlagState.ACKNOWLEDGED | FlagState.SNOOZED:
            return "waiting"
        case FlagState.RAISED | FlagState.SEEN:
            return _TONES[FlagLevel(flag.level)]


def _tags(flag: Flag) -> list[Tag]:
    state = capitalised(flag.get_state_display())
    tags = [(_TONES[FlagLevel(flag.level)], capitalised(flag.get_level_display()))]
    if flag.state == FlagState.RAISED:
        tags.append(("attention", _("Returned") if flag.has_returned else state))
    elif flag.state == FlagState.RESOLVED:
        tags = [("done", state)]
    else:
        tags.append(("waiting", state))
    return tags


def steps_of(flag: Flag) -> list[Step]:
    """Tell the life of a flag, the newest step first; reminders without number are one step."""
    events = [
        event
        for event, after in pairwise([*flag.events.all(), None])
        if event is not None and not _is_told_again(event, after)
    ]
    steps = [
        Step(at=dates.system_moment(event.at), text=_step(event), plan=event.plan)
        for event in events[:0:-1]
    ]
    return steps + [_first_step(flag, each) for each in events[:1]]


def _is_told_again(event: FlagEvent, after: FlagEvent | None) -> bool:
    """Tell whether the next step is nothing but another reminder of the same."""
    again = {EscalationStep.REMINDER, EscalationStep.UNCLOSED}
    return after is not None and after.reason == event.reason and event.reason in again


def _first_step(flag: Flag, raised: FlagEvent) -> Step:
    """Say of a flag that follows another of its kind what became of that one."""
    at, text = dates.system_moment(raised.at), _step(raised)
    before = Flag.objects.filter(patient=flag.patient_id, kind=flag.kind, pk__lt=flag.pk)
    earlier = before.order_by("-pk").first()
    if earlier is None or earlier.resolved_at is None:
        return Step(at=at, text=text, plan=raised.plan)
    said = _("Raised again: an earlier flag of this kind ended on %(day)s")
    if earlier.resolved_at == flag.raised_at:
        said = _("Raised in place of a less urgent flag of this kind of %(day)s")
    day = clinical_date(timezone.localtime(earlier.resolved_at).date())
    link = reverse("portal:flag", args=[earlier.reference])
    return Step(at=at, text=said % {"day": day}, plan=raised.plan, link=link)


def _step(event: FlagEvent) -> str:
    who = str(event.by) if event.by else ""
    if event.reason in _BY_REASON:
        return str(_BY_REASON[event.reason]) % {"who": who}
    if event.reason[:1] in {NOW_SO, NO_LONGER_SO}:
        return _change_of_reason(event)
    match FlagState(event.state):
        case FlagState.RAISED:
            return _("Raised")
        case FlagState.SEEN:
            return _("Seen by %(who)s") % {"who": who}
        case FlagState.ACKNOWLEDGED:
            reason = AcknowledgeReason(event.reason).label
            return _("Acknowledged by %(who)s: %(reason)s") % {"who": who, "reason": reason}
        case FlagState.SNOOZED:
            return _("Put aside by %(who)s") % {"who": who}
        case FlagState.RESOLVED:
            reason = ResolveReason(event.reason).label
            return _("Resolved by %(who)s: %(reason)s") % {"who": who, "reason": reason}


def _change_of_reason(event: FlagEvent) -> str:
    flag = event.flag
    rules = "" if flag.raised_by is None else flag.raised_by.rules
    said = flag_words.flag_reason(event.reason[1:], kind=flag.kind, estimate=None, rules=rules)
    if event.reason[:1] == NOW_SO:
        return _("New evidence: %(said)s") % {"said": said}
    return _("No longer so: %(said)s") % {"said": said}
