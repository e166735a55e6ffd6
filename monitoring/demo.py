"""The synthetic demo cohort: its half year is lived through again, by the verbs that do real work.

Facts arrive in the order in which they would have arrived, patients are assessed every two weeks
as they stood then, and flags are tended, so that every page has something true to show.
"""

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from django.db import transaction
from django.db.models.functions import Greatest

from analytics.simulation import SimulatedCohort, simulate_demo_cohort
from monitoring import flags, ingest, safety
from monitoring.demo_laboratory import messages
from monitoring.models import (
    AcknowledgeReason,
    Alert,
    Behaviour,
    Contact,
    Finding,
    Flag,
    FlagKind,
    FlagState,
    Ideation,
    SafetyAction,
)
from monitoring.outcomes import Outcome, answered_at
from monitoring.recompute import assess_stale_patients
from patients import audit
from patients.intake.reception import Sender
from patients.models import CareTeam, Clinician, EventKind, Patient, Role, Sex, StopReason, Trial
from patients.record import patients as people_under_treatment
from patients.record.events import record_event
from patients.record.laboratories import add_laboratory
from patients.record.people import add_clinician, add_team, join_team, set_operator
from patients.record.treatment import record_trial, stop_trial

SEED = 7
ZONE = ZoneInfo("Europe/Berlin")
SITE = "Demo clinic (synthetic)"
TEAMS = ("Mood disorders", "Day clinic")
LABORATORY = "Synthetic Laboratory"
EMAIL = "demo@example.org"
COLLEAGUE = "nurse@example.org"
NUMBERS = "urn:demo:mrn"
MORNING = time(8)
STEP = timedelta(days=14)
# Flags of the last week are news; what the replay raised before was looked after in its own time
LAST_STEP = timedelta(days=7)
LETTERS = "23456789abcdefghjkmnpqrstvwxyz"  # none that looks like another


class PatientsExist(Exception):
    """There are patients on record; the demo cohort is only loaded where there is nobody."""


@dataclass(frozen=True)
class SignIn:
    """How to look at the demo."""

    email: str
    password: str

    def write(self, path: Path) -> None:
        """Write both on one line, for the eyes of the owner of this copy only."""
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(f"{self.email} {self.password}\n")


@dataclass(frozen=True)
class _Deed:
    """Something that happened at one moment, ready to be done again."""

    at: datetime
    do: Callable[[datetime], object]


@dataclass
class _Clinic:
    """Who works at the demo clinic, and who has come to it so far."""

    teams: list[CareTeam]
    doctor: Clinician
    patients: dict[str, Patient] = field(default_factory=dict)
    trials: dict[int, Trial] = field(default_factory=dict)

    @property
    def by(self) -> str:
        return audit.name_of(self.doctor)


@transaction.atomic
def load(*, sign_in_file: Path, by: str, at: datetime) -> SignIn:
    """Load the demo cohort, assess everybody, and say how to sign in; all of it or nothing."""
    if Patient.objects.exists():
        message = "There are patients on record; the demo cohort is for an empty copy."
        raise PatientsExist(message)
    cohort = simulate_demo_cohort(seed=SEED)
    sign_in = SignIn(EMAIL, "-".join(_random_word() for _ in range(4)))
    clinic = _open_clinic(sign_in, by=by, at=at)
    laboratory = add_laboratory(name=LABORATORY, zone=ZONE, pushes_per_minute=None, by=by, at=at)
    opened = _first_doses(cohort, at=at)
    deeds = [
        *_enrolments(cohort, clinic, opened),
        *_trials(cohort, clinic, opened),
        *_events(cohort, clinic, opened),
        *_ratings(cohort, clinic, opened),
        *_pushes(cohort, opened, sender=Sender(laboratory.pk, key_id=None, zone=ZONE), at=at),
    ]
    _live_through(sorted(deeds, key=lambda deed: deed.at), clinic, until=at)
    audit.write(verb="load_demo", subject=f"patients:{len(clinic.patients)}", by=by, at=at)
    sign_in.write(sign_in_file)
    return sign_in


def _random_word() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(4))


def _open_clinic(sign_in: SignIn, *, by: str, at: datetime) -> _Clinic:
    teams = [add_team(site=SITE, name=name, zone=ZONE, by=by, at=at) for name in TEAMS]
    doctor = add_clinician(
        email=sign_in.email,
        full_name="Dr. Demo",
        password=sign_in.password,
        team=teams[0],
        role=Role.PSYCHIATRIST,
        by=by,
        at=at,
    )
    join_team(clinician=doctor, team=teams[1], role=Role.PSYCHIATRIST, by=by, at=at)
    # Whoever looks at the demo sees the pages of laboratories too
    set_operator(clinician=doctor, is_operator=True, by=by, at=at)
    add_clinician(
        email=COLLEAGUE,
        full_name="Nurse Demo",
        password=secrets.token_urlsafe(32),  # nobody is told: a colleague to see, not to be
        team=teams[1],
        role=Role.NURSE,
        by=by,
        at=at,
    )
    return _Clinic(teams=teams, doctor=doctor)


# When things happened


def _first_doses(cohort: SimulatedCohort, *, at: datetime) -> dict[str, datetime]:
    """Place each first dose so that nothing is known after yesterday morning."""
    yesterday = at.astimezone(ZONE).date() - timedelta(days=1)
    return {
        row.patient: _morning_of(yesterday - timedelta(days=row.followed_days))
        for row in _rows(cohort.patients)
    }


def _morning_of(day: date) -> datetime:
    return datetime.combine(day, MORNING, tzinfo=ZONE)


def _rows(table: pd.DataFrame) -> Iterator[Any]:
    return iter(table.itertuples(index=False))


def _day(days: float) -> timedelta:
    return timedelta(days=float(days))


# What happened


def _enrolments(
    cohort: SimulatedCohort, clinic: _Clinic, opened: dict[str, datetime]
) -> Iterator[_Deed]:
    for place, row in enumerate(_rows(cohort.patients)):

        def enrol(at: datetime, row: Any = row, place: int = place) -> None:
            clinic.patients[row.patient] = people_under_treatment.enrol(
                team=clinic.teams[place % len(clinic.teams)],
                identifiers=[(NUMBERS, row.patient)],
                family_name=row.family,
                given_name=row.given,
                birth_date=date(int(row.birth_year), 1 + place % 12, 1 + place % 28),
                sex=Sex(row.sex),
                started_on=opened[row.patient].date(),
                is_synthetic=True,
                by=clinic.by,
                at=at,
            )

        yield _Deed(opened[row.patient] - timedelta(minutes=30), enrol)


def _trials(
    cohort: SimulatedCohort, clinic: _Clinic, opened: dict[str, datetime]
) -> Iterator[_Deed]:
    """The raising of the dose is written down with the prescription, as a plan is."""
    steps: dict[int, list[Any]] = defaultdict(list)
    for step in _rows(cohort.dose_steps):
        steps[step.trial].append(step)
    for row in _rows(cohort.trials):
        first = opened[row.patient]
        doses = [((first + _day(step.day)).date(), step.dose_mg) for step in steps[row.trial]]

        def start(at: datetime, row: Any = row, doses: Any = doses) -> None:
            clinic.trials[row.trial] = record_trial(
                patient=clinic.patients[row.patient],
                drug=row.drug,
                atc=row.atc,
                started_on=at.date(),
                doses=doses,
                by=clinic.by,
                at=at,
            )

        def stop(at: datetime, row: Any = row) -> None:
            stop_trial(
                trial=clinic.trials[row.trial],
                stopped_on=at.date(),
                stop_reason=StopReason(row.stop_reason),
                by=clinic.by,
                at=at,
            )

        yield _Deed(first + _day(row.start_day), start)
        if pd.notna(row.stop_day):
            yield _Deed(first + _day(row.stop_day), stop)


def _events(
    cohort: SimulatedCohort, clinic: _Clinic, opened: dict[str, datetime]
) -> Iterator[_Deed]:
    """The clinic hears of an event when it is over, or at its beginning when it is to last."""
    for row in _rows(cohort.events[cohort.events["is_recorded"]]):
        first = opened[row.patient]
        started_at, has_stopped = first + _day(row.start_day), pd.notna(row.stop_day)
        heard_at = first + _day(row.stop_day) if has_stopped else started_at

        def record(at: datetime, row: Any = row, began: datetime = started_at) -> None:
            record_event(
                patient=clinic.patients[row.patient],
                kind=EventKind(row.kind),
                atc=row.atc,
                started_on=began.date(),
                stopped_on=at.date() if at > began else None,
                by=clinic.by,
                at=at,
            )

        yield _Deed(heard_at, record)


def _ratings(
    cohort: SimulatedCohort, clinic: _Clinic, opened: dict[str, datetime]
) -> Iterator[_Deed]:
    for row in _rows(cohort.ratings):

        def rate(at: datetime, row: Any = row) -> None:
            ingest.receive_rating(
                patient=clinic.patients[row.patient],
                instrument=row.instrument,
                rated_at=at.replace(second=0, microsecond=0),
                items=[int(getattr(row, f"q{number}")) for number in range(1, 17)],
                by=clinic.by,
                at=at,
            )

        yield _Deed(opened[row.patient] + _day(row.day), rate)


def _pushes(
    cohort: SimulatedCohort, opened: dict[str, datetime], *, sender: Sender, at: datetime
) -> Iterator[_Deed]:
    for message in messages(cohort, opened, sender=sender, numbers=NUMBERS, at=at):
        yield _Deed(message.at, message.push)


# How the half year went


def _live_through(deeds: list[_Deed], clinic: _Clinic, *, until: datetime) -> None:
    """Do everything in its order; every two weeks assess, and tend what was raised before.

    Alerts of the past are dropped, for that mail would have been read long ago: only the flags of
    the last week are owed to anybody, and they come in one mail. This copy begins to owe them now,
    and not on the day of the story.
    """
    coming = iter(deeds)
    deed = next(coming, None)
    for step_ends_at in _step_ends(deeds[0].at, until=until):
        while deed is not None and deed.at <= step_ends_at:
            deed.do(deed.at)
            deed = next(coming, None)
        if step_ends_at == until:
            break
        assess_stale_patients(at=step_ends_at, at_most=len(clinic.patients))
        _tend_flags(clinic.doctor, at=step_ends_at)
        Alert.objects.filter(delivery=None, dropped_at=None).update(dropped_at=step_ends_at)
    assess_stale_patients(at=until, at_most=len(clinic.patients))
    Alert.objects.filter(delivery=None, dropped_at=None, owed_at__lt=until).update(
        owed_at=until, due_at=Greatest("due_at", until)
    )


def _step_ends(start: datetime, *, until: datetime) -> list[datetime]:
    """Count the steps back from today, so that the last one is the last week."""
    ends = [until, until - LAST_STEP]
    while ends[-1] - STEP > start:
        ends.append(ends[-1] - STEP)
    return ends[::-1]


def _seen_the_same_day(doctor: Clinician, *, at: datetime) -> Outcome:
    return Outcome(
        assessed_at=at - timedelta(hours=1),
        assessed_by=str(doctor),
        contact=Contact.IN_PERSON,
        instrument="Clinical interview",
        ideation=Ideation.LEVEL_1,
        behaviour=Behaviour.NONE_FOUND,
        plan=Finding.NONE_FOUND,
        means=Finding.NONE_FOUND,
        actions=[SafetyAction.SAFETY_PLAN, SafetyAction.EARLY_VISIT],
        note="Seen the same day; safety plan written, next visit brought forward. (Synthetic)",
        next_contact_on=(at + timedelta(days=3)).date(),
    )


def _tend_flags(doctor: Clinician, *, at: datetime) -> None:
    """Act, in hindsight, on what has been up for two weeks; one in four is only looked at."""
    waiting = Flag.objects.up().filter(
        raised_at__lte=at - STEP, state__in=[FlagState.RAISED, FlagState.SEEN]
    )
    for place, flag in enumerate(waiting.order_by("pk")):
        if flag.kind == FlagKind.SAFETY:
            answered = answered_at(flag) or flag.raised_at
            seen = max(flag.raised_at, answered) + timedelta(hours=3)
            safety.close(
                flag=flag,
                version=flag.version,
                outcome=_seen_the_same_day(doctor, at=seen),
                by=doctor,
                at=seen,
            )
        elif place % 4 < 3:
            reason = AcknowledgeReason.REVIEWING if place % 2 else AcknowledgeReason.KNOWN
            flags.acknowledge(
                flag=flag,
                version=flag.version,
                reason=reason,
                plan="Discussed in the team; next visit brought forward. (Synthetic)",
                by=doctor,
                at=flag.raised_at + timedelta(days=1),
            )
        elif flag.state == FlagState.RAISED:
            flags.see(
                flag=flag,
                version=flag.version,
                by=doctor,
                at=flag.raised_at + timedelta(days=1),
            )
