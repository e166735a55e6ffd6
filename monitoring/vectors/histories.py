"""A history as a vector writes it, by days since the first dose, as the core's tables; and back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from analytics import Estimate, History, estimate_cohort
from analytics.definitions import CONSENSUS, rules_of, rules_on

FIRST_DOSE = datetime(2026, 1, 5, tzinfo=UTC)
DEFAULT_RULES = rules_on(datetime(2026, 11, 28, tzinfo=UTC).date(), name=CONSENSUS)
_TIME = "datetime64[us, UTC]"
_RESULT_TEXTS = ("haemolysis", "lot", "matrix")
_RESULT_FLAGS = (
    "is_confirmed",
    "is_overridden",
    "is_duplicate",
    "is_matrix_wrong",
    "is_kit_unknown",
    "is_unsuitable",
    "is_zero",
    "is_kept_out",
)


def moment(day: float) -> datetime:
    """Give the moment of a day since the first dose."""
    return FIRST_DOSE + timedelta(days=day)


def day_of(at: datetime | None) -> float | None:
    """Give the day since the first dose of a moment."""
    return None if at is None else (at - FIRST_DOSE) / timedelta(days=1)


def estimate_of(given: dict[str, Any]) -> Estimate:
    """Estimate the one patient of a vector, by the rules it names or those in force."""
    rules = rules_of(given["rules"]) if "rules" in given else DEFAULT_RULES
    history = History(**_tables(given))
    [found] = estimate_cohort(history, at=moment(given["at_day"]), rules=rules)
    return found


def _moments(days: list[Any]) -> "pd.Series[Any]":
    return pd.Series([None if day is None else moment(day) for day in days], dtype=_TIME)


def _tables(given: dict[str, Any]) -> dict[str, pd.DataFrame]:
    start = [None] if given.get("no_episode") else [0]
    patients = pd.DataFrame(
        {
            "patient_id": [1],
            "started_at": _moments(start),
            "is_bipolar": [bool(given.get("is_bipolar"))],
            "is_psychotic": [bool(given.get("is_psychotic"))],
            "earlier_failures": [float(given.get("earlier_failures", np.nan))],
            "primary_instrument": [given.get("primary_instrument", "")],
            "rs2228145": [given.get("rs2228145", "")],
        }
    )
    tables = {"patients": patients}
    for name, read in (
        ("results", _results),
        ("ratings", _ratings),
        ("events", _events),
    ):
        if rows := given.get(name):
            tables[name] = read(rows)
    if rows := given.get("trials"):
        tables["trials"], tables["doses"] = _trials(rows), _doses(rows)
    return tables


def _results(rows: list[dict[str, Any]]) -> pd.DataFrame:
    columns: dict[str, Any] = {
        "patient_id": 1,
        "analyte": [row.get("analyte", "sIL-6R") for row in rows],
        "drawn_at": _moments([row["day"] for row in rows]),
        "value": [float(row["value"]) for row in rows],
        "comparator": [row.get("comparator", "") for row in rows],
        "status": [row.get("status", "final") for row in rows],
        "segment": [row.get("kit", row.get("laboratory", "laboratory 1, kit A")) for row in rows],
        "laboratory": [row.get("laboratory", "") for row in rows],
        "freeze_thaw_cycles": [float(row.get("thaws", np.nan)) for row in rows],
        "local_hour": [float(row.get("local_hour", np.nan)) for row in rows],
        "local_day": [float(row.get("local_day", np.nan)) for row in rows],
        "assay_cv": [float(row.get("assay_cv", np.nan)) for row in rows],
    }
    columns |= {name: [row.get(name, "") for row in rows] for name in _RESULT_TEXTS}
    columns |= {name: [bool(row.get(name)) for row in rows] for name in _RESULT_FLAGS}
    return pd.DataFrame(columns)


def _ratings(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patient_id": 1,
            "instrument": [row.get("instrument", "QIDS-SR16") for row in rows],
            "rated_at": _moments([row["day"] for row in rows]),
            "total": [float(row["total"]) for row in rows],
        }
    )


def _events(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patient_id": 1,
            "kind": [row["kind"] for row in rows],
            "started_at": _moments([row["from_day"] for row in rows]),
            "stopped_at": _moments([row.get("to_day") for row in rows]),
            "drug_atc": [row.get("atc", "") for row in rows],
        }
    )


def _trials(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patient_id": 1,
            "trial_id": range(1, 1 + len(rows)),
            "drug": [row.get("drug", "sertraline") for row in rows],
            "atc": [row.get("atc", "N06AB06") for row in rows],
            "started_at": _moments([row["from_day"] for row in rows]),
            "stopped_at": _moments([row.get("to_day") for row in rows]),
            "stop_reason": [row.get("stop_reason", "") for row in rows],
            "dose_mg": np.nan,
            "adequate_from": _moments([None] * len(rows)),
            "kind": [row.get("kind", "") for row in rows],
            "adherence": [row.get("adherence", "") for row in rows],
            "override": [row.get("override", "") for row in rows],
            "least_mg": [float(row.get("least_mg", np.nan)) for row in rows],
        }
    )


def _doses(rows: list[dict[str, Any]]) -> pd.DataFrame:
    steps = [
        (number, step["from_day"], step["mg"])
        for number, row in enumerate(rows, start=1)
        for step in row.get("doses", [])
    ]
    return pd.DataFrame(
        {
            "trial_id": np.array([number for number, _, _ in steps], dtype=np.int64),
            "started_at": _moments([day for _, day, _ in steps]),
            "dose_mg": np.array([mg for _, _, mg in steps], dtype=np.float64),
        }
    )
