"""Who is at the clinic's door: a system that shows a key of a care team."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from monitoring.api.authentication import USE_IS_NOTED_EVERY, find, key_in
from monitoring.api.permissions import letters_needed
from patients.models import TeamKey
from patients.record.laboratories import digest_of
from patients.scopes import CREATE, READ

_BY_TEAM_KEY = """
SELECT key.sha256, key.id, key.team_id, key.scopes, key.last_used_at
  FROM patients_teamkey AS key
 WHERE key.sha256 = ANY(%(shown)s) AND key.revoked_at IS NULL
"""


@dataclass(frozen=True)
class TeamAtTheDoor:
    """A system of a care team that has shown a live key."""

    team_id: int
    key_id: int
    scopes: str
    is_authenticated: bool = True

    @property
    def name(self) -> str:
        """Name it in the record: an id, never the key."""
        return f"team_key:{self.key_id}"


class TeamAuthentication(BaseAuthentication):
    """Let a system in by a key of its care team, as Bearer or as the password of Basic."""

    def authenticate(self, request: Request) -> tuple[TeamAtTheDoor, None]:
        shown = key_in(request.META.get("HTTP_AUTHORIZATION", ""))
        if not shown:
            raise AuthenticationFailed(_("Show the team's key as: Authorization: Bearer KEY"))
        at = timezone.now()
        found = find(_BY_TEAM_KEY, digest_of(shown), at=at)
        if found is None:
            raise AuthenticationFailed(
                _("This is no live key of a care team. A laboratory's key is none.")
            )
        key_id, team_id, scopes, last_used_at = found
        if last_used_at is None or at - last_used_at > USE_IS_NOTED_EVERY:
            TeamKey.objects.filter(pk=key_id).update(last_used_at=at)
        return TeamAtTheDoor(team_id, key_id, scopes), None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        return 'Bearer realm="clinic", Basic realm="clinic", charset="UTF-8"'


class KeyMayNot(PermissionDenied):
    """The key is a live one of a care team, but it was issued for something else."""

    def __init__(self, needed: str) -> None:
        super().__init__(_REFUSALS[needed])
        self.auth_header = f'Bearer error="insufficient_scope", scope="{_SCOPES[needed]}"'


_SCOPES = {CREATE: "system/Observation.c", READ: "system/RiskAssessment.r"}
_REFUSALS = {
    CREATE: gettext_lazy("This key may not send ratings; an operator issues one that may."),
    READ: gettext_lazy("This key may not read explanations; an operator issues one that may."),
}


class IsACareTeam(BasePermission):
    """Let in whoever has shown a key of a care team that may do what the view says it needs.

    `needs` maps a method to a letter of scope: {"POST": "c"}; a view that says nothing lets
    nobody in.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        caller = request.user
        if not isinstance(caller, TeamAtTheDoor):
            return False
        needed = letters_needed(view, request)
        if needed is None:
            return request.method not in view.allowed_methods  # then 405 says it better
        if needed not in caller.scopes:
            raise KeyMayNot(needed)
        return True
