"""Patients who may be meant, beside the person of whom the laboratory speaks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.charts import clinical_date
from monitoring.portal import dates
from monitoring.portal.presenters.banner import capitalised, name_of
from monitoring.portal.presenters.contradictions import in_words
from monitoring.suggestions import Likeness, Suggestion, numbers_to_remember
from patients.intake.persons import contradictions
from patients.intake.reports import DrawReport
from patients.models import Patient, Result, ResultName

Fact = tuple[str, str | SafeString]

_REASONS = {
    Likeness.SAME_NUMBER: gettext_lazy("The number and its numbering agree."),
    Likeness.SAME_NUMBER_NOT_IN_FORCE: gettext_lazy(
        "The number and its numbering agree, but it was not in force on the day of the draw."
    ),
    Likeness.SAME_NUMBER_OTHER_NUMBERING: gettext_lazy(
        "The same number, but in another numbering than the laboratory’s."
    ),
    Likeness.SWAPPED_DIGITS: gettext_lazy("The number agrees but for two swapped characters."),
    Likeness.LEADING_ZEROS: gettext_lazy("The number agrees but for leading zeros."),
    Likeness.SAME_BIRTH_DATE: gettext_lazy("The same date of birth."),
    Likeness.SAME_FAMILY_NAME: gettext_lazy("The same family name."),
    Likeness.SAME_GIVEN_NAME: gettext_lazy("The same given name."),
}


@dataclass(frozen=True)
class Candidate:
    """A patient who may be meant."""

    public_id: str
    name: str
    facts: list[Fact]
    reasons: list[str]
    differences: list[str]
    remember: str
    is_same_number: bool

    @classmethod
    def of(cls, suggestion: Suggestion, *, sent: DrawReport, laboratory_id: int) -> "Candidate":
        """Say who this is on our side, what agrees, and what differs."""
        patient = suggestion.patient
        numbers = list(patient.identifiers.all())
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
            reasons=[str(_REASONS[each]) for each in suggestion.reasons],
            differences=list(_differences(patient, suggestion.reasons, sent=sent)),
            remember=", ".join(
                value
                for _system, value in numbers_to_remember(
                    sent, patient, laboratory_id=laboratory_id
                )
            ),
            is_same_number=Likeness.SAME_NUMBER in suggestion.reasons,
        )


_SAME_VALUE = {
    Likeness.SAME_NUMBER,
    Likeness.SAME_NUMBER_NOT_IN_FORCE,
    Likeness.SAME_NUMBER_OTHER_NUMBERING,
}


def _differences(
    patient: Patient, reasons: Sequence[Likeness], *, sent: DrawReport
) -> Iterator[str]:
    """Say what does not agree; a difference warns, it decides nothing."""
    values = [each.value for each in sent.patients]
    if not values:
        yield _("The laboratory sent no number.")
    elif _SAME_VALUE.isdisjoint(reasons):
        yield _("The number differs: the laboratory sent “%(value)s”.") % {
            "value": ", ".join(values)
        }
    person = sent.person
    if person is None:
        return
    yield from in_words(contradictions(person, patient, to_the_letter=True))


def doubles_of(report: DrawReport, patient: Patient, *, laboratory_id: int) -> list[str]:
    """Say what is on record of the same moment, or under the same number or names."""
    meant = Q(draw__collected_at__in=[time.at for time in report.times if time.at is not None])
    if report.accession:
        meant |= Q(draw__laboratory=laboratory_id, draw__accession=report.accession)
    for name in (name for result in report.results for name in result.names):
        lines = ResultName.objects.filter(
            laboratory=laboratory_id, system=name.system, value=name.value
        )
        meant |= Q(public_id__in=lines.values("line"))
    results = Result.objects.filter(
        meant, draw__patient=patient, superseded_at=None
    ).select_related("draw__laboratory", "analyte")
    return [
        _("%(analyte)s %(value)s %(unit)s, %(laboratory)s, sample %(accession)s, taken %(day)s")
        % {
            "day": clinical_date(each.draw.collected_at.date()),
            "analyte": each.analyte.code,
            "value": f"{each.get_comparator_display()}{each.sent_value}",
            "unit": each.sent_unit,
            "laboratory": each.draw.laboratory,
            "accession": each.draw.accession or _("without a number"),
        }
        for each in results.order_by("analyte__position")
    ]
