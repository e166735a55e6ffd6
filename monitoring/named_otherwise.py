"""Draws on record of which the laboratory names somebody else, until somebody looks at them."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef

from patients.intake.persons import contradictions
from patients.intake.reports import Person
from patients.models import Clinician, Contradiction, Draw, DrawVerdict, Patient

LOOKED_AT = 500


@dataclass(frozen=True)
class NamedOtherwise:
    """A patient, and how many of the draws on record are named as somebody else's."""

    patient: Patient
    draws: int


def named_otherwise(clinician: Clinician) -> list[NamedOtherwise]:
    """Give the reader's patients of whom a draw contradicts the record and is not judged.

    What is on record of the person may have been put right since, so each is compared anew.
    """
    of_draw: dict[str, Any] = {"patient": OuterRef("patient"), "superseded_at": None}
    judged = DrawVerdict.objects.filter(draw_public_id=OuterRef("draw_public_id"), **of_draw)
    latest = (
        Contradiction.objects.filter(
            Exists(Draw.objects.filter(public_id=OuterRef("draw_public_id"), **of_draw)),
            ~Exists(judged),
            patient__in=Patient.objects.visible_to(clinician),
        )
        .select_related("patient")
        .order_by("draw_public_id", "-pk")
        .distinct("draw_public_id")[:LOOKED_AT]
    )
    counts: dict[Patient, int] = {}
    for each in latest:
        if contradictions(Person.model_validate(each.said), each.patient):
            counts[each.patient] = counts.get(each.patient, 0) + 1
    found = [NamedOtherwise(patient, draws) for patient, draws in counts.items()]
    return sorted(found, key=lambda one: (one.patient.family_name.casefold(), one.patient.pk))
