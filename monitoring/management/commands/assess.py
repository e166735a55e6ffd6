"""The operator's door: patients are assessed now, by this very process."""

import time
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from monitoring.management.operators import OperatorCommand
from monitoring.recompute import mark_outdated, work_off_backlog
from patients.models import Patient


class Command(OperatorCommand):
    help = "Assess patients now. Who is assessed already, by this model and policy, is left alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument(
            "--all",
            action="store_true",
            help="everybody whose record, model or policy is newer than their assessment",
        )
        which.add_argument("--stale", action="store_true", help="those who wait already")

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        began_s = time.monotonic()
        if options["all"]:
            found = mark_outdated(at=at)
            patients = Patient.objects.count()
            self.say(f"{patients} patients on record; {found} found outdated who did not wait yet.")
        taken = work_off_backlog(at=at)
        took_s = time.monotonic() - began_s
        self.say(f"Took {taken} patients in {took_s:.1f} s ({taken / took_s:.0f} a second).")
        if waiting := Patient.objects.stale().count():
            self.say(f"{waiting} wait: in another worker's hands, new since, or to be tried again.")
