"""The operator's door: a laboratory that may push results once it has a key."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from monitoring.management.operators import OperatorCommand, read_zone
from patients.record.laboratories import LaboratoryExists, add_laboratory


class Command(OperatorCommand):
    help = "Add a laboratory; issue_key then gives it a key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument(
            "--zone", default="UTC", help="time zone of its times without an offset: Asia/Tokyo"
        )
        parser.add_argument(
            "--pushes-per-minute", type=int, metavar="N", help="how fast it may push"
        )

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        name, per_minute = options["name"].strip(), options["pushes_per_minute"]
        if not 0 < len(name) <= 100:
            raise CommandError("A laboratory has a name of 1 to 100 characters.")
        if per_minute is not None and not 0 < per_minute <= 10_000_000:
            raise CommandError("--pushes-per-minute must be a whole number from 1 to 10000000.")
        zone = read_zone(options["zone"])
        try:
            add_laboratory(name=name, zone=zone, pushes_per_minute=per_minute, by=by, at=at)
        except LaboratoryExists as fault:
            raise CommandError(f"There is a laboratory “{fault}” already.") from fault
        self.say(f"Added the laboratory “{name}” ({zone.key}). It needs a key: issue_key “{name}”")
