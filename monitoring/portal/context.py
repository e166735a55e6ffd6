"""What base.html needs on every page: one question to the database, for the alarm alone."""

import tomllib
from typing import cast

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from monitoring import safety_list
from monitoring.portal.presenters.safety import Alarm
from patients.models import Clinician

VERSION: str = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"][
    "version"
]


def of_every_page(request: HttpRequest) -> dict[str, object]:
    """Say which version this is, whether the patients are invented, and what cannot wait.

    The demo cohort leaves its sign-in beside the data; that file is the mark. The alarm asks the
    database, and neither queue nor worker: it stands when both are away. A page that knows already
    that there is none says so itself, and nothing is asked.
    """
    reader = getattr(request, "user", None)
    is_known = isinstance(reader, Clinician) and reader.is_authenticated

    def alarm() -> Alarm | None:
        if not is_known:
            return None
        return Alarm.of(safety_list.alarm(cast(Clinician, reader), at=timezone.now()))

    session = getattr(request, "session", None)
    return {
        "alarm": SimpleLazyObject(alarm),
        "ending": session.ending(at=timezone.now()) if is_known and session else None,
        "product_version": VERSION,
        "holds_synthetic_data": (settings.VAR_DIR / "demo_sign_in.txt").exists(),
    }
