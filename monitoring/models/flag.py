"""What a person should look at, and everything that was done about it."""

import secrets
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from instruments import SafetyLevel
from monitoring.models.assessment import RiskAssessment
from patients.models import Clinician, Patient, Rating

# No letter or digit that can be mistaken for another, as in a reference read over the telephone
LETTERS = "23456789ABCDEFGHJKLMNPQRSTVWXYZ"


def make_reference() -> str:
    """Make the opaque name by which a mail points at a flag."""
    return "".join(secrets.choice(LETTERS) for _ in range(10))


class FlagKind(models.TextChoices):
    SAFETY = "safety", _("Safety: self-harm item answered above zero")
    TRENDING = "trending_to_resistance", _("Trending towards non-response")
    EARLY_NON_IMPROVEMENT = "early_non_improvement", _("Early non-improvement")
    DRIFTING = "drifting", _("Marker is drifting")
    OVERDUE = "overdue", _("Draw or rating overdue")
    CORRECTED = "correction_changed_the_picture", _("A correction changed the picture")
    NOT_ASSESSABLE = "not_assessable", _("Cannot be assessed")


# Kinds that no assessment raises or lowers: each has a path of its own
WITH_OWN_PATH = (FlagKind.SAFETY, FlagKind.OVERDUE, FlagKind.CORRECTED)


class FlagLevel(models.TextChoices):
    SAFETY = "safety", _("safety")
    HIGH = "high", _("high")
    WATCH = "watch", _("watch")


class FlagState(models.TextChoices):
    RAISED = "raised", _("new")
    SEEN = "seen", _("seen")
    ACKNOWLEDGED = "acknowledged", _("acknowledged")
    SNOOZED = "snoozed", _("snoozed")
    RESOLVED = "resolved", _("resolved")


class AcknowledgeReason(models.TextChoices):
    """Why a person takes a flag on, or sees it otherwise."""

    REVIEWING = "reviewing", _("I am reviewing this patient")
    KNOWN = "known", _("Known, and being treated")
    TREATMENT_CHANGED = "treatment_changed", _("Treatment has been changed")
    EXPLAINED = "explained", _("Explained by something else (infection, drug, sample)")
    DISAGREE = "disagree", _("I see it otherwise")


class ResolveReason(models.TextChoices):
    """How a flag ends by a person's word."""

    IMPROVED = "improved", _("The patient has improved")
    TREATMENT_CHANGED = "treatment_changed", _("Treatment has been changed")
    EXPLAINED = "explained", _("Explained by something else (infection, drug, sample)")
    ASSESSED = "assessed", _("Assessed in person; recorded in the notes")
    NOT_USEFUL = "not_useful", _("This flag was not useful")


class SafetyUrgency(models.TextChoices):
    """How quickly a person must act on a safety flag (instruments)."""

    SAME_DAY = SafetyLevel.SAME_DAY.value, _("today")
    URGENT = SafetyLevel.URGENT.value, _("urgent")
    IMMEDIATE = SafetyLevel.IMMEDIATE.value, _("at once")


# How a safety flag ends: by a recorded outcome, and by nothing else
OUTCOME_RECORDED = "outcome_recorded"
# What else happens to a flag without a change of its state
REPEATED, HANDED_OVER, ATTEMPTED = "repeated", "handed_over", "attempted"
TOLD_ANEW = "told_anew"
# Whoever had it in hand no longer signs in
LEFT_BEHIND = "left_behind"
SNOOZE_ENDED = "snooze_ended"
# Put before a reason that an open flag has got, or has no longer
NOW_SO, NO_LONGER_SO = "+", "-"
# How a flag ends without a person: what raised it is no longer so, or it has become more urgent
LAPSED = "lapsed"
OVERTAKEN = "overtaken"


class FlagQuerySet(models.QuerySet["Flag"]):
    def up(self) -> Self:
        """Keep the flags that are not resolved."""
        return self.exclude(state=FlagState.RESOLVED)

    def visible_to(self, clinician: Clinician) -> Self:
        """Keep the flags of the patients whom this clinician may see."""
        return self.filter(patient__in=Patient.objects.visible_to(clinician))


class Flag(models.Model):
    """A reason to look at a patient; one open flag a patient and kind, repeats join it.

    `version` counts the steps, so that two people cannot act on the same state unknowingly.
    `lapsed_at` says when an assessment first no longer wanted the flag: a flag that a person has
    resolved is raised again only by a reason that is new since. A safety flag has an `urgency`, an
    `owner` as soon as one is named, and ends with an `outcome` only.
    """

    reference = models.CharField(max_length=12, unique=True, default=make_reference)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="flags")
    kind = models.CharField(max_length=30, choices=FlagKind)
    level = models.CharField(max_length=10, choices=FlagLevel)
    state = models.CharField(max_length=15, choices=FlagState, default=FlagState.RAISED)
    urgency = models.CharField(max_length=10, choices=SafetyUrgency, blank=True, default="")
    owner = models.ForeignKey(
        Clinician, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    outcome = models.OneToOneField(
        "monitoring.SafetyOutcome", models.PROTECT, null=True, blank=True, related_name="flag"
    )
    version = models.PositiveIntegerField(default=1)
    has_returned = models.BooleanField(default=False)
    raised_at = models.DateTimeField()
    raised_by = models.ForeignKey(
        RiskAssessment, models.PROTECT, null=True, blank=True, related_name="raised_flags"
    )
    reasons = models.JSONField(default=list)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    lapsed_at = models.DateTimeField(null=True, blank=True)

    objects = FlagQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["patient", "kind"],
                condition=~Q(state="resolved"),
                name="one_open_flag_per_patient_and_kind",
            ),
            models.CheckConstraint(
                condition=(Q(state="resolved") & Q(resolved_at__isnull=False))
                | (~Q(state="resolved") & Q(resolved_at=None)),
                name="a_resolved_flag_says_when",
            ),
            models.CheckConstraint(
                condition=Q(state__in=FlagState.values), name="a_flag_is_in_a_state_we_know"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=FlagKind.values), name="a_flag_is_of_a_kind_we_know"
            ),
            models.CheckConstraint(
                condition=~Q(kind="drifting") | Q(level="watch"),
                name="a_marker_alone_never_goes_beyond_watch",
            ),
            models.CheckConstraint(
                condition=Q(kind="safety", level="safety", urgency__in=SafetyUrgency.values)
                | (~Q(kind="safety") & ~Q(level="safety") & Q(urgency="")),
                name="a_safety_flag_says_how_urgent_it_is",
            ),
            models.CheckConstraint(
                condition=~Q(kind="safety")
                | ~Q(state="resolved")
                | Q(outcome__isnull=False, lapsed_at=None),
                name="a_safety_flag_ends_with_a_recorded_outcome",
            ),
            models.CheckConstraint(
                condition=Q(state="snoozed", snoozed_until__isnull=False)
                | (~Q(state="snoozed") & Q(snoozed_until=None)),
                name="a_snooze_has_an_end",
            ),
            models.CheckConstraint(
                condition=~Q(kind="safety") | ~Q(state="snoozed"),
                name="a_safety_flag_is_never_snoozed",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["snoozed_until"], condition=Q(state="snoozed"), name="snoozes_to_end"
            ),
            models.Index(
                fields=["raised_at"],
                condition=Q(kind="safety") & ~Q(state="resolved"),
                name="open_safety_flags",
            ),
        ]

    def __str__(self) -> str:
        return f"flag {self.reference}"


class FlagEvent(models.Model):
    """One step in the life of a flag; without a person it was the system's step."""

    flag = models.ForeignKey(Flag, models.PROTECT, related_name="events")
    at = models.DateTimeField()
    by = models.ForeignKey(Clinician, models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=15, choices=FlagState)
    reason = models.CharField(max_length=40, blank=True, default="")
    plan = models.TextField(blank=True, default="")
    rating = models.ForeignKey(
        Rating, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    assessment = models.ForeignKey(
        RiskAssessment, models.PROTECT, null=True, blank=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"{self.flag} {self.state}"
