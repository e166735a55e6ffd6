"""Laboratories and their keys."""

import hashlib
import secrets
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from patients import audit
from patients.models import Laboratory, LaboratoryKey
from patients.scopes import EVERYTHING

PLACES = (1, 2)


class LaboratoryExists(Exception):
    """A laboratory of this name is on record, perhaps in other letters; says how it is written."""


class NoPlaceForKey(Exception):
    """Two keys are live; one must be revoked before a third is issued."""


class KeyNotFound(Exception):
    """No live key of this laboratory begins so."""


class SeveralKeys(Exception):
    """Both live keys begin so; more of the key must be given to tell them apart."""


def digest_of(key: str) -> str:
    """Give what is kept of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


@transaction.atomic
def add_laboratory(
    *, name: str, zone: ZoneInfo, pushes_per_minute: int | None, by: str, at: datetime
) -> Laboratory:
    """Add a laboratory; it can push once it has a key."""
    laboratory, is_new = Laboratory.objects.get_or_create(
        name__iexact=name,
        defaults={"name": name, "time_zone": zone.key, "pushes_per_minute": pushes_per_minute},
    )
    if not is_new:
        raise LaboratoryExists(laboratory.name)
    audit.write(verb="add_laboratory", subject=f"laboratory:{laboratory.pk}", by=by, at=at)
    return laboratory


@transaction.atomic
def issue_key(*, laboratory: Laboratory, scopes: str = EVERYTHING, by: str, at: datetime) -> str:
    """Issue a key and give it out, this once; only its digest stays."""
    Laboratory.objects.select_for_update().get(pk=laboratory.pk)
    live = set(
        LaboratoryKey.objects.filter(laboratory=laboratory, revoked_at=None).values_list(
            "slot", flat=True
        )
    )
    place = next((place for place in PLACES if place not in live), None)
    if place is None:
        raise NoPlaceForKey(laboratory.name)
    key = f"snd_{secrets.token_urlsafe(32)}"
    kept = LaboratoryKey.objects.create(
        laboratory=laboratory,
        slot=place,
        sha256=digest_of(key),
        hint=key[:8],
        scopes=scopes,
        issued_at=at,
        issued_by=by,
    )
    audit.write(verb="issue_key", subject=f"key:{kept.pk}", by=by, at=at)
    return key


@transaction.atomic
def revoke_keys(
    *, laboratory: Laboratory, beginning: str | None, by: str, at: datetime
) -> list[str]:
    """Revoke the live keys of a laboratory, or the one that begins so; say which."""
    live = LaboratoryKey.objects.select_for_update().filter(laboratory=laboratory, revoked_at=None)
    if beginning is not None:
        live = live.filter(hint__startswith=beginning[:8])
    keys = list(live)
    if not keys:
        raise KeyNotFound(laboratory.name)
    if beginning is not None and len(keys) > 1:
        raise SeveralKeys(beginning)
    for key in keys:
        key.revoked_at, key.revoked_by = at, by
        key.save()
        audit.write(verb="revoke_key", subject=f"key:{key.pk}", by=by, at=at)
    return [key.hint for key in keys]
