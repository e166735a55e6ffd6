"""The operator's door: a key that no longer opens."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from monitoring.management.operators import OperatorCommand, find_laboratory
from patients.record.laboratories import KeyNotFound, SeveralKeys, revoke_keys


class Command(OperatorCommand):
    help = "Revoke the keys of a laboratory, or the one that begins so; at once and for good."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--key", metavar="BEGINNING", help="only the key that begins so")

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        laboratory, beginning = find_laboratory(options["name"]), options["key"]
        if beginning == "":
            raise CommandError("--key is empty; give the first 8 characters of the key.")
        try:
            hints = revoke_keys(laboratory=laboratory, beginning=beginning, by=by, at=at)
        except KeyNotFound as fault:
            which = "" if beginning is None else f" that begins with {beginning[:8]}"
            raise CommandError(f"“{laboratory.name}” has no live key{which}.") from fault
        except SeveralKeys as fault:
            raise CommandError(
                f"Both keys of “{laboratory.name}” begin with {beginning}; "
                "give the first 8 characters."
            ) from fault
        for hint in hints:
            self.say(f"Revoked the key {hint}… of “{laboratory.name}”.")
