"""What is done and what happens: trials of antidepressants, and events that disturb a reading."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from patients.models.facts import Fact, superseding_is_whole
from patients.models.patient import Patient


class StopReason(models.TextChoices):
    INEFFECTIVE = "ineffective", _("not effective")
    INTOLERANCE = "intolerance", _("not tolerated")
    NON_ADHERENCE = "non_adherence", _("not taken as prescribed")
    REMISSION = "remission", _("remission reached")
    PATIENT_CHOICE = "patient_choice", _("patient's choice")
    OTHER = "other", _("other")


class TrialKind(models.TextChoices):
    """What a course is; only an antidepressant counts as a trial of the rule."""

    ANTIDEPRESSANT = "antidepressant", _("antidepressant")
    AUGMENTATION = "augmentation", _("augmentation of a trial")
    COMBINATION = "combination", _("second antidepressant, in combination")
    ECT = "ect", _("electroconvulsive therapy")
    KETAMINE = "ketamine", _("ketamine or esketamine")
    TMS = "tms", _("transcranial magnetic stimulation")
    PSYCHOTHERAPY = "psychotherapy", _("psychotherapy")


WITHOUT_DRUG = (TrialKind.ECT, TrialKind.TMS, TrialKind.PSYCHOTHERAPY)


class Adherence(models.TextChoices):
    UNKNOWN = "", _("not known")
    GOOD = "good", _("good: taken as prescribed")
    PARTIAL = "partial", _("partial")
    POOR = "poor", _("poor")


class Override(models.TextChoices):
    """What a clinician says of a trial's adequacy, against the rule and with a reason."""

    NONE = "", _("as the rule says")
    ADEQUATE = "adequate", _("adequate")
    INADEQUATE = "inadequate", _("not adequate")
    INDETERMINATE = "indeterminate", _("cannot be said")


class Trial(Fact):
    """One course: of an antidepressant, or of what stands beside one.

    A course without a drug has no ATC code and no dose. The reason for stopping is that of its
    last day; an override of its adequacy has a reason of its own.
    """

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="trials")
    kind = models.CharField(
        _("kind"), max_length=20, choices=TrialKind, default=TrialKind.ANTIDEPRESSANT
    )
    drug = models.CharField(_("drug"), max_length=100)
    atc = models.CharField(_("ATC code"), max_length=7, blank=True)
    adherence = models.CharField(
        _("adherence"), max_length=10, choices=Adherence, blank=True, default=Adherence.UNKNOWN
    )
    override = models.CharField(
        _("adequacy"), max_length=15, choices=Override, blank=True, default=Override.NONE
    )
    override_reason = models.CharField(max_length=500, blank=True, default="")
    started_on = models.DateField(_("started on"))
    stopped_on = models.DateField(_("stopped on"), null=True, blank=True)
    stop_reason = models.CharField(
        _("reason for stopping"), max_length=20, choices=StopReason, blank=True, default=""
    )

    class Meta:
        constraints: ClassVar = [
            superseding_is_whole("trial"),
            models.CheckConstraint(
                condition=Q(stopped_on=None) | Q(stopped_on__gte=F("started_on")),
                name="a_trial_stops_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(stopped_on=None, stop_reason="")
                | (Q(stopped_on__isnull=False) & Q(stop_reason__in=StopReason.values)),
                name="a_stopped_trial_has_a_day_and_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(atc__regex=r"^[A-Z][0-9]{2}[A-Z]{2}[0-9]{2}$")
                | Q(atc="", kind__in=WITHOUT_DRUG),
                name="an_atc_code_has_seven_characters",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=TrialKind.values)
                & Q(adherence__in=Adherence.values)
                & Q(override__in=Override.values),
                name="a_trial_says_only_what_we_know",
            ),
            models.CheckConstraint(
                condition=Q(override="", override_reason="")
                | (~Q(override="") & ~Q(override_reason="")),
                name="an_override_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"trial {self.pk}"


class DoseStep(models.Model):
    """The daily dose from one day on."""

    trial = models.ForeignKey(Trial, models.CASCADE, related_name="dose_steps")
    started_on = models.DateField(_("from"))
    dose_mg = models.DecimalField(_("daily dose in mg"), max_digits=8, decimal_places=2)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["trial", "started_on"], name="one_dose_per_trial_and_day"
            ),
            models.CheckConstraint(condition=Q(dose_mg__gt=0), name="a_dose_is_above_zero"),
        ]

    def __str__(self) -> str:
        return f"dose step {self.pk}"


class EventKind(models.TextChoices):
    INFECTION = "infection", _("infection")
    IL6R_BLOCKER = "il6r_blocker", _("IL-6 receptor blocker")
    BIOLOGIC = "biologic", _("other biologic")
    STEROID = "steroid", _("steroid")
    VACCINATION = "vaccination", _("vaccination")
    SURGERY = "surgery", _("surgery")
    ECT = "ect", _("electroconvulsive therapy")
    PREGNANCY = "pregnancy", _("pregnancy")
    EXERCISE = "exercise", _("hard exercise in the last 24 hours")
    OTHER = "other", _("other")


class Event(Fact):
    """Something that disturbs a reading."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="events")
    kind = models.CharField(_("kind"), max_length=20, choices=EventKind)
    atc = models.CharField(_("ATC code"), max_length=7, blank=True, default="")
    started_on = models.DateField(_("started on"))
    stopped_on = models.DateField(_("stopped on"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=300, blank=True, default="")

    class Meta:
        constraints: ClassVar = [
            superseding_is_whole("event"),
            models.CheckConstraint(
                condition=Q(kind__in=EventKind.values), name="an_event_is_of_a_kind_we_know"
            ),
            models.CheckConstraint(
                condition=Q(stopped_on=None) | Q(stopped_on__gte=F("started_on")),
                name="an_event_stops_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"event {self.pk}"
