"""The numbers by which a laboratory names a patient whom nobody has followed before."""

from datetime import datetime

from patients.intake.fhir.conditions import UNSTATED
from patients.intake.reports import DrawReport
from patients.models import Identifier, NumberingAlias, Parked, Patient
from patients.record.patients import add_identifier


def add_numbers_of_report(
    waiting: Parked, report: DrawReport, *, patient: Patient, by: str, at: datetime
) -> None:
    """Let a new patient be found by the numbers of a waiting draw.

    A numbering that others of our patients have is the clinic's, and holds for every laboratory;
    any other is the laboratory's own, for what another one calls so may be somebody else.
    """
    aliases = dict(
        NumberingAlias.objects.filter(laboratory_id=waiting.laboratory_id).values_list(
            "sent", "means"
        )
    )
    meant = [aliases.get(each.system, each.system) for each in report.patients]
    known = Identifier.objects.filter(system__in=meant, laboratory=None).exclude(system=UNSTATED)
    of_clinic = {*known.values_list("system", flat=True), *aliases.values()}
    for number, system in zip(report.patients, meant, strict=True):
        is_shared = system in of_clinic
        if system:
            add_identifier(
                patient=patient,
                system=system if is_shared else number.system,
                value=number.value,
                by=by,
                at=at,
                laboratory=None if is_shared else waiting.laboratory,
            )
