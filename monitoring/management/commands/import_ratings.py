"""The operator's door: a list of completed symptom scales from a CSV file."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from monitoring.imports.ratings import import_ratings
from monitoring.imports.tables import FileIsFaulty
from monitoring.management.operators import OperatorCommand, read_file


class Command(OperatorCommand):
    help = (
        "Import ratings from a CSV file with the columns system,value,instrument,rated_at and "
        "total or q1 to q16: all rows or none. The same file again changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE.csv")

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        data = read_file(options["file"])
        try:
            taken = import_ratings(data, by=by, at=at)
        except FileIsFaulty as fault:
            raise CommandError(f"{fault}\nNothing was imported.") from fault
        self.say(f"Recorded {taken.n_new} ratings; {taken.n_known} were on record already.")
