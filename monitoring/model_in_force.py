"""The model by which everybody is assessed: the one that comes along, or one a site has approved.

It is chosen when the site starts. A new one makes every assessment outdated, and the workers work
them off.
"""

from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from analytics import CURRENT_RELEASE, Release
from analytics.releases import ReleaseIsUnfit, parse
from analytics.releases.approval import Approval, NotApproved, read_approval, refuse_unapproved


def choose(release_file: str, approval_file: str) -> tuple[Release, Approval | None]:
    """Give the model that these settings name, with its approval; refuse one without."""
    if not release_file:
        if approval_file:
            raise ImproperlyConfigured("MODEL_APPROVAL names an approval, MODEL_RELEASE no model.")
        return CURRENT_RELEASE, None
    if not approval_file:
        message = "MODEL_RELEASE names a model that nobody has approved: MODEL_APPROVAL is missing."
        raise ImproperlyConfigured(message)
    try:
        release = parse(_read("MODEL_RELEASE", release_file))
        approval = read_approval(_read("MODEL_APPROVAL", approval_file))
        refuse_unapproved(release, approval)
    except (ReleaseIsUnfit, NotApproved) as fault:
        raise ImproperlyConfigured(f"MODEL_RELEASE cannot be used: {fault}.") from fault
    return release, approval


def _read(name: str, file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise ImproperlyConfigured(f"{name} cannot be read: {fault}.") from fault


RELEASE, APPROVAL = choose(settings.MODEL_RELEASE, settings.MODEL_APPROVAL)
