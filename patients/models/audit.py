"""Who did what, when: written in the same transaction as the deed."""

from django.db import models


class Audit(models.Model):
    """One line of the trail.

    It has no foreign keys, so that it neither blocks nor follows a deletion, and carries ids, never
    names, values or drugs.
    """

    at = models.DateTimeField()
    by = models.CharField(max_length=100)
    verb = models.CharField(max_length=50)
    patient_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    subject = models.CharField(max_length=100)
    detail = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.by} {self.verb} {self.subject}"
