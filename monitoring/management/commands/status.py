"""The operator's door: what is on record and in hand, and whether every part is well."""

import json
from argparse import ArgumentParser
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from monitoring import vital_signs
from monitoring.management.operators import OperatorCommand


class Command(OperatorCommand):
    help = "Say what is on record and in hand, and whether every part is well."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object, for programs")

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        signs = vital_signs.take(at=at)
        # What cannot be asked is null and not nought
        counts: dict[str, Any] = {each.name: None for each in fields(vital_signs.Counts)}
        if signs.database == vital_signs.OK:
            counts = asdict(vital_signs.count(at=at))
        found = {**counts, **signs.said}
        if options["json"]:
            self.say(json.dumps(found))
            return
        width = max(map(len, found))
        for name, value in found.items():
            self.say(f"{name.replace('_', ' '):<{width}}  {_in_words(value)}")


def _in_words(value: Any) -> str:
    match value:
        case None:
            return "not known"
        case float():
            return f"{value:.0f}"
        case dict():
            return ", ".join(f"{kind} {n}" for kind, n in value.items()) or "none"
        case _:
            return str(value)
