"""The operator's door: a certificate that no longer speaks for a laboratory."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from monitoring.management.operators import OperatorCommand
from patients.record.clients import CertificateNotFound, revoke_certificate


class Command(OperatorCommand):
    help = "Let a certificate speak for no laboratory any more."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--subject", required=True)

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        subject = options["subject"].strip()
        try:
            revoke_certificate(subject=subject, by=by, at=at)
        except CertificateNotFound as fault:
            raise CommandError(f"No laboratory is known by {subject}.") from fault
        self.say(f"The holder of {subject} speaks for nobody now.")
