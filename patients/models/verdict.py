"""What a person decides about a draw, and a site about a dose: beside the facts, not over them."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from patients.models.facts import Fact, superseding_is_whole
from patients.models.patient import Patient
from patients.models.people import Site


class Verdict(models.TextChoices):
    SCORE = "score", _("scored in spite of a caution")
    RELEASE = "release", _("checked, and released")
    KEEP_OUT = "keep_out", _("checked, and kept out")


class DrawVerdict(Fact):
    """A person's word on one draw, with a reason; it holds for the draw, whatever row it has.

    A draw is named by its public name, which stays when the laboratory corrects its time. To score
    or to release it speaks of what stood against it then, and of the value that it had then: what
    comes to light later, or another value, is nothing that the person has looked at.
    """

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="draw_verdicts")
    draw_public_id = models.UUIDField()
    verdict = models.CharField(max_length=10, choices=Verdict)
    reason = models.CharField(_("reason"), max_length=500)
    # NULL in both: decided before they were noted, and taken to hold whatever comes
    against = ArrayField(models.CharField(max_length=40), null=True)
    value = models.CharField(max_length=60, null=True)  # noqa: DJ001 - none is not an empty one

    class Meta:
        constraints: ClassVar = [
            superseding_is_whole("verdict"),
            models.UniqueConstraint(
                fields=["draw_public_id"],
                condition=Q(superseded_at=None),
                name="one_verdict_per_draw",
            ),
            models.CheckConstraint(
                condition=Q(verdict__in=Verdict.values) & ~Q(reason=""),
                name="a_verdict_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"verdict {self.pk}"


class SiteDose(models.Model):
    """The least daily dose that one site takes for adequate: instead of the default, or beside it.

    `source` says where the figure is from; of a drug that the default table does not know, it must.
    """

    site = models.ForeignKey(Site, models.CASCADE, related_name="doses")
    atc = models.CharField(_("ATC code"), max_length=7)
    drug = models.CharField(_("drug"), max_length=100)
    least_mg = models.DecimalField(_("least daily dose in mg"), max_digits=8, decimal_places=2)
    source = models.CharField(_("source"), max_length=300, blank=True, default="")
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=100)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["site", "atc"], name="a_site_has_one_least_dose_per_drug"
            ),
            models.CheckConstraint(condition=Q(least_mg__gt=0), name="a_least_dose_is_above_zero"),
        ]

    def __str__(self) -> str:
        return f"least dose of {self.atc} at site {self.site_id}"


class DoseTableChange(models.Model):
    """One change of a site's least doses; its number and day name the version from then on.

    `changes` says of each drug what held before and what holds since, in mg; None is the default,
    or nothing, for a drug that the default does not know.
    """

    site = models.ForeignKey(Site, models.CASCADE, related_name="dose_changes")
    number = models.PositiveIntegerField()
    changes = models.JSONField()
    changed_on = models.DateField()
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=100)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["site", "number"], name="changes_of_a_dose_table_are_numbered"
            ),
        ]

    def __str__(self) -> str:
        return f"change {self.number} of the doses of site {self.site_id}"


class SiteRules(models.Model):
    """Which rules a site has chosen, and from which day; the last choice holds, none is changed.

    `name` is a line of rules, whose version of the day applies; `version` the one on the day of
    the choice.
    """

    site = models.ForeignKey(Site, models.CASCADE, related_name="rules")
    name = models.CharField(_("rules"), max_length=30)
    adequate_weeks = models.DecimalField(
        _("weeks at an adequate dose"), max_digits=3, decimal_places=1
    )
    version = models.CharField(max_length=50)
    effective_from = models.DateField(_("in force from"))
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=100)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(adequate_weeks__gte=4, adequate_weeks__lte=26),
                name="adequate_weeks_are_four_to_twenty_six",
            ),
        ]

    def __str__(self) -> str:
        return f"rules {self.version} of site {self.site_id}"
