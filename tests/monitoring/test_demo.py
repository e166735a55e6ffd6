"""The demo cohort as a first look meets it; loaded once for all the tests of this module."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.db.models import Count, Max, Min
from pytest_django import DjangoDbBlocker

from monitoring import demo, safety_list
from monitoring.models import Alert, Delivery, Flag, FlagEvent, FlagKind, Outcome, RiskAssessment
from patients.models import (
    Audit,
    Clinician,
    Draw,
    Event,
    Membership,
    Parked,
    Patient,
    Rating,
    Result,
    Site,
    Trial,
)

NOW = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Loaded:
    sign_in: demo.SignIn
    file: Path


@pytest.fixture(scope="module")
def loaded(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Loaded]:
    file = tmp_path_factory.mktemp("demo") / "demo_sign_in.txt"
    with django_db_blocker.unblock(), transaction.atomic():
        sign_in = demo.load(sign_in_file=file, by="operator:ola", at=NOW)
        yield Loaded(sign_in, file)
        transaction.set_rollback(True)


# The mark keeps these tests before those that empty the database for their own purpose
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded")]


def test_sixty_patients_are_marked_as_synthetic() -> None:
    assert Patient.objects.filter(is_synthetic=True).count() == Patient.objects.count() == 60
    assert "(synthetic)" in Site.objects.get().name
    assert not Patient.objects.exclude(family_name__startswith="Synthetic-").exists()


def test_everybody_is_assessed_as_they_stand_now() -> None:
    assert not Patient.objects.stale().exists()
    for standing in Patient.objects.values_list("history_version", "standing__history_version"):
        assert standing[0] == standing[1]


def test_no_mail_is_late_on_the_day_of_loading() -> None:
    doctor = Clinician.objects.get(email=demo.EMAIL)

    cases = safety_list.open_cases(doctor, at=NOW + timedelta(minutes=1))

    assert not [case for case in cases if case.mail_is_late]
    owed = Alert.objects.filter(delivery=None, dropped_at=None)
    assert owed.exists()
    assert not owed.filter(owed_at__lt=NOW).exists()


def test_nothing_comes_from_the_future_and_the_newest_draws_are_some_days_old() -> None:
    newest = Draw.objects.aggregate(at=Max("collected_at"))["at"]

    assert NOW - timedelta(days=7) < newest < NOW - timedelta(days=1)
    for facts in (Draw, Result, Rating, Trial, Event):
        assert facts.objects.aggregate(at=Max("recorded_at"))["at"] < NOW


def test_it_goes_back_half_a_year_and_facts_came_in_when_they_happened() -> None:
    oldest = Draw.objects.aggregate(at=Min("collected_at"))["at"]
    delays = [
        recorded - collected
        for recorded, collected in Draw.objects.filter(superseded_at=None).values_list(
            "recorded_at", "collected_at"
        )
    ]

    assert timedelta(days=160) < NOW - oldest < timedelta(days=175)
    assert max(delays) < timedelta(days=4)


def test_the_assessments_of_a_whole_course_tell_how_it_went() -> None:
    counts = RiskAssessment.objects.values("patient").annotate(n=Count("pk"))

    assert max(row["n"] for row in counts) >= 8
    assert RiskAssessment.objects.dates("made_at", "week").count() >= 10
    assert set(RiskAssessment.objects.values_list("outcome", flat=True)) == set(Outcome.values)


def test_a_corrected_a_censored_and_a_preliminary_result_are_among_them() -> None:
    assert Result.objects.filter(status="corrected", version=2, superseded_at=None).exists()
    assert Result.objects.filter(comparator="<", superseded_at=None).exists()
    assert Result.objects.filter(status="preliminary", superseded_at=None).exists()


def test_two_draws_wait_for_a_person_and_one_of_them_only_for_a_name() -> None:
    waiting = dict(Parked.objects.values_list("accession", "reasons"))

    assert sorted(waiting.values()) == [["unknown_patient"], ["unknown_unit: IU/mL"]]
    [mistyped] = [name for name, reasons in waiting.items() if reasons == ["unknown_patient"]]
    patient = Patient.objects.get(identifiers__value=mistyped.removesuffix("-P1"))
    assert not patient.draws.exists()


def test_old_flags_were_looked_after_and_new_ones_wait() -> None:
    states = set(Flag.objects.values_list("state", flat=True))
    old = Flag.objects.up().filter(raised_at__lt=NOW - timedelta(days=28))

    assert {"raised", "acknowledged", "resolved"} <= states
    # One that new evidence has brought back since waits like a new one
    since = FlagEvent.objects.filter(at__gte=NOW - timedelta(days=28), reason__startswith="+")
    assert not old.filter(state="raised").exclude(pk__in=since.values("flag")).exists()
    assert not FlagEvent.objects.filter(at__gt=NOW).exists()


def test_only_the_last_week_is_owed_to_anybody() -> None:
    owed = Alert.objects.filter(dropped_at=None)

    assert owed.exists()
    assert owed.aggregate(at=Min("owed_at"))["at"] > NOW - timedelta(days=7)
    assert not Delivery.objects.exists()


def test_a_positive_item_raised_the_safety_flag_at_once() -> None:
    for flag in Flag.objects.filter(kind=FlagKind.SAFETY).select_related("patient"):
        assert flag.patient.ratings.filter(recorded_at=flag.raised_at, items__11__gte=1).exists()


def test_the_sign_in_is_this_copys_own_and_for_its_owners_eyes(loaded: Loaded) -> None:
    email, password = loaded.file.read_text().split()

    clinician = Clinician.objects.get(email=email)
    assert (email, password) == ("demo@example.org", loaded.sign_in.password)
    assert len(password) >= 15
    assert clinician.check_password(password)
    assert stat.S_IMODE(loaded.file.stat().st_mode) == 0o600
    assert Membership.objects.filter(clinician=clinician).count() == 2
    assert Patient.objects.visible_to(clinician).count() == 60


def test_the_trail_says_who_loaded_it() -> None:
    line = Audit.objects.get(verb="load_demo")

    assert (line.by, line.at, line.subject) == ("operator:ola", NOW, "patients:60")


def test_where_there_are_patients_nothing_is_loaded() -> None:
    with pytest.raises(CommandError, match="There are patients on record"):
        call_command("load_demo", stdout=StringIO())

    assert Patient.objects.count() == 60
