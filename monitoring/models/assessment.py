"""What the core said of a patient, on record; and where each patient stands now."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from patients.models import CareTeam, Patient


class Outcome(models.TextChoices):
    ESTIMATED = "estimated", _("estimated")
    RULE_MET = "rule_met", _("meets the rule already")
    NOT_ENOUGH_DATA = "not_enough_data", _("not enough data")
    NOT_ASSESSABLE = "not_assessable", _("not assessable")


class RiskAssessment(models.Model):
    """The estimate of one patient's history, as one model, one policy and one rule set saw it.

    It is made once and never changed; `content` holds the trajectories, the contributions, what was
    left out and which flags were wanted, so that it can be drawn again as it was.
    """

    # The unique constraint has the index
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="assessments", db_index=False)
    history_version = models.BigIntegerField()
    model = models.CharField(max_length=50)
    policy = models.CharField(max_length=50)
    # Of one made before this column stood here, its content names the rules
    rules = models.CharField(max_length=50, blank=True, default="")
    made_at = models.DateTimeField()
    outcome = models.CharField(max_length=20, choices=Outcome)
    state = models.CharField(max_length=60)
    probability = models.FloatField(null=True, blank=True)
    probability_low = models.FloatField(null=True, blank=True)
    probability_high = models.FloatField(null=True, blank=True)
    probability_without_biomarker = models.FloatField(null=True, blank=True)
    content = models.JSONField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["patient", "history_version", "model", "policy", "rules"],
                name="a_history_is_assessed_once_per_model_policy_and_rules",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=Outcome.values), name="an_outcome_is_one_we_know"
            ),
            models.CheckConstraint(
                condition=Q(
                    outcome="estimated",
                    probability__gte=0,
                    probability__lte=1,
                    probability_low__gte=0,
                    probability_high__lte=1,
                    probability_without_biomarker__gte=0,
                    probability_without_biomarker__lte=1,
                )
                | (
                    ~Q(outcome="estimated")
                    & Q(
                        probability=None,
                        probability_low=None,
                        probability_high=None,
                        probability_without_biomarker=None,
                    )
                ),
                name="a_number_is_shown_with_its_interval_or_not_at_all",
            ),
        ]

    def __str__(self) -> str:
        return f"assessment {self.pk}"


class Standing(models.Model):
    """Where a patient stands now: the newest assessment, and how much it needs a person's eyes.

    One row a patient, kept by recompute and by the flags in their own transactions, so that the
    worklist of a hundred thousand patients is read from an index. `team` repeats the patient's team
    for that index alone; who may see a row is always asked of the patient.
    """

    patient = models.OneToOneField(
        Patient, models.CASCADE, primary_key=True, related_name="standing"
    )
    team = models.ForeignKey(CareTeam, models.PROTECT, related_name="+", db_index=False)
    assessment = models.ForeignKey(
        RiskAssessment, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    history_version = models.BigIntegerField(default=-1)
    model = models.CharField(max_length=50, blank=True, default="")
    policy = models.CharField(max_length=50, blank=True, default="")
    rules = models.CharField(max_length=50, blank=True, default="")
    need = models.PositiveSmallIntegerField(default=0)
    probability = models.FloatField(default=-1)
    visits_checked_on = models.DateField(null=True, blank=True)
    holds_a_draw = models.BooleanField(default=False)  # one that waits for a person's word

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(probability=-1) | Q(probability__gte=0, probability__lte=1),
                name="a_standing_probability_is_one_or_absent",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["team", "-need", "-probability", "patient"], name="by_need"),
            models.Index(fields=["visits_checked_on"], name="visits_to_check"),
            models.Index(fields=["team"], condition=Q(holds_a_draw=True), name="who_holds_a_draw"),
        ]

    def __str__(self) -> str:
        return f"standing of patient {self.pk}"


class Attempt(models.Model):
    """An assessment that failed: how often, why, and when to try again.

    The row goes away with the next success.
    """

    patient = models.OneToOneField(Patient, models.CASCADE, primary_key=True, related_name="+")
    history_version = models.BigIntegerField()
    tries = models.PositiveSmallIntegerField()
    retry_at = models.DateTimeField()
    fault = models.CharField(max_length=500)

    def __str__(self) -> str:
        return f"attempt on patient {self.pk}"
