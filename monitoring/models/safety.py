"""What belongs to a positive answer on self-harm: the site's plan, the timer, the outcome."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from monitoring.models.flag import Flag
from patients.models import Clinician, Patient, Site


class CrisisPlan(models.Model):
    """What one site tells its people in a crisis, and when cover, lead and all of them are told.

    A site without a row has the defaults; nobody's telephone number is ever invented.
    """

    site = models.OneToOneField(Site, models.CASCADE, primary_key=True, related_name="crisis_plan")
    text = models.TextField(_("what to do"), blank=True, default="")
    numbers = models.TextField(_("numbers to call"), blank=True, default="")
    out_of_hours = models.TextField(_("out of hours"), blank=True, default="")
    cover_after_minutes = models.PositiveIntegerField(_("cover is told after"), default=60)
    lead_after_minutes = models.PositiveIntegerField(_("lead is told after"), default=240)
    remind_every_minutes = models.PositiveIntegerField(_("all are told again every"), default=240)
    outcome_within_hours = models.PositiveIntegerField(_("outcome is expected within"), default=24)
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=100)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(cover_after_minutes__gte=1, cover_after_minutes__lte=1440)
                & Q(lead_after_minutes__gte=F("cover_after_minutes"))
                & Q(lead_after_minutes__lte=2880)
                & Q(remind_every_minutes__gte=15, remind_every_minutes__lte=1440)
                & Q(outcome_within_hours__gte=1, outcome_within_hours__lte=168),
                name="a_crisis_plan_tells_cover_before_lead_and_both_soon",
            ),
        ]

    def __str__(self) -> str:
        return f"crisis plan of site {self.pk}"

    @property
    def cover_after(self) -> timedelta:
        return timedelta(minutes=self.cover_after_minutes)

    @property
    def lead_after(self) -> timedelta:
        return timedelta(minutes=self.lead_after_minutes)

    @property
    def remind_every(self) -> timedelta:
        return timedelta(minutes=self.remind_every_minutes)

    @property
    def outcome_within(self) -> timedelta:
        return timedelta(hours=self.outcome_within_hours)

    def waits_before(self, step: "EscalationStep") -> timedelta:
        """Say how long a step waits, from what sets it off."""
        return {
            EscalationStep.COVER: self.cover_after,
            EscalationStep.LEAD: self.lead_after,
            EscalationStep.REMINDER: self.remind_every,
            EscalationStep.UNCLOSED: self.outcome_within,
        }[step]


class EscalationStep(models.TextChoices):
    """Who is told next while a safety flag is not seen to; the last two come again and again."""

    COVER = "cover", _("cover")
    LEAD = "lead", _("lead")
    REMINDER = "reminder", _("all of them again")
    UNCLOSED = "unclosed", _("lead, for want of an outcome")


class Escalation(models.Model):
    """One step of the timer: due at a time, then done, or called off because somebody acted.

    It is a row, so that whoever comes first, page or worker, reads from the database what is due.
    """

    flag = models.ForeignKey(Flag, models.PROTECT, related_name="escalations")
    step = models.CharField(max_length=10, choices=EscalationStep)
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    called_off_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(step__in=EscalationStep.values),
                name="an_escalation_is_a_step_we_know",
            ),
            models.CheckConstraint(
                condition=Q(done_at=None) | Q(called_off_at=None),
                name="an_escalation_is_done_or_called_off",
            ),
            models.UniqueConstraint(
                fields=["flag", "step"],
                condition=Q(done_at=None, called_off_at=None),
                name="a_step_of_a_flag_waits_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"],
                condition=Q(done_at=None, called_off_at=None),
                name="escalations_to_come",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step} of {self.flag_id}"


class Ideation(models.TextChoices):
    """The level of thoughts that a structured assessment found; its wording is not ours to ship."""

    NONE_FOUND = "0", _("0: none found in this assessment")
    LEVEL_1 = "1", _("Level 1 (the mildest)")
    LEVEL_2 = "2", _("Level 2")
    LEVEL_3 = "3", _("Level 3")
    LEVEL_4 = "4", _("Level 4")
    LEVEL_5 = "5", _("Level 5 (the gravest)")
    NOT_ASSESSED = "not_assessed", _("Not assessed")


class Behaviour(models.TextChoices):
    NONE_FOUND = "none_found", _("None found in this assessment")
    SELF_INJURY = "self_injury", _("Self-injury without intent to die")
    PREPARATORY = "preparatory", _("Preparation")
    ABORTED = "aborted", _("Attempt broken off by the person")
    INTERRUPTED = "interrupted", _("Attempt stopped by somebody or something else")
    ATTEMPT = "attempt", _("Attempt")
    NOT_ASSESSED = "not_assessed", _("Not assessed")


class Finding(models.TextChoices):
    YES = "yes", _("Yes")
    NONE_FOUND = "none_found", _("None found in this assessment")
    NOT_ASSESSED = "not_assessed", _("Not assessed")


class Contact(models.TextChoices):
    IN_PERSON = "in_person", _("In person")
    VIDEO = "video", _("By video")
    TELEPHONE = "telephone", _("By telephone")
    NOT_REACHED = "not_reached", _("The person was not reached")


class SafetyAction(models.TextChoices):
    SAFETY_PLAN = "safety_plan", _("Safety plan written or renewed")
    MEANS = "means", _("Access to means made safer")
    CLOSE_ONES = "close_ones", _("Somebody close involved")
    EARLY_VISIT = "early_visit", _("Seen again soon")
    CRISIS_TEAM = "crisis_team", _("Crisis team or duty service involved")
    ADMITTED = "admitted", _("Admitted to hospital")
    EMERGENCY = "emergency", _("Emergency service called")
    OTHER = "other", _("Something else, as written below")


class SafetyOutcome(models.Model):
    """What a structured assessment found and what was done: only by this a safety flag ends.

    Only the outcome is recorded; no instrument's text is shipped.
    """

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="safety_outcomes")
    assessed_at = models.DateTimeField(_("assessed at"))
    assessed_by = models.CharField(_("assessed by"), max_length=150)
    contact = models.CharField(max_length=20, choices=Contact)
    instrument = models.CharField(_("assessed by means of"), max_length=100)
    ideation = models.CharField(max_length=15, choices=Ideation)
    behaviour = models.CharField(max_length=15, choices=Behaviour)
    plan = models.CharField(max_length=15, choices=Finding)
    means = models.CharField(max_length=15, choices=Finding)
    actions = models.JSONField(default=list)
    note = models.TextField(_("what was found and done"))
    next_contact_on = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Clinician, models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(contact__in=Contact.values)
                & Q(ideation__in=Ideation.values)
                & Q(behaviour__in=Behaviour.values)
                & Q(plan__in=Finding.values)
                & Q(means__in=Finding.values),
                name="an_outcome_says_only_what_we_know",
            ),
            models.CheckConstraint(
                condition=~Q(note="") & ~Q(actions=[]) & ~Q(assessed_by=""),
                name="an_outcome_says_who_did_what",
            ),
            models.CheckConstraint(
                condition=Q(assessed_at__lte=F("recorded_at")),
                name="an_outcome_is_recorded_after_the_assessment",
            ),
        ]

    def __str__(self) -> str:
        return f"safety outcome {self.pk}"
