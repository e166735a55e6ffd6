"""The operator's door: a cohort without names, for a researcher who sees no patient here."""

from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from monitoring.exports import NobodyToExport, export_cohort
from monitoring.management.operators import OperatorCommand
from patients.models import Patient
from patients.record.people import TeamNotFound, find_team


class Command(OperatorCommand):
    help = "Write the histories of a team's patients, without names, for research."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", metavar="FOLDER", help="a new folder")
        parser.add_argument("--team", required=True, help="TEAM, or SITE/TEAM")
        parser.add_argument("--recipient", required=True, help="who gets it; kept in the trail")
        parser.add_argument("--purpose", required=True, help="what for; kept in the trail")

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        folder = Path(options["folder"])
        recipient, purpose = options["recipient"].strip(), options["purpose"].strip()
        if not (recipient and purpose):
            raise CommandError("--recipient and --purpose must not be empty. Nothing was written.")
        if folder.exists() or not folder.absolute().parent.is_dir():
            raise CommandError(f"{folder} must be a new folder in one that is there.")
        try:
            patients = list(Patient.objects.filter(team=find_team(options["team"])).order_by("pk"))
            done = export_cohort(
                patients, into=folder, recipient=recipient, purpose=purpose, by=by, at=at
            )
        except TeamNotFound as fault:
            raise CommandError(str(fault)) from fault
        except NobodyToExport as fault:
            message = "Nobody of this team has had a first dose. Nothing was written."
            raise CommandError(message) from fault
        self.say(
            f"Wrote {done.patients} patients without names into {folder}; "
            f"{done.without_first_dose} without a first dose were left out."
        )
        self.say("Few people with rare courses can still be known by them: treat it as personal.")
