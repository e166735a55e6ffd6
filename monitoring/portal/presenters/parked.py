"""A parked draw in words: what the laboratory said, why it waits, and who may be meant."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from monitoring.portal import dates, parked_words
from monitoring.portal.presenters.banner import capitalised, name_of
from monitoring.portal.presenters.record import no_value
from patients.intake.profiles import draw_time
from patients.intake.reports import DrawReport, Precision, ResultReport
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
            reasons=[parked_words.parked_reason(code) for code in parked.reasons],
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
        report = DrawReport.model_validate(parked.report)
        message, is_part = message_of(parked.inbound, accession=parked.accession)
        return cls(
            facts=[
                *_numbers(report),
                (_("Laboratory"), parked.laboratory.name),
                (_("Accession"), report.accession or _("Not stated")),
                (_("Collected"), _collected(report)),
                (_("Message received"), dates.system_moment(parked.inbound.received_at)),
            ],
            results=[
                SentResult(
                    analyte=result.codes[0].text or result.codes[0].code,
                    value=_value(result),
                    unit=result.unit,
                    status=_status(result),
                )
                for result in report.results
            ],
            message=message,
            is_part=is_part,
        )


def _numbers(report: DrawReport) -> list[Fact]:
    return [
        fact
        for each in report.patients
        for fact in ((_("Number"), each.value), (_("Numbering"), each.system or _("Not stated")))
    ] or [(_("Number"), _("Not stated"))]


def _collected(report: DrawReport) -> str | SafeString:
    """Write the time on the clock that the laboratory wrote it on."""
    time = draw_time(report)
    if time is None or time.at is None:
        return ", ".join(each.text for each in report.times) or _("Not stated")
    if time.precision is Precision.DAY:
        return dates.day(time.at.date())
    return dates.moment(time.at, with_zone=True)


def _value(result: ResultReport) -> str:
    if result.value is not None:
        return f"{result.comparator}{result.value}"
    return no_value(result.status, absent_reason=result.absent_reason)


def _status(result: ResultReport) -> str:
    known = result.status in ResultStatus.values
    return capitalised(str(ResultStatus(result.status).label)) if known else result.status


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
    def of(cls, patient: Patient, *, sent: DrawReport) -> "Candidate":
        """Say who this is on our side, and how the number compares."""
        numbers: Sequence[Identifier] = list(patient.identifiers.all())
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
            is_same_number=_is_same_number(numbers, sent=sent),
        )


def _is_same_number(numbers: Sequence[Identifier], *, sent: DrawReport) -> bool:
    stated = {(each.system, each.value) for each in sent.patients}
    return any((each.system, each.value) in stated for each in numbers)


def _difference(numbers: Sequence[Identifier], *, sent: DrawReport) -> str:
    if _is_same_number(numbers, sent=sent):
        return _("The number and its numbering agree.")
    stated = [each.value for each in sent.patients]
    if any(each.value in stated for each in numbers):
        return _("The same number, but in another numbering than the laboratory’s.")
    if not stated:
        return _("The laboratory sent no number.")
    return _("The number differs: the laboratory sent “%(value)s”.") % {"value": ", ".join(stated)}
