"""The operator's door: a care team, and its site when the site is new."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from monitoring.management.operators import OperatorCommand, read_zone
from patients.models import CareTeam, Site
from patients.record.people import add_team


class Command(OperatorCommand):
    help = "Add a care team to a site; a new site is added with it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("site", metavar="SITE")
        parser.add_argument("team", metavar="TEAM")
        parser.add_argument("--zone", required=True, help="time zone of the site: Europe/Berlin")

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        site, team = options["site"].strip(), options["team"].strip()
        if not (0 < len(site) <= 100 and 0 < len(team) <= 100):
            raise CommandError("A site and a team have names of 1 to 100 characters.")
        zone = read_zone(options["zone"])
        known = Site.objects.filter(name__iexact=site).first()
        if known is not None and known.name != site:
            raise CommandError(
                f"The site “{site}” is on record as “{known.name}”. Write it so, or choose another "
                "name: two sites whose names differ in capitals only would be taken for one."
            )
        if known is not None and known.time_zone != zone.key:
            raise CommandError(
                f"The site “{site}” keeps the time of {known.time_zone}, not of {zone.key}. "
                "Its calendar counts the days of its patients and is not changed in passing."
            )
        there = CareTeam.objects.filter(site=known, name__iexact=team).first()
        if known is not None and there is not None:
            raise CommandError(f"The site “{site}” has a team “{there.name}” already.")
        add_team(site=site, name=team, zone=zone, by=by, at=at)
        self.say(f"Added the team “{team}” of “{site}” ({zone.key}).")
