"""The operator's door: a list of completed symptom scales from a CSV file."""

from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from monitoring import duties
from monitoring.imports.ratings import import_ratings
from monitoring.imports.tables import FileIsFaulty
from monitoring.management.operators import OperatorCommand, read_file
from monitoring.portal.presenters.safety import Crisis
from patients.models import Rating


class Command(OperatorCommand):
    help = (
        "Import ratings from a CSV file with the columns system,value,instrument,rated_at and "
        "total (with self_harm) or q1 to q16: all rows or none. The same file again changes "
        "nothing."
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
        if taken.positive:
            self._interrupt(taken.positive)

    def _interrupt(self, positive: Sequence[tuple[int, Rating]]) -> None:
        """Say at once what the pages say to who enters such an answer, site by site."""
        rows = ", ".join(str(number) for number, _rating in positive)
        self.say(
            f"\nATTENTION: {len(positive)} of them answer the item on self-harm above zero (row "
            f"{rows}). Their safety flags are up, and their teams are told. Do not wait for a mail."
        )
        sites = {rating.patient.team.site for _row, rating in positive}
        for site in sorted(sites, key=lambda each: each.name):
            crisis = Crisis.of(duties.plan_of(site))
            self.say(f"\n{site}: {crisis.text}\n{crisis.numbers}")
