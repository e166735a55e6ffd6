"""Simulated QIDS-SR16 ratings: sixteen items whose domain maxima add up to the total."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.random import Generator

from analytics.simulation.people import true_score
from analytics.simulation.priors import SimulationPriors
from analytics.simulation.tables import ITEMS, FloatArray, IntArray

INSTRUMENT = "QIDS-SR16"
RATING_WEEKS = (0.0, 2.0, 4.0, 6.0, 9.0, 12.0, 16.0, 20.0, 24.0)  # decision points, PMC2793274 [V]
RATING_JITTER_DAYS = 1.5
DOMAINS = 9
POINTS_PER_DOMAIN = 3
# Which points of a domain come first: mood and energy early, thoughts of death (item 12) late.
DOMAIN_LEAN = np.array([0.6, 0.8, 0.0, 0.3, 0.2, -1.8, 0.4, 0.6, 0.0])
ROWS_AT_ONCE = 50_000


def qids_total(items: pd.DataFrame) -> "pd.Series[int]":
    """Score complete QIDS-SR16 forms: max(q1..q4) + q5 + max(q6..q9) + q10..q14 + max(q15, q16).

    Parameters
    ----------
    items : DataFrame
        Columns q1 to q16, each 0 to 3, one complete form a row.

    Returns
    -------
    Series of int
        The total of each form, 0 to 27.

    Notes
    -----
    Source: ids-qids.org, scoring of the QIDS-SR16.
    """
    single = items[["q5", "q10", "q11", "q12", "q13", "q14"]].sum(axis="columns")
    sleep = items[["q1", "q2", "q3", "q4"]].max(axis="columns")
    appetite = items[["q6", "q7", "q8", "q9"]].max(axis="columns")
    tempo = items[["q15", "q16"]].max(axis="columns")
    return single + sleep + appetite + tempo


def sample_ratings(
    truth: pd.DataFrame,
    *,
    followed_days: FloatArray,
    at_weeks: Sequence[float],
    priors: SimulationPriors,
    rng: Generator,
) -> pd.DataFrame:
    """Rate each patient at the visits that fall within the time of following."""
    n, weeks = len(truth), np.asarray(at_weeks, dtype=float)
    jitter = np.clip(RATING_JITTER_DAYS * rng.standard_normal((n, len(weeks))), -4, 4)
    days = np.where(weeks == 0, 0.0, np.maximum(np.round(7 * weeks + jitter), 1.0))
    days += rng.uniform(0.0, 0.1, days.shape)
    kept = (rng.random(days.shape) >= priors.missed_rating_share) | (weeks == 0)
    noise = priors.rating_noise_sd * rng.standard_normal(days.shape)
    lean = DOMAIN_LEAN + 0.6 * rng.standard_normal((n, DOMAINS))
    kept &= days <= followed_days[:, None]
    row, visit = np.nonzero(kept)
    score = true_score(truth.iloc[row], days[row, visit] / 7)
    total = np.clip(np.rint(score + noise[row, visit]), 0, 27).astype(np.int64)
    levels = _domain_levels(total, lean[row], rng)
    items = _items(levels, prefers_less=rng.random(n)[row] < 0.7, rng=rng)
    head = pd.DataFrame(
        {
            "patient": truth["patient"].to_numpy()[row],
            "day": days[row, visit],
            "instrument": INSTRUMENT,
        }
    )
    tail = pd.DataFrame({"total": total, "true_score": score})
    return pd.concat([head, pd.DataFrame(items, columns=list(ITEMS)), tail], axis="columns")


def _domain_levels(total: IntArray, lean: FloatArray, rng: Generator) -> IntArray:
    """Spread each total over nine domains of at most three points, by the person's lean."""
    levels = np.empty((len(total), DOMAINS), dtype=np.int64)
    for first in range(0, len(total), ROWS_AT_ONCE):
        part = slice(first, first + ROWS_AT_ONCE)
        keys = np.repeat(lean[part], POINTS_PER_DOMAIN, axis=1)
        keys = keys + 0.8 * rng.standard_normal(keys.shape)
        rank = np.argsort(np.argsort(-keys, axis=1, kind="stable"), axis=1, kind="stable")
        chosen = rank < total[part, None]
        levels[part] = chosen.reshape(len(keys), DOMAINS, POINTS_PER_DOMAIN).sum(axis=2)
    return levels


def _items(levels: IntArray, *, prefers_less: np.ndarray, rng: Generator) -> IntArray:
    """Answer the sixteen items so that each domain's maximum is its level."""
    n = len(levels)
    items = np.zeros((n, 16), dtype=np.int64)
    rows = np.arange(n)
    sleep = np.floor(rng.random((n, 4)) * (levels[:, [0]] + 1)).astype(np.int64)
    sleep[rows, rng.integers(0, 4, n)] = levels[:, 0]
    items[:, 0:4] = sleep
    items[:, 4] = levels[:, 1]
    # Appetite and weight go either down (q6, q8) or up (q7, q9) in one person.
    first = np.where(prefers_less, 5, 6)
    leads = rng.random(n) < 0.5
    other = np.floor(rng.random(n) * (levels[:, 2] + 1)).astype(np.int64)
    items[rows, first] = np.where(leads, levels[:, 2], other)
    items[rows, first + 2] = np.where(leads, other, levels[:, 2])
    items[:, 9:14] = levels[:, 3:8]
    tempo = np.floor(rng.random((n, 2)) * (levels[:, [8]] + 1)).astype(np.int64)
    tempo[rows, rng.integers(0, 2, n)] = levels[:, 8]
    items[:, 14:16] = tempo
    return items
