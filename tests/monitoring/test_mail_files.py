"""Mails on disk: whole, and for nobody but whoever runs the site."""

import stat
from pathlib import Path

from django.conf import LazySettings
from django.core.mail import EmailMessage

from monitoring.mail_files import EmailBackend


def test_a_mail_on_disk_is_readable_by_its_owner_alone(
    settings: LazySettings, tmp_path: Path
) -> None:
    settings.MAIL_DIR = tmp_path / "mail"
    settings.MAIL_DIR.mkdir(mode=0o755)  # as it was made once

    EmailBackend().send_messages([EmailMessage("Reset", "a link", to=["a@example.org"])])

    [kept] = settings.MAIL_DIR.iterdir()
    assert "a link" in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.MAIL_DIR.stat().st_mode) == 0o700
