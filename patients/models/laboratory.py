"""The laboratories, their keys, and the substances they measure."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from patients.models.people import check_time_zone


class Laboratory(models.Model):
    """Who measures and reports; times without a zone are read in the laboratory's own."""

    name = models.CharField(max_length=100, unique=True)
    time_zone = models.CharField(max_length=50, default="UTC", validators=[check_time_zone])
    is_active = models.BooleanField(default=True)
    pushes_per_minute = models.PositiveIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class LaboratoryKey(models.Model):
    """What a laboratory shows at the door. Only a digest of it is kept.

    A key is 256 random bits, so one fast SHA-256 is enough: nothing can be guessed from it. Two
    keys may live at once, so that a laboratory can change over without a gap.
    """

    laboratory = models.ForeignKey(Laboratory, models.CASCADE, related_name="keys")
    slot = models.PositiveSmallIntegerField()
    sha256 = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=8)
    issued_at = models.DateTimeField()
    issued_by = models.CharField(max_length=100)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=100, blank=True, default="")
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(slot__in=[1, 2]), name="a_laboratory_has_two_places_for_keys"
            ),
            models.UniqueConstraint(
                fields=["laboratory", "slot"],
                condition=Q(revoked_at=None),
                name="one_live_key_per_place",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                name="a_revoked_key_says_when_and_by_whom",
            ),
        ]

    def __str__(self) -> str:
        return f"key {self.hint}…"


class Analyte(models.Model):
    """A substance that is measured, and the unit in which the record keeps it."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=100)
    unit = models.CharField(max_length=20)
    position = models.PositiveSmallIntegerField(unique=True)

    def __str__(self) -> str:
        return self.code


class AnalyteAlias(models.Model):
    """Another code for an analyte: everybody's, or one laboratory's own."""

    laboratory = models.ForeignKey(
        Laboratory, models.CASCADE, null=True, blank=True, related_name="analyte_aliases"
    )
    code = models.CharField(max_length=50)
    analyte = models.ForeignKey(Analyte, models.CASCADE, related_name="aliases")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["laboratory", "code"],
                nulls_distinct=False,
                name="a_code_means_one_analyte_per_laboratory",
            ),
        ]

    def __str__(self) -> str:
        return self.code
