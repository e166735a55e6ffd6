"""Small histories for the tests of the core: a test names only what it is about."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from analytics import Estimate, History, estimate_cohort

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
TIME = "datetime64[us, UTC]"


def week(number: float) -> datetime:
    """Give a moment by the weeks since the first dose."""
    return MONDAY + timedelta(weeks=number)


def patients_table(
    ids: Sequence[int] = (1,), *, started_at: datetime | None = MONDAY
) -> pd.DataFrame:
    started = pd.Series([started_at] * len(ids), dtype=TIME)
    return pd.DataFrame({"patient_id": list(ids), "started_at": started})


def results_table(
    values: Sequence[float],
    *,
    weeks: Sequence[float] | None = None,
    patient_id: int = 1,
    **columns: Any,
) -> pd.DataFrame:
    at = range(len(values)) if weeks is None else weeks
    drawn = pd.Series([week(number) for number in at], dtype=TIME)
    given = {
        "analyte": "sIL-6R",
        "comparator": "",
        "status": "final",
        "segment": "1/kit",
        **columns,
    }
    frame = pd.DataFrame(
        {"patient_id": patient_id, "drawn_at": drawn, "value": pd.Series(values, dtype=float)}
    )
    return frame.assign(**given)


def ratings_table(
    totals: Sequence[float], *, weeks: Sequence[float], patient_id: int = 1, **columns: Any
) -> pd.DataFrame:
    rated = pd.Series([week(number) for number in weeks], dtype=TIME)
    given = {"instrument": "QIDS-SR16", **columns}
    frame = pd.DataFrame(
        {"patient_id": patient_id, "rated_at": rated, "total": pd.Series(totals, dtype=float)}
    )
    return frame.assign(**given)


def trials_table(
    spans: Sequence[tuple[float, float | None]] = ((0, None),),
    *,
    patient_id: int = 1,
    first_id: int = 1,
    **columns: Any,
) -> pd.DataFrame:
    def moments(weeks: Sequence[float | None]) -> "pd.Series[Any]":
        return pd.Series([None if one is None else week(one) for one in weeks], dtype=TIME)

    started = moments([start for start, _ in spans])
    given = {
        "drug": "sertraline",
        "atc": "N06AB06",
        "stop_reason": "",
        "dose_mg": 100.0,
        "adequate_from": started,
        **columns,
    }
    frame = pd.DataFrame(
        {
            "patient_id": patient_id,
            "trial_id": range(first_id, first_id + len(spans)),
            "started_at": started,
            "stopped_at": moments([stop for _, stop in spans]),
        }
    )
    return frame.assign(**given)


def events_table(
    kind: str, *, start: float, stop: float | None = None, patient_id: int = 1
) -> pd.DataFrame:
    stopped = pd.Series([None if stop is None else week(stop)], dtype=TIME)
    return pd.DataFrame(
        {
            "patient_id": [patient_id],
            "kind": [kind],
            "started_at": pd.Series([week(start)], dtype=TIME),
            "stopped_at": stopped,
        }
    )


TWELVE_WEEKS = week(12)


def estimate_one(*, at: datetime = TWELVE_WEEKS, **tables: pd.DataFrame) -> Estimate:
    """Give the one patient's estimate."""
    history = History(**{"patients": patients_table(), **tables})
    (found,) = estimate_cohort(history, at=at)
    return found
