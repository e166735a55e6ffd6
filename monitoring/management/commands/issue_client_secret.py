"""The operator's door: a secret for a client, shown this once."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from monitoring.management.operators import OperatorCommand
from patients.record.clients import ClientNotFound, NoPlaceForSecret, issue_secret


class Command(OperatorCommand):
    help = "Issue a secret for a client; the last line is the secret, and it is not kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        name = options["name"]
        try:
            secret = issue_secret(name=name, by=by, at=at)
        except ClientNotFound as fault:
            raise CommandError(f"There is no live client “{name}”.") from fault
        except NoPlaceForSecret as fault:
            message = f"{name} has two live secrets; revoke one first: revoke_client --secret"
            raise CommandError(message) from fault
        self.say(f"Secret of {name}. It is shown this once; only a digest of it is kept.")
        self.say(secret)
