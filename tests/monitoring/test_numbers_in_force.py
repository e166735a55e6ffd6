"""Which number finds a patient: one that was the patient's on the day, of a type that counts."""

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from monitoring import ingest
from monitoring.suggestions import Likeness, numbers_to_remember, suggest
from patients.intake.reports import DrawReport
from patients.models import Identifier, Laboratory, Parked, Patient, Result
from patients.record.laboratories import issue_key
from patients.record.profile_document import FaultyProfile, read_profile
from patients.record.profiles import load_profile, profile_of
from tests.conftest import MONDAY
from tests.factories import (
    ClinicianFactory,
    IdentifierFactory,
    LaboratoryFactory,
    PatientFactory,
)
from tests.monitoring.fhir_door import FhirDoor
from tests.monitoring.test_retractions_at_the_doors import push
from tests.patients.fhir_messages import observation
from tests.patients.hl7v2_messages import message

pytestmark = pytest.mark.django_db
REASON = "patient_number_not_in_force"
OURS = "0042^^^urn:clinic:mrn^MR"
# The draws of all messages here are taken on this day
DRAWN_ON = "20261102"


@pytest.fixture
def door(laboratory: Laboratory) -> FhirDoor:
    return FhirDoor(issue_key(laboratory=laboratory, by="operator", at=MONDAY))


def send_v2(door: FhirDoor, numbers: str, **change: str) -> Any:
    fields = {"PID-3": numbers, "OBX-3": "sIL-6R^sIL-6R^L"}
    body = message(change=fields | {name.replace("_", "-"): said for name, said in change.items()})
    return push(door, body, address="/hl7v2", kind="application/hl7-v2")


def send_fhir(door: FhirDoor, *numbers: dict[str, Any], **change: Any) -> Any:
    person = {"resourceType": "Patient", "id": "p", "identifier": list(numbers)}
    subject = {"identifier": None, "reference": "#p"}
    return door.post(observation(contained=[person], subject=subject, **change))


def number(value: str = "0042", system: str = "urn:clinic:mrn", **said: Any) -> dict[str, Any]:
    return {"system": system, "value": value, **said}


def is_recorded() -> bool:
    """Tell whether the one draw is on record; else it waits for the reason of this file."""
    if Result.objects.exists():
        return not Parked.objects.exists()
    assert Parked.objects.get().reasons == [REASON]
    return False


@pytest.mark.parametrize(
    ("begins", "ends", "counts"),
    [
        ("", "20261101", False),
        ("", DRAWN_ON, True),  # HL7 2.5.1, 2.A.14.8: the last day on which it is valid
        ("", "20261102075959", True),
        ("", "202610", False),
        ("", "202611", True),
        ("", "2025", False),
        ("", "2026", True),
        ("", "99991231", True),
        ("", '""', True),
        ("", "until further notice", False),
        ("20261103", "", False),
        (DRAWN_ON, "", True),
        ("202611", "", True),
        ("20200101", "20261231", True),
        ("20200101", "20251231", False),
        ("an old one", "", True),
    ],
)
def test_a_number_that_was_not_in_force_on_the_day_waits_in_hl7v2(
    door: FhirDoor, patient: Patient, begins: str, ends: str, *, counts: bool
) -> None:
    answer = send_v2(door, f"{OURS}^^{begins}^{ends}")

    assert b"MSA|AA" in answer.content
    assert is_recorded() == counts


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ({"use": "old"}, False),
        ({"use": "official"}, True),
        ({"period": {"end": "2010"}}, False),
        ({"period": {"end": "2026-11-01"}}, False),
        ({"period": {"end": "2026-11-02"}}, True),
        ({"period": {"end": "2026-11-02T01:00:00+09:00"}}, True),
        ({"period": {"end": "2026-10"}}, False),
        ({"period": {"end": "2026"}}, True),
        ({"period": {"start": "2026-11-03"}}, False),
        ({"period": {"start": "2026-11-02"}}, True),
        ({"period": {"start": "2020-01-01", "end": "2030"}}, True),
    ],
)
@pytest.mark.parametrize("place", ["subject", "patient"])
def test_nor_does_it_find_anybody_in_fhir(
    door: FhirDoor, patient: Patient, place: str, said: dict[str, Any], *, counts: bool
) -> None:
    if place == "patient":
        send_fhir(door, number(**said))
    else:
        door.post(observation(subject={"identifier": number(**said)}))

    assert is_recorded() == counts


@pytest.mark.parametrize("dialect", ["fhir", "hl7v2"])
def test_beside_a_number_in_force_the_ended_one_says_nothing(
    door: FhirDoor, patient: Patient, dialect: str
) -> None:
    other = PatientFactory.create(team=patient.team)
    IdentifierFactory.create(patient=other, system="urn:clinic:mrn", value="0007")

    if dialect == "fhir":
        send_fhir(door, number("0007", period={"end": "2020"}), number())
    else:
        send_v2(door, f"0007^^^urn:clinic:mrn^MR^^^2020~{OURS}")

    assert Result.objects.get().draw.patient == patient
    assert not Parked.objects.exists()


def test_a_number_that_ended_after_the_draw_still_brings_its_correction(
    door: FhirDoor, patient: Patient
) -> None:
    send_v2(door, OURS)

    later = {"MSH_10": "M-2", "OBX_11": "C", "OBX_5": "41", "OBR_22": "20261110101000+0100"}
    send_v2(door, f"{OURS}^^^20261109", **later)

    assert Result.objects.get(superseded_at=None).sent_value == "41"


@pytest.mark.parametrize("dialect", ["fhir", "hl7v2"])
def test_what_waits_is_placed_when_the_number_in_force_becomes_known(
    door: FhirDoor, patient: Patient, dialect: str
) -> None:
    if dialect == "fhir":
        send_fhir(door, number(use="old"), number("1042", period={"start": "2026-01"}))
    else:
        send_v2(door, f"{OURS}^^^2025~1042^^^urn:clinic:mrn^MR^^2026")
    assert ingest.replay_parked(at=MONDAY) == 0
    assert Parked.objects.get(state="waiting").reasons == [REASON]

    IdentifierFactory.create(patient=patient, system="urn:clinic:mrn", value="1042")
    assert ingest.replay_parked(at=MONDAY) == 1

    assert Result.objects.get().draw.patient == patient


def test_what_waits_for_nobody_in_force_is_not_tried_again_and_again(
    door: FhirDoor, patient: Patient, django_assert_num_queries: Any
) -> None:
    send_v2(door, f"{OURS}^^^2025")
    before = Parked.objects.values().get()

    with django_assert_num_queries(0):  # its one question goes beside the ORM
        assert ingest.replay_parked(at=MONDAY) == 0

    assert Parked.objects.values().get() == before


def test_a_person_sees_the_period_and_decides_and_the_number_is_not_remembered(
    door: FhirDoor, patient: Patient, laboratory: Laboratory, client: Client
) -> None:
    send_v2(door, "0042^^^urn:north^MR^^20200101^20251231~0042^^^urn:clinic:mrn^MR^^^2025")
    parked = Parked.objects.get()
    member = ClinicianFactory.create(teams=[patient.team])
    client.force_login(member)

    text = client.get(reverse("portal:parked_draw", args=[parked.public_id])).content.decode()

    assert "was not in force on the day of the draw" in text
    assert "31-Dec-2025" in text
    report = DrawReport.model_validate(parked.report)
    assert list(numbers_to_remember(report, patient, laboratory_id=laboratory.pk)) == []
    ingest.match_parked(parked=parked, patient=patient, by=member, at=MONDAY)
    assert Result.objects.get().draw.patient == patient
    assert Identifier.objects.count() == 1


def bind(laboratory: Laboratory, *numbers: dict[str, str]) -> None:
    document = read_profile({"name": laboratory.name, "patient_numbers": list(numbers)})
    load_profile(document, by="operator", at=MONDAY)


BOUND = {"sent": "HOSP", "type": "MR", "means": "urn:clinic:mrn"}


@pytest.mark.parametrize(
    ("sent", "finds"),
    [
        ("0042^^^HOSP^MR", True),
        ("0042^^^HOSP^mr", True),
        ("0042^^^HOSP^PI", False),
        ("0042^^^HOSP", False),
        ("0042^^^HOSP^VN", False),
        ("0042^^^urn:clinic:mrn^PI", True),  # of this authority the profile says nothing
        ("0042^^^HOSP^PI~0042^^^HOSP^MR", True),
        ("7^^^HOSP^MR~0042^^^HOSP^PI", False),
    ],
)
@pytest.mark.parametrize("dialect", ["fhir", "hl7v2"])
def test_of_an_authority_the_types_in_the_profile_alone_count(
    door: FhirDoor,
    patient: Patient,
    laboratory: Laboratory,
    dialect: str,
    sent: str,
    *,
    finds: bool,
) -> None:
    bind(laboratory, BOUND)
    # a number that is called the same here, of whatever type, is not found past the profile
    IdentifierFactory.create(patient=patient, system="HOSP", value="0042")

    if dialect == "hl7v2":
        send_v2(door, sent)
    else:
        parts = [(each + "^").split("^") for each in sent.split("~")]
        table = "http://terminology.hl7.org/CodeSystem/v2-0203"
        send_fhir(
            door,
            *(
                number(each[0], each[3])
                | ({"type": {"coding": [{"system": table, "code": each[4]}]}} if each[4] else {})
                for each in parts
            ),
        )

    assert Result.objects.exists() == finds
    if not finds:
        assert Parked.objects.get().reasons == ["unknown_patient"]


def test_each_type_may_mean_a_numbering_of_its_own_and_the_rest_another(
    door: FhirDoor, patient: Patient, laboratory: Laboratory
) -> None:
    bind(laboratory, BOUND, {"sent": "HOSP", "means": "urn:clinic:other"})
    other = PatientFactory.create(team=patient.team)
    IdentifierFactory.create(patient=other, system="urn:clinic:other", value="0042")

    send_v2(door, "0042^^^HOSP^MR")
    send_v2(door, "0042^^^HOSP^PI", MSH_10="M-2", OBR_3="A-18", ORC_3="A-18")

    found = Result.objects.order_by("pk").values_list("draw__patient", flat=True)
    assert list(found) == [patient.pk, other.pk]


def test_what_waits_is_placed_when_the_profile_names_its_type(
    door: FhirDoor, patient: Patient, laboratory: Laboratory
) -> None:
    bind(laboratory, BOUND)
    send_v2(door, "0042^^^HOSP^PI")

    bind(laboratory, BOUND, BOUND | {"type": "pi"})
    ingest.replay_of_older_profiles(at=MONDAY)

    assert Result.objects.get().draw.patient == patient
    numbers = profile_of(laboratory).patient_numbers or []
    assert [each.type for each in numbers] == ["MR", "PI"]


def test_a_number_of_another_type_is_neither_remembered_nor_enrolled(
    door: FhirDoor, patient: Patient, laboratory: Laboratory
) -> None:
    bind(laboratory, BOUND)
    send_v2(door, "55^^^HOSP^PI~66^^^HOSP^MR")
    report = DrawReport.model_validate(Parked.objects.get().report)

    assert list(numbers_to_remember(report, patient, laboratory_id=laboratory.pk)) == [
        ("HOSP", "66")
    ]


@pytest.mark.parametrize("kind", ["VN", "ss", "–"])
def test_a_type_that_is_no_patients_is_refused_with_its_place(kind: str) -> None:
    entry = {"sent": "HOSP", "type": kind, "means": "urn:clinic:mrn"}

    with pytest.raises(FaultyProfile) as refused:
        read_profile({"name": "North laboratory", "patient_numbers": [entry]})

    assert [where for where, _what in refused.value.faults] == ["/patient_numbers/0/type"]


def test_the_day_is_that_on_the_clock_of_the_message() -> None:
    report = DrawReport.model_validate(
        {
            "patients": [{"value": "1", "ends_on": "2026-11-01"}],
            "results": [{"codes": [{"code": "x"}]}],
        }
    )

    [one] = report.patients

    assert one.was_in_force(date(2026, 11, 1))
    assert not one.was_in_force(date(2026, 11, 2))
    assert one.was_in_force(None)


def test_a_number_is_suggested_as_the_profile_means_it(
    door: FhirDoor, patient: Patient, laboratory: Laboratory, client: Client
) -> None:
    bind(laboratory, {"sent": "HOSP", "means": "urn:clinic:mrn"})
    swapped = PatientFactory.create(team=patient.team)
    IdentifierFactory.create(patient=swapped, system="urn:clinic:mrn", value="0024")
    send_v2(door, "0042^^^HOSP", OBX_6="no unit")
    parked = Parked.objects.get()
    report = DrawReport.model_validate(parked.report)
    member = ClinicianFactory.create(teams=[patient.team])

    [found] = suggest(report, laboratory_id=laboratory.pk, reader=member)

    assert (found.patient, found.reasons) == (patient, (Likeness.SAME_NUMBER,))
    assert not numbers_to_remember(report, patient, laboratory_id=laboratory.pk)


def test_what_another_laboratory_calls_so_is_no_same_number(
    door: FhirDoor, patient: Patient, laboratory: Laboratory
) -> None:
    IdentifierFactory.create(
        patient=patient, system="LIS", value="77", laboratory=LaboratoryFactory.create()
    )
    send_v2(door, "77^^^LIS")
    report = DrawReport.model_validate(Parked.objects.get().report)
    member = ClinicianFactory.create(teams=[patient.team])

    [found] = suggest(report, laboratory_id=laboratory.pk, reader=member)

    assert found.reasons == (Likeness.SAME_NUMBER_OTHER_NUMBERING,)
