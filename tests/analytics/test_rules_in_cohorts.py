"""What the rules say of a patient does not depend on who else is in the cohort."""

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analytics import Estimate, History, estimate_cohort
from analytics.columns import ADHERENCES, EVENT_KINDS, GENOTYPES, HAEMOLYSES, OVERRIDES, TRIAL_KINDS
from tests.analytics.cohorts import MONDAY, TIME, week

PATIENTS = 60
AT = week(30)
DRUGS = ("N06AB06", "N06AX11", "N06AX16", "N05AN01", "N06AG02")
SCALES = ("QIDS-SR16", "PHQ-9", "HAM-D17", "MADRS", "home-made")


def times(days: list[Any]) -> "pd.Series[Any]":
    moments = [None if day is None else MONDAY + timedelta(days=int(day)) for day in days]
    return pd.Series(moments, dtype=TIME)


def frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    found = pd.DataFrame(rows)
    for name in found.columns:
        if name.endswith("_at"):
            found[name] = times([None if pd.isna(day) else day for day in found[name]])
    return found


def told(patient: int) -> dict[str, list[dict[str, Any]]]:
    """Tell one patient's whole record by a number: every column, in no order."""
    rng = np.random.default_rng(patient)

    def one_of(words: tuple[str, ...]) -> str:
        return words[int(rng.integers(len(words)))]

    trials, doses, day = [], [], 0
    for number in range(int(rng.integers(0, 5))):
        length = int(rng.integers(5, 90))
        trial_id = 10 * patient + number
        trials.append(
            {
                "patient_id": patient,
                "trial_id": trial_id,
                "drug": "one",
                "atc": one_of(DRUGS),
                "started_at": day,
                "stopped_at": day + length,
                "stop_reason": one_of(("ineffective", "intolerance", "non_adherence", "other")),
                "dose_mg": float("nan"),
                "adequate_from_at": None,
                "kind": one_of(("", "", "", *TRIAL_KINDS)),
                "adherence": one_of(ADHERENCES),
                "override": one_of((*OVERRIDES[:1] * 6, *OVERRIDES)),
                "least_mg": float(rng.choice([np.nan, 40])),
            }
        )
        doses += [
            {"trial_id": trial_id, "started_at": day + step, "dose_mg": float(rng.integers(5, 300))}
            for step in {0, int(rng.integers(0, length))}
        ]
        day += length
    scale = one_of(SCALES)
    return {
        "patients": [
            {
                "patient_id": patient,
                "started_at": None if patient % 11 == 0 else 0,
                "is_bipolar": patient % 7 == 0,
                "primary_instrument": one_of(("", "", "PHQ-9")),
                "rs2228145": one_of(GENOTYPES),
            }
        ],
        "trials": trials,
        "doses": doses,
        "ratings": [
            {
                "patient_id": patient,
                "instrument": scale if each == 0 else one_of((scale, scale, scale, *SCALES)),
                "rated_at": int(each),
                "total": float(rng.integers(0, 27)),
            }
            for each in {0, *rng.choice(np.arange(-40, 220), int(rng.integers(0, 12)))}
        ],
        "events": [
            {
                "patient_id": patient,
                "kind": one_of(EVENT_KINDS),
                "started_at": int(rng.integers(0, 200)),
                "stopped_at": None,
            }
            for _ in range(int(rng.integers(0, 3)))
        ],
        "results": [
            {
                "patient_id": patient,
                "analyte": "sIL-6R",
                "drawn_at": int(each),
                "value": float(rng.lognormal(3.5, 0.3)),
                "comparator": "",
                "status": "final",
                "segment": one_of(("A", "A", "B")),
                "is_overridden": bool(rng.integers(2)),
                "is_kit_unknown": bool(rng.random() < 0.1),
                "haemolysis": one_of(HAEMOLYSES),
                "freeze_thaw_cycles": float(rng.integers(0, 4)),
                "lot": one_of(("", "L1", "L2")),
                "local_hour": float(rng.integers(6, 14)),
            }
            for each in rng.choice(np.arange(-40, 205), int(rng.integers(0, 9)), replace=False)
        ],
    }


def history_of(patients: list[int]) -> History:
    records = [told(patient) for patient in patients]
    tables: dict[str, Any] = {}
    for name in records[0]:
        if rows := [row for record in records for row in record[name]]:
            tables[name] = frame(rows)
    if "trials" in tables:
        tables["trials"] = tables["trials"].rename(columns={"adequate_from_at": "adequate_from"})
    return History(**tables)


@pytest.fixture(scope="module")
def everybody() -> dict[int, Estimate]:
    history = history_of(list(range(1, PATIENTS + 1)))
    return {each.patient_id: each for each in estimate_cohort(history, at=AT)}


@pytest.mark.parametrize("patient", range(1, PATIENTS + 1))
def test_a_patient_is_judged_alone_as_among_others(
    patient: int, everybody: dict[int, Estimate]
) -> None:
    [alone] = estimate_cohort(history_of([patient]), at=AT)

    assert alone.as_json() == everybody[patient].as_json()


def test_the_cohort_of_these_tests_is_worth_it(everybody: dict[int, Estimate]) -> None:
    found = list(everybody.values())

    assert len({each.state for each in found}) >= 8
    courses = [each.course for each in found if each.course is not None]
    assert len({trial.adequacy for course in courses for trial in course.trials}) == 5
    assert len({course.symptoms for course in courses}) >= 6
    assert len({part.reason for each in found for part in each.left_out}) >= 8
