"""Who is at the laboratory's door: a key, a token or a certificate, each known by what is kept.

What a request shows is looked up here for every door, that of a care team (teams.py) as well.
"""

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from monitoring.together import Together
from patients.intake.receipts import Sender
from patients.models import LaboratoryKey
from patients.record.clients import TOKEN_BEGINS
from patients.record.laboratories import digest_of
from patients.statements import Question, ask

# "Last used" is for people; to the minute is exact enough, and spares a write per push
USE_IS_NOTED_EVERY = timedelta(minutes=1)
AT_THE_DOOR = "soundings.at_the_door"

_OF_THE_LABORATORY = "laboratory.id, laboratory.time_zone, laboratory.pushes_per_minute"
_BY_KEY = f"""
SELECT key.sha256, key.id, NULL::bigint, key.scopes, key.last_used_at, {_OF_THE_LABORATORY}
  FROM patients_laboratorykey AS key
  JOIN patients_laboratory AS laboratory ON laboratory.id = key.laboratory_id
 WHERE key.sha256 = ANY(%(shown)s) AND key.revoked_at IS NULL AND laboratory.is_active
"""  # noqa: S608 - of constants
_BY_TOKEN = f"""
SELECT token.sha256, NULL::bigint, client.id, token.scopes, NULL::timestamptz, {_OF_THE_LABORATORY}
  FROM patients_accesstoken AS token
  JOIN patients_laboratoryclient AS client ON client.id = token.client_id
  JOIN patients_laboratory AS laboratory ON laboratory.id = client.laboratory_id
 WHERE token.sha256 = ANY(%(shown)s) AND token.expires_at > %(at)s AND client.revoked_at IS NULL
   AND laboratory.is_active
"""  # noqa: S608 - of constants
_BY_CERTIFICATE = f"""
SELECT certificate.subject, NULL::bigint, NULL::bigint, certificate.scopes, NULL::timestamptz,
       {_OF_THE_LABORATORY}
  FROM patients_laboratorycertificate AS certificate
  JOIN patients_laboratory AS laboratory ON laboratory.id = certificate.laboratory_id
 WHERE certificate.subject = ANY(%(shown)s) AND certificate.revoked_at IS NULL
   AND laboratory.is_active
"""  # noqa: S608 - of constants


@dataclass(frozen=True)
class _Shown:
    """What a request shows to be let in: by which statement it is looked up, and when it came."""

    statement: str
    value: str
    at: datetime


def _find_all(shown: Sequence[_Shown]) -> list[tuple[Any, ...] | None]:
    """Look up what requests of one moment have shown; this is the first statement of a push.

    Instead of asking the connection at every push whether it still lives, a push that finds it
    broken (the database was restarted) tries once more on a new one.
    """
    at = max(each.at for each in shown)
    questions: list[Question] = [
        (
            statement,
            {"shown": [each.value for each in shown if each.statement is statement], "at": at},
        )
        for statement in {each.statement for each in shown}
    ]
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        answers = ask(*questions)
    except (OperationalError, InterfaceError):
        connection.close()
        answers = ask(*questions)
    found = {
        (statement, row[0]): row[1:]
        for (statement, _asked), rows in zip(questions, answers, strict=True)
        for row in rows
    }
    return [found.get((each.statement, each.value)) for each in shown]


_finding = Together(_find_all)


def find(statement: str, value: str, *, at: datetime) -> tuple[Any, ...] | None:
    """Look up what one request has shown, together with those of the same moment."""
    return _finding.do(_Shown(statement, value, at))


def key_in(header: str) -> str:
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


@cache
def _proxies(networks: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(each) for each in networks)


def _subject_in(request: Request) -> str:
    """Find the subject of a certificate, if the operator's own proxy says that one was shown."""
    if not settings.CERTIFICATE_HEADER:
        return ""
    subject: str = request.headers.get(settings.CERTIFICATE_HEADER, "").strip()
    peer = request.META.get("REMOTE_ADDR", "")
    try:
        is_trusted = any(
            ip_address(peer) in network for network in _proxies(tuple(settings.TRUSTED_PROXIES))
        )
    except ValueError:
        return ""
    return subject if is_trusted and "\x00" not in subject else ""


@dataclass(frozen=True)
class LaboratoryAtTheDoor:
    """A laboratory that has shown a live key."""

    sender: Sender
    pushes_per_minute: int | None
    is_authenticated: bool = True


class LaboratoryAuthentication(BaseAuthentication):
    """Let a laboratory in by a key or token (Bearer, or the password of Basic) or a certificate."""

    def authenticate(self, request: Request) -> tuple[LaboratoryAtTheDoor, None]:
        at = timezone.now()
        found = _finding.do(_shown_by(request, at=at))
        if found is None:
            raise AuthenticationFailed(_("This key is not known, or it was revoked or has ended."))
        key_id, client_id, scopes, last_used_at, laboratory_id, zone, pushes_per_minute = found
        is_noted = last_used_at is not None and at - last_used_at <= USE_IS_NOTED_EVERY
        if key_id is not None and not is_noted:
            LaboratoryKey.objects.filter(pk=key_id).update(last_used_at=at)
        sender = Sender(
            laboratory_id=laboratory_id,
            key_id=key_id,
            zone=ZoneInfo(zone),
            client_id=client_id,
            scopes=scopes,
        )
        # The line that is written of every request says whose it was (monitoring/wsgi.py)
        request.META[AT_THE_DOOR] = sender
        return LaboratoryAtTheDoor(sender, pushes_per_minute), None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        return 'Bearer realm="laboratory", Basic realm="laboratory", charset="UTF-8"'


def _shown_by(request: Request, *, at: datetime) -> _Shown:
    """Find what a request shows: a token and a key are told apart by how they begin."""
    shown = key_in(request.META.get("HTTP_AUTHORIZATION", ""))
    if shown.startswith(TOKEN_BEGINS):
        return _Shown(_BY_TOKEN, digest_of(shown), at)
    if shown:
        return _Shown(_BY_KEY, digest_of(shown), at)
    if subject := _subject_in(request):
        return _Shown(_BY_CERTIFICATE, subject, at)
    raise AuthenticationFailed(_("Show the laboratory's key as: Authorization: Bearer KEY"))
