"""Sites, teams and the people in them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from patients import audit
from patients.models import CareTeam, Clinician, Membership, Role, Site


class TeamNotFound(Exception):
    """No team has this name, or several sites have one; say it as SITE/TEAM."""


@transaction.atomic
def add_team(*, site: str, name: str, zone: ZoneInfo, by: str, at: datetime) -> CareTeam:
    """Add a team, and its site when the site is new; a team that is there already stays."""
    place, _ = Site.objects.get_or_create(name=site, defaults={"time_zone": zone.key})
    team, is_new = CareTeam.objects.get_or_create(site=place, name=name)
    if is_new:
        audit.write(verb="add_team", subject=f"team:{team.pk}", by=by, at=at)
    return team


def find_team(name: str) -> CareTeam:
    """Find a team by its name, or by SITE/TEAM where two sites use the same one."""
    site, slash, team = name.rpartition("/")
    found = CareTeam.objects.filter(name=team, site__name=site) if slash else None
    found = found if found is not None and found.exists() else CareTeam.objects.filter(name=name)
    try:
        return found.get()
    except CareTeam.DoesNotExist:
        message = f"There is no team “{name}”. Add it first with add_team SITE TEAM --zone ZONE."
        raise TeamNotFound(message) from None
    except CareTeam.MultipleObjectsReturned:
        message = f"Several sites have a team “{name}”. Name it as SITE/TEAM."
        raise TeamNotFound(message) from None


@transaction.atomic
def add_clinician(
    *,
    email: str,
    full_name: str,
    password: str,
    team: CareTeam,
    role: Role,
    by: str,
    at: datetime,
) -> Clinician:
    """Add somebody who signs in; their day is at first their site's."""
    clinician = Clinician.objects.create_user(
        email=email,
        password=password,
        full_name=full_name,
        time_zone=team.site.time_zone,
        joined_at=at,
    )
    audit.write(verb="add_clinician", subject=audit.name_of(clinician), by=by, at=at)
    join_team(clinician=clinician, team=team, role=role, by=by, at=at)
    return clinician


@transaction.atomic
def join_team(
    *, clinician: Clinician, team: CareTeam, role: Role, by: str, at: datetime
) -> Membership:
    """Let a clinician see the patients of a team."""
    membership, _ = Membership.objects.update_or_create(
        clinician=clinician,
        team=team,
        defaults={"role": role},
        create_defaults={
            "role": role,
            "since": at,
        },
    )
    audit.write(
        verb="join_team", subject=audit.name_of(clinician), by=by, at=at, team=team.pk, role=role
    )
    return membership


@transaction.atomic
def set_operator(*, clinician: Clinician, is_operator: bool, by: str, at: datetime) -> bool:
    """Let somebody run the site in the portal too, or no longer; say whether that is new."""
    if clinician.is_operator == is_operator:
        return False
    clinician.is_operator = is_operator
    clinician.save(update_fields=["is_operator"])
    verb = "make_operator" if is_operator else "unmake_operator"
    audit.write(verb=verb, subject=audit.name_of(clinician), by=by, at=at)
    return True


@transaction.atomic
def set_active(*, clinician: Clinician, is_active: bool, by: str, at: datetime) -> None:
    """Let somebody sign in no longer, or again; teams stay on record, and the password too."""
    clinician.is_active = is_active
    clinician.save(update_fields=["is_active"])
    verb = "reopen_clinician" if is_active else "close_clinician"
    audit.write(verb=verb, subject=audit.name_of(clinician), by=by, at=at)


@transaction.atomic
def set_preferences(
    *, clinician: Clinician, time_zone: ZoneInfo, digest_hour: int, at: datetime
) -> None:
    """Say when the clinician's day is, and at what hour of it the digest comes."""
    clinician.time_zone, clinician.digest_hour = time_zone.key, digest_hour
    clinician.save(update_fields=["time_zone", "digest_hour"])
    name = audit.name_of(clinician)
    audit.write(verb="set_preferences", subject=name, by=name, at=at)
