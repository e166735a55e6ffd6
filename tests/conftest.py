"""A small clinic and a laboratory, for the tests of every room."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitoring import door_log
from patients.intake.json_dialect import read_json
from patients.intake.reception import Receipt, Sender, take_in
from patients.models import CareTeam, Laboratory, Patient, Sex
from patients.record.laboratories import add_laboratory
from patients.record.patients import enrol
from patients.record.people import add_team

MONDAY = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
Push = Callable[..., Receipt]


@pytest.fixture(autouse=True)
def _lines_of_requests_wait_for_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that writes them would reach for the database between two tests."""
    monkeypatch.setattr(door_log.Writer, "_start", lambda _writer: None)


@pytest.fixture
def team() -> CareTeam:
    return add_team(
        site="Kita clinic", name="Ward 3", zone=ZoneInfo("Asia/Tokyo"), by="operator", at=MONDAY
    )


@pytest.fixture
def patient(team: CareTeam) -> Patient:
    return enrol(
        team=team,
        identifiers=[("urn:clinic:mrn", "0042")],
        family_name="Invented",
        given_name="Ida",
        birth_date=date(1980, 5, 1),
        sex=Sex.FEMALE,
        started_on=date(2026, 9, 1),
        by="operator",
        at=MONDAY,
    )


@pytest.fixture
def laboratory() -> Laboratory:
    return add_laboratory(
        name="North laboratory",
        zone=ZoneInfo("Asia/Tokyo"),
        pushes_per_minute=None,
        by="operator",
        at=MONDAY,
    )


@pytest.fixture
def push(laboratory: Laboratory) -> Push:
    sender = Sender(laboratory_id=laboratory.pk, key_id=None, zone=ZoneInfo("Asia/Tokyo"))

    def send(message: bytes, *, sender: Sender = sender, at: datetime = MONDAY) -> Receipt:
        panels, _ = read_json(message)
        return take_in(panels, body=message, dialect="json", sender=sender, at=at)

    return send


def draw(
    *,
    accession: str = "A-17",
    mrn: str = "0042",
    collected_at: str = "2026-11-02T08:10:00+09:00",
    results: Sequence[dict[str, Any]] | None = None,
    **result: str | None,
) -> dict[str, Any]:
    """Make a draw as a laboratory would report it; `result` changes its one result."""
    plain = {"analyte": "sIL-6R", "value": "37.50", "unit": "ng/mL"}
    return {
        "accession": accession,
        "patient": {"system": "urn:clinic:mrn", "value": mrn},
        "collected_at": collected_at,
        "results": list(results) if results is not None else [plain | result],
    }
