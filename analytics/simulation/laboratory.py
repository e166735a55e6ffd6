"""Simulated draws and what a laboratory prints: lots, limits, rounding, haemolysis."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.random import Generator

from analytics.simulation.people import SEGMENT, true_ln_level
from analytics.simulation.priors import (
    ANALYTE_UNITS,
    FULL_CONTRAST_WEEK,
    SimulationPriors,
    ln_variance,
)
from analytics.simulation.tables import FloatArray
from analytics.simulation.treatment import LN_COLUMNS

DRAW_WEEKS = (0.0, 2.0, 4.0, 8.0, 12.0, 16.0, 20.0, 24.0)
DECIMALS = {"sIL-6R": 1, "IL-6": 2, "TNF-α": 2, "hs-CRP": 1}
LOT_CODES = {"sIL-6R": "SR", "IL-6": "I6", "TNF-α": "TN", "hs-CRP": "CR"}
# A laboratory rejects these in a grossly haemolysed sample: Mayo, Labcorp [V].
SPOILT_BY_HAEMOLYSIS = ("IL-6", "TNF-α")
JITTER_LIMIT_DAYS = 6.0


def sample_draws(
    patients: pd.DataFrame, *, at_weeks: Sequence[float], priors: SimulationPriors, rng: Generator
) -> pd.DataFrame:
    """Draw blood at the visits that are kept, in the morning, never before the first dose."""
    weeks = np.asarray(at_weeks, dtype=float)
    n = len(patients)
    jitter = priors.draw_jitter_days * rng.standard_normal((n, len(weeks)))
    jitter = np.clip(jitter, -JITTER_LIMIT_DAYS, JITTER_LIMIT_DAYS)
    days = np.where(weeks == 0, 0.0, np.maximum(np.round(7 * weeks + jitter), 1.0))
    days += rng.uniform(0.0, 0.1, days.shape)
    kept = rng.random(days.shape) >= priors.missed_draw_share
    spoilt = rng.random(days.shape) < priors.haemolysis_share
    kept &= days <= patients["followed_days"].to_numpy()[:, None]
    row, visit = np.nonzero(kept)
    keys = patients["patient"].to_numpy()[row]
    return pd.DataFrame(
        {
            "accession": [
                f"{key}-{number:02d}" for key, number in zip(keys, visit + 1, strict=True)
            ],
            "patient": keys,
            "day": days[row, visit],
            "is_haemolysed": spoilt[row, visit],
        }
    )


def measure(
    draws: pd.DataFrame,
    *,
    patients: pd.DataFrame,
    truth: pd.DataFrame,
    events: pd.DataFrame,
    priors: SimulationPriors,
    rng: Generator,
) -> pd.DataFrame:
    """Report every analyte of every draw as a laboratory would."""
    row = pd.Index(truth["patient"]).get_indexer(draws["patient"])
    seen = truth.iloc[row]
    weeks = draws["day"].to_numpy() / 7
    enrolled = patients["enrolled_day"].to_numpy()[row]
    lot = ((enrolled + draws["day"].to_numpy()) // (7 * priors.lot_weeks)).astype(np.int64)
    lot_ln = np.sqrt(ln_variance(priors.lot_cv)) * rng.standard_normal((4, lot.max(initial=0) + 1))
    segment = patients["segment"].to_numpy()[row]
    kit_ln = np.where(segment == SEGMENT, 0.0, np.log(priors.second_kit_factor))
    lines = _true_lines(seen, row, weeks, n_patients=len(truth), priors=priors, rng=rng)
    spread = {
        "sIL-6R": np.sqrt(np.log1p(seen["within_cv"].to_numpy() ** 2)),
        "IL-6": np.sqrt(ln_variance(priors.il6_within_cv)),
        "TNF-α": np.sqrt(ln_variance(priors.tnf_within_cv)),
        "hs-CRP": np.sqrt(ln_variance(priors.crp_within_cv)),
    }
    wild = seen["is_noisy"].to_numpy()
    blocks = []
    for number, analyte in enumerate(ANALYTE_UNITS):
        calm = rng.standard_normal(len(draws))
        # Student t with 4 degrees of freedom, scaled to variance 1: the noisy have wild values.
        noise = np.where(wild, rng.standard_t(4, len(draws)) / np.sqrt(2), calm)
        assay = np.sqrt(ln_variance(priors.assay_cv)) * rng.standard_normal(len(draws))
        ln = lines[analyte] + spread[analyte] * noise + assay + lot_ln[number, lot] + kit_ln
        ln = ln + _disturbance(draws, events, column=LN_COLUMNS[analyte])
        block = _printed(analyte, np.exp(ln), priors=priors)
        block["lot"] = [f"{LOT_CODES[analyte]}-{index + 1:02d}" for index in lot]
        block["true_level"] = np.exp(lines[analyte]) if analyte == "sIL-6R" else np.nan
        block.insert(0, "order", np.arange(len(draws)) * 4 + number)
        blocks.append(block)
    return _reported(draws, blocks, segment=segment, rng=rng)


def _true_lines(
    seen: pd.DataFrame,
    row: np.ndarray,
    weeks: FloatArray,
    *,
    n_patients: int,
    priors: SimulationPriors,
    rng: Generator,
) -> dict[str, FloatArray]:
    """Undisturbed ln level of each analyte at each draw; treatment lowers IL-6 and TNF-α."""
    ramp = np.minimum(weeks / FULL_CONTRAST_WEEK, 1.0)

    def line(median: float, between_cv: float, within_cv: float, g: float) -> FloatArray:
        between = np.sqrt(ln_variance(between_cv))
        person = between * rng.standard_normal(n_patients)
        spread = np.sqrt(ln_variance(between_cv) + ln_variance(within_cv))
        return np.asarray(np.log(median) + person[row] + g * spread * ramp, dtype=float)

    p = priors
    return {
        "sIL-6R": true_ln_level(seen, weeks, priors=priors),
        "IL-6": line(p.il6_median, p.il6_between_cv, p.il6_within_cv, p.il6_treatment_g),
        "TNF-α": line(p.tnf_median, p.tnf_between_cv, p.tnf_within_cv, p.tnf_treatment_g),
        "hs-CRP": line(p.crp_median, p.crp_between_cv, p.crp_within_cv, 0.0),
    }


def _disturbance(draws: pd.DataFrame, events: pd.DataFrame, *, column: str) -> FloatArray:
    """Sum of the true ln effects of the events that each draw falls into."""
    at = draws[["patient", "day"]].assign(position=np.arange(len(draws)))
    met = at.merge(events, on="patient")
    met = met[(met["start_day"] <= met["day"]) & ~(met["day"] > met["stop_day"])]
    total = np.zeros(len(draws))
    np.add.at(total, met["position"].to_numpy(), met[column].to_numpy(dtype=float))
    return total


def _printed(analyte: str, reading: FloatArray, *, priors: SimulationPriors) -> pd.DataFrame:
    """Round to the laboratory's decimals and print limits with a comparator."""
    lower = {"IL-6": priors.il6_limit, "TNF-α": priors.tnf_limit, "hs-CRP": priors.crp_limit}
    upper = {"sIL-6R": priors.sil6r_upper_limit}
    low, high = lower.get(analyte, 0.0), upper.get(analyte, np.inf)
    text = np.char.mod(f"%.{DECIMALS[analyte]}f", np.clip(reading, low, high))
    return pd.DataFrame(
        {
            "analyte": analyte,
            "value_text": text,
            "value": text.astype(float),
            "comparator": np.where(reading < low, "<", np.where(reading > high, ">", "")),
            "unit": ANALYTE_UNITS[analyte],
            "latent_value": reading,
        }
    )


def _reported(
    draws: pd.DataFrame, blocks: list[pd.DataFrame], *, segment: np.ndarray, rng: Generator
) -> pd.DataFrame:
    """Join the analytes to their draws; leave out what haemolysis spoils."""
    table = pd.concat(blocks).sort_values("order", ignore_index=True)
    index = table["order"].to_numpy() // len(ANALYTE_UNITS)
    for column in ("day", "patient", "accession"):
        table.insert(0, column, draws[column].to_numpy()[index])
    table["status"] = "final"
    table["segment"] = segment[index]
    delay = 0.3 + np.round(rng.uniform(0.0, 2.0, len(draws)), 2)
    table["reported_day"] = table["day"] + delay[index]
    spoilt = draws["is_haemolysed"].to_numpy()[index]
    table = table[~(spoilt & table["analyte"].isin(SPOILT_BY_HAEMOLYSIS).to_numpy())]
    kept: pd.DataFrame = table[list(RESULT_COLUMNS)].reset_index(drop=True)
    return kept


RESULT_COLUMNS = (
    "accession", "patient", "day", "analyte", "value_text", "value", "comparator", "unit",
    "status", "lot", "segment", "reported_day", "latent_value", "true_level",
)  # fmt: skip
