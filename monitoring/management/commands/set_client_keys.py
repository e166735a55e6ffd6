"""The operator's door: where the public keys of a client are."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from monitoring.management.client_keys import add_key_options, read_keys
from monitoring.management.operators import OperatorCommand
from patients.record.clients import ClientNotFound, set_keys


class Command(OperatorCommand):
    help = (
        "Say where the public keys of a client are; this takes the place of what was said before."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        add_key_options(parser.add_mutually_exclusive_group(required=True))

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        name = options["name"]
        jwks, jwks_url = read_keys(options)
        try:
            set_keys(name=name, jwks=jwks, jwks_url=jwks_url, by=by, at=at)
        except ClientNotFound as fault:
            raise CommandError(f"There is no live client “{name}”.") from fault
        keys = ", ".join(key["kid"] for key in jwks["keys"]) if jwks else jwks_url
        self.say(f"Keys of {name}: {keys}")
