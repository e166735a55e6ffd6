"""Who is at the clinic's door: a system that shows a key of a care team."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from monitoring.api.authentication import key_in
from patients.models import TeamKey
from patients.record.laboratories import digest_of


@dataclass(frozen=True)
class TeamAtTheDoor:
    """A system of a care team that has shown a live key."""

    team_id: int
    key_id: int
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
        key = TeamKey.objects.filter(sha256=digest_of(shown), revoked_at=None).first()
        if key is None:
            raise AuthenticationFailed(
                _("This is no live key of a care team. A laboratory's key is none.")
            )
        return TeamAtTheDoor(key.team_id, key.pk), None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        return 'Bearer realm="clinic", Basic realm="clinic", charset="UTF-8"'


class IsACareTeam(BasePermission):
    """Let in whoever has shown a key of a care team."""

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002
        return isinstance(request.user, TeamAtTheDoor)
