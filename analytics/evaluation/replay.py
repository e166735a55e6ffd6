"""A record replayed: what would have been said, and flagged, at each week since the first dose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from analytics.estimate import Outcome
from analytics.estimates import CURRENT_RELEASE, estimate_cohort
from analytics.evaluation.inputs import EvaluationIsUnfit, need_columns, refuse_row
from analytics.histories import History
from analytics.policy import CURRENT_POLICY, Policy
from analytics.releases import Release, mark_of
from analytics.scalars import is_real
from analytics.tables import COLUMNS

MOST_WEEKS = 5200  # a century
FIRST_DOSE = datetime(2000, 1, 3, tzinfo=UTC)  # any day: everybody's first dose is put on it


@dataclass(frozen=True)
class Replay:
    """What a record would have brought.

    Attributes
    ----------
    predictions : DataFrame
        patient_id, landmark_week, probability, probability_without_biomarker, and is_apparent:
        the release was trained on the patient's own outcome; of those who had an estimate then.
    flags : DataFrame
        patient_id, raised_week, kind, level; one row each time a flag went up.
    """

    predictions: pd.DataFrame
    flags: pd.DataFrame


def replay(
    tables: Mapping[str, pd.DataFrame],
    *,
    weeks: Sequence[float],
    release: Release = CURRENT_RELEASE,
    policy: Policy = CURRENT_POLICY,
    with_teachers: bool = False,
) -> Replay:
    """Estimate everybody at the same weeks since their own first dose.

    Parameters
    ----------
    tables : dict of str to DataFrame
        As for :class:`analytics.History`, by the name of the table; every patient has a first dose.
    weeks : sequence of float
        Rising weeks since the first dose; a flag is seen at the first of them at which it is up.
    release : Release
        The model.
    policy : Policy
        Thresholds of the flags.
    with_teachers : bool
        Also replay patients whose outcomes the release was trained on; what it says of them is
        apparent, marked so, and judges nothing.

    Returns
    -------
    Replay

    Raises
    ------
    EvaluationIsUnfit
        A patient has no first dose, the weeks do not rise from 0 on, or the release was trained on
        a patient's outcome, or on outcomes of patients that it does not name.
    HistoryIsUnfit
        See :class:`analytics.History`.

    Notes
    -----
    Facts later than a week are not used for it. A corrected result counts as corrected from the
    day of its draw.
    """
    weeks = _read_weeks(weeks)
    if not isinstance(release, Release):
        raise EvaluationIsUnfit(
            column="release", value=type(release).__name__, wanted="a Release, as load(path) gives"
        )
    history = _read(tables)
    taught = _teachers(history, release)
    if not with_teachers:
        _refuse_teachers(taught, history, release)
    parts = [
        _replayed(of_hour, start, weeks, release, policy, taught)
        for start, of_hour in _by_hour(tables)
    ]
    predictions = pd.concat([each.predictions for each in parts], ignore_index=True)
    return Replay(
        predictions=_sorted(predictions, ["landmark_week", "patient_id"]),
        flags=_sorted(
            pd.concat([each.flags for each in parts], ignore_index=True),
            ["raised_week", "patient_id", "kind"],
        ),
    )


def _sorted(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    return table.sort_values(by, kind="stable", ignore_index=True)


def _replayed(
    history: History,
    start: datetime,
    weeks: list[float],
    release: Release,
    policy: Policy,
    taught: set[int],
) -> Replay:
    """Replay patients whose first doses fall on one moment."""
    blocks, flags, up = [], [], set[tuple[int, str]]()
    for at in weeks:
        found = estimate_cohort(
            history, at=start + timedelta(weeks=at), release=release, policy=policy
        )
        table = found.table
        known = table[table["outcome"] == Outcome.ESTIMATED.value]
        columns = ["patient_id", "probability", "probability_without_biomarker"]
        is_apparent = known["patient_id"].isin(taught)
        blocks.append(known[columns].assign(landmark_week=float(at), is_apparent=is_apparent))
        wanted = {
            (int(found.patient_ids[place]), flag.kind.value): flag
            for place, of_patient in found.flags.items()
            for flag in of_patient
        }
        raised = sorted(key for key, flag in wanted.items() if flag.is_raise and key not in up)
        flags += [(*key, float(at), wanted[key].level.value) for key in raised]
        # A flag that is not wanted any more goes down; one that is kept stays up if it was.
        up = {key for key, flag in wanted.items() if flag.is_raise or key in up}
    told = ["probability", "probability_without_biomarker"]
    order = ["patient_id", "landmark_week", *told, "is_apparent"]
    return Replay(
        predictions=pd.concat(blocks, ignore_index=True)[order]
        if blocks
        else pd.DataFrame(columns=order),
        flags=pd.DataFrame(flags, columns=["patient_id", "kind", "raised_week", "level"]),
    )


def _teachers(history: History, release: Release) -> set[int]:
    """Find the patients whose outcomes the release was trained on."""
    if not release.learned_from:
        return set()
    ids = history.patient_ids.tolist()
    return {pid for pid in ids if mark_of(pid, release.version) in release.learned_from}


def _refuse_teachers(taught: set[int], history: History, release: Release) -> None:
    if release.basis == "local labels" and not release.learned_from:
        raise EvaluationIsUnfit(
            column="release",
            value=release.version,
            wanted="a release that says whom it has learned from, or nobody knows what it predicts",
        )
    if taught:
        raise EvaluationIsUnfit(
            column="release",
            value=release.version,
            wanted=f"patients it was not trained on: {len(taught)} of these "
            f"{len(history.patient_ids)} taught it. Leave them out, judge them by the "
            "cross-fitted log-odds of the training, or ask for apparent figures by "
            "with_teachers=True",
        )


def _read_weeks(given: Sequence[float]) -> list[float]:
    wanted = f"weeks that rise, from 0 on, to {MOST_WEEKS} at most"
    if np.ndim(given) != 1:  # a bare word has none
        raise EvaluationIsUnfit(column="weeks", value=given, wanted=f"a list of {wanted}")
    weeks = list(given)
    for row, at in enumerate(weeks):
        if not (is_real(at) and 0 <= at <= MOST_WEEKS) or (row and at <= weeks[row - 1]):
            raise EvaluationIsUnfit(column="weeks", row=row, value=at, wanted=wanted)
    return [float(at) for at in weeks]


def _read(tables: Mapping[str, pd.DataFrame]) -> History:
    """Read the record as it was given; what is unfit is refused by its own rows."""
    if not isinstance(tables, Mapping):
        raise EvaluationIsUnfit(
            column="tables", value=type(tables).__name__, wanted="a DataFrame by each table's name"
        )
    for name, table in tables.items():
        if name not in COLUMNS:
            wanted = f"tables named {', '.join(COLUMNS)}"
            raise EvaluationIsUnfit(column="tables", value=name, wanted=wanted)
        if not isinstance(table, pd.DataFrame | None):
            raise EvaluationIsUnfit(
                column=f"tables[{name!r}]", value=type(table).__name__, wanted="a DataFrame"
            )
    if tables.get("patients") is None:
        raise EvaluationIsUnfit(column="tables", value=list(tables), wanted="patients among them")
    history = History(**tables)
    patients = tables["patients"]
    need_columns(patients, ("patient_id", "started_at"), name="patients")
    refuse_row(
        patients,
        "started_at",
        patients["started_at"].isna(),
        name="patients",
        wanted="a first dose, to count weeks from",
    )
    return history


def _by_hour(tables: Mapping[str, pd.DataFrame]) -> list[tuple[datetime, History]]:
    """Put all first doses on one day, each at its own hour; give those of each hour together.

    Moved by whole days, every time keeps its hour, and what happened on one day still does.
    """
    patients = tables["patients"]
    start = _moments(patients.set_index("patient_id")["started_at"])
    hour = start - start.dt.floor("D")
    days = (FIRST_DOSE - start).dt.ceil("D")
    moved = {
        name: _moved(name, tables, days) for name, table in tables.items() if table is not None
    }
    found = []
    for at in sorted(set(hour)):
        ids = hour.index[hour == at]
        own = {name: moved[name][_of(name, moved, ids)] for name in moved}
        found.append((FIRST_DOSE + at, History(**own)))
    return found


def _of(name: str, tables: Mapping[str, pd.DataFrame], ids: "pd.Index[int]") -> "pd.Series[bool]":
    """Tell which rows of a table are of some patients."""
    if name == "doses":
        trials = tables["trials"]
        return tables[name]["trial_id"].isin(trials["trial_id"][_of("trials", tables, ids)])
    return tables[name]["patient_id"].isin(ids)


def _moved(
    name: str, tables: Mapping[str, pd.DataFrame], days: "pd.Series[pd.Timedelta]"
) -> pd.DataFrame:
    """Move the times of a table by the days of each patient."""
    table = tables[name]
    if name == "doses":
        owner = tables["trials"].set_index("trial_id")["patient_id"]
        patient = table["trial_id"].map(owner)
    else:
        patient = table["patient_id"]
    shift = patient.map(days)
    times = [each for each, kind in COLUMNS[name].items() if kind.startswith("time")]
    moved = {each: _moments(table[each]) + shift for each in times if each in table}
    if "local_day" in table:
        moved["local_day"] = table["local_day"] + shift.dt.days
    return table.assign(**moved)


def _moments(column: "pd.Series[Any]") -> "pd.Series[pd.Timestamp]":
    """Read times of whatever zones, all in one."""
    return pd.to_datetime(column, utc=True).dt.as_unit("us")
