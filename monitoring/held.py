"""The draws that wait for a person's word: asked of what was last said of each patient."""

from dataclasses import dataclass
from datetime import datetime

from analytics.reasons import Reason
from monitoring.history import estimate_of
from monitoring.models import Standing
from patients.models import Clinician, Patient

SIL6R = "sIL-6R"


@dataclass(frozen=True)
class HeldDraw:
    """One draw whose result is so far from what was expected that it waits for a check."""

    patient: Patient
    drawn_at: datetime


def held_draws(clinician: Clinician) -> list[HeldDraw]:
    """List the held draws of the reader's patients, the oldest first.

    They are read from the assessments and not from flags: a flag may have been up for another
    reason, or have been resolved, while the draw still waits.
    """
    standings = Standing.objects.filter(
        holds_a_draw=True, patient__in=Patient.objects.visible_to(clinician)
    ).select_related("assessment", "patient__team__site")
    found = [
        HeldDraw(standing.patient, part.drawn_at)
        for standing in standings
        if (estimate := estimate_of(standing.assessment)) is not None
        for part in estimate.left_out
        if part.analyte == SIL6R and Reason.IMPLAUSIBLE in part.reasons
    ]
    return sorted(found, key=lambda each: (each.drawn_at, each.patient.pk))
