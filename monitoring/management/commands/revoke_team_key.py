"""The operator's door: a key of a care team that no longer opens."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from monitoring.management.operators import OperatorCommand
from patients.record.people import TeamNotFound, find_team
from patients.record.team_keys import TeamKeyNotFound, revoke_team_key


class Command(OperatorCommand):
    help = "Revoke the key of a system that sends ratings; at once and for good."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--team", required=True, help="TEAM, or SITE/TEAM")

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        name = options["name"].strip()
        try:
            team = find_team(options["team"])
            hint = revoke_team_key(team=team, name=name, by=by, at=at)
        except TeamNotFound as fault:
            raise CommandError(str(fault)) from fault
        except TeamKeyNotFound as fault:
            raise CommandError(f"“{name}” has no live key of this team.") from fault
        self.say(f"Revoked the key {hint}… of “{name}”.")
