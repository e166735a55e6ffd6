"""The safety path in words: the site's plan, who sees to a flag, what is due when, the alarm."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from instruments import INSTRUMENTS
from monitoring import duties
from monitoring.charts import clinical_date
from monitoring.models import (
    CrisisPlan,
    Escalation,
    EscalationStep,
    Flag,
    FlagEvent,
    FlagState,
    SafetyAction,
    SafetyOutcome,
    SafetyUrgency,
)
from monitoring.portal import dates
from monitoring.portal.presenters.banner import capitalised, name_of
from monitoring.safety_list import OpenCase
from patients.models import Rating


def urgency(flag: Flag) -> str:
    """Say how quickly a person must act."""
    match SafetyUrgency(flag.urgency):
        case SafetyUrgency.SAME_DAY:
            return _("Today: a named clinician must speak with the person the same day")
        case SafetyUrgency.URGENT:
            return _("Urgent: a named clinician must speak with the person without delay")
        case SafetyUrgency.IMMEDIATE:
            return _("At once: do not leave the person alone until somebody has taken over")


@dataclass(frozen=True)
class Crisis:
    """What the site tells its people; where it tells nothing, a plain default without numbers."""

    text: str
    numbers: str
    out_of_hours: str
    is_default: bool

    @classmethod
    def of(cls, plan: CrisisPlan) -> "Crisis":
        """Give the site's own words, or the default."""
        return cls(
            text=plan.text.strip()
            or _(
                "Stay with the person, or on the line, until somebody has taken over. Follow your "
                "clinic’s own protocol. Where there is danger to life, call the emergency number "
                "of your country."
            ),
            numbers=plan.numbers.strip()
            or _("Your site has not entered its numbers yet; a team lead does so."),
            out_of_hours=plan.out_of_hours.strip()
            or _("Your site has not said who looks at this page at night and at weekends."),
            is_default=not (plan.text.strip() and plan.numbers.strip()),
        )


def answers_of(events: Sequence[FlagEvent], *, zone: ZoneInfo) -> list[str]:
    """Say which answers stand behind a flag, the newest first."""
    return [
        _answer(event.rating, zone=zone) for event in reversed(events) if event.rating is not None
    ]


def _answer(rating: Rating, *, zone: ZoneInfo) -> str:
    scale = INSTRUMENTS[rating.instrument]
    said = _(
        "%(scale)s (version %(version)s), item %(item)d: %(answer)s of %(highest)d, rated %(when)s"
    ) % {
        "scale": scale.code,
        "version": scale.version,
        "item": scale.self_harm_item,
        "answer": rating.self_harm_answer,
        "highest": scale.highest_answers[scale.self_harm_item - 1],
        "when": clinical_date(rating.rated_at.astimezone(zone).date()),
    }
    if rating.superseded_at is not None:
        return _("%(said)s (this rating was corrected later; the flag stays)") % {"said": said}
    return said


@dataclass(frozen=True)
class CaseRow:
    """One open safety flag in the list."""

    name: str
    patient_link: str
    link: str
    urgency: str
    tone: str
    state: str
    answers: list[str]
    owner: str
    since: SafeString
    waited: str
    timer: list[str]

    @classmethod
    def of(cls, case: OpenCase, *, at: datetime) -> "CaseRow":
        """Put one case into words."""
        flag, zone = case.flag, case.flag.patient.team.site.zone
        return cls(
            name=name_of(flag.patient),
            patient_link=reverse("portal:patient", args=[flag.patient.public_id]),
            link=reverse("portal:flag", args=[flag.reference]),
            urgency=capitalised(flag.get_urgency_display()),
            tone="waiting" if flag.state == FlagState.ACKNOWLEDGED else "urgent",
            state=_state(case),
            answers=answers_of(list(flag.events.all()), zone=zone)[:2],
            owner=owner_in_words(case),
            since=dates.system_moment(flag.raised_at),
            waited=dates.waited(flag.raised_at, at=at),
            timer=timer_of(case, at=at),
        )


def _state(case: OpenCase) -> str:
    match FlagState(case.flag.state):
        case FlagState.ACKNOWLEDGED:
            return _("Taken on; the outcome is not recorded yet")
        case _:
            return _("Nobody has taken it on yet")


def owner_in_words(case: OpenCase) -> str:
    """Name who sees to it."""
    if case.flag.owner is not None:
        return str(case.flag.owner)
    told = duties.names(case.first)
    if len(case.first) > 1:
        return _("Nobody by name; told: %(names)s") % {"names": told}
    return told or _("Nobody: the team has no active member")


def _step(step: Escalation, *, at: datetime) -> str:
    """Say of one step when it is due, when it was done, or that it was due and is not done."""
    who, when = EscalationStep(step.step), dates.plain_moment(step.due_at)
    if who is EscalationStep.UNCLOSED:
        behind = _("The outcome was expected by %(at)s") % {"at": when}
        return behind if step.due_at <= at else _("An outcome is expected by %(at)s") % {"at": when}
    is_cover = who is EscalationStep.COVER
    return _told(step, _("Cover") if is_cover else _("Lead"), at=at)


def _told(step: Escalation, who: str, *, at: datetime) -> str:
    if step.done_at is not None:
        return _("%(who)s was told %(at)s") % {"who": who, "at": dates.plain_moment(step.done_at)}
    due = {"who": who, "at": dates.plain_moment(step.due_at)}
    if step.due_at <= at:
        return _("%(who)s was due to be told %(at)s and is not told yet: tell them yourself") % due
    return _("%(who)s is told %(at)s") % due


def _told_again(steps: Sequence[Escalation], *, at: datetime) -> list[str]:
    """Say when those concerned were last told once more, and when they will be."""
    said = []
    if done := [each.done_at for each in steps if each.done_at is not None]:
        said.append(_("Told again, last %(at)s") % {"at": dates.plain_moment(max(done))})
    for each in steps:
        due = {"at": dates.plain_moment(each.due_at)}
        if each.done_at is None and each.due_at <= at:
            text = _(
                "Was due to be told again %(at)s and is not yet: tell your colleagues yourself"
            )
            said.append(text % due)
        elif each.done_at is None:
            said.append(_("Told again %(at)s unless somebody acts") % due)
    return said


def timer_of(case: OpenCase, *, at: datetime) -> list[str]:
    """Say what happens next, or should have happened: read from the rows, whoever is away."""
    steps = [each for each in case.steps if each.called_off_at is None]
    unclosed = [each for each in steps if each.step == EscalationStep.UNCLOSED]
    reminders = [each for each in steps if each.step == EscalationStep.REMINDER] + unclosed[1:]
    said = [_step(each, at=at) for each in steps if each not in reminders]
    said += _told_again(reminders, at=at)
    if case.mail_is_late:
        said.append(_("The mail about it has not gone out: tell your colleagues yourself"))
    return said


@dataclass(frozen=True)
class Alarm:
    """The strip on every page of whoever must act now."""

    text: str
    lines: list[tuple[str, str]]
    mail_is_late: bool

    @classmethod
    def of(cls, cases: Sequence[OpenCase]) -> "Alarm | None":
        """Say how many, and name nobody: a page about one patient never names another."""
        if not cases:
            return None
        n = len(cases)
        lines = [
            (
                reverse("portal:flag", args=[case.flag.reference]),
                _("%(urgency)s, since %(since)s")
                % {
                    "urgency": capitalised(case.flag.get_urgency_display()),
                    "since": dates.plain_moment(case.flag.raised_at),
                },
            )
            for case in cases[:3]
        ]
        text = ngettext(
            "%(n)d positive answer on self-harm waits for you.",
            "%(n)d positive answers on self-harm wait for you.",
            n,
        )
        return cls(text % {"n": n}, lines, any(case.mail_is_late for case in cases))


@dataclass(frozen=True)
class OutcomeCard:
    """A recorded outcome, ready to print."""

    facts: list[tuple[str, str | SafeString]]
    note: str

    @classmethod
    def of(cls, outcome: SafetyOutcome | None, *, zone: ZoneInfo) -> "OutcomeCard | None":
        """Put an outcome into words; what was not found was not found in this assessment."""
        if outcome is None:
            return None
        actions = ", ".join(str(SafetyAction(each).label) for each in outcome.actions)
        facts: list[tuple[str, str | SafeString]] = [
            (_("Assessed"), dates.clinical_moment(outcome.assessed_at, zone=zone)),
            (_("By"), outcome.assessed_by),
            (_("How"), outcome.get_contact_display()),
            (_("By means of"), outcome.instrument),
            (_("Thoughts of suicide"), outcome.get_ideation_display()),
            (_("Behaviour"), outcome.get_behaviour_display()),
            (_("A plan"), outcome.get_plan_display()),
            (_("Access to means"), outcome.get_means_display()),
            (_("Done"), actions),
            (
                _("Next contact"),
                dates.day(outcome.next_contact_on) if outcome.next_contact_on else _("Not set"),
            ),
        ]
        return cls(facts, outcome.note)
