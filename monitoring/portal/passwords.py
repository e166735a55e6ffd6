"""What a password may not be, besides what Django refuses."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from patients.models import Clinician


class NoRepetition:
    """Refuse what only repeats something shorter: long it is, and guessed at once."""

    def validate(self, password: str, user: Clinician | None = None) -> None:  # noqa: ARG002
        """Refuse a password that is one piece, twice or more."""
        if password in (password + password)[1:-1]:
            raise ValidationError(_("This password repeats something shorter."), code="repeats")

    def get_help_text(self) -> str:
        """Say what is refused."""
        return _("Your password can’t repeat something shorter, such as “passwordpassword”.")
