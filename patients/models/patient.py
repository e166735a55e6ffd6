"""The person who is followed, and the courses of illness in which they are followed."""

import uuid
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from patients.models.facts import Fact, superseding_is_whole
from patients.models.people import CareTeam, Clinician


class PatientStatus(models.TextChoices):
    """Whether alerts are sent: the last three stop them."""

    ACTIVE = "active", _("active")
    TRANSFERRED = "transferred", _("transferred")
    DECEASED = "deceased", _("deceased")
    WITHDRAWN = "withdrawn", _("withdrawn")


class Sex(models.TextChoices):
    FEMALE = "female", _("female")
    MALE = "male", _("male")
    OTHER = "other", _("other")
    UNKNOWN = "unknown", _("not known")


class PatientQuerySet(models.QuerySet["Patient"]):
    def visible_to(self, clinician: Clinician) -> Self:
        """Keep the patients of the teams to which an active clinician belongs.

        This is the only way from a page to a patient.
        """
        if not clinician.is_active:
            return self.none()
        return self.filter(team__in=CareTeam.objects.filter(members=clinician))

    def stale(self) -> Self:
        """Keep the patients whose record holds something that no assessment has seen."""
        return self.filter(stale_since__isnull=False)


class Patient(models.Model):
    """A person with major depressive disorder who is followed by one care team.

    `history_version` counts every change of the record. `stale_since` says since when the record
    has held something unassessed; it is the short index to what the versions say in full.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    team = models.ForeignKey(CareTeam, models.PROTECT, related_name="patients")
    family_name = models.CharField(_("family name"), max_length=100)
    given_name = models.CharField(_("given name"), max_length=100)
    birth_date = models.DateField(_("date of birth"), null=True, blank=True)
    sex = models.CharField(_("sex"), max_length=10, choices=Sex, default=Sex.UNKNOWN)
    status = models.CharField(
        _("status"), max_length=15, choices=PatientStatus, default=PatientStatus.ACTIVE
    )
    named_clinician = models.ForeignKey(
        Clinician, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    is_synthetic = models.BooleanField(default=False)
    enrolled_at = models.DateTimeField()
    history_version = models.BigIntegerField(default=0)
    stale_since = models.DateTimeField(null=True, blank=True)

    objects = PatientQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=PatientStatus.values), name="a_patient_has_a_status_we_know"
            ),
            models.CheckConstraint(
                condition=Q(sex__in=Sex.values), name="a_patient_has_a_sex_we_know"
            ),
            models.CheckConstraint(
                condition=Q(history_version__gte=0), name="a_history_version_counts_upwards"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["stale_since"],
                condition=Q(stale_since__isnull=False),
                name="patients_that_wait",
            ),
        ]

    def __str__(self) -> str:
        return f"patient {self.public_id}"


class Identifier(models.Model):
    """A number by which some system knows the patient; results find their patient by it.

    One that a person has remembered of a laboratory is that laboratory's alone: what another one
    calls by the same number may be somebody else.
    """

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="identifiers")
    system = models.CharField(max_length=200)
    value = models.CharField(max_length=100)
    since = models.DateTimeField()
    laboratory = models.ForeignKey(
        "patients.Laboratory",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["system", "value", "laboratory"],
                nulls_distinct=False,
                name="an_identifier_names_one_patient",
            ),
            models.CheckConstraint(
                condition=~Q(system="") & ~Q(value=""), name="an_identifier_is_not_empty"
            ),
        ]

    def __str__(self) -> str:
        return f"identifier {self.pk}"


class EpisodeSeverity(models.TextChoices):
    """As the Maudsley staging counts it."""

    SUBSYNDROMAL = "subsyndromal", _("subsyndromal")
    MILD = "mild", _("mild")
    MODERATE = "moderate", _("moderate")
    SEVERE = "severe", _("severe, without psychosis")
    PSYCHOTIC = "severe with psychosis", _("severe, with psychosis")


class Episode(Fact):
    """One course of illness under treatment, from the first dose of an antidepressant.

    What is not known is null or empty, and is never taken for a no: the staging then has no score.
    """

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="episodes")
    started_on = models.DateField(_("first dose on"))
    ended_on = models.DateField(_("ended on"), null=True, blank=True)
    ill_since = models.DateField(_("ill since"), null=True, blank=True)
    severity = models.CharField(
        _("severity"), max_length=30, choices=EpisodeSeverity, blank=True, default=""
    )
    diagnosis = models.CharField(_("diagnosis, ICD-10"), max_length=7, blank=True, default="")
    is_bipolar = models.BooleanField(_("bipolar disorder"), null=True, blank=True)
    primary_instrument = models.CharField(_("primary scale"), max_length=20, blank=True, default="")
    earlier_failures = models.PositiveSmallIntegerField(
        _("adequate trials that failed before"), null=True, blank=True
    )

    class Meta:
        constraints: ClassVar = [
            superseding_is_whole("episode"),
            models.CheckConstraint(
                condition=Q(severity="") | Q(severity__in=EpisodeSeverity.values),
                name="an_episode_has_a_severity_we_know",
            ),
            models.CheckConstraint(
                condition=Q(ill_since=None) | Q(ill_since__lte=F("started_on")),
                name="an_illness_begins_before_its_treatment",
            ),
            models.UniqueConstraint(
                fields=["patient"],
                condition=Q(ended_on=None, superseded_at=None),
                name="a_patient_has_one_open_episode",
            ),
            models.CheckConstraint(
                condition=Q(ended_on=None) | Q(ended_on__gte=F("started_on")),
                name="an_episode_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"episode {self.pk}"


class Genotype(models.TextChoices):
    """rs2228145 of the gene of the receptor."""

    AA = "AA", "AA"
    AC = "AC", "AC"
    CC = "CC", "CC"


class GenotypeConsent(Fact):
    """A consent of its own to know the genotype, and the genotype once it is known.

    Withdrawn consent is a fact without a successor: the value is then no longer current either.
    """

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="genotypes")
    consented_on = models.DateField(_("consented on"))
    rs2228145 = models.CharField(max_length=2, choices=Genotype, blank=True, default="")

    class Meta:
        constraints: ClassVar = [
            superseding_is_whole("genotype"),
            models.UniqueConstraint(
                fields=["patient"],
                condition=Q(superseded_at=None),
                name="a_patient_has_one_consent_to_the_genotype",
            ),
            models.CheckConstraint(
                condition=Q(rs2228145="") | Q(rs2228145__in=Genotype.values),
                name="a_genotype_is_one_we_know",
            ),
        ]

    def __str__(self) -> str:
        return f"genotype {self.pk}"
