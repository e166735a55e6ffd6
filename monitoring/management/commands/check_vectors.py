"""The reader's door: the published vectors, or a stranger's, held against this program."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from monitoring.vectors import (
    KINDS,
    GivenIsUnfit,
    VectorsAreUnfit,
    answer,
    first_difference,
    read_vectors,
)

PUBLISHED = Path(settings.BASE_DIR) / "docs/reference/vectors"


class Command(BaseCommand):
    help = "Hold this program against published vectors; stop at the first that differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "directory",
            nargs="?",
            type=Path,
            default=PUBLISHED,
            help="a directory of vectors; left out: those of docs/reference/vectors",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            cases = read_vectors(options["directory"], kinds=KINDS)
        except VectorsAreUnfit as fault:
            raise CommandError(str(fault)) from None
        for number, case in enumerate(cases, start=1):
            try:
                got = answer(case.kind, case.given)
            except GivenIsUnfit as fault:
                message = (
                    f"{case.file}, “{case.name}”: what is given cannot be read as {case.kind} "
                    f"({fault}); wanted: the form in docs/reference/vectors.md"
                )
                raise CommandError(message) from fault
            differs = first_difference(case.expected, got, tolerance=case.tolerance)
            if differs is not None:
                message = (
                    f"{case.file}, “{case.name}”: {differs}\n"
                    f"expected by: {case.source}\n"
                    f"{number - 1} of {len(cases)} cases agreed before it"
                )
                raise CommandError(message)
        files = len({case.file for case in cases})
        self.stdout.write(f"{len(cases)} cases in {files} files agree.")
