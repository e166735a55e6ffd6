"""What the how-to tells a researcher to type: run as it stands, on a synthetic cohort."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from analytics import CURRENT_POLICY, CURRENT_RELEASE, History, estimate_cohort
from analytics.evaluation import EvaluationIsUnfit, evaluate_at_landmarks, replay
from analytics.releases import load, mark_of
from analytics.simulation import SimulatedCohort, simulate_cohort
from tests.analytics.cohorts import patients_table, ratings_table, results_table, week

HOW_TO = Path(__file__).resolve().parents[2] / "docs/how-to/evaluate-a-model.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def starts(cohort: SimulatedCohort) -> "pd.Series[pd.Timestamp]":
    """Everybody begins on a day of their own."""
    opened = pd.Timestamp(2025, 3, 3, 8, tz="UTC")
    days = pd.to_timedelta(cohort.patients["enrolled_day"], unit="D")
    return (opened + days).set_axis(cohort.patients["patient"])


def put_files(folder: Path) -> None:
    cohort = simulate_cohort(n_patients=240, seed=4, scenario="gap")
    tables = cohort.history_tables(starts(cohort))
    for name, table in tables._asdict().items():
        table.to_csv(folder / f"{name}.csv", index=False)
    pd.DataFrame(
        {
            "patient_id": tables.patients["patient_id"],
            "is_resistant": cohort.truth["is_resistant"].astype(int),
            "resolved_week": cohort.truth["resolved_day"] / 7,
            "followed_weeks": cohort.patients["followed_days"] / 7,
            "sex": cohort.patients["sex"],
        }
    ).astype({"is_resistant": bool}).to_csv(folder / "outcomes.csv", index=False)
    late = cohort.results[cohort.results["day"].between(70, 110)]
    wide = late.pivot_table("value", "patient", "analyte", aggfunc="first")
    score = cohort.ratings[cohort.ratings["day"] > 70].groupby("patient")["total"].first()
    truth = cohort.truth.set_index("patient")["is_resistant"]
    wide["qids"] = score
    wide["group"] = np.where(truth[wide.index], "resistant", "remitted")
    wide.dropna(subset=["sIL-6R"]).to_csv(folder / "study.csv", index=False)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::analytics.fitting.SingularFitWarning")
def test_what_the_how_to_says_can_be_typed_and_gives_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_files(tmp_path)
    monkeypatch.chdir(tmp_path)

    typed: dict[str, Any] = {}
    for block in BLOCK.findall(HOW_TO.read_text()):
        exec(block, typed)  # noqa: S102

    assert typed["study"].groups["measure"].tolist() == ["sIL-6R", "IL-6", "TNF-α", "qids"]
    assert set(typed["published"]["status"]) == {"back-calculated"}
    assert typed["by_landmark"]["landmark_week"].tolist() == [4, 8, 12]
    assert len(typed["by_sex"]) == 6
    assert typed["burden"].n_found + typed["burden"].n_missed == typed["burden"].n_resistant
    assert (tmp_path / "week_8.png").stat().st_size > 10_000
    assert load(tmp_path / "my-clinic-1.json").basis == "local labels"
    assert 0.4 < typed["area"].auc < 1


def test_a_replay_counts_weeks_from_each_first_dose_and_knows_nothing_later() -> None:
    patients = pd.concat(
        [patients_table([1]), patients_table([2], started_at=week(10))], ignore_index=True
    )
    results = pd.concat(
        [
            results_table([30.0, 45.0], weeks=[0, 6], patient_id=1),
            results_table([30.0, 45.0], weeks=[10, 16], patient_id=2),
        ],
        ignore_index=True,
    )

    found = replay({"patients": patients, "results": results}, weeks=[0, 4, 8]).predictions

    one, other = (found[found["patient_id"] == key]["probability"].tolist() for key in (1, 2))
    assert one == other
    assert found["landmark_week"].tolist() == [0, 0, 4, 4, 8, 8]
    assert one[0] != one[2]


def test_a_replay_moves_times_of_any_zone_as_the_front_door_reads_them() -> None:
    results = results_table([30.0, 33.0, 45.0], weeks=[0, 2, 6])
    ratings = ratings_table([18, 17, 17], weeks=[0, 2, 4])
    tables = {"patients": patients_table(), "results": results, "ratings": ratings}
    zones = [ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo"), ZoneInfo("UTC")]

    def mixed(times: "pd.Series[Any]") -> "pd.Series[Any]":
        moved = [t.astimezone(zone) for t, zone in zip(times, zones, strict=True)]
        return pd.Series(moved, dtype=object)

    of_zones = tables | {
        "results": results.assign(drawn_at=mixed(results["drawn_at"])),
        "ratings": ratings.assign(rated_at=mixed(ratings["rated_at"])),
        "patients": patients_table().assign(started_at=lambda of: of["started_at"].astype(object)),
    }

    one, other = (replay(each, weeks=[0, 4, 8]) for each in (tables, of_zones))

    assert one.predictions["probability_without_biomarker"].nunique() == 2
    pd.testing.assert_frame_equal(one.predictions, other.predictions)
    pd.testing.assert_frame_equal(one.flags, other.flags)


def test_a_replay_says_what_the_front_door_said_at_that_week_whatever_the_hour() -> None:
    starts = [week(0) + timedelta(days=d, hours=h) for d, h in ((0, 0), (3, 8), (40, 23.9), (7, 8))]
    patients = [patients_table([n], started_at=at) for n, at in enumerate(starts, start=1)]
    draws = [
        results_table(
            [45.0, 40.0], weeks=[(d + h / 24) / 7, (d + 4 + 1 / 24) / 7], patient_id=n
        ).assign(analyte=["sIL-6R", "hs-CRP"])
        for n, (d, h) in enumerate(((4, 23), (9, 23), (50, 1), (12, 7)), start=1)
    ]
    told = [pd.Series([20462.0 + n, np.nan]) for n in range(4)]
    results = [each.assign(local_day=day) for each, day in zip(draws, told, strict=True)]
    for given in (draws, results):
        tables = {
            "patients": pd.concat(patients, ignore_index=True),
            "results": pd.concat(given, ignore_index=True),
        }
        found = replay(tables, weeks=[1, 4, 9]).predictions
        for landmark in (1, 4, 9):
            for n, at in enumerate(starts, start=1):
                alone = History(patients=patients[n - 1], results=given[n - 1])
                (then,) = estimate_cohort(alone, at=at + timedelta(weeks=landmark))
                said = found[(found["patient_id"] == n) & (found["landmark_week"] == landmark)]
                assert said["probability"].tolist() == (
                    [] if then.probability is None else [then.probability]
                )


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ([1], "tables: 'list'; wanted: a DataFrame by each table's name"),
        ({"patients": None}, r"tables: \['patients'\]; wanted: patients among them"),
        (
            {"patient": patients_table()},
            "tables: 'patient'; wanted: tables named patients",
        ),
        ({"patients": {"patient_id": [1]}}, r"tables\['patients'\]: 'dict'; wanted: a DataFrame"),
    ],
)
def test_what_is_no_record_is_not_replayed(tables: Any, told: str) -> None:
    with pytest.raises(EvaluationIsUnfit, match=told):
        replay(tables, weeks=[4])


def test_a_flag_that_stays_up_is_raised_once_and_one_that_comes_back_twice() -> None:
    # a rise of one's own that stays below what speaks of resistance, so that it can come back
    levels = [20.0, 20.0, 20.0, 20.0, 50.0, 50.0, 20.0, 20.0, 20.0, 50.0]
    results = results_table(levels, weeks=range(0, 20, 2), is_confirmed=True)

    found = replay({"patients": patients_table(), "results": results}, weeks=range(20)).flags

    drifting = found[found["kind"] == "drifting"]["raised_week"].tolist()
    assert drifting[0] == 8
    assert len(drifting) == 2
    assert CURRENT_POLICY.rise_draws <= 5


@pytest.mark.parametrize(
    ("weeks", "message"),
    [([0, 4, 4], r"weeks, row 2: 4; wanted: weeks that rise"), ([-1], r"weeks, row 0: -1")],
)
def test_weeks_that_do_not_rise_are_refused(weeks: list[float], message: str) -> None:
    with pytest.raises(EvaluationIsUnfit, match=message):
        replay({"patients": patients_table()}, weeks=weeks)


def test_a_patient_without_a_first_dose_is_refused_by_row() -> None:
    with pytest.raises(EvaluationIsUnfit, match=r"started_at, row 0: NaT; wanted: a first"):
        replay({"patients": patients_table(started_at=None)}, weeks=[4])


def test_a_release_is_not_judged_by_those_who_taught_it_unless_that_is_said() -> None:
    marks = frozenset(mark_of(patient, "taught-1") for patient in (2, 7))
    release = replace(CURRENT_RELEASE, version="taught-1", learned_from=marks)
    patients = pd.concat([patients_table([each]) for each in (1, 2)], ignore_index=True)
    results = results_table([30.0, 45.0], weeks=[0, 6]).assign(patient_id=[1, 2])
    tables = {"patients": patients, "results": results}
    alone = {name: table[table["patient_id"] == 1] for name, table in tables.items()}

    found = replay(tables, weeks=[8], release=release, with_teachers=True).predictions
    honest = replay(alone, weeks=[8], release=release).predictions

    assert found.set_index("patient_id")["is_apparent"].to_dict() == {1: False, 2: True}
    assert honest["is_apparent"].tolist() == [False]
    outcomes = pd.DataFrame(
        {"patient_id": [1, 2], "is_resistant": [True, False], "resolved_week": np.nan}
    )
    assert evaluate_at_landmarks(found, outcomes)["n_apparent"].tolist() == [1]
    assert evaluate_at_landmarks(honest, outcomes)["n_apparent"].tolist() == [0]
    with pytest.raises(EvaluationIsUnfit, match=r"'taught-1'; wanted: .* 1 of these 2 taught it"):
        replay(tables, weeks=[8], release=release)


def test_a_release_that_hides_whom_it_has_learned_from_judges_nobody() -> None:
    release = replace(CURRENT_RELEASE, basis="local labels")
    tables = {"patients": patients_table(), "results": results_table([30.0])}

    with pytest.raises(EvaluationIsUnfit, match="a release that says whom it has learned from"):
        replay(tables, weeks=[8], release=release)
