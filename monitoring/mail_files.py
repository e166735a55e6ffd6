"""Mail without a mail server: each message becomes a file that any mail program opens.

Links to a new password stand in them, so that they are for nobody but whoever runs the site.
"""

import os
from collections.abc import Sequence
from datetime import UTC, datetime

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class EmailBackend(BaseEmailBackend):
    """Write each message to its own .eml file, whole or not at all."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        settings.MAIL_DIR.mkdir(parents=True, exist_ok=True)
        settings.MAIL_DIR.chmod(0o700)
        for mail in email_messages:
            message = mail.message()
            written_at = datetime.now(UTC)
            name = message["Message-ID"].strip("<>").partition("@")[0]
            path = settings.MAIL_DIR / f"{written_at:%Y%m%d-%H%M%S}-{name}.eml"
            draft = path.with_suffix(".draft")
            with open(draft, "xb", opener=_for_owner_alone) as file:
                file.write(message.as_bytes())
            draft.replace(path)
        return len(email_messages)


def _for_owner_alone(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)
