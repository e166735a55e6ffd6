"""A record replayed: what would have been said, and flagged, at each week since the first dose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from analytics.estimate import Outcome
from analytics.estimates import CURRENT_RELEASE, estimate_cohort
from analytics.evaluation.inputs import EvaluationIsUnfit, need_columns, refuse_row
from analytics.histories import History
from analytics.policy import CURRENT_POLICY, Policy
from analytics.releases import Release

FIRST_DOSE = datetime(2000, 1, 3, tzinfo=UTC)  # any day: everybody's first dose is put on it


@dataclass(frozen=True)
class Replay:
    """What a record would have brought.

    Attributes
    ----------
    predictions : DataFrame
        patient_id, landmark_week, probability, probability_without_biomarker; of those who had an
        estimate then.
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

    Returns
    -------
    Replay

    Raises
    ------
    EvaluationIsUnfit
        A patient has no first dose, or the weeks do not rise from 0 on.
    HistoryIsUnfit
        See :class:`analytics.History`.

    Notes
    -----
    Facts later than a week are not used for it. A corrected result counts as corrected from the
    day of its draw.
    """
    for row, at in enumerate(weeks):
        if not (np.isfinite(at) and at >= 0) or (row and at <= weeks[row - 1]):
            raise EvaluationIsUnfit(
                column="weeks", row=row, value=at, wanted="weeks that rise, from 0 on"
            )
    history = History(**_with_one_first_dose(tables))
    blocks, flags, up = [], [], set[tuple[int, str]]()
    for at in weeks:
        found = estimate_cohort(
            history, at=FIRST_DOSE + timedelta(weeks=at), release=release, policy=policy
        )
        table = found.table
        known = table[table["outcome"] == Outcome.ESTIMATED.value]
        columns = ["patient_id", "probability", "probability_without_biomarker"]
        blocks.append(known[columns].assign(landmark_week=float(at)))
        wanted = {
            (int(found.patient_ids[place]), flag.kind.value): flag
            for place, of_patient in found.flags.items()
            for flag in of_patient
        }
        raised = sorted(key for key, flag in wanted.items() if flag.is_raise and key not in up)
        flags += [(*key, float(at), wanted[key].level.value) for key in raised]
        # A flag that is not wanted any more goes down; one that is kept stays up if it was.
        up = {key for key, flag in wanted.items() if flag.is_raise or key in up}
    order = ["patient_id", "landmark_week", "probability", "probability_without_biomarker"]
    return Replay(
        predictions=pd.concat(blocks, ignore_index=True)[order]
        if blocks
        else pd.DataFrame(columns=order),
        flags=pd.DataFrame(flags, columns=["patient_id", "kind", "raised_week", "level"]),
    )


def _with_one_first_dose(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Shift every patient's times so that all first doses fall on one moment."""
    if "patients" not in tables:
        raise EvaluationIsUnfit(column="tables", value=sorted(tables), wanted="patients among them")
    patients = tables["patients"]
    need_columns(patients, ("patient_id", "started_at"), name="patients")
    refuse_row(
        patients,
        "started_at",
        patients["started_at"].isna(),
        name="patients",
        wanted="a first dose, to count weeks from",
    )
    start = patients.drop_duplicates("patient_id").set_index("patient_id")["started_at"]
    shifted = {}
    for name, table in tables.items():
        if name == "doses":
            owner = tables["trials"].set_index("trial_id")["patient_id"]
            patient = table["trial_id"].map(owner)
        else:
            patient = table["patient_id"]
        shift = FIRST_DOSE - patient.map(start)
        times = table.select_dtypes("datetimetz").columns
        shifted[name] = table.assign(**{column: table[column] + shift for column in times})
    return shifted
