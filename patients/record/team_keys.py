"""Keys of care teams: by them a clinic's own system sends ratings, or reads explanations."""

import secrets
from datetime import datetime

from django.db import transaction

from patients import audit
from patients.models import CareTeam, TeamKey
from patients.record.laboratories import digest_of
from patients.scopes import CREATE, READ

# What a key may be issued for
MAY = {"send": CREATE, "read": READ, "both": CREATE + READ}


class TeamKeyExists(Exception):
    """A system of this name has a live key of this team; revoke that one first."""


class TeamKeyNotFound(Exception):
    """No live key of this team has that name."""


@transaction.atomic
def issue_team_key(
    *, team: CareTeam, name: str, scopes: str = CREATE, by: str, at: datetime
) -> str:
    """Issue a key for one system and give it out, this once; only its digest stays."""
    CareTeam.objects.select_for_update().get(pk=team.pk)
    if TeamKey.objects.filter(team=team, name=name, revoked_at=None).exists():
        raise TeamKeyExists(name)
    key = f"tms_{secrets.token_urlsafe(32)}"
    kept = TeamKey.objects.create(
        team=team,
        name=name,
        sha256=digest_of(key),
        hint=key[:8],
        scopes=scopes,
        issued_at=at,
        issued_by=by,
    )
    audit.write(verb="issue_team_key", subject=f"team_key:{kept.pk}", by=by, at=at, scopes=scopes)
    return key


@transaction.atomic
def revoke_team_key(*, team: CareTeam, name: str, by: str, at: datetime) -> str:
    """Revoke the key of one system, at once and for good; give its beginning."""
    key = TeamKey.objects.select_for_update().filter(team=team, name=name, revoked_at=None).first()
    if key is None:
        raise TeamKeyNotFound(name)
    key.revoked_at, key.revoked_by = at, by
    key.save()
    audit.write(verb="revoke_team_key", subject=f"team_key:{key.pk}", by=by, at=at)
    return key.hint
