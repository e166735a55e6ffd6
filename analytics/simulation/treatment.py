"""Simulated drug trials with their dose steps, and the events that disturb a reading."""

import numpy as np
import pandas as pd
from numpy.random import Generator

from analytics.simulation.priors import ANALYTE_UNITS, DRUGS, EVENT_FACTORS, SimulationPriors
from analytics.simulation.tables import FloatArray

NO_EFFECT = "ineffective"
SIDE_EFFECTS = "intolerance"
TITRATION_DAY = 14.0
SLOW_TITRATION_DAY = 28.0
MOST_TRIALS = 6
LN_COLUMNS = {analyte: f"ln {analyte}" for analyte in ANALYTE_UNITS}


def sample_trials(
    truth: pd.DataFrame, *, followed_days: FloatArray, priors: SimulationPriors, rng: Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give each patient the trials of the course: failures move on, intolerance moves on early."""
    n = len(truth)
    resistant = truth["is_resistant"].to_numpy()
    order = np.argsort(rng.random((n, len(DRUGS))), axis=1)
    start, blocks = np.zeros(n), []
    for number in range(MOST_TRIALS):
        lasts = np.round(rng.uniform(49, 77, n))
        harms = rng.random(n) < priors.intolerance_share
        lasts = np.where(harms, np.round(rng.uniform(6, 24, n)), lasts)
        stop = np.where(harms | resistant, start + lasts, np.nan)
        stop = np.where(stop <= followed_days, stop, np.nan)
        begun = start <= followed_days
        reason = np.where(np.isnan(stop), "", np.where(harms, SIDE_EFFECTS, NO_EFFECT))
        block = pd.DataFrame(
            {
                "row": np.arange(n),
                "patient": truth["patient"],
                "plan": order[:, number],
                "start_day": start,
                "stop_day": stop,
                "stop_reason": reason,
            }
        )
        blocks.append(block[begun])
        start = stop + 1.0
    trials = pd.concat(blocks).sort_values(["row", "start_day"], kind="stable", ignore_index=True)
    trials["trial"] = np.arange(1, len(trials) + 1)
    slow = (truth["course"].to_numpy() == "slow")[trials["row"].to_numpy()]
    return _dosed(
        trials, wait=np.where(slow, SLOW_TITRATION_DAY, TITRATION_DAY), followed=followed_days
    )


def _dosed(
    trials: pd.DataFrame, *, wait: FloatArray, followed: FloatArray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add drug, dose steps and the first day on an adequate dose."""
    plan = trials["plan"].to_numpy()
    first = np.array([drug.start_mg for drug in DRUGS], dtype=float)[plan]
    then = np.array([drug.target_mg for drug in DRUGS], dtype=float)[plan]
    enough = np.array([drug.adequate_mg for drug in DRUGS])[plan]
    start = trials["start_day"].to_numpy(dtype=float)
    raised = start + wait
    end = trials["stop_day"].fillna(pd.Series(followed[trials["row"].to_numpy()])).to_numpy()
    is_raised = raised <= end
    trials["drug"] = np.array([drug.drug for drug in DRUGS])[plan]
    trials["atc"] = np.array([drug.atc for drug in DRUGS])[plan]
    trials["adequate_day"] = np.where(
        first >= enough, start, np.where(is_raised & (then >= enough), raised, np.nan)
    )
    steps = pd.DataFrame(
        {
            "trial": np.concatenate([trials["trial"], trials["trial"][is_raised]]),
            "day": np.concatenate([start, raised[is_raised]]),
            "dose_mg": np.concatenate([first, then[is_raised]]),
        }
    ).sort_values(["trial", "day"], ignore_index=True)
    columns = [
        "patient", "trial", "drug", "atc", "start_day", "stop_day", "stop_reason", "adequate_day",
    ]  # fmt: skip
    return trials[columns], steps


def sample_events(
    truth: pd.DataFrame, *, followed_days: FloatArray, priors: SimulationPriors, rng: Generator
) -> pd.DataFrame:
    """Let some patients catch an infection and a few receive a blocker of the IL-6 receptor."""
    n = len(truth)
    keys = truth["patient"].to_numpy()
    ill = rng.random(n) < priors.infection_share
    began = np.round(rng.uniform(0.05, 0.95, n) * followed_days)
    ended = began + np.round(rng.uniform(5, 14, n))
    known = rng.random(n) < priors.infection_recorded_share
    infections = make_events(
        patients=keys[ill], kind="infection", start=began[ill], stop=ended[ill], rng=rng
    ).assign(is_recorded=known[ill])
    blocked = rng.random(n) < priors.il6r_blocker_share
    began = np.round(rng.uniform(0.1, 0.6, n) * followed_days)
    blockers = make_events(
        patients=keys[blocked],
        kind="il6r_blocker",
        start=began[blocked],
        stop=np.full(blocked.sum(), np.nan),
        rng=rng,
        atc="L04AC07",
    )
    events = pd.concat([infections, blockers], ignore_index=True)
    return events.sort_values(["patient", "start_day"], kind="stable", ignore_index=True)


def make_events(
    *,
    patients: np.ndarray,
    kind: str,
    start: FloatArray,
    stop: FloatArray,
    rng: Generator,
    atc: str = "",
) -> pd.DataFrame:
    """Build events of one kind with the true effect of each on the readings."""
    n = len(patients)
    table = pd.DataFrame(
        {
            "patient": patients,
            "kind": np.full(n, kind, dtype=object),
            "start_day": np.asarray(start, dtype=float),
            "stop_day": np.asarray(stop, dtype=float),
            "atc": np.full(n, atc, dtype=object),
            "is_recorded": np.ones(n, dtype=bool),
        }
    ).astype({"patient": "str", "kind": "str", "atc": "str"})
    for analyte, column in LN_COLUMNS.items():
        low, high = EVENT_FACTORS.get(kind, {}).get(analyte, (1.0, 1.0))
        table[column] = rng.uniform(np.log(low), np.log(high), n)
    return table
