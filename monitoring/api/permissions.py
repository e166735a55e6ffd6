"""What a key or token is good for: each address says what it asks of whom."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import MethodNotAllowed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from monitoring.api.authentication import LaboratoryAtTheDoor
from patients.intake.receipts import Sender
from patients.scopes import written


class OutOfScope(PermissionDenied):
    """The key or token is good, but not for this."""

    def __init__(self, needed: str) -> None:
        super().__init__(_("This needs the scope %s.") % written(needed))
        self.auth_header = f'Bearer error="insufficient_scope", scope="{written(needed)}"'


def require(sender: Sender, needed: str) -> None:
    """Refuse a sender that may not do all of this."""
    if not set(needed) <= set(sender.scopes):
        raise OutOfScope(needed)


def letters_needed(view: Any, request: Request) -> str | None:
    """Give the letters of scope that a view needs for this method; none where it says nothing."""
    method = "GET" if request.method == "HEAD" else request.method
    if method == "OPTIONS":
        raise MethodNotAllowed(method)
    needed: str | None = getattr(view, "needs", {}).get(method)
    return needed


class HasScope(BasePermission):
    """Let in who may do what the view says that it needs; a view that says nothing lets nobody in.

    `needs` maps a method to letters of scope: {"POST": "cu"}.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        caller = request.user
        if not isinstance(caller, LaboratoryAtTheDoor):
            return False
        needed = letters_needed(view, request)
        if needed is None:
            return request.method not in view.allowed_methods  # then 405 says it better
        require(caller.sender, needed)
        return True
