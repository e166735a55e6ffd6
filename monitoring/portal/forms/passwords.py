"""A password that was forgotten: the answer leaves at once, and the mail when its time comes."""

from typing import Any

from allauth.account.forms import ResetPasswordForm
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from monitoring import alerts
from monitoring.portal.accounts import NOBODY
from patients import audit
from patients.models import Clinician


class ForgottenPasswordForm(ResetPasswordForm):  # type: ignore[misc]  # allauth ships no types
    """Owes the mail to whom the address belongs, and says nothing of whether it does.

    No mail server is asked meanwhile: how long one takes would tell which addresses are known.
    """

    def clean_email(self) -> str:
        """Find whose address it is, in whatever case it is typed or on record."""
        email = str(self.cleaned_data["email"])
        self.people = list(Clinician.objects.filter(email__iexact=email, is_active=True))
        return email

    @transaction.atomic
    def save(self, request: HttpRequest, **_options: Any) -> str:  # noqa: ARG002
        """Owe the mail, which the worker writes and sends."""
        at = timezone.now()
        alerts.owe_way_to_password(self.people, at=at)
        for person in self.people:
            audit.write(verb="ask_for_password", subject=audit.name_of(person), by=NOBODY, at=at)
        return str(self.cleaned_data["email"])
