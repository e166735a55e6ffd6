"""A draw that was found by its number, though the laboratory says somebody else's name."""

from typing import ClassVar

from django.db import models

from patients.models.patient import Patient
from patients.models.result import Inbound


class Contradiction(models.Model):
    """Who the laboratory says a draw is of, where that contradicts the record; it only warns.

    `said` is a Person of patients/intake/reports.py. It is compared again whenever it is shown, so
    a record that is put right ends the warning, and so does a person's word on the draw.
    """

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="contradictions")
    draw_public_id = models.UUIDField()
    inbound = models.ForeignKey(Inbound, models.PROTECT, related_name="+", db_index=False)
    said = models.JSONField()
    noted_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["draw_public_id", "inbound"], name="a_message_contradicts_a_draw_once"
            ),
        ]

    def __str__(self) -> str:
        return f"contradiction {self.pk}"
