"""The operator's door: a list of patients from a CSV file, looked through first with --dry-run."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from monitoring.imports.patients import Verdict, enrol_patients, read_patients
from monitoring.imports.tables import FileIsFaulty
from monitoring.management.operators import OperatorCommand, read_file
from patients.record.people import TeamNotFound, find_team


class Command(OperatorCommand):
    help = (
        "Enrol patients from a CSV file with the columns "
        "system,value,family,given,birth_date,sex,started_on: all rows or none."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE.csv")
        parser.add_argument("--team", required=True, help="TEAM, or SITE/TEAM")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be done, and do nothing"
        )

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        try:
            team = find_team(options["team"])
        except TeamNotFound as fault:
            raise CommandError(str(fault)) from fault
        data = read_file(options["file"])
        try:
            rows = read_patients(data, team=team, at=at)
            if not options["dry_run"]:
                enrol_patients(rows, team=team, by=by, at=at)
        except FileIsFaulty as fault:
            raise CommandError(f"{fault}\nNothing was imported.") from fault
        for row in rows:
            if options["dry_run"] or row.verdict == Verdict.KNOWN:
                self.say(f"row {row.row}: {row.system} {row.value} is {row.verdict}")
        n_known = sum(row.verdict == Verdict.KNOWN for row in rows)
        n_new = len(rows) - n_known
        if options["dry_run"]:
            self.say(f"Would enrol {n_new} patients; {n_known} are known. Nothing was changed.")
        else:
            self.say(f"Enrolled {n_new} patients in “{team}”; {n_known} were known and left alone.")
