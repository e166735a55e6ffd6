"""What waited is placed by itself once its patient is enrolled or its code is known."""

from datetime import timedelta

import pytest
from django.db import transaction

from monitoring import ingest, tasks
from monitoring.imports.patients import enrol_patients, read_patients
from patients.intake import parking
from patients.intake.reports import DrawReport, PatientNumber
from patients.models import CareTeam, Clinician, Laboratory, Parked, Patient, Result
from patients.record.patients import add_identifier
from patients.record.profile_document import read_profile
from tests.conftest import MONDAY, Push, draw
from tests.factories import ClinicianFactory, LaboratoryFactory
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

    first = ingest.change_laboratory(document, by="operator:x", at=MONDAY)
    between = Parked.objects.get().reasons
    second = ingest.change_laboratory(further, by="operator:x", at=MONDAY)

    assert (first.placed, between, second.placed) == (0, ["unknown_unit: odd"], 1)
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


def test_workers_try_the_rest_again_in_batches_and_one_that_dies_loses_nothing(
    push: Push, patient: Patient, laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parking, "REPLAYED_AT_ONCE", 2)
    for number in range(5):
        push(message(draw(accession=f"A-{number}", analyte="X1", collected_at=a_day(number))))
    document = read_profile(
        {"name": laboratory.name, "codes": [{"code": "X1", "analyte": "sIL-6R"}]}
    )

    done = ingest.change_laboratory(document, by="operator:x", at=MONDAY)
    assert (done.placed, done.waiting) == (2, 3)

    # A worker that dies: its transaction is never committed
    with transaction.atomic():
        parking.replay_of_older_profiles(at=MONDAY)
        transaction.set_rollback(True)
    assert Result.objects.count() == 2

    tasks.replay_parked()
    assert Result.objects.count() == 5
    assert not parking.of_older_profiles().exists()


def test_what_still_cannot_be_placed_is_tried_once_for_each_profile(
    push: Push, patient: Patient, laboratory: Laboratory
) -> None:
    push(message(draw(analyte="X1")))
    document = read_profile({"name": laboratory.name, "units": [{"sent": "u", "means": "ng/mL"}]})
    ingest.change_laboratory(document, by="operator:x", at=MONDAY)

    assert not parking.of_older_profiles().exists()
    assert Parked.objects.get().reasons == ["unknown_analyte: X1"]


def test_a_draw_that_cannot_be_tried_does_not_keep_those_behind_it(
    push: Push, patient: Patient, laboratory: Laboratory
) -> None:
    push(message(draw(accession="A-1", analyte="X1", collected_at=a_day(1))))
    push(message(draw(accession="A-2", analyte="X1", collected_at=a_day(2))))
    Parked.objects.filter(accession="A-1").update(report={"nothing": "that can be read"})
    document = read_profile(
        {"name": laboratory.name, "codes": [{"code": "X1", "analyte": "sIL-6R"}]}
    )

    done = ingest.change_laboratory(document, by="operator:x", at=MONDAY)

    assert (done.placed, done.waiting) == (1, 0)
    assert Parked.objects.get(accession="A-1").state == "waiting"


def a_day(number: int) -> str:
    return f"2026-10-{20 + number}T08:10:00+09:00"


def test_what_one_laboratory_calls_a_patient_is_nobody_to_another(
    push: Push, laboratory: Laboratory, patient: Patient, clinician: Clinician
) -> None:
    def sent(accession: str, day: int) -> DrawReport:
        report = observation(
            name=accession, drawn_at=MONDAY - timedelta(days=day), accession=accession
        )
        number = PatientNumber(system="urn:unstated", value="12345")
        return report.model_copy(update={"patients": (number,)})

    take(laboratory, sent("A-1", 1))
    ingest.match_parked(
        parked=Parked.objects.get(),
        patient=patient,
        by=clinician,
        at=MONDAY,
        remember=[("urn:unstated", "12345")],
    )

    assert take(laboratory, sent("A-2", 2)).state == "recorded"
    assert take(LaboratoryFactory.create(), sent("A-3", 3)).state == "parked"
    assert ingest.replay_parked(at=MONDAY) == 0
