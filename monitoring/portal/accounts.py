"""How people get in: by invitation, and with a line in the trail."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal.ratelimit import get_ip
from django.http import HttpRequest
from django.utils import timezone

from patients import audit
from patients.models import Clinician

NOBODY = "anonymous"


class ByInvitationOnly(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Accounts are made by an operator (manage.py add_clinician), never by a visitor.

    Every way in and out leaves a line: who signed in, who signed out, and whose sign-in failed.
    """

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count failures per account and address: who fails elsewhere locks nobody out here."""
        account = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{account}:{get_ip(request)}"

    def set_password(self, user: Clinician, password: str) -> None:
        """Put on the trail that somebody has another password now; what it is, nowhere."""
        super().set_password(user, password)
        name = audit.name_of(user)
        audit.write(verb="set_password", subject=name, by=name, at=timezone.now())

    def login(self, request: HttpRequest, user: Clinician) -> None:
        super().login(request, user)
        name = audit.name_of(user)
        audit.write(verb="sign_in", subject=name, by=name, at=timezone.now())

    def logout(self, request: HttpRequest) -> None:
        reader = request.user
        if isinstance(reader, Clinician):
            name = audit.name_of(reader)
            audit.write(verb="sign_out", subject=name, by=name, at=timezone.now())
        super().logout(request)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Write down whose sign-in failed, by number; an unknown address is not written."""
        super().authentication_failed(request, **credentials)
        address = str(credentials.get("email") or credentials.get("username") or "")
        known = Clinician.objects.filter(email__iexact=address).first() if address else None
        subject = NOBODY if known is None else audit.name_of(known)
        audit.write(verb="sign_in_failed", subject=subject, by=NOBODY, at=timezone.now())
