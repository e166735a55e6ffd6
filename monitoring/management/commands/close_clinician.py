"""The operator's door: somebody leaves, or comes back."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from monitoring import leavers
from monitoring.management.operators import OperatorCommand
from patients import audit
from patients.models import Clinician, Laboratory, TeamKey


class Command(OperatorCommand):
    help = (
        "Let a clinician sign in no longer: every sign-in ends at once, and what they had in hand "
        "or were owed goes to others."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument(
            "--successor", metavar="EMAIL", help="who takes over; otherwise their teams do"
        )
        parser.add_argument(
            "--leave-nobody-to-alert",
            action="store_true",
            help="also where safety alerts of a team would reach nobody then",
        )
        parser.add_argument("--undo", action="store_true", help="let them sign in again")

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        clinician = _find(options["email"])
        if options["undo"]:
            self._reopen(clinician, by=by, at=at)
            return
        if not clinician.is_active:
            raise CommandError(f"{clinician.email} is closed already.")
        successor = _find(options["successor"]) if options["successor"] else None
        try:
            left = leavers.close(
                clinician,
                successor=successor,
                may_leave_nobody_to_alert=options["leave_nobody_to_alert"],
                by=by,
                at=at,
            )
        except leavers.CannotLeave as fault:
            raise CommandError(f"{clinician.email} was not closed: {fault}.") from fault
        self._say_what_became(clinician, successor, left)

    def _reopen(self, clinician: Clinician, *, by: str, at: datetime) -> None:
        if clinician.is_active:
            raise CommandError(f"{clinician.email} signs in as it is.")
        leavers.reopen(clinician, by=by, at=at)
        self.say(
            f"{clinician.email} signs in again, in the teams of before and with the old password. "
            "What went to others stays with them."
        )

    def _say_what_became(
        self, clinician: Clinician, successor: Clinician | None, left: leavers.Left
    ) -> None:
        whom = (
            f"{successor.email}, and where they are no member the team" if successor else "the team"
        )
        self.say(f"{clinician.email} signs in no longer. Sign-ins ended: {left.sign_ins_ended}.")
        self.say(
            f"Gone to {whom}: safety flags {left.safety_flags}, other flags in hand {left.flags}, "
            f"unsent alerts {left.alerts_passed_on}, patients of whom they were the named "
            f"clinician {left.patients_renamed}."
        )
        if left.alerts_for_nobody:
            self.say(f"Unsent alerts that nobody is left to get: {left.alerts_for_nobody}.")
        for warning in left.warnings:
            self.say(warning)
        for key in _keys_issued_by(clinician):
            self.say(f"They issued {key} and may have kept it: revoke it if that is to be feared.")


def _find(email: str) -> Clinician:
    found = Clinician.objects.filter(email__iexact=email.strip()).first()
    if found is None:
        raise CommandError(f"Nobody is on record as {email}.")
    return found


def _keys_issued_by(clinician: Clinician) -> list[str]:
    name = audit.name_of(clinician)
    laboratories = Laboratory.objects.filter(keys__issued_by=name, keys__revoked_at=None)
    teams = TeamKey.objects.filter(issued_by=name, revoked_at=None)
    return [
        *(f"a key of the laboratory “{each}”" for each in laboratories.distinct().order_by("name")),
        *(f"the key “{each.name}” of “{each.team}”" for each in teams.select_related("team__site")),
    ]
