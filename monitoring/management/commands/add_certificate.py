"""The operator's door: a certificate by which the proxy in front knows a laboratory."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from monitoring.management.operators import (
    OperatorCommand,
    add_scopes,
    find_laboratory,
    read_scopes,
)
from patients.record.clients import CertificateExists, add_certificate


class Command(OperatorCommand):
    help = (
        "Let the holder of a certificate speak for a laboratory; the proxy checks the certificate."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument(
            "--subject", required=True, help="as the proxy writes it into the header"
        )
        add_scopes(parser)

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        laboratory, subject = find_laboratory(options["name"]), options["subject"].strip()
        if not 0 < len(subject) <= 500:
            raise CommandError("--subject has 1 to 500 characters.")
        scopes = read_scopes(options["scopes"])
        try:
            add_certificate(laboratory=laboratory, subject=subject, scopes=scopes, by=by, at=at)
        except CertificateExists as fault:
            raise CommandError("This subject speaks for a laboratory already.") from fault
        self.say(f"The holder of {subject} speaks for “{laboratory.name}” now.")
        if not settings.CERTIFICATE_HEADER:
            self.say("CERTIFICATE_HEADER is not set: no certificate is looked at until it is.")
