"""A cohort leaves without names, is a history like any other, and the trail says who got it."""

import json
from datetime import UTC, date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from analytics import History, estimate_cohort
from analytics.definitions import NON_REMISSION
from analytics.doses import TABLE_VERSION
from monitoring.history import histories_of
from monitoring.site_rules import rules_of_site
from patients.models import Audit, CareTeam, EventKind, Patient
from patients.record.events import record_event
from patients.record.treatment import record_trial
from patients.record.verdicts import choose_rules
from tests.conftest import MONDAY, Push, draw
from tests.factories import PatientFactory

pytestmark = pytest.mark.django_db
TIMES = ("started_at", "stopped_at", "drawn_at", "rated_at", "adequate_from")


@pytest.fixture
def someone(patient: Patient, push: Push) -> Patient:
    """Somebody with draws, a trial and an event, whose first dose was on 01-Sep-2026."""
    on: dict[str, Any] = {"by": "operator", "at": MONDAY}
    start = date(2026, 9, 2)
    record_trial(
        patient=patient,
        drug="Sertraline Canary",
        atc="N06AB06",
        started_on=start,
        doses=[(start, Decimal(50))],
        **on,
    )
    record_event(patient=patient, kind=EventKind.INFECTION, started_on=start, note="Canary", **on)
    for week in range(5):
        day = (start + timedelta(weeks=week)).isoformat()
        sent = draw(
            accession=f"CANARY-{week}",
            collected_at=f"{day}T08:10:00+09:00",
            kit="Kit A",
            lot=f"CANARY-L{week // 2}",
        )
        push(json.dumps(sent).encode())
    return patient


def export(folder: Path, *, team: str = "Ward 3") -> Path:
    into = folder / "cohort"
    call_command(
        "export_cohort", str(into), team=team, recipient="Dr R", purpose="study 7", verbosity=0
    )
    return into


def read(folder: Path, name: str) -> pd.DataFrame:
    given = pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)
    numbers = {
        "value",
        "total",
        "dose_mg",
        "least_mg",
        "assay_cv",
        "local_hour",
        "earlier_failures",
    }
    for column in map(str, given.columns):
        if column in TIMES:
            given[column] = pd.to_datetime(given[column], utc=True)
        elif column.endswith("_id"):
            given[column] = given[column].astype(int)
        elif column.startswith("is_"):
            given[column] = given[column] == "True"
        elif column in numbers or column == "freeze_thaw_cycles":
            given[column] = pd.to_numeric(given[column])
    return given


def test_nothing_that_names_anybody_leaves(someone: Patient, tmp_path: Path) -> None:
    folder = export(tmp_path)

    text = "\n".join(file.read_text() for file in folder.iterdir()).lower()
    for word in ("canary", "0042", "ward", "kita", "2026-09", "2026-10", "rs2228145", "ill_since"):
        assert word not in text, word
    assert someone.family_name.lower() not in text
    assert str(someone.public_id) not in text
    assert {file.name for file in folder.iterdir()} == {
        *(f"{name}.csv" for name in ("patients", "results", "ratings", "trials", "events")),
        *("doses.csv", "outcomes.csv", "manifest.json"),
    }
    assert (folder.stat().st_mode & 0o777) == 0o700


def test_what_left_is_a_history_that_says_the_same(someone: Patient, tmp_path: Path) -> None:
    folder = export(tmp_path)
    tables = {
        name: read(folder, name) for name in ("patients", "results", "trials", "events", "doses")
    }

    [left] = estimate_cohort(
        History(**tables), at=pd.Timestamp("2000-02-14T00:00:00Z").to_pydatetime()
    )
    [here] = estimate_cohort(
        histories_of([someone.pk]),
        at=pd.Timestamp("2026-10-13T00:00:00+09:00").to_pydatetime().astimezone(UTC),
    )

    assert left.state == here.state
    assert left.probability == pytest.approx(here.probability)
    assert [part.reasons for part in left.left_out] == [part.reasons for part in here.left_out]


def test_the_trail_names_the_patient_the_recipient_and_the_purpose(
    someone: Patient, team: CareTeam, tmp_path: Path
) -> None:
    PatientFactory.create(team=team)  # without a first dose: left out

    folder = export(tmp_path)

    [line] = Audit.objects.filter(verb="export_without_names")
    assert line.patient_id == someone.pk
    assert line.detail == {"recipient": "Dr R", "purpose": "study 7"}
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["patients"], manifest["synthetic_patients"]) == (1, 0)


def test_a_folder_that_is_there_is_not_written_into(someone: Patient, tmp_path: Path) -> None:
    export(tmp_path)

    with pytest.raises(CommandError, match="must be a new folder"):
        export(tmp_path)
    with pytest.raises(CommandError, match="There is no team"):
        export(tmp_path / "cohort", team="Ward 9")

    assert Audit.objects.filter(verb="export_without_names").count() == 1


def test_where_nobody_has_had_a_first_dose_nothing_is_written(
    team: CareTeam, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="Nothing was written"):
        export(tmp_path)

    assert not (tmp_path / "cohort").exists()


def test_the_outcome_is_that_of_the_rules_the_site_has_chosen(
    someone: Patient, tmp_path: Path
) -> None:
    choose_rules(
        site=someone.team.site,
        name=NON_REMISSION,
        adequate_weeks=Decimal(8),
        version="",
        by="operator",
        at=timezone.now(),
    )

    folder = export(tmp_path)

    chosen = rules_of_site(someone.team.site, at=timezone.now()).version
    assert chosen.startswith("non-remission")
    assert chosen.endswith("+8wk")
    [outcome] = read(folder, "outcomes").to_dict("records")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (outcome["rules"], manifest["rules"]) == (chosen, [chosen])
    assert manifest["least_doses"] == [TABLE_VERSION]
