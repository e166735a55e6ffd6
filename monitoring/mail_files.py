"""Mail without a mail server: each message becomes a file that any mail program opens."""

from collections.abc import Sequence
from datetime import UTC, datetime

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class EmailBackend(BaseEmailBackend):
    """Write each message to its own .eml file, whole or not at all."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        settings.MAIL_DIR.mkdir(parents=True, exist_ok=True)
        for mail in email_messages:
            message = mail.message()
            written_at = datetime.now(UTC)
            name = message["Message-ID"].strip("<>").partition("@")[0]
            path = settings.MAIL_DIR / f"{written_at:%Y%m%d-%H%M%S}-{name}.eml"
            draft = path.with_suffix(".draft")
            draft.write_bytes(message.as_bytes())
            draft.replace(path)
        return len(email_messages)
