"""A parked draw in words: what the laboratory said, why it waits, and who may be meant."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from monitoring.portal import dates, parked_words
from monitoring.portal.presenters.banner import capitalised
from monitoring.portal.presenters.draws import no_value
from monitoring.portal.presenters.raw_messages import part_of_message
from patients.intake.profiles import draw_time
from patients.intake.reasons import Reason
from patients.intake.reports import DrawReport, PatientNumber, Precision, ResultReport
from patients.models import Analyte, Parked, ResultStatus
from patients.units import KNOWN_UNITS

Fact = tuple[str, str | SafeString]


@dataclass(frozen=True)
class ParkedRow:
    """One line of the list, and the head of the page."""

    public_id: str
    laboratory: str
    title: str
    reasons: list[str]
    waiting: str
    parked: SafeString

    @classmethod
    def of(cls, parked: Parked, *, at: datetime) -> "ParkedRow":
        """Put a waiting draw into words."""
        return cls(
            public_id=str(parked.public_id),
            laboratory=parked.laboratory.name,
            title=parked.accession or _("without a number"),
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
        message, is_part = part_of_message(parked.inbound, report)
        return cls(
            facts=[
                *_numbers(report),
                *_person(report),
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
        for fact in (
            (_("Number"), each.value),
            (_("Numbering"), each.system or _("Not stated")),
            *_in_force(each),
        )
    ] or [(_("Number"), _("Not stated"))]


def _in_force(number: PatientNumber) -> list[Fact]:
    """Say when the number is the patient's, where the laboratory says so."""
    if number.is_former:
        return [(_("In force"), _("No more"))]
    if number.begins_on is None and number.ends_on is None:
        return []
    first = "…" if number.begins_on is None else dates.day(number.begins_on)
    last = "…" if number.ends_on is None else dates.day(number.ends_on)
    return [(_("In force"), format_html("{} – {}", first, last))]


def _person(report: DrawReport) -> list[Fact]:
    """Say who the laboratory thinks it is; only what it has said."""
    if report.person is None:
        return []
    name = " ".join(each for each in (report.person.given, report.person.family) if each)
    said = (
        (_("Name"), name),
        (_("Born"), report.person.birth_date),
        (_("Gender"), capitalised(report.person.sex)),
    )
    return [(label, value) for label, value in said if value]


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


def question_for(parked: Parked) -> str:
    """Draft what to ask the laboratory; it holds nothing about a patient."""
    reasons = " ".join(parked_words.parked_reason(code) for code in parked.reasons)
    return _(
        "We could not place the results of your sample %(accession)s, received %(on)s. %(reasons)s "
        "Please check the order and send it again."
    ) % {
        "accession": parked.accession or _("(without a number)"),
        "on": parked.parked_at.date().isoformat(),
        "reasons": reasons,
    }


@dataclass(frozen=True)
class Unknown:
    """A code or a unit that nobody knows, and what it may be said to mean."""

    kind: str  # code, unit
    system: str
    text: str
    meanings: list[str]


def teachable(parked: Parked) -> list[Unknown]:
    """Give what keeps the draw and could be known from now on."""
    report = DrawReport.model_validate(parked.report)
    codes = list(Analyte.objects.order_by("position").values_list("code", flat=True))
    found = {}
    for result in report.results:
        system, code = result.codes[0].key
        if f"{Reason.UNKNOWN_ANALYTE}: {code}" in parked.reasons:
            found["code", code] = Unknown("code", system, code, codes)
        if result.unit and f"{Reason.UNKNOWN_UNIT}: {result.unit}" in parked.reasons:
            found["unit", result.unit] = Unknown("unit", "", result.unit, list(KNOWN_UNITS))
    return list(found.values())
