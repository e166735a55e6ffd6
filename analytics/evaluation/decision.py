"""Whether acting on a probability does more good than harm: decision curves."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.random import default_rng

from analytics.evaluation.inputs import (
    BoolArray,
    EvaluationIsUnfit,
    FloatArray,
    need_both,
    need_seed,
    need_whole,
    read_labels,
    read_level,
    read_numbers,
    read_probabilities,
    read_share,
    refuse_out_of_step,
)

USUAL_THRESHOLDS = tuple(np.round(np.arange(0.05, 0.76, 0.05), 2).tolist())


def decision_curve(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    *,
    thresholds: Sequence[float] = USUAL_THRESHOLDS,
    prevalence: float | None = None,
) -> pd.DataFrame:
    """Compare acting on a probability with acting on everyone and on nobody.

    Parameters
    ----------
    labels : array_like of bool
        True or 1 for the patients with the outcome.
    probabilities : array_like of float
        From 0 to 1; at or above the threshold means acting.
    thresholds : sequence of float
        The risk from which a clinician would act, each above 0 and below 1.
    prevalence : float, optional
        Of the setting where the model is to be used, if the outcomes were sampled (a
        case-control study); by default that of the labels.

    Returns
    -------
    DataFrame
        threshold, net_benefit, treat_all, treat_none (0), acted_on (share of patients),
        avoided_per_100 (net reduction of needless actions per 100 patients against treat_all).

    Raises
    ------
    EvaluationIsUnfit
        A value is missing or outside, or one of the outcomes does not occur.

    Notes
    -----
    Source: Vickers and Elkin 2006, Med Decis Making 26:565. Net benefit = true positives / n
    - false positives / n x threshold / (1 - threshold).
    """
    outcome, numbers, cuts = _read(labels, probabilities, thresholds)
    share = float(outcome.mean()) if prevalence is None else prevalence
    read_share(share, column="prevalence")
    acts = numbers[None, :] >= cuts[:, None]
    found = acts[:, outcome].mean(axis=1) * share
    needless = acts[:, ~outcome].mean(axis=1) * (1 - share)
    odds = cuts / (1 - cuts)
    benefit, everyone = found - needless * odds, share - (1 - share) * odds
    return pd.DataFrame(
        {
            "threshold": cuts,
            "net_benefit": benefit,
            "treat_all": everyone,
            "treat_none": 0.0,
            "acted_on": found + needless,
            "avoided_per_100": 100 * (benefit - everyone) / odds,
        }
    )


def net_benefit_gain(
    labels: npt.ArrayLike,
    with_marker: npt.ArrayLike,
    without_marker: npt.ArrayLike,
    *,
    seed: int,
    thresholds: Sequence[float] = USUAL_THRESHOLDS,
    n_bootstrap: int = 1000,
    level: float = 0.95,
) -> pd.DataFrame:
    """Measure the net benefit that a marker adds in the same patients.

    Parameters
    ----------
    labels : array_like of bool
        True or 1 for the patients with the outcome.
    with_marker, without_marker : array_like of float
        Probabilities of the same patients, from 0 to 1.
    seed : int
        Of the bootstrap over patients.
    thresholds : sequence of float
        The risk from which a clinician would act.
    n_bootstrap : int, default: 1000
        At least 100.
    level : float, default: 0.95
        Confidence level of the percentile intervals, each threshold for itself.

    Returns
    -------
    DataFrame
        threshold, gain (with minus without), gain_low, gain_high.

    Raises
    ------
    EvaluationIsUnfit
        A value is missing or outside, one of the outcomes does not occur, or too few samples
        are asked for.

    Notes
    -----
    Source: Vickers 2008, BMC Med Inform Decis Mak 8:53.
    """
    outcome, first, cuts = _read(labels, with_marker, thresholds, column="with_marker")
    refuse_out_of_step(labels, with_marker=with_marker, without_marker=without_marker)
    second = read_probabilities(
        without_marker, n=len(outcome), is_open=False, column="without_marker"
    )
    need_whole(n_bootstrap, column="n_bootstrap", least=100)
    worth = np.where(outcome[None, :], 1.0, -(cuts / (1 - cuts))[:, None])
    # What each patient adds to the difference; its mean over patients is the gain.
    adds = worth * (
        (first >= cuts[:, None]).astype(float) - (second >= cuts[:, None]).astype(float)
    )
    rng = default_rng(need_seed(seed))
    n = len(outcome)
    drawn = np.empty((n_bootstrap, len(cuts)))
    for number in range(n_bootstrap):
        counts = np.bincount(rng.integers(0, n, n), minlength=n)
        drawn[number] = adds @ counts / n
    tail = (1 - read_level(level)) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    return pd.DataFrame(
        {"threshold": cuts, "gain": adds.mean(axis=1), "gain_low": low, "gain_high": high}
    )


def _read(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    thresholds: Sequence[float],
    *,
    column: str = "probabilities",
) -> tuple[BoolArray, FloatArray, FloatArray]:
    refuse_out_of_step(labels, **{column: probabilities})
    outcome = read_labels(labels)
    need_both(outcome, at_least=1)
    numbers = read_probabilities(probabilities, n=len(outcome), is_open=False, column=column)
    if np.ndim(thresholds) != 1 or np.size(thresholds) == 0:
        raise EvaluationIsUnfit(
            column="thresholds", value=thresholds, wanted="at least one risk, in a list"
        )
    cuts = read_numbers(thresholds, column="thresholds", n=len(thresholds))
    for row, cut in enumerate(cuts):
        if not 0 < cut < 1:
            raise EvaluationIsUnfit(
                column="thresholds", row=row, value=float(cut), wanted="a risk between 0 and 1"
            )
    return outcome, numbers, cuts
