"""A parked draw in words: what the laboratory said, why it waits, and who may be meant."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from monitoring.portal import dates, words
from monitoring.portal.presenters.banner import capitalised, name_of
from patients.intake.panels import Panel
from patients.models import Identifier, Inbound, Parked, Patient, ResultStatus

Fact = tuple[str, str | SafeString]


@dataclass(frozen=True)
class ParkedRow:
    """One line of the list, and the head of the page."""

    public_id: str
    laboratory: str
    accession: str
    reasons: list[str]
    waiting: str
    parked: SafeString

    @classmethod
    def of(cls, parked: Parked, *, at: datetime) -> "ParkedRow":
        """Put a waiting draw into words."""
        return cls(
            public_id=str(parked.public_id),
            laboratory=parked.laboratory.name,
            accession=parked.accession,
            reasons=[words.parked_reason(code) for code in parked.reasons],
            waiting=dates.waited(parked.parked_at, at=at),
            parked=dates.system_moment(parked.parked_at),
        )


@dataclass(frozen=True)
class SentResult:
    """One result as the laboratory sent it."""

    analyte: str
    value: str
    unit: str
    status: str


@dataclass(frozen=True)
class SentDraw:
    """The laboratory's side: whose the draw is said to be, and what was measured."""

    facts: list[Fact]
    results: list[SentResult]
    message: str
    is_part: bool

    @classmethod
    def of(cls, parked: Parked) -> "SentDraw":
        """Read the waiting draw back from what was kept of it."""
        panel = Panel.model_validate(parked.panel)
        message, is_part = message_of(parked.inbound, accession=parked.accession)
        return cls(
            facts=[
                (_("Number"), panel.patient.value),
                (_("Numbering"), panel.patient.system),
                (_("Laboratory"), parked.laboratory.name),
                (_("Accession"), panel.accession),
                (_("Collected"), _as_sent(panel.collected_at)),
                (_("Message received"), dates.system_moment(parked.inbound.received_at)),
            ],
            results=[
                SentResult(
                    analyte=result.analyte,
                    value=f"{result.comparator or ''}{result.value}"
                    if result.value is not None
                    else _("Cancelled"),
                    unit=result.unit or "",
                    status=capitalised(str(ResultStatus(result.status).label)),
                )
                for result in panel.results
            ],
            message=message,
            is_part=is_part,
        )


def _as_sent(at: datetime) -> SafeString:
    """Write the time on the clock that the laboratory wrote it on."""
    return dates.moment(at, with_zone=True)


def message_of(inbound: Inbound, *, accession: str) -> tuple[str, bool]:
    """Give the raw message as it came; of a list of draws only the part that is meant.

    The other draws of a list may belong to patients of other teams.
    """
    text = bytes(inbound.body).decode("utf-8", errors="backslashreplace")
    try:
        content = json.loads(text, parse_float=str)
    except ValueError:
        return text, False
    draws = content.get("draws") if isinstance(content, dict) else None
    if not isinstance(draws, list) or len(draws) < 2:
        return text, False
    mine = [draw for draw in draws if isinstance(draw, dict) and draw.get("accession") == accession]
    return json.dumps(mine, indent=2, ensure_ascii=False), True


@dataclass(frozen=True)
class Candidate:
    """A patient who may be meant, beside what the laboratory said."""

    public_id: str
    name: str
    facts: list[Fact]
    difference: str
    is_same_number: bool

    @classmethod
    def of(cls, patient: Patient, *, sent: Panel) -> "Candidate":
        """Say who this is on our side, and how the number compares."""
        numbers: Sequence[Identifier] = list(patient.identifiers.all())
        reference = sent.patient
        is_same = any(
            (each.system, each.value) == (reference.system, reference.value) for each in numbers
        )
        not_known = _("Not known")
        born = not_known if patient.birth_date is None else dates.day(patient.birth_date)
        return cls(
            public_id=str(patient.public_id),
            name=name_of(patient),
            facts=[
                (_("Number"), ", ".join(each.value for each in numbers) or not_known),
                (_("Numbering"), ", ".join({each.system: None for each in numbers}) or not_known),
                (_("Born"), born),
                (_("Gender"), capitalised(patient.get_sex_display())),
                (_("Team"), str(patient.team)),
            ],
            difference=_difference(numbers, sent=sent),
            is_same_number=is_same,
        )


def _difference(numbers: Sequence[Identifier], *, sent: Panel) -> str:
    value, system = sent.patient.value, sent.patient.system
    if any((each.system, each.value) == (system, value) for each in numbers):
        return _("The number and its numbering agree.")
    if any(each.value == value for each in numbers):
        return _("The same number, but in another numbering than the laboratory’s.")
    return _("The number differs: the laboratory sent “%(value)s”.") % {"value": value}
