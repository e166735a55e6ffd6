"""What waited is placed by itself once its patient is enrolled or its code is known."""

import pytest

from monitoring import ingest
from monitoring.imports.patients import enrol_patients, read_patients
from patients.models import CareTeam, Clinician, Laboratory, Parked, Patient, Result
from patients.record.patients import add_identifier
from patients.record.profiles import read_profile
from tests.conftest import MONDAY, Push, draw
from tests.factories import ClinicianFactory
from tests.patients.observations import observation, take
from tests.patients.test_intake import message

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinician(team: CareTeam) -> Clinician:
    return ClinicianFactory.create(teams=[team])


def test_an_import_of_patients_places_what_waited_for_them(
    push: Push, team: CareTeam, laboratory: Laboratory
) -> None:
    push(message(draw(mrn="0042")))
    push(message(draw(accession="A-99", mrn="9999")))
    table = b"system,value,family,given,birth_date,sex,started_on\nurn:clinic:mrn,0042,A,B,,,\n"

    enrol_patients(read_patients(table, team=team, at=MONDAY), team=team, by="operator", at=MONDAY)

    placed = Parked.objects.get(accession="A-17")
    assert (placed.state, placed.ended_by) == ("matched", "rule:replay")
    assert Result.objects.get().draw == placed.draw
    assert Parked.objects.get(accession="A-99").state == "waiting"


def test_the_sweep_finds_what_an_enrolment_at_the_same_moment_missed(
    push: Push, patient: Patient
) -> None:
    push(message(draw(mrn="9999")))
    add_identifier(patient=patient, system="urn:clinic:mrn", value="9999", by="operator", at=MONDAY)

    assert ingest.replay_parked(at=MONDAY) == 1
    assert ingest.replay_parked(at=MONDAY) == 0
    assert Parked.objects.get().state == "matched"


def test_a_match_that_is_remembered_places_everything_that_waits_for_the_patient(
    push: Push, patient: Patient, clinician: Clinician
) -> None:
    push(message(draw(accession="A-1", mrn="9999")))
    push(message(draw(accession="A-2", mrn="9999", collected_at="2026-11-01T08:10:00+09:00")))

    ingest.match_parked(
        parked=Parked.objects.get(accession="A-1"),
        patient=patient,
        by=clinician,
        at=MONDAY,
        remember=[("urn:clinic:mrn", "9999")],
    )

    assert set(Parked.objects.values_list("state", "ended_by")) == {
        ("matched", f"clinician:{clinician.pk}"),
        ("matched", "rule:replay"),
    }
    third = draw(accession="A-3", mrn="9999", collected_at="2026-10-30T08:10:00+09:00")
    assert [answer.state for answer in push(message(third)).answers] == ["recorded"]


def test_a_new_mapping_places_what_waited_for_it(
    push: Push, patient: Patient, laboratory: Laboratory
) -> None:
    push(message(draw(accession="A-1", analyte="X1", unit="odd")))
    document = read_profile(
        {"name": laboratory.name, "codes": [{"code": "X1", "analyte": "sIL-6R"}]}
    )
    further = read_profile({"name": laboratory.name, "units": [{"sent": "odd", "means": "ng/mL"}]})

    _, _, first = ingest.change_laboratory(document, by="operator:x", at=MONDAY)
    between = Parked.objects.get().reasons
    _, _, second = ingest.change_laboratory(further, by="operator:x", at=MONDAY)

    assert (first, between, second) == (0, ["unknown_unit: odd"], 1)
    assert Result.objects.get().sent_unit == "odd"


def test_a_possible_duplicate_is_never_decided_by_a_rule(
    laboratory: Laboratory, patient: Patient
) -> None:
    take(laboratory, observation(name="r-1", mrn="9999"))
    take(laboratory, observation(name="r-2", mrn="0042"))
    add_identifier(patient=patient, system="urn:clinic:mrn", value="9999", by="operator", at=MONDAY)

    assert ingest.replay_parked(at=MONDAY) == 0
    assert Parked.objects.get().reasons == ["possible_duplicate"]
    assert ingest.replay_parked(at=MONDAY) == 0
