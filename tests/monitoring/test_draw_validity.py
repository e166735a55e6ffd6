"""What a laboratory says of a sample, by any door, decides whether the draw may be scored."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from analytics import estimate_cohort
from analytics.definitions import CONSENSUS, rules_on
from monitoring import redis
from monitoring.history import histories_of
from monitoring.models import RiskAssessment
from monitoring.recompute import recompute
from patients.models import Draw, Laboratory, Patient, Result
from patients.record.laboratories import issue_key
from patients.record.profile_document import read_profile
from patients.record.profiles import load_profile
from tests.conftest import MONDAY, Push, draw
from tests.factories import ClinicianFactory, EventFactory
from tests.monitoring.fhir_door import FhirDoor
from tests.patients.fhir_messages import observation
from tests.patients.hl7v2_messages import message

pytestmark = pytest.mark.django_db
NOW = MONDAY + timedelta(days=40)
EDTA = {"additiveCodeableConcept": {"text": "EDTA"}}
OURS = {"OBX-3": "sIL-6R^sIL-6R^L"}


@pytest.fixture
def key(laboratory: Laboratory) -> str:
    redis.ask(lambda line: line.flushdb())
    return issue_key(laboratory=laboratory, by="operator", at=MONDAY)


def reasons_of(patient: Patient, analyte: str = "sIL-6R") -> list[tuple[str, ...]]:
    rules = rules_on(NOW.date(), name=CONSENSUS)
    [found] = estimate_cohort(histories_of([patient.pk]), at=NOW, rules=rules)
    return [part.reasons for part in found.left_out if part.analyte == analyte]


def changes_of(patient: Patient) -> dict[str, Any]:
    columns = histories_of([patient.pk]).result_columns
    return {
        "segments": [columns.segments[each] for each in columns.segment],
        "assay_cv": columns.assay_cv.tolist(),
        "values": columns.value.tolist(),
        "comparators": columns.comparator.tolist(),
    }


@pytest.mark.parametrize(
    ("specimen", "reasons"),
    [
        ({"haemolysis": "gross"}, [("gross_haemolysis",)]),
        ({"haemolysis_index": "150"}, [("haemolysis",)]),
        ({"haemolysis": "slight", "matrix": "serum", "fasting": True}, []),
        ({"freeze_thaw_cycles": 3}, [("three_thaws_or_more",)]),
        ({"matrix": "saliva"}, [("wrong_matrix",)]),
        ({"conditions": ["CLOT"]}, [("unsuitable_sample",)]),
        ({"icterus": "gross"}, [("unsuitable_sample",)]),
        ({"notes": "Specimen moderately hemolyzed"}, [("haemolysis",)]),
    ],
)
def test_in_json(
    patient: Patient, push: Push, specimen: dict[str, Any], reasons: list[tuple[str, ...]]
) -> None:
    push(json.dumps(draw() | {"specimen": specimen}).encode())

    assert reasons_of(patient) == reasons


@pytest.mark.parametrize(
    ("specimen", "change", "reasons"),
    [
        ({"condition": [{"coding": [{"code": "HEM"}]}]}, {}, [("haemolysis",)]),
        ({"status": "unsatisfactory"}, {}, [("unsuitable_sample",)]),
        ({"note": [{"text": "grossly haemolysed"}]}, {}, [("gross_haemolysis",)]),
        ({"type": {"text": "Urine"}}, {}, [("wrong_matrix",)]),
        (
            {"processing": [{"description": "4 freeze-thaw cycles"}]},
            {},
            [("three_thaws_or_more",)],
        ),
        (
            {
                "type": {"text": "Plasma"},
                "container": [{"additiveCodeableConcept": {"text": "EDTA"}}],
            },
            {},
            [],
        ),
        ({}, {"note": [{"text": "Sample hemolyzed"}]}, [("haemolysis",)]),
        ({"note": [{"text": "grossly lipemic"}]}, {}, [("unsuitable_sample",)]),
    ],
)
def test_in_fhir(
    key: str,
    patient: Patient,
    specimen: dict[str, Any],
    change: dict[str, Any],
    reasons: list[tuple[str, ...]],
) -> None:
    sample = {"resourceType": "Specimen", "id": "s"} | specimen
    sent = observation(contained=[sample], specimen={"reference": "#s"}, **change)

    assert FhirDoor(key).post(sent).status_code == 201
    assert reasons_of(patient) == reasons


def test_an_interpretation_off_the_scale_makes_a_bound(key: str, patient: Patient) -> None:
    sent = observation(interpretation=[{"coding": [{"code": "<"}]}])

    assert FhirDoor(key).post(sent).status_code == 201
    assert Result.objects.get().comparator == "<"


@pytest.mark.parametrize(
    ("lines", "reasons"),
    [
        ([f"SPM|1|||SER^Serum{'|' * 20}HEM^Hemolyzed"], [("haemolysis",)]),
        ([f"SPM|1|||SER^Serum{'|' * 17}RH^Hemolysis"], [("gross_haemolysis",)]),
        (["SPM|1|||UR^Urine"], [("wrong_matrix",)]),
        (["NTE|1||Specimen grossly hemolyzed"], [("gross_haemolysis",)]),
        (["OBX|2|NM|HIDX^Hemolysis index^L||320|mg/dL|||||F"], [("gross_haemolysis",)]),
        (
            ["SPM|1|||SER", "OBX|1|NM|FTC^Freeze-thaw cycles^L||3||||||F"],
            [("three_thaws_or_more",)],
        ),
        (["OBX|2|ST|HIDX^Hemolysis index^L||negative||||||F"], []),
        (["OBX|2|ST|LIDX^Lipemia index^L||4+||||||F"], [("unsuitable_sample",)]),
        (["OBX|2|NM|IIDX^Icterus index^L||25|mg/dL|||||F"], [("unsuitable_sample",)]),
        (["OBX|2|NM|IIDX^Icterus index^L||3|mg/dL|||||F"], []),
    ],
)
def test_in_hl7v2(
    key: str, patient: Patient, lines: list[str], reasons: list[tuple[str, ...]]
) -> None:
    answer = Client().generic(
        "POST",
        "/hl7v2",
        message(change=OURS, add=lines),
        content_type="application/hl7-v2",
        headers={"Authorization": f"Bearer {key}"},
    )

    assert b"|AA|" in answer.content
    assert b"1 recorded" in answer.content
    assert reasons_of(patient) == reasons


@pytest.mark.parametrize(
    ("column", "cell", "reasons"),
    [
        ("haemolysis", "gross", [("gross_haemolysis",)]),
        ("haemolysis_index", "2+", [("haemolysis",)]),
        ("freeze_thaw_cycles", "3", [("three_thaws_or_more",)]),
        ("lipaemia", "gross", [("unsuitable_sample",)]),
        ("icterus", "moderate", []),
        ("matrix", "CSF", [("wrong_matrix",)]),
        ("notes", "sample hemolyzed", [("haemolysis",)]),
        ("tube", "SST", []),
    ],
)
def test_in_a_table(
    key: str, patient: Patient, column: str, cell: str, reasons: list[tuple[str, ...]]
) -> None:
    table = (
        f"accession,patient_system,patient,collected_at,analyte,value,unit,{column}\n"
        f"A-17,urn:clinic:mrn,0042,2026-11-02T08:10:00+09:00,sIL-6R,37.50,ng/mL,{cell}\n"
    )
    answer = Client().generic(
        "POST",
        "/api/v1/results",
        table,
        content_type="text/csv",
        headers={"Authorization": f"Bearer {key}"},
    )

    assert answer.status_code == 201, answer.content
    assert reasons_of(patient) == reasons


def test_a_grade_that_nobody_knows_is_refused_with_the_ones_that_are_known(
    key: str, patient: Patient
) -> None:
    answer = Client().generic(
        "POST",
        "/api/v1/results",
        "patient_system,patient,collected_at,analyte,value,unit,haemolysis\n"
        "urn:clinic:mrn,0042,2026-11-02,sIL-6R,37.50,ng/mL,somewhat\n",
        content_type="text/csv",
        headers={"Authorization": f"Bearer {key}"},
    )

    assert answer.status_code == 422
    assert "must be one of none, slight, moderate, gross" in answer.content.decode()


def test_what_is_said_of_a_known_sample_later_counts_and_nothing_is_lost(
    patient: Patient, push: Push
) -> None:
    push(json.dumps(draw() | {"specimen": {"matrix": "serum"}}).encode())
    assert reasons_of(patient) == []
    before = Patient.objects.get(pk=patient.pk).history_version

    receipt = push(json.dumps(draw() | {"specimen": {"haemolysis": "gross"}}).encode())

    assert reasons_of(patient) == [("gross_haemolysis",)]
    assert Patient.objects.get(pk=patient.pk).history_version == before + 1
    now, was = Draw.objects.get(superseded_at=None), Draw.objects.exclude(superseded_at=None).get()
    assert now.specimen == {"matrix": "serum", "matrix_kind": "serum", "haemolysis": "gross"}
    assert was.superseded_by == now
    assert "the laboratory said something else of the sample" in was.superseded_reason
    assert now.public_id == was.public_id
    assert receipt


def test_the_same_said_again_changes_nothing(patient: Patient, push: Push) -> None:
    sent = draw() | {"specimen": {"haemolysis": "moderate"}}
    push(json.dumps(sent).encode())
    before = Patient.objects.get(pk=patient.pk).history_version

    push(json.dumps(sent, indent=1).encode())

    assert Draw.objects.count() == 1
    assert Patient.objects.get(pk=patient.pk).history_version == before


def test_another_fluid_begins_another_segment_and_silence_does_not(
    patient: Patient, push: Push
) -> None:
    for day, specimen in (
        ("03", {"matrix": "serum"}),
        ("10", None),
        ("17", {"matrix": "EDTA plasma"}),
        ("24", None),
    ):
        one = draw(accession=f"A-{day}", collected_at=f"2026-11-{day}T08:10:00+09:00", kit="Kit A")
        push(json.dumps(one | {"specimen": specimen}).encode(), at=NOW)

    kit = f"{Laboratory.objects.get().pk}/Kit A"
    assert changes_of(patient)["segments"] == [
        f"{kit}/serum",
        f"{kit}/serum",
        f"{kit}/edta_plasma",
        f"{kit}/edta_plasma",
    ]
    assert reasons_of(patient) == [("earlier_segment",), ("earlier_segment",)]


def test_a_push_without_a_kit_goes_on_with_the_one_before(patient: Patient, push: Push) -> None:
    for day, kit in (("03", "Kit A"), ("10", "Kit A"), ("17", "")):
        one = draw(accession=f"A-{day}", collected_at=f"2026-11-{day}T08:10:00+09:00", kit=kit)
        push(json.dumps(one).encode(), at=NOW)

    assert changes_of(patient)["segments"] == [f"{Laboratory.objects.get().pk}/Kit A"] * 3
    assert reasons_of(patient) == []


def test_a_high_crp_of_the_same_day_cautions_a_draw_of_another_hour(
    patient: Patient, push: Push
) -> None:
    push(json.dumps(draw(accession="A-1", collected_at="2026-11-02T08:10:00+09:00")).encode())
    push(
        json.dumps(
            draw(
                accession="A-2",
                collected_at="2026-11-02T10:30:00+09:00",
                analyte="hs-CRP",
                value="12.5",
                unit="mg/L",
            )
        ).encode(),
        at=NOW,
    )

    assert reasons_of(patient) == [("crp_over_10_on_the_day",)]


def test_the_day_of_a_draw_is_that_of_the_clinic(patient: Patient, push: Push) -> None:
    # 23:10 and 00:30 UTC are two days in London and one morning in Tokyo
    push(json.dumps(draw(accession="A-1", collected_at="2026-11-01T23:10:00Z")).encode())
    results = [{"analyte": "hs-CRP", "value": "12.5", "unit": "mg/L"}]
    later = draw(accession="A-2", collected_at="2026-11-02T00:30:00Z", results=results)
    push(json.dumps(later).encode(), at=NOW)

    assert reasons_of(patient) == [("crp_over_10_on_the_day",)]


def test_a_new_lot_and_an_unusual_hour_are_cautions(patient: Patient, push: Push) -> None:
    for day, hour, lot in (
        ("03", "08", "L1"),
        ("10", "08", "L1"),
        ("17", "08", "L2"),
        ("24", "15", "L2"),
    ):
        one = draw(
            accession=f"A-{day}", collected_at=f"2026-11-{day}T{hour}:10:00+09:00", kit="K", lot=lot
        )
        push(json.dumps(one).encode(), at=NOW)

    assert reasons_of(patient) == [("new_lot",), ("over_3_h_off_the_personal_hour",)]


def profile(kits: list[dict[str, Any]]) -> None:
    load_profile(read_profile({"name": "North laboratory", "kits": kits}), by="operator", at=MONDAY)


KIT = {
    "analyte": "sIL-6R",
    "name": "Kit A",
    "unit": "pg/mL",
    "limit_of_detection": "20000",
    "upper_limit": "200000",
    "cv_percent": "12",
}


def test_the_limits_and_the_variation_of_the_kit_are_those_of_the_profile(
    patient: Patient, push: Push
) -> None:
    profile([KIT])
    for day, value in (("03", "37.5"), ("10", "12"), ("17", "250")):
        one = draw(
            accession=f"A-{day}",
            collected_at=f"2026-11-{day}T08:10:00+09:00",
            value=value,
            kit="Kit A",
        )
        push(json.dumps(one).encode(), at=NOW)

    found = changes_of(patient)
    assert found["values"] == [37.5, 20.0, 200.0]
    assert found["comparators"] == [0, 1, 3]
    assert found["assay_cv"] == [0.12, 0.12, 0.12]
    # As it was sent it stays on record
    assert [f"{each.value:f}" for each in Result.objects.order_by("pk")] == ["37.5", "12", "250"]


def test_a_lot_may_have_limits_of_its_own(patient: Patient, push: Push) -> None:
    profile([KIT, KIT | {"lot": "L2", "cv_percent": "5"}])
    for day, lot in (("03", "L1"), ("10", "L2")):
        one = draw(
            accession=f"A-{day}", collected_at=f"2026-11-{day}T08:10:00+09:00", kit="Kit A", lot=lot
        )
        push(json.dumps(one).encode(), at=NOW)

    assert changes_of(patient)["assay_cv"] == [0.12, 0.05]


@pytest.mark.parametrize(
    ("kit", "matrix", "reasons"),
    [
        ("Kit A", "serum", []),
        ("Kit B", "serum", [("unknown_kit",)]),
        ("Kit A", "EDTA plasma", [("wrong_matrix",)]),
        ("Kit A", "", []),
    ],
)
def test_a_kit_that_the_profile_does_not_know_or_is_not_for_the_fluid_excludes(
    patient: Patient, push: Push, kit: str, matrix: str, reasons: list[tuple[str, ...]]
) -> None:
    profile([KIT | {"matrix": "serum"}])
    push(json.dumps(draw(kit=kit) | {"specimen": {"matrix": matrix}}).encode())

    assert reasons_of(patient) == reasons


def test_a_profile_that_learns_of_a_kit_has_its_patients_assessed_anew(
    patient: Patient, push: Push
) -> None:
    push(json.dumps(draw(kit="Kit A")).encode())
    before = Patient.objects.get(pk=patient.pk).history_version

    profile([KIT])

    assert Patient.objects.get(pk=patient.pk).history_version == before + 1
    profile([KIT])
    assert Patient.objects.get(pk=patient.pk).history_version == before + 1


@pytest.mark.parametrize(
    "result", [{"value": "0"}, {"value": "0.00"}, {"value": "0", "comparator": "<"}]
)
def test_a_zero_is_kept_shown_and_never_scored(
    client: Client, patient: Patient, push: Push, result: dict[str, Any]
) -> None:
    client.force_login(ClinicianFactory.create(teams=[patient.team]))
    push(json.dumps(draw(**result)).encode())
    page = reverse("portal:patient", args=[patient.public_id])

    recompute([patient.pk], at=NOW)

    assert reasons_of(patient) == [("zero",)]
    [sent] = Result.objects.all()
    assert sent.value == 0
    text = client.get(page).content.decode()
    assert "0 is no concentration" in text
    assert "Excluded" in text
    assessment = RiskAssessment.objects.get(patient=patient)
    address = reverse("portal:explanation_json", args=[patient.public_id, assessment.pk])
    said = client.get(address).json()
    [left_out] = said["exclusions"]
    assert (left_out["validity"], left_out["reasons"]) == ("excluded", ["zero"])


def test_another_report_of_the_moment_goes_before_a_zero(patient: Patient, push: Push) -> None:
    push(json.dumps(draw(accession="A-1", value="31.5")).encode())
    push(json.dumps(draw(accession="A-2", value="0")).encode())

    assert changes_of(patient)["values"] == [31.5]
    assert reasons_of(patient) == []


@pytest.mark.parametrize(
    ("hours", "reasons"), [(20, [("exercise",)]), (44, [("exercise",)]), (50, [])]
)
def test_exercise_of_a_day_counts_from_the_end_of_that_day(
    patient: Patient, push: Push, hours: int, reasons: list[tuple[str, ...]]
) -> None:
    midnight = datetime(2026, 10, 19, tzinfo=patient.team.site.zone)
    EventFactory.create(
        patient=patient,
        kind="exercise",
        started_on=midnight.date(),
        stopped_on=midnight.date(),
    )
    drawn_at = midnight + timedelta(hours=hours)

    push(json.dumps(draw(collected_at=drawn_at.isoformat())).encode())

    assert reasons_of(patient) == reasons
