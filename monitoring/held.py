"""The draws that wait for a person's word: asked of what was last said of each patient."""

from dataclasses import dataclass
from datetime import datetime

from analytics.reasons import Reason
from monitoring.history import estimate_of
from monitoring.models import Standing
from patients.models import Clinician, Draw, Patient, Result

SIL6R = "sIL-6R"


@dataclass(frozen=True)
class HeldDraw:
    """One draw whose result is so far from what was expected that it waits for a check.

    `draw` is None where the laboratory has taken it back since the assessment.
    """

    patient: Patient
    drawn_at: datetime
    draw: Draw | None
    result: Result | None


def held_draws(clinician: Clinician) -> list[HeldDraw]:
    """List the held draws of the reader's patients, the oldest first.

    They are read from the assessments and not from flags: a flag may have been up for another
    reason, or have been resolved, while the draw still waits.
    """
    standings = Standing.objects.filter(
        holds_a_draw=True, patient__in=Patient.objects.visible_to(clinician)
    ).select_related("assessment", "patient__team__site")
    found = [
        (standing.patient, part.drawn_at)
        for standing in standings
        if (estimate := estimate_of(standing.assessment)) is not None
        for part in estimate.left_out
        if part.analyte == SIL6R and Reason.IMPLAUSIBLE in part.reasons
    ]
    found.sort(key=lambda each: (each[1], each[0].pk))
    results = {
        (each.draw.patient_id, each.draw.collected_at): each
        for each in Result.objects.select_related("draw", "analyte").filter(
            draw__patient__in=[patient.pk for patient, _at in found],
            draw__collected_at__in=[drawn_at for _patient, drawn_at in found],
            draw__superseded_at=None,
            superseded_at=None,
            analyte__code=SIL6R,
        )
    }
    return [
        HeldDraw(patient, drawn_at, None if result is None else result.draw, result)
        for patient, drawn_at in found
        for result in [results.get((patient.pk, drawn_at))]
    ]
