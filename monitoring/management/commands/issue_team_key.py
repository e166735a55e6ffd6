"""The operator's door: a key for a clinic's own system, shown this once."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from monitoring.management.operators import OperatorCommand
from patients.record.people import TeamNotFound, find_team
from patients.record.team_keys import MAY, TeamKeyExists, issue_team_key

NAME_AT_MOST = 100
_FOR = {"send": "ratings", "read": "explanations", "both": "ratings and explanations"}


class Command(OperatorCommand):
    help = (
        "Issue a key by which a system of the clinic sends ratings of a team's patients, or reads "
        "the explanations of their assessments; the last line is the key, and it is not kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="which system will show it")
        parser.add_argument("--team", required=True, help="TEAM, or SITE/TEAM")
        parser.add_argument(
            "--may",
            choices=MAY,
            default="send",
            help="send ratings (the default), read explanations, or both",
        )

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        name = options["name"].strip()
        if not (0 < len(name) <= NAME_AT_MOST and name.isprintable()):
            raise CommandError(f"NAME must be a word or a few, at most {NAME_AT_MOST} characters.")
        try:
            team = find_team(options["team"])
            key = issue_team_key(team=team, name=name, scopes=MAY[options["may"]], by=by, at=at)
        except TeamNotFound as fault:
            raise CommandError(str(fault)) from fault
        except TeamKeyExists as fault:
            message = f"“{name}” has a live key of this team; revoke it first: revoke_team_key"
            raise CommandError(message) from fault
        self.say(
            f"Key of “{name}” for {_FOR[options['may']]} of “{team}”. It is shown this once; only "
            "a digest of it is kept."
        )
        self.say(key)
