"""The operator's door: a client, or one secret of it, that no longer signs in."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from monitoring.management.operators import OperatorCommand
from patients.record.clients import (
    ClientNotFound,
    SecretNotFound,
    revoke_client,
    revoke_secret,
)


class Command(OperatorCommand):
    help = "Revoke a client with all its tokens, or one secret of it; at once and for good."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--secret", metavar="BEGINNING", help="only the secret that begins so")

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        name, beginning = options["name"], options["secret"]
        if beginning is not None and len(beginning) < 8:
            raise CommandError("--secret takes the first 8 characters of the secret.")
        try:
            if beginning is None:
                revoke_client(name=name, by=by, at=at)
                self.say(f"Revoked the client {name} and all it held.")
            else:
                hint = revoke_secret(name=name, beginning=beginning, by=by, at=at)
                self.say(f"Revoked the secret {hint}… of {name}.")
        except ClientNotFound as fault:
            raise CommandError(f"There is no live client “{name}”.") from fault
        except SecretNotFound as fault:
            message = f"{name} has no live secret that begins with {beginning[:8]}."
            raise CommandError(message) from fault
