"""Who is at the laboratory's door: a key is shown as a bearer token and known by its digest."""

from base64 import b64decode
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from patients.intake.reception import Sender
from patients.models import LaboratoryKey
from patients.record.laboratories import digest_of
from patients.statements import ask

# "Last used" is for people; to the minute is exact enough, and spares a write per push
USE_IS_NOTED_EVERY = timedelta(minutes=1)


_FIND = """
SELECT key.id, laboratory.id, laboratory.time_zone, laboratory.pushes_per_minute, key.last_used_at
  FROM patients_laboratorykey AS key
  JOIN patients_laboratory AS laboratory ON laboratory.id = key.laboratory_id
 WHERE key.sha256 = %s AND key.revoked_at IS NULL AND laboratory.is_active
"""


def _find(sha256: str) -> list[tuple[Any, ...]]:
    """Look a key up; this is the first statement of a push.

    Instead of asking the connection at every push whether it still lives, a push that finds it
    broken (the database was restarted) tries once more on a new one.
    """
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        [rows] = ask((_FIND, [sha256]))
    except (OperationalError, InterfaceError):
        connection.close()
        [rows] = ask((_FIND, [sha256]))
    return rows


def _key_in(header: str) -> str:
    """Find the key: a bearer token, or the password of HTTP Basic, whatever the user is called.

    Interface engines and older laboratory systems can do nothing but Basic.
    """
    scheme, _space, shown = header.partition(" ")
    if scheme.lower() == "bearer":
        return shown.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        _user, _colon, password = b64decode(shown.strip(), validate=True).decode().partition(":")
    except ValueError:
        return ""
    return password.strip()


@dataclass(frozen=True)
class LaboratoryAtTheDoor:
    """A laboratory that has shown a live key."""

    sender: Sender
    pushes_per_minute: int | None
    is_authenticated: bool = True


class LaboratoryKeyAuthentication(BaseAuthentication):
    """Let a laboratory in by `Authorization: Bearer KEY`, or by Basic with the key as password."""

    def authenticate(self, request: Request) -> tuple[LaboratoryAtTheDoor, None]:
        key = _key_in(request.META.get("HTTP_AUTHORIZATION", ""))
        if not key:
            raise AuthenticationFailed(_("Show the laboratory's key as: Authorization: Bearer KEY"))
        found = _find(digest_of(key))
        if not found:
            raise AuthenticationFailed(_("This key is not known, or it was revoked."))
        key_id, laboratory_id, zone, pushes_per_minute, last_used_at = found[0]
        at = timezone.now()
        if last_used_at is None or at - last_used_at > USE_IS_NOTED_EVERY:
            LaboratoryKey.objects.filter(pk=key_id).update(last_used_at=at)
        sender = Sender(laboratory_id=laboratory_id, key_id=key_id, zone=ZoneInfo(zone))
        return LaboratoryAtTheDoor(sender, pushes_per_minute), None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        return 'Bearer realm="laboratory", Basic realm="laboratory", charset="UTF-8"'
