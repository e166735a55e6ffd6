"""The people who look after patients, and where they do it."""

from typing import Any, ClassVar
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from patients.scopes import CREATE, READ


def check_time_zone(name: str) -> None:
    """Refuse a time zone that this system does not know."""
    if name not in available_timezones():
        raise ValidationError(
            _("“%(name)s” is not a time zone. Use a name such as Europe/Berlin or Asia/Tokyo."),
            params={"name": name},
        )


class Site(models.Model):
    """A clinic or hospital; its calendar decides what “14 days since” means."""

    name = models.CharField(max_length=100, unique=True)
    time_zone = models.CharField(max_length=50, validators=[check_time_zone])
    visits_every_weeks = models.PositiveSmallIntegerField(
        _("visits after week 12, every (weeks)"), default=4
    )

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(visits_every_weeks__lte=52), name="visits_come_at_least_once_a_year"
            ),
            models.UniqueConstraint(Lower("name"), name="one_site_per_name_in_any_case"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class ClinicianManager(BaseUserManager["Clinician"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "Clinician":
        """Add a clinician who signs in with this e-mail address."""
        clinician = self.model(email=self.normalize_email(email), **fields)
        clinician.set_password(password)
        clinician.save(using=self._db)
        return clinician

    def get_by_natural_key(self, username: str | None) -> "Clinician":
        """Find a clinician by the e-mail address, in whatever case it is typed."""
        return self.get(email__iexact=username)


class Clinician(AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in: a psychiatrist, a nurse, a care manager, an operator."""

    email = models.EmailField(_("e-mail address"))
    full_name = models.CharField(_("name"), max_length=150)
    time_zone = models.CharField(
        _("time zone"), max_length=50, default="UTC", validators=[check_time_zone]
    )
    language = models.CharField(_("language"), max_length=10, default="en")
    digest_hour = models.PositiveSmallIntegerField(
        _("hour of the daily digest"),
        default=7,
        help_text=_("On the 24-hour clock, in your own time zone."),
    )
    is_active = models.BooleanField(default=True)
    is_operator = models.BooleanField(default=False)
    joined_at = models.DateTimeField(null=True, blank=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    objects = ClinicianManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("email"), name="one_clinician_per_email_address"),
            models.CheckConstraint(
                condition=Q(digest_hour__lte=23), name="the_digest_hour_is_on_the_clock"
            ),
        ]

    def __str__(self) -> str:
        return self.full_name or self.email

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class CareTeam(models.Model):
    """The people of one site who share the care of their patients."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="teams")
    name = models.CharField(max_length=100)
    members: "models.ManyToManyField[Clinician, Membership]" = models.ManyToManyField(
        Clinician, through="Membership", related_name="teams"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["site", "name"], name="one_team_per_site_and_name"),
            models.UniqueConstraint(
                "site", Lower("name"), name="one_team_per_site_and_name_in_any_case"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.site}, {self.name}"


class TeamKey(models.Model):
    """What a clinic's own system shows at the team's door. Only a digest is kept.

    Like a key of a laboratory it is 256 random bits. Its scopes are letters as everywhere: `c` to
    send ratings of the team's patients, `r` to read the explanations of their assessments.
    """

    team = models.ForeignKey(CareTeam, models.CASCADE, related_name="keys")
    name = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=8)
    scopes = models.CharField(max_length=2, default=CREATE, db_default=CREATE)
    issued_at = models.DateTimeField()
    issued_by = models.CharField(max_length=100)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=100, blank=True, default="")
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                name="a_revoked_key_of_a_team_says_when_and_by_whom",
            ),
            models.CheckConstraint(
                condition=Q(scopes__in=[CREATE, READ, CREATE + READ]),
                name="a_key_of_a_team_may_send_or_read",
            ),
            models.UniqueConstraint(
                fields=["team", "name"],
                condition=Q(revoked_at=None),
                name="one_live_key_per_team_and_name",
            ),
        ]

    def __str__(self) -> str:
        return f"key {self.hint}…"


class Role(models.TextChoices):
    """What a member does in the team."""

    PSYCHIATRIST = "psychiatrist", _("psychiatrist")
    CARE_MANAGER = "care_manager", _("care manager")
    NURSE = "nurse", _("nurse")
    LEAD = "lead", _("team lead")


class SafetyDuty(models.TextChoices):
    """When a member is told of a positive answer on self-harm: first, or when nobody has acted."""

    NONE = "", _("none")
    FIRST = "first", _("first: told at once")
    COVER = "cover", _("cover: told when nobody has taken it on")
    LEAD = "lead", _("lead: told when cover has not either")


class Membership(models.Model):
    """One clinician in one team."""

    team = models.ForeignKey(CareTeam, models.CASCADE, related_name="memberships")
    clinician = models.ForeignKey(Clinician, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)
    safety_duty = models.CharField(
        _("duty in safety"), max_length=10, choices=SafetyDuty, blank=True, default=SafetyDuty.NONE
    )
    since = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["team", "clinician"], name="a_clinician_is_in_a_team_once"
            ),
            models.CheckConstraint(
                condition=Q(role__in=Role.values), name="a_member_has_a_role_we_know"
            ),
            models.CheckConstraint(
                condition=Q(safety_duty__in=SafetyDuty.values), name="a_safety_duty_is_one_we_know"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.clinician} ({self.get_role_display()})"
