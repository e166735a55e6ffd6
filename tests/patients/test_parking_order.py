"""A parked draw is the older word where the laboratory has spoken of the same draw since."""

from datetime import timedelta

import psycopg
import pytest
from django.db import connection

from patients.intake.parking import match
from patients.models import Clinician, Parked, Patient, Result
from tests.conftest import MONDAY, Push, draw
from tests.factories import ClinicianFactory, PatientFactory
from tests.patients.test_intake import current_results, message

pytestmark = pytest.mark.django_db
LATER = MONDAY + timedelta(hours=1)


@pytest.fixture
def clinician(patient: Patient) -> Clinician:
    return ClinicianFactory.create(teams=[patient.team])


def test_what_waited_does_not_replace_a_value_that_came_after_it(
    push: Push, patient: Patient, clinician: Clinician
) -> None:
    push(message(draw(mrn="9999", value="30.00")))
    push(message(draw(value="37.50")), at=LATER)

    match(parked=Parked.objects.get(), patient=patient, by=clinician, at=LATER)

    assert [result.sent_value for result in current_results()] == ["37.50"]
    [older] = Result.objects.exclude(superseded_at=None)
    assert (older.sent_value, older.version) == ("30.00", 2)
    assert older.superseded_by == current_results()[0]


def test_of_two_that_waited_the_later_stays_on_record(
    push: Push, patient: Patient, clinician: Clinician
) -> None:
    push(message(draw(mrn="9999", value="30.00")))
    push(message(draw(mrn="9999", value="37.50")), at=LATER)
    earlier, later = Parked.objects.order_by("parked_at")

    match(parked=later, patient=patient, by=clinician, at=LATER)
    match(parked=earlier, patient=patient, by=clinician, at=LATER)

    assert [result.sent_value for result in current_results()] == ["37.50"]


def test_a_correction_that_waited_is_put_on_record(
    push: Push, patient: Patient, clinician: Clinician
) -> None:
    push(message(draw(value="30.00")))
    push(message(draw(mrn="9999", value="37.50")), at=LATER)

    match(parked=Parked.objects.get(), patient=patient, by=clinician, at=LATER)

    assert [result.sent_value for result in current_results()] == ["37.50"]


def test_what_waited_and_says_the_same_is_placed(
    push: Push, patient: Patient, clinician: Clinician
) -> None:
    push(message(draw(mrn="9999")))
    push(message(draw()), at=LATER)

    match(parked=Parked.objects.get(), patient=patient, by=clinician, at=LATER)

    assert Parked.objects.get().state == "matched"
    assert len(current_results()) == 1


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_matching_waits_for_no_other_patient_than_the_one_that_was_named(
    push: Push, patient: Patient, clinician: Clinician
) -> None:
    push(message(draw(mrn="9999")))
    numbered = PatientFactory.create(team=patient.team)
    numbered.identifiers.create(system="urn:clinic:mrn", value="9999", since=MONDAY)

    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT FROM patients_patient WHERE id = %s FOR UPDATE", [numbered.pk])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        match(parked=Parked.objects.get(), patient=patient, by=clinician, at=LATER)
        connection.close()

    assert Parked.objects.get().state == "matched"
