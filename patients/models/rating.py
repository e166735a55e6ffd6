"""Symptom ratings: one completed scale is one rating."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from patients.models.facts import Fact, superseding_is_whole
from patients.models.patient import Patient


class Rating(Fact):
    """One symptom scale, filled in at one time; the total is absent when the form is incomplete.

    `items` holds the answers in the order of the scale, null for an answer that was not given;
    it is absent as a whole when only the total was reported. `self_harm_answer` repeats the answer
    to the item on self-harm, which may be known beside a total alone; null when it was not given.
    """

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="ratings")
    instrument = models.CharField(_("scale"), max_length=20)
    rated_at = models.DateTimeField(_("rated at"))
    total = models.PositiveSmallIntegerField(_("total"), null=True, blank=True)
    items = models.JSONField(_("items"), null=True, blank=True)
    self_harm_answer = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            superseding_is_whole("rating"),
            models.UniqueConstraint(
                fields=["patient", "instrument", "rated_at"],
                condition=Q(superseded_at=None),
                name="one_rating_per_scale_and_time",
            ),
            models.CheckConstraint(
                condition=Q(total__isnull=False) | Q(items__isnull=False),
                name="a_rating_has_items_or_a_total",
            ),
        ]

    def __str__(self) -> str:
        return f"rating {self.pk}"
