"""What all commands of operators share: who acts, when, and how a refusal is said."""

import os
import pwd
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.utils import timezone

from patients.models import Laboratory
from patients.models.people import check_time_zone
from patients.scopes import EVERYTHING, in_order


def operator() -> str:
    """Name the operator in the audit trail by the account that runs the command."""
    uid = os.getuid()
    try:
        account = pwd.getpwuid(uid).pw_name
    except KeyError:  # a container may run under a number that has no name
        account = str(uid)
    return f"operator:{account}"


class OperatorCommand(BaseCommand):
    """A command that reads the clock, names the operator, and refuses with a sentence."""

    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        try:
            self.act(by=operator(), at=timezone.now(), **options)
        except OperationalError as fault:
            reason = str(fault).strip().splitlines()[0] if str(fault) else type(fault).__name__
            message = (
                f"The database does not answer ({reason}). Is Soundings running? Start it with "
                "make run, and give this command the same VAR or DATABASE_URL."
            )
            raise CommandError(message) from fault

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        raise NotImplementedError

    def say(self, line: str) -> None:
        self.stdout.write(line)


def read_zone(name: str) -> ZoneInfo:
    """Read the name of a time zone, or say what one looks like."""
    try:
        check_time_zone(name)
    except ValidationError as fault:
        raise CommandError(fault.messages[0]) from fault
    return ZoneInfo(name)


def find_laboratory(name: str) -> Laboratory:
    """Find a laboratory by its name, or say which there are."""
    try:
        return Laboratory.objects.get(name=name)
    except Laboratory.DoesNotExist as fault:
        known = ", ".join(Laboratory.objects.order_by("name").values_list("name", flat=True))
        message = f"There is no laboratory “{name}”; known: {known or 'none yet'}."
        raise CommandError(message) from fault


def add_scopes(parser: ArgumentParser) -> None:
    """Let an operator say what a key, client or certificate may do."""
    parser.add_argument(
        "--scopes",
        default=EVERYTHING,
        metavar="LETTERS",
        help="c create, u update (correct), r read own results; cur without the option",
    )


def read_scopes(letters: str) -> str:
    """Read what may be done, or say how it is written."""
    found = in_order(letters)
    if not found or set(letters) != set(found):
        message = (
            "--scopes is made of the letters c (create), u (update) and r (read): cu, for one."
        )
        raise CommandError(message)
    return found


def read_file(name: str) -> bytes:
    """Read a file that was named on the command line."""
    try:
        return Path(name).read_bytes()
    except OSError as fault:
        raise CommandError(f"{name} cannot be read: {fault.strerror}.") from fault
