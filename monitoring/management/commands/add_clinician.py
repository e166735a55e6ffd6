"""The operator's door: somebody who signs in, or who joins one more team."""

import sys
from argparse import ArgumentParser
from datetime import datetime
from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.core.validators import validate_email

from monitoring.management.operators import OperatorCommand
from patients.models import CareTeam, Clinician, Role
from patients.record.people import TeamNotFound, add_clinician, find_team, join_team


class Command(OperatorCommand):
    help = "Add a clinician to a team; one who is there already joins the further team."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--team", required=True, help="TEAM, or SITE/TEAM")
        parser.add_argument("--role", default=Role.PSYCHIATRIST.value, help=", ".join(Role.values))
        parser.add_argument("--name", default="", help="as it is shown to colleagues")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input"
        )

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        email, role = options["email"].strip(), _read_role(options["role"])
        try:
            team = find_team(options["team"])
        except TeamNotFound as fault:
            raise CommandError(str(fault)) from fault
        clinician = Clinician.objects.filter(email__iexact=email).first()
        if clinician is not None:
            self._join(clinician, team=team, role=role, by=by, at=at)
            return
        name = options["name"].strip()
        new = Clinician(email=_check_email(email), full_name=_check_name(name))
        password = _read_line() if options["password_stdin"] else _ask_twice()
        try:
            validate_password(password, user=new)
        except ValidationError as fault:
            raise CommandError(" ".join(fault.messages)) from fault
        add_clinician(
            email=email, full_name=name, password=password, team=team, role=role, by=by, at=at
        )
        self.say(f"Added {email} to “{team}” as {role.label}.")

    def _join(
        self, clinician: Clinician, *, team: CareTeam, role: Role, by: str, at: datetime
    ) -> None:
        if not clinician.is_active:
            raise CommandError(f"{clinician.email} is on record, but may not sign in any more.")
        if clinician.memberships.filter(team=team, role=role).exists():
            raise CommandError(f"{clinician.email} is in “{team}” already, as {role.label}.")
        join_team(clinician=clinician, team=team, role=role, by=by, at=at)
        self.say(
            f"{clinician.email} was on record and is in “{team}” now, as {role.label}; "
            "the password stays."
        )


def _read_role(name: str) -> Role:
    try:
        return Role(name)
    except ValueError as fault:
        message = f"There is no role “{name}”; known: {', '.join(Role.values)}."
        raise CommandError(message) from fault


def _check_email(email: str) -> str:
    try:
        validate_email(email)
    except ValidationError as fault:
        raise CommandError(f"“{email}” is not an e-mail address.") from fault
    return email


def _check_name(name: str) -> str:
    if len(name) > 150:
        raise CommandError("A name has at most 150 characters.")
    return name


def _read_line() -> str:
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise CommandError("--password-stdin was given, but standard input holds no password.")
    return password


def _ask_twice() -> str:
    if not sys.stdin.isatty():
        raise CommandError("There is nobody to ask for a password; use --password-stdin.")
    password = getpass("Password: ")
    if getpass("The same again: ") != password:
        raise CommandError("The two passwords are not the same.")
    return password
