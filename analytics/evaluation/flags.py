"""What flags cost and what they gain: burden, lead time, patients missed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from analytics.evaluation.inputs import (
    EvaluationIsUnfit,
    need_columns,
    read_column,
    read_level,
    read_outcomes,
    refuse_row,
    refuse_what_names_nothing,
)


@dataclass(frozen=True)
class FlagRecord:
    """How often flags went up, whom they found in time, and whom they missed.

    A resistant patient is found if a flag went up before the outcome was known, and missed
    otherwise. `lead_weeks_*` run from the first flag to the outcome among those found, and are
    None if nobody was found. `false_alarm_share` is the share of flagged patients who turned out
    not resistant, None if nobody was flagged.
    """

    n_patients: int
    patient_weeks: float
    n_flags: int
    flags_per_100_patient_weeks: float
    flags_per_100_patient_weeks_low: float
    flags_per_100_patient_weeks_high: float
    n_flagged: int
    n_resistant: int
    n_found: int
    n_missed: int
    missed_share: float | None
    missed_share_low: float | None
    missed_share_high: float | None
    lead_weeks_median: float | None
    lead_weeks_lower_quartile: float | None
    lead_weeks_upper_quartile: float | None
    false_alarm_share: float | None
    level: float


def judge_flags(flags: pd.DataFrame, patients: pd.DataFrame, *, level: float = 0.95) -> FlagRecord:
    """Judge the flags of a cohort whose outcomes are known.

    Parameters
    ----------
    flags : DataFrame
        patient_id, raised_week (weeks since the first dose); one row per flag raised. Choose
        the kind and the level of concern before. Further columns, such as the kind, tell flags
        of one week apart; two rows that are equal in all columns are one flag given twice.
    patients : DataFrame
        patient_id, followed_weeks (above 0), is_resistant, resolved_week (when the outcome was
        known, not after the last week followed; NaN: at the end of following).
    level : float, default: 0.95
        Confidence level: exact Poisson for the rate, Wilson for the share missed.

    Returns
    -------
    FlagRecord

    Raises
    ------
    EvaluationIsUnfit
        A column is missing, a patient or a flag is repeated, a patient is unknown, or a flag was
        raised, or an outcome known, outside the time of following.

    Notes
    -----
    Source of the interval of the rate: Garwood 1936, Biometrika 28:437.
    """
    read_level(level)
    need_columns(flags, ("patient_id", "raised_week"), name="flags")
    need_columns(
        patients,
        ("patient_id", "followed_weeks", "is_resistant", "resolved_week"),
        name="patients",
    )
    people = _read_people(patients)
    raised = _read_flags(flags, people)
    tail = (1 - level) / 2
    weeks, n_flags = float(people["followed_weeks"].sum()), len(raised)
    low = stats.chi2.ppf(tail, 2 * n_flags) / 2 if n_flags else 0.0
    high = stats.chi2.ppf(1 - tail, 2 * n_flags + 2) / 2
    first = raised.groupby("patient_id")["raised_week"].min()
    flagged_at = first.reindex(people.index)
    resistant = people["is_resistant"].to_numpy()
    lead = (people["known_week"] - flagged_at)[resistant & (flagged_at < people["known_week"])]
    n_resistant, n_flagged = int(resistant.sum()), int(flagged_at.notna().sum())
    n_missed = n_resistant - len(lead)
    missed = (
        stats.binomtest(n_missed, n_resistant).proportion_ci(level, method="wilson")
        if n_resistant
        else None
    )
    quartiles = np.quantile(lead, [0.25, 0.5, 0.75]).tolist() if len(lead) else [None] * 3
    return FlagRecord(
        n_patients=len(people),
        patient_weeks=weeks,
        n_flags=n_flags,
        flags_per_100_patient_weeks=100 * n_flags / weeks,
        flags_per_100_patient_weeks_low=float(100 * low / weeks),
        flags_per_100_patient_weeks_high=float(100 * high / weeks),
        n_flagged=n_flagged,
        n_resistant=n_resistant,
        n_found=len(lead),
        n_missed=n_missed,
        missed_share=n_missed / n_resistant if n_resistant else None,
        missed_share_low=float(missed.low) if missed else None,
        missed_share_high=float(missed.high) if missed else None,
        lead_weeks_lower_quartile=quartiles[0],
        lead_weeks_median=quartiles[1],
        lead_weeks_upper_quartile=quartiles[2],
        false_alarm_share=(
            float((~resistant[flagged_at.notna().to_numpy()]).mean()) if n_flagged else None
        ),
        level=level,
    )


def _read_people(patients: pd.DataFrame) -> pd.DataFrame:
    if len(patients) == 0:
        raise EvaluationIsUnfit(column="patients", value="no rows", wanted="at least one patient")
    once = "each patient once"
    refuse_what_names_nothing(patients, "patient_id", name="patients", wanted=once)
    repeated = patients["patient_id"].duplicated()
    refuse_row(patients, "patient_id", repeated, name="patients", wanted=once)
    more = "more than 0 weeks"
    followed = read_column(patients, "followed_weeks", name="patients", wanted=more)
    refuse_row(patients, "followed_weeks", pd.Series(followed <= 0), name="patients", wanted=more)
    outcome = read_outcomes(patients, "is_resistant", name="patients")
    resolved = read_column(
        patients,
        "resolved_week",
        name="patients",
        wanted="a week from 0 on, or nothing",
        low=0.0,
        may_be_missing=True,
    )
    refuse_row(
        patients,
        "resolved_week",
        pd.Series(resolved > followed),
        name="patients",
        wanted="a week from 0 to the last one followed, or nothing",
    )
    return pd.DataFrame(
        {
            "followed_weeks": followed,
            "is_resistant": outcome,
            "known_week": np.where(np.isnan(resolved), followed, resolved),
        },
        index=pd.Index(patients["patient_id"]),
    )


def _read_flags(flags: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    refuse_what_names_nothing(flags, "patient_id", name="flags")
    unknown = ~flags["patient_id"].isin(people.index)
    refuse_row(flags, "patient_id", unknown, name="flags", wanted="a patient of the other table")
    last = people["followed_weeks"].reindex(pd.Index(flags["patient_id"])).to_numpy()
    wanted = "a week from 0 to the end of following the patient"
    week = read_column(flags, "raised_week", name="flags", wanted=wanted)
    outside = pd.Series((week < 0) | (week > last))
    refuse_row(flags, "raised_week", outside, name="flags", wanted=wanted)
    refuse_row(
        flags,
        "patient_id",
        flags.astype(str).duplicated(),
        name="flags",
        wanted="each flag once, or a column such as its kind that tells two of one week apart",
    )
    return pd.DataFrame({"patient_id": flags["patient_id"].to_numpy(), "raised_week": week})
