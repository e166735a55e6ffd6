"""Weeks are those of the calendar, also where the clocks change in one of them."""

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from analytics import Estimate, History, estimate_cohort
from analytics.course_findings import nearest_day
from analytics.definitions import Adequacy, SymptomState, rules_of
from tests.analytics.cohorts import TIME

ZONE = ZoneInfo("Europe/Berlin")  # summer time from 29-Mar-2026 to 25-Oct-2026
DOSED = 100.0


def midnight(day: str) -> pd.Timestamp:
    return pd.Timestamp(datetime.combine(date.fromisoformat(day), time(), tzinfo=ZONE))


def times(*moments: pd.Timestamp | None) -> Any:
    return pd.Series([each or pd.NaT for each in moments]).dt.tz_convert("UTC").astype(TIME)


def estimate(
    start: str, stop: str | None, ratings: list[tuple[str, int]], *, at: str, rules: str
) -> Estimate:
    begun = midnight(start)
    stopped = None if stop is None else midnight(stop)
    moments = [pd.Timestamp(when).tz_localize(ZONE) for when, _ in ratings]
    history = History(
        patients=pd.DataFrame({"patient_id": [1], "started_at": times(begun)}),
        trials=pd.DataFrame(
            {
                "patient_id": [1],
                "trial_id": [1],
                "drug": ["sertraline"],
                "atc": ["N06AB06"],
                "started_at": times(begun),
                "stopped_at": times(stopped) if stopped else pd.Series([pd.NaT], dtype=TIME),
                "stop_reason": ["ineffective" if stop else ""],
                "dose_mg": [DOSED],
                "adequate_from": pd.Series([pd.NaT], dtype=TIME),
            }
        ),
        ratings=pd.DataFrame(
            {
                "patient_id": 1,
                "instrument": "QIDS-SR16",
                "rated_at": times(*moments),
                "total": [float(total) for _, total in ratings],
            }
        ),
    )
    now = datetime.fromisoformat(at).replace(tzinfo=ZONE)
    [found] = estimate_cohort(history, at=now, rules=rules_of(rules))
    return found


# 42 days each: over the change to summer time, over the change back, and over none
@pytest.mark.parametrize(
    ("start", "stop"),
    [("2026-03-02", "2026-04-13"), ("2026-10-01", "2026-11-12"), ("2026-01-05", "2026-02-16")],
)
def test_six_weeks_are_six_weeks_whatever_the_clocks_do(start: str, stop: str) -> None:
    ratings = [(f"{start}T09:00", 20), (f"{stop}T09:00", 20)]

    found = estimate(start, stop, ratings, at="2026-11-20T12:00", rules="eu-pearl-4")

    assert found.course is not None
    [trial] = found.course.trials
    assert (trial.adequacy, trial.weeks_at_dose) == (Adequacy.ADEQUATE, 6)
    assert found.course.failed_trials == 1
    assert trial.adequate_at is not None
    assert nearest_day(trial.adequate_at, ZONE) == date.fromisoformat(stop)


@pytest.mark.parametrize("stop", ["2026-04-12", "2026-03-29"])
def test_a_day_less_is_a_day_less(stop: str) -> None:
    ratings = [("2026-03-02T09:00", 20), (f"{stop}T09:00", 20)]

    found = estimate("2026-03-02", stop, ratings, at="2026-05-01T12:00", rules="eu-pearl-4")

    assert found.course is not None
    assert found.course.trials[0].adequacy is not Adequacy.ADEQUATE


def test_stopped_on_the_last_day_of_the_fourth_week_is_not_stopped_early() -> None:
    ratings = [("2026-03-02T09:00", 20), ("2026-03-30T09:00", 20)]

    found = estimate(
        "2026-03-02", "2026-03-30", ratings, at="2026-05-01T12:00", rules="eu-pearl-4+4wk"
    )

    assert found.course is not None
    assert found.course.trials[0].is_failed


# 112 days each, and the second visit a little earlier in the day
@pytest.mark.parametrize(
    ("well", "still_well"), [("02-16", "06-08"), ("07-16", "11-05"), ("04-20", "08-10")]
)
def test_sixteen_weeks_of_remission_are_a_recovery_whatever_the_hour(
    well: str, still_well: str
) -> None:
    ratings = [
        ("2026-01-05T09:00", 20),
        (f"2026-{well}T11:00", 5),
        (f"2026-{still_well}T08:30", 5),
    ]

    found = estimate("2026-01-05", None, ratings, at="2026-11-20T12:00", rules="eu-pearl-4")

    assert found.course is not None
    assert found.course.symptoms is SymptomState.RECOVERY
