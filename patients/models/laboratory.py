"""The laboratories, their keys, and the substances they measure."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from patients.models.exact import ExactDecimalField
from patients.models.people import check_time_zone
from patients.scopes import EVERYTHING

SCOPES = ("c", "u", "r", "cu", "cr", "ur", "cur")


class IfPreliminary(models.TextChoices):
    """What is done with a value that is not final yet."""

    RECORD = "record", _("show it as preliminary; it is not scored")
    WAIT = "wait", _("show that a result is pending, until the final value comes")


def usual_draw_times() -> list[str]:
    """Name the times of a message that may be that of the draw, the best first."""
    return ["collected", "observed", "effective", "requested"]


def usual_processing_ids() -> list[str]:
    """Name the kinds of HL7 v2 message that are taken for real: production."""
    return ["P"]


class Laboratory(models.Model):
    """Who measures and reports, and how its messages are to be read: its profile.

    Times without a zone are read in the laboratory's own. Its codes, units, numbers of patients
    and kits are in tables of their own.
    """

    name = models.CharField(_("name"), max_length=100, unique=True)
    time_zone = models.CharField(
        _("time zone"), max_length=50, default="UTC", validators=[check_time_zone]
    )
    is_active = models.BooleanField(_("may push"), default=True)
    pushes_per_minute = models.PositiveIntegerField(
        _("messages a minute at most"), null=True, blank=True
    )
    charset = models.CharField(
        _("character set of HL7 v2 where the message does not say"),
        max_length=20,
        blank=True,
        default="",
        db_default="",
    )
    draw_times = models.JSONField(default=usual_draw_times)
    if_preliminary = models.CharField(
        _("preliminary values"),
        max_length=10,
        choices=IfPreliminary,
        default=IfPreliminary.RECORD,
        db_default=IfPreliminary.RECORD,
    )
    processing_ids = models.JSONField(default=usual_processing_ids)
    silent_after_h = models.PositiveIntegerField(
        _("hours of silence after which somebody should ask"), null=True, blank=True
    )
    # What it measures besides, and nobody here wants: [{"system": "", "code": "GLU"}]
    ignored_codes = models.JSONField(default=list, blank=True)
    # Counted up with every change; a waiting draw says under which count it was tried last
    profile_version = models.PositiveIntegerField(default=0, db_default=0)
    # How its tables are laid out (patients/intake/tables/layout.py); empty: as the template
    csv = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(if_preliminary__in=IfPreliminary.values),
                name="a_preliminary_value_is_recorded_or_waits",
            ),
            models.UniqueConstraint(Lower("name"), name="one_laboratory_per_name_in_any_case"),
        ]

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
    scopes = models.CharField(max_length=3, default=EVERYTHING, db_default=EVERYTHING)
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
            models.CheckConstraint(
                condition=Q(scopes__in=SCOPES), name="a_key_may_create_update_or_read"
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
    # Without a system the code is meant in any
    system = models.CharField(max_length=200, blank=True, default="", db_default="")
    code = models.CharField(max_length=200)
    analyte = models.ForeignKey(Analyte, models.CASCADE, related_name="aliases")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["laboratory", "system", "code"],
                nulls_distinct=False,
                name="a_code_means_one_analyte_per_laboratory",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class UnitAlias(models.Model):
    """How one laboratory spells a unit."""

    laboratory = models.ForeignKey(Laboratory, models.CASCADE, related_name="unit_aliases")
    sent = models.CharField(max_length=50)
    means = models.CharField(max_length=20)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["laboratory", "sent"], name="a_spelling_means_one_unit_per_laboratory"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sent} = {self.means}"


class NumberingAlias(models.Model):
    """What one laboratory calls a numbering of patients that the record knows by another name.

    Where a kind of number is named (MR, PI of HL7 table 0203), numbers of that kind alone are
    meant, and those of any other kind from the same source are no patient's.
    """

    laboratory = models.ForeignKey(Laboratory, models.CASCADE, related_name="numbering_aliases")
    # Empty where the laboratory sends numbers without saying whose they are
    sent = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=20, blank=True, default="")
    means = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["laboratory", "sent", "kind"],
                name="a_numbering_means_one_of_ours_per_laboratory",
            ),
            models.CheckConstraint(condition=~Q(means=""), name="a_numbering_means_something"),
        ]

    def __str__(self) -> str:
        return f"{self.sent} = {self.means}"


class Matrix(models.TextChoices):
    """The fluid that a kit is for; plasma of any kind where the kind does not matter."""

    ANY = "", _("any")
    SERUM = "serum", _("serum")
    PLASMA = "plasma", _("plasma")
    EDTA_PLASMA = "edta_plasma", _("EDTA plasma")
    HEPARIN_PLASMA = "heparin_plasma", _("heparin plasma")
    CITRATE_PLASMA = "citrate_plasma", _("citrate plasma")


class Kit(models.Model):
    """With what a laboratory measures an analyte, and between which limits it can.

    Levels are comparable within one laboratory and kit only.
    """

    laboratory = models.ForeignKey(Laboratory, models.CASCADE, related_name="kits")
    analyte = models.ForeignKey(Analyte, models.CASCADE, related_name="+")
    name = models.CharField(max_length=100)
    # Empty: any lot
    lot = models.CharField(max_length=100, blank=True, default="")
    unit = models.CharField(max_length=20)
    limit_of_detection = ExactDecimalField(null=True, blank=True)
    upper_limit = ExactDecimalField(null=True, blank=True)
    cv_percent = ExactDecimalField(null=True, blank=True)
    used_from = models.DateField(null=True, blank=True)
    matrix = models.CharField(
        max_length=20, choices=Matrix, blank=True, default=Matrix.ANY, db_default=Matrix.ANY
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["laboratory", "analyte", "name", "lot"],
                name="a_kit_and_lot_is_described_once_per_laboratory",
            ),
            models.CheckConstraint(
                condition=Q(limit_of_detection=None)
                | Q(upper_limit=None)
                | Q(upper_limit__gt=models.F("limit_of_detection")),
                name="a_kit_measures_between_its_limits",
            ),
            models.CheckConstraint(
                condition=Q(matrix__in=Matrix.values), name="a_kit_is_for_a_fluid_we_know"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.lot}".strip()
