"""What base.html needs on every page; no query, because every page pays for it."""

import tomllib

from django.conf import settings
from django.http import HttpRequest

VERSION: str = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"][
    "version"
]


def of_every_page(request: HttpRequest) -> dict[str, str | bool]:  # noqa: ARG001
    """Say which version this is, and whether the patients are invented.

    The demo cohort leaves its sign-in beside the data; that file is the mark.
    """
    return {
        "product_version": VERSION,
        "holds_synthetic_data": (settings.VAR_DIR / "demo_sign_in.txt").exists(),
    }
