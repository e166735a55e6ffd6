"""The operator's door: somebody who signs in may run the site in the portal too."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from monitoring.management.operators import OperatorCommand
from patients.models import Clinician
from patients.record.people import set_operator


class Command(OperatorCommand):
    help = (
        "Let a clinician edit the profiles of laboratories, teach codes and units, and upload "
        "files of results; operators are mailed when a laboratory falls silent."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--undo", action="store_true", help="no longer")

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        email = options["email"].strip()
        clinician = Clinician.objects.filter(email__iexact=email, is_active=True).first()
        if clinician is None:
            message = f"Nobody signs in as {email}. Add them first with add_clinician."
            raise CommandError(message)
        is_operator = not options["undo"]
        is_new = set_operator(clinician=clinician, is_operator=is_operator, by=by, at=at)
        said = "an operator" if is_operator else "no operator"
        self.say(f"{clinician.email} is {said} {'now' if is_new else 'already'}.")
