"""What base.html needs on every page: one question to the database, for the alarm alone."""

import tomllib
from typing import cast

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from monitoring import safety_list
from monitoring.portal.presenters.safety import Alarm
from patients.models import Clinician

VERSION: str = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"][
    "version"
]


def of_every_page(request: HttpRequest) -> dict[str, str | bool | Alarm | None]:
    """Say which version this is, whether the patients are invented, and what cannot wait.

    The demo cohort leaves its sign-in beside the data; that file is the mark. The alarm asks the
    database, and neither queue nor worker: it stands when both are away.
    """
    reader = getattr(request, "user", None)
    is_known = isinstance(reader, Clinician) and reader.is_authenticated
    return {
        "alarm": Alarm.of(safety_list.alarm(cast(Clinician, reader), at=timezone.now()))
        if is_known
        else None,
        "product_version": VERSION,
        "holds_synthetic_data": (settings.VAR_DIR / "demo_sign_in.txt").exists(),
    }
