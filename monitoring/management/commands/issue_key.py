"""The operator's door: a key for a laboratory, shown this once."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from monitoring.management.operators import (
    OperatorCommand,
    add_scopes,
    find_laboratory,
    read_scopes,
)
from patients.record.laboratories import NoPlaceForKey, issue_key


class Command(OperatorCommand):
    help = "Issue a key for a laboratory; the last line is the key, and it is not kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        add_scopes(parser)

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        laboratory = find_laboratory(options["name"])
        try:
            key = issue_key(
                laboratory=laboratory, scopes=read_scopes(options["scopes"]), by=by, at=at
            )
        except NoPlaceForKey as fault:
            message = (
                f"“{laboratory.name}” has two live keys; revoke one first: "
                "revoke_key NAME --key BEGINNING"
            )
            raise CommandError(message) from fault
        self.say(f"Key of “{laboratory.name}”. It is shown this once; only a digest of it is kept.")
        self.say(key)
