"""The operator's door: the synthetic demo cohort, on an empty copy."""

import time
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from monitoring import demo
from monitoring.management.operators import OperatorCommand

SIGN_IN_FILE = "demo_sign_in.txt"


class Command(OperatorCommand):
    help = "Load sixty synthetic patients with half a year of history; only where there is nobody."

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        began_s = time.monotonic()
        file = settings.VAR_DIR / SIGN_IN_FILE
        try:
            sign_in = demo.load(sign_in_file=file, by=by, at=at)
        except demo.PatientsExist as fault:
            raise CommandError(str(fault)) from fault
        took_s = time.monotonic() - began_s
        self.say(
            f"Loaded the synthetic demo cohort in {took_s:.1f} s. Sign in as {sign_in.email}; "
            f"the password is in {file}"
        )
