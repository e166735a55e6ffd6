"""The operator's door: the profile of a laboratory from a JSON file, created or updated."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from monitoring import ingest
from monitoring.management.operators import OperatorCommand, read_file
from patients.intake import strict_json
from patients.models import Laboratory
from patients.record.profile_document import FaultyProfile, read_profile
from patients.record.profiles import differences, refuse_other_letters


class Command(OperatorCommand):
    help = (
        "Create a laboratory, or bring its profile to what FILE.json says; a field that is left "
        "out stays as it is. See docs/reference/laboratory-profile.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE.json")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would change, and change nothing"
        )

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        try:
            document = read_profile(strict_json.load(read_file(options["file"])))
            refuse_other_letters(document.name)
        except strict_json.Unreadable as fault:
            message = f"{options['file']} is not JSON: {fault}. Nothing was changed."
            raise CommandError(message) from fault
        except FaultyProfile as fault:
            lines = [f"{where or '/'}: {what}" for where, what in fault.faults]
            raise CommandError("\n".join([*lines, "Nothing was changed."])) from fault
        if options["dry_run"]:
            known = Laboratory.objects.filter(name=document.name).first()
            for line in differences(document, known) or ["nothing would change"]:
                self.say(line)
            self.say("Nothing was changed.")
            return
        done = ingest.change_laboratory(document, by=by, at=at)
        laboratory = done.laboratory
        for line in done.words or ["nothing to change"]:
            self.say(line)
        if done.placed:
            self.say(f"{done.placed} draws that waited are on record now.")
        if done.waiting:
            self.say(f"{done.waiting} more are tried by the workers.")
        if not laboratory.keys.filter(revoked_at=None).exists():
            self.say(f"“{laboratory.name}” has no key yet: issue_key “{laboratory.name}”")
