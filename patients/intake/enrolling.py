"""The numbers by which a laboratory names a patient whom nobody has followed before."""

from datetime import datetime

from patients.intake.numberings import Numberings, in_force, meant_by
from patients.intake.profiles import draw_time
from patients.intake.reports import UNSTATED, DrawReport
from patients.models import Identifier, NumberingAlias, Parked, Patient
from patients.record.patients import add_identifier


def add_numbers_of_report(
    waiting: Parked, report: DrawReport, *, patient: Patient, by: str, at: datetime
) -> None:
    """Let a new patient be found by the numbers of a waiting draw.

    A numbering that others of our patients have is the clinic's, and holds for every laboratory;
    any other is the laboratory's own, for what another one calls so may be somebody else.
    """
    numberings = numberings_of(waiting.laboratory_id)
    meant = [
        (each, system)
        for each in in_force(report, draw_time(report))
        if (system := meant_by(each, numberings))
    ]
    systems = [system for _number, system in meant]
    known = Identifier.objects.filter(system__in=systems, laboratory=None).exclude(system=UNSTATED)
    of_clinic = {*known.values_list("system", flat=True), *numberings.values()}
    names = {
        (system if system in of_clinic else number.system, number.value, system in of_clinic)
        for number, system in meant
    }
    for system, value, is_shared in sorted(names):
        add_identifier(
            patient=patient,
            system=system,
            value=value,
            by=by,
            at=at,
            laboratory=None if is_shared else waiting.laboratory,
        )


def numberings_of(laboratory_id: int) -> Numberings:
    """Read what a laboratory calls its numberings of patients."""
    aliases = NumberingAlias.objects.filter(laboratory_id=laboratory_id)
    return {
        (sent or UNSTATED, kind): means
        for sent, kind, means in aliases.values_list("sent", "kind", "means")
    }
