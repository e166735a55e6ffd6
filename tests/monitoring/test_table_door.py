"""Tables over HTTP: what would become of them, what does, and what is refused whole."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from monitoring import redis
from monitoring.api import examples
from patients.intake.tables.layout import Layout
from patients.intake.tables.profiles import layout_of
from patients.models import Audit, Inbound, Laboratory, Parked, Patient, Result
from patients.record.laboratories import issue_key
from patients.record.profile_document import read_profile
from patients.record.profiles import load_profile
from tests.conftest import MONDAY, draw
from tests.patients.tables import table_of
from tests.patients.test_xlsx_dialect import workbook_of

pytestmark = pytest.mark.django_db
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ADDRESS = "/api/v1/results"
DOCS = Path(__file__).parents[2] / "docs"
DRY = f"{ADDRESS}?dry_run=true"


class Door:
    def __init__(self, key: str) -> None:
        self.key = key

    def push(self, body: str | bytes, address: str = ADDRESS, kind: str = "text/csv") -> Any:
        return Client().generic(
            "POST",
            address,
            body,
            content_type=kind,
            headers={"Authorization": f"Bearer {self.key}"},
        )


@pytest.fixture
def door(laboratory: Laboratory) -> Door:
    redis.ask(lambda line: line.flushdb())
    return Door(issue_key(laboratory=laboratory, by="operator", at=MONDAY))


def states(answer: Any) -> list[tuple[int, str]]:
    assert answer.status_code == 200, answer.content
    return [(each["row"], each["state"]) for each in answer.json()["verdicts"]]


def test_a_table_is_taken_in_by_draws(door: Door, patient: Patient) -> None:
    answer = door.push(table_of({}, {"analyte": "IL-6", "value": "<0.50", "unit": "pg/mL"}))

    assert answer.status_code == 201
    [told] = answer.json()["draws"]
    assert (told["accession"], told["state"]) == ("A-17", "recorded")
    first, second = Result.objects.order_by("analyte__position")
    assert (first.sent_value, second.comparator, second.sent_value) == ("37.50", "<", "0.50")
    assert first.draw == second.draw
    assert Inbound.objects.get().dialect == "csv"


def test_the_same_table_again_changes_nothing(door: Door, patient: Patient) -> None:
    first = door.push(table_of({})).json()["draws"]

    again = door.push(table_of({}))

    assert again.status_code == 200
    assert again.json()["draws"] == [first[0] | {"state": "known"}]
    assert Result.objects.count() == 1


def test_a_table_and_json_are_one_door(door: Door, patient: Patient) -> None:
    assert Client().post(
        ADDRESS,
        draw(collected_at="2026-11-02T08:10:00+01:00"),
        content_type="application/json",
        headers={"Authorization": f"Bearer {door.key}"},
    )

    assert states(door.push(table_of({}), DRY)) == [(2, "known")]


def test_a_workbook_is_taken_in(door: Door, patient: Patient) -> None:
    answer = door.push(workbook_of({"value": 37.5}), kind=XLSX)

    assert answer.status_code == 201
    assert Result.objects.get().sent_value == "37.5"
    assert Inbound.objects.get().dialect == "xlsx"


def test_a_dry_run_says_of_every_row_what_would_become_of_it(door: Door, patient: Patient) -> None:
    door.push(table_of({"accession": "K"}, {"accession": "C", "analyte": "IL-6"}))

    answer = door.push(
        table_of(
            {"accession": "K"},
            {"accession": "C", "analyte": "IL-6", "value": "39.1"},
            {"accession": "N", "analyte": "TNF-a"},
            {"accession": "P", "patient": "9999", "unit": "furlong"},
            {"accession": "R", "value": "37,50", "unit": ""},
        ),
        DRY,
    )

    assert states(answer) == [
        (2, "known"),
        (3, "corrected"),
        (4, "recorded"),
        (5, "parked"),
        (6, "refused"),
    ]
    parked, refused = answer.json()["verdicts"][3:]
    assert parked["reasons"] == ["unknown_patient", "unknown_unit: furlong"]
    assert refused["pointer"] == "/rows/6/value"
    assert [reason.partition(":")[0] for reason in refused["reasons"]] == [
        "column “value”",
        "column “unit”",
    ]
    assert answer.json()["counts"] == dict.fromkeys(
        ("refused", "parked", "corrected", "recorded", "known"), 1
    )


def test_a_dry_run_stores_nothing(door: Door, patient: Patient) -> None:
    before = (Audit.objects.count(), patient.history_version)

    door.push(table_of({}, {"accession": "P", "patient": "9999"}), DRY)

    patient.refresh_from_db()
    assert (Audit.objects.count(), patient.history_version) == before
    assert not Inbound.objects.exists()
    assert not Result.objects.exists()
    assert not Parked.objects.exists()


def test_what_a_dry_run_said_is_what_happens(door: Door, patient: Patient) -> None:
    body = table_of(
        {},
        {"analyte": "IL-6", "unit": "pg/mL"},
        {"accession": "P", "patient": "9999"},
        {"status": "corrected", "value": "39.1"},
    )
    said = states(door.push(body, DRY))

    answer = door.push(body)

    assert said == [(2, "recorded"), (3, "recorded"), (4, "parked"), (5, "corrected")]
    assert [each["state"] for each in answer.json()["draws"]] == ["recorded", "corrected", "parked"]
    assert states(door.push(body, DRY)) == [(2, "known"), (3, "known"), (4, "parked"), (5, "known")]


def test_a_dry_run_tells_a_key_that_may_not_read_nothing_of_the_record(
    door: Door, patient: Patient, laboratory: Laboratory
) -> None:
    door.push(table_of({}))
    blind = Door(issue_key(laboratory=laboratory, scopes="cu", by="operator", at=MONDAY))

    answer = blind.push(table_of({}, {"accession": "P", "patient": "9999"}), DRY)

    assert states(answer) == [(2, "received"), (3, "received")]
    assert all(each["reasons"] == [] for each in answer.json()["verdicts"])


def test_json_may_be_tried_as_well(door: Door, patient: Patient) -> None:
    answer = Client().post(
        DRY,
        {"draws": [draw(), draw(accession="A-18", mrn="9999")]},
        content_type="application/json",
        headers={"Authorization": f"Bearer {door.key}"},
    )

    assert [(v["pointer"], v["row"], v["state"]) for v in answer.json()["verdicts"]] == [
        ("/draws/0/results/0", None, "recorded"),
        ("/draws/1/results/0", None, "parked"),
    ]
    assert not Inbound.objects.exists()


@pytest.mark.parametrize(
    "wish",
    [
        "dry_run=yes",
        "dryrun=true",
        "dry-run=true",
        "dryRun=true",
        "dry_run=true&dry_run=false",
    ],
)
def test_a_misspelt_wish_for_a_dry_run_stores_nothing(
    door: Door, patient: Patient, wish: str
) -> None:
    answer = door.push(table_of({}), f"{ADDRESS}?{wish}")

    assert answer.status_code == 400
    assert "?dry_run=true" in answer.json()["detail"]
    assert not Inbound.objects.exists()


def test_one_row_that_cannot_be_read_refuses_the_table(door: Door, patient: Patient) -> None:
    answer = door.push(table_of({}, {"accession": "A-18", "value": "37,50"}))

    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    [fault] = answer.json()["errors"]
    assert fault["pointer"] == "/rows/3/value"
    assert fault["detail"].startswith("row 3, column “value”: “37,50” has a decimal comma")
    assert not Inbound.objects.exists()


@pytest.mark.parametrize("address", [ADDRESS, DRY])
def test_what_is_no_table_is_refused(door: Door, patient: Patient, address: str) -> None:
    answer = door.push(b"accession,value\r\nA-17,37.50", address)

    assert answer.status_code == 422
    assert "/rows/1/patient" in [each["pointer"] for each in answer.json()["errors"]]


def test_the_published_example_can_be_pushed_as_it_stands(door: Door, patient: Patient) -> None:
    answer = door.push(examples.TABLE)

    assert answer.status_code == 201
    assert Result.objects.count() == 2


def test_the_template_of_the_documents_can_be_pushed_as_it_stands(
    door: Door, patient: Patient
) -> None:
    assert door.push((DOCS / "how-to" / "results-template.csv").read_bytes()).status_code == 201


def test_the_layout_of_the_documents_is_one(laboratory: Laboratory) -> None:
    text = (DOCS / "reference" / "laboratory-profile.md").read_text()
    example = text.partition("## Tables")[2].partition("```json")[2].partition("```")[0]

    document = read_profile(json.loads(example))
    load_profile(document, by="operator", at=MONDAY)

    assert document.csv == layout_of(laboratory_id=laboratory.pk)
    assert document.csv != Layout()


def test_an_empty_body_is_refused(door: Door) -> None:
    assert door.push(b"").status_code == 400


def test_another_content_type_is_refused(door: Door) -> None:
    assert door.push(b"x", kind="text/html").status_code == 415


def test_the_layout_of_the_laboratory_is_followed(
    door: Door, patient: Patient, laboratory: Laboratory
) -> None:
    laboratory.csv = Layout.model_validate(
        {
            "decimal": ",",
            "time_format": "%d.%m.%Y %H:%M",
            "constants": {"patient_system": "urn:clinic:mrn"},
            "columns": [
                {"column": "sIL-6R", "holds": "value", "analyte": "sIL-6R", "unit": "ng/mL"},
                {"column": "IL-6", "holds": "value", "analyte": "IL-6", "unit": "pg/mL"},
            ],
        }
    ).model_dump(mode="json")
    laboratory.save()

    answer = door.push(
        "accession;patient;collected_at;sIL-6R;IL-6\n"
        "A-17;0042;02.11.2026 08:10;37,50;<0,5\n"
        "A-18;0042;09.11.2026 08:10;;\n"
    )

    assert answer.status_code == 201
    results = Result.objects.order_by("analyte__position")
    assert [(r.comparator, r.sent_value, r.sent_unit) for r in results] == [
        ("", "37.50", "ng/mL"),
        ("<", "0.5", "pg/mL"),
    ]
    assert results[0].draw.collected_at.isoformat() == "2026-11-01T23:10:00+00:00"


def test_the_same_bytes_read_by_another_layout_are_another_message(
    door: Door, patient: Patient, laboratory: Laboratory
) -> None:
    body = table_of({"status": "K"})
    for meant in ("preliminary", "final"):
        laboratory.csv = {"statuses": {"K": meant}}
        laboratory.save()
        door.push(body)

    assert Result.objects.current().get().status == "final"
    assert Inbound.objects.count() == 2


def test_a_table_without_a_single_result_changes_nothing(
    door: Door, patient: Patient, laboratory: Laboratory
) -> None:
    laboratory.csv = {
        "columns": [{"column": "IL-6", "holds": "value", "analyte": "IL-6", "unit": "pg/mL"}],
    }
    laboratory.save()
    body = table_of({"value": None, "analyte": None, "unit": None}).replace("status", "status,IL-6")

    assert states(door.push(body.replace("final", ""), DRY)) == [(2, "nothing")]
    answer = door.push(body.replace("final", ""))

    assert (answer.status_code, answer.json()) == (200, {"draws": []})


def test_a_table_of_another_charset_says_so_in_its_content_type(
    door: Door, patient: Patient
) -> None:
    body = table_of({"unit": "µg/L"}).encode("latin-1")

    assert door.push(body).status_code == 422
    assert door.push(body, kind="text/csv; charset=ISO-8859-1").status_code == 201
    assert Result.objects.get().sent_unit == "µg/L"
