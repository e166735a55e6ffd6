"""People under treatment: enrolled, known by numbers, followed in episodes."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError

from patients.models import Audit, CareTeam, Episode, Identifier, Patient, PatientStatus, Sex
from patients.record.patients import (
    IdentifierTaken,
    add_identifier,
    change_status,
    enrol,
    start_episode,
)
from tests.conftest import MONDAY

pytestmark = pytest.mark.django_db

BY = "clinician:7"


def _enrol(team: CareTeam, *, number: str = "0099", started_on: date | None = None) -> Patient:
    return enrol(
        team=team,
        identifiers=[("urn:clinic:mrn", number)],
        family_name="Imagined",
        given_name="Jo",
        birth_date=None,
        sex=Sex.UNKNOWN,
        started_on=started_on,
        by=BY,
        at=MONDAY,
    )


def test_a_new_patient_is_found_by_the_number_and_waits_for_an_assessment(team: CareTeam) -> None:
    patient = _enrol(team, started_on=date(2026, 10, 1))

    patient.refresh_from_db()
    assert Identifier.objects.get(system="urn:clinic:mrn", value="0099").patient == patient
    assert Episode.objects.get().started_on == date(2026, 10, 1)
    assert patient.history_version > 0
    assert patient.stale_since == MONDAY


def test_a_patient_may_come_before_the_first_dose(team: CareTeam) -> None:
    patient = _enrol(team, started_on=None)

    assert not patient.episodes.exists()


def test_a_number_names_one_patient(team: CareTeam, patient: Patient) -> None:
    with pytest.raises(IdentifierTaken):
        _enrol(team, number="0042")

    assert Patient.objects.count() == 1


def test_a_patient_may_be_known_by_several_numbers(patient: Patient) -> None:
    add_identifier(patient=patient, system="urn:insurer", value="X-1", by=BY, at=MONDAY)

    numbers = set(patient.identifiers.values_list("system", "value"))
    assert numbers == {("urn:clinic:mrn", "0042"), ("urn:insurer", "X-1")}


def test_a_refused_number_leaves_no_trace(patient: Patient) -> None:
    lines = Audit.objects.count()

    with pytest.raises(IdentifierTaken):
        add_identifier(patient=patient, system="urn:clinic:mrn", value="0042", by=BY, at=MONDAY)

    assert Audit.objects.count() == lines


def test_one_episode_is_open_at_a_time(patient: Patient) -> None:
    with pytest.raises(IntegrityError, match="a_patient_has_one_open_episode"):
        start_episode(patient=patient, started_on=date(2026, 10, 20), by=BY, at=MONDAY)


@pytest.mark.parametrize(
    "status", [PatientStatus.TRANSFERRED, PatientStatus.DECEASED, PatientStatus.WITHDRAWN]
)
def test_a_change_of_status_is_a_change_of_the_record(
    patient: Patient, status: PatientStatus
) -> None:
    patient.refresh_from_db()
    version = patient.history_version

    change_status(patient=patient, status=status, by=BY, at=MONDAY)

    patient.refresh_from_db()
    assert (patient.status, patient.history_version) == (status, version + 1)
    line = Audit.objects.get(verb="change_status")
    assert (line.by, line.patient_id, line.detail) == (BY, patient.pk, {"status": status.value})


def test_waiting_counts_from_the_first_change_that_nobody_has_seen(patient: Patient) -> None:
    later = MONDAY + timedelta(hours=5)

    add_identifier(patient=patient, system="urn:insurer", value="X-1", by=BY, at=later)
    change_status(patient=patient, status=PatientStatus.TRANSFERRED, by=BY, at=later)

    patient.refresh_from_db()
    assert patient.stale_since == MONDAY


def test_the_trail_carries_no_name_and_no_number(team: CareTeam) -> None:
    _enrol(team, number="canary-4711", started_on=date(2026, 10, 1))

    written = str(list(Audit.objects.values()))

    assert "Imagined" not in written
    assert "canary-4711" not in written
