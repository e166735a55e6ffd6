"""A laboratory that says nothing for longer than it ever does."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from patients.models import Laboratory


class Silence(models.Model):
    """A flag for operators: nothing has come since, and more than usual time has passed.

    It is raised when the laboratory's own rhythm is exceeded, and ends by itself with the next
    message.
    """

    laboratory = models.ForeignKey(Laboratory, models.CASCADE, related_name="+")
    last_heard_at = models.DateTimeField()
    allowed_h = models.FloatField()
    raised_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["laboratory"],
                condition=Q(ended_at=None),
                name="a_laboratory_has_one_open_silence",
            ),
        ]

    def __str__(self) -> str:
        return f"silence {self.pk}"
