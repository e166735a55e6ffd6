"""What a structured assessment of self-harm must say, so that a safety flag may end by it."""

import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import cast
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from monitoring.models import (
    Behaviour,
    Contact,
    Finding,
    Flag,
    Ideation,
    SafetyAction,
    SafetyOutcome,
    SafetyUrgency,
)
from patients.models import PatientStatus, Rating

_FEWEST_LETTERS = 8
# What stands for no instrument, and for nobody
_NOTHING = {"", "none", "no", "nothing", "n/a", "na", "not used", "unknown", "nobody"}


class OutcomeFault(Exception):
    """An outcome that cannot be; says what would be right."""


@dataclass(frozen=True)
class Outcome:
    """What a structured assessment found, and what was done about it."""

    assessed_at: datetime
    assessed_by: str
    contact: Contact
    instrument: str
    ideation: Ideation
    behaviour: Behaviour
    plan: Finding
    means: Finding
    actions: Sequence[SafetyAction]
    note: str
    next_contact_on: date | None

    def is_attempt(self, flag: Flag) -> bool:
        """Tell whether nobody was reached, or what the flag asks for was not assessed.

        Nobody can be asked who has died: what is known of it ends the flag.
        """
        if _has_died(flag):
            return False
        return self.contact == Contact.NOT_REACHED or bool(self.not_assessed(flag))

    def not_assessed(self, flag: Flag) -> tuple[str, ...]:
        """Name in words what an outcome of this flag must say and this does not.

        A flag ends by what was found; what nobody looked for was not found. Where thoughts were
        found a plan is asked for, and where the answer was more than one of today, access to means
        as well, whatever was found.
        """
        is_pressing = flag.urgency != SafetyUrgency.SAME_DAY
        asks_plan = is_pressing or self.ideation != Ideation.NONE_FOUND
        return tuple(
            name
            for name, is_missing in (
                (_("thoughts"), self.ideation == Ideation.NOT_ASSESSED),
                (_("behaviour"), self.behaviour == Behaviour.NOT_ASSESSED),
                (_("a plan"), asks_plan and self.plan == Finding.NOT_ASSESSED),
                (_("access to means"), is_pressing and self.means == Finding.NOT_ASSESSED),
            )
            if is_missing
        )

    def in_words(self, zone: ZoneInfo) -> str:
        """Write an attempt down: when, by whom and how; what was found; what was done."""
        tried = [
            f"{self.assessed_at.astimezone(zone):%d-%b-%Y %H:%M}",
            self.assessed_by,
            str(self.contact.label),
        ]
        found = [
            f"{name}: {said.label}"
            for name, said in (
                (_("thoughts"), self.ideation),
                (_("behaviour"), self.behaviour),
                (_("plan"), self.plan),
                (_("means"), self.means),
            )
            if said.value != Finding.NOT_ASSESSED.value
        ]
        done = [str(each.label) for each in self.actions]
        if self.next_contact_on:
            done.append(f"→ {self.next_contact_on:%d-%b-%Y}")
        parts = [", ".join(tried), ", ".join(found), self.note.strip(), ", ".join(done)]
        return "\n".join(filter(None, parts))


def answered_at(flag: Flag) -> datetime | None:
    """Say when the latest positive answer behind a flag was given, to the minute.

    One that was corrected counts as it stands now; one that turned out to be none, or was
    withdrawn, counts only where no other is left.
    """
    behind = list(Rating.objects.filter(pk__in=flag.events.values("rating")))
    now = [each for each in map(_as_it_stands, behind) if each is not None]
    moments = [each.rated_at for each in now if each.self_harm_answer] or [
        each.rated_at for each in behind
    ]
    return max(moments).replace(second=0, microsecond=0) if moments else None


def _as_it_stands(rating: Rating) -> Rating | None:
    now: Rating | None = rating
    while now is not None and now.superseded_at is not None:
        now = cast("Rating | None", now.superseded_by)
    return now


def check(outcome: Outcome, flag: Flag, *, at: datetime) -> None:
    """Refuse what cannot be, or says nothing.

    Raises
    ------
    OutcomeFault
    """
    answered = answered_at(flag)
    for is_wrong, sentence in (
        (outcome.assessed_at > at, "the assessment is dated in the future"),
        (
            answered is not None and outcome.assessed_at < answered,
            f"the assessment is dated before the answer of {answered:%d-%b-%Y %H:%M} UTC"
            if answered
            else "",
        ),
        (not is_sentence(outcome.note), "say in a sentence what was found and done"),
        (is_nothing(outcome.assessed_by), "say by name who made the assessment"),
        (
            not (outcome.is_attempt(flag) or _has_died(flag)) and is_nothing(outcome.instrument),
            "say by means of what: an instrument, or a clinical interview",
        ),
    ):
        if is_wrong:
            raise OutcomeFault(sentence)


def _has_died(flag: Flag) -> bool:
    return flag.patient.status == PatientStatus.DECEASED


def is_nothing(text: str) -> bool:
    """Tell whether a word stands for nobody, or for no instrument."""
    plain = text.strip().strip(".-–").casefold()
    return plain in _NOTHING or _letters(plain) < 2


def is_sentence(text: str) -> bool:
    """Tell whether a text can say something: “done”, a full stop or a dash cannot."""
    return _letters(text) >= _FEWEST_LETTERS


def _letters(text: str) -> int:
    """Count letters; one that stands for a syllable or a word counts as a syllable's three."""
    is_wide = {"W", "F"}
    return sum(
        3 if unicodedata.east_asian_width(letter) in is_wide else 1
        for letter in text
        if letter.isalpha()
    )


def columns_of(outcome: Outcome) -> dict[str, object]:
    """Give an outcome as the columns of its row."""
    columns = asdict(outcome)
    columns["actions"] = [SafetyAction(each).value for each in outcome.actions]
    columns["note"] = outcome.note.strip()
    return columns


def outcome_of(recorded: SafetyOutcome) -> Outcome:
    """Read an outcome back from its row."""
    return Outcome(
        assessed_at=recorded.assessed_at,
        assessed_by=recorded.assessed_by,
        contact=Contact(recorded.contact),
        instrument=recorded.instrument,
        ideation=Ideation(recorded.ideation),
        behaviour=Behaviour(recorded.behaviour),
        plan=Finding(recorded.plan),
        means=Finding(recorded.means),
        actions=[SafetyAction(each) for each in recorded.actions],
        note=recorded.note,
        next_contact_on=recorded.next_contact_on,
    )
