"""What every fact on the record carries: who recorded it and when, and what replaced it."""

from typing import Any

from django.db import models
from django.db.models import Q


class FactQuerySet(models.QuerySet[Any]):
    def current(self) -> "FactQuerySet":
        """Keep the facts that nothing has replaced."""
        return self.filter(superseded_at=None)


class Fact(models.Model):
    """A fact is added, never written over.

    A correction is a new row; the old one then says when it was replaced, by which row (none
    when the fact is withdrawn), and why.
    """

    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=100)
    superseded_at = models.DateTimeField(null=True, blank=True)
    superseded_by = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="supersedes", db_index=False
    )
    superseded_reason = models.CharField(max_length=500, blank=True, default="")

    objects = FactQuerySet.as_manager()

    class Meta:
        abstract = True


def superseding_is_whole(fact: str) -> models.CheckConstraint:
    """Make the promise that a replaced fact says when and why, and that no other fact does."""
    return models.CheckConstraint(
        condition=Q(superseded_at=None, superseded_by=None, superseded_reason="")
        | (Q(superseded_at__isnull=False) & ~Q(superseded_reason="")),
        name=f"a_replaced_{fact}_says_when_and_why",
    )
