"""Cut-offs of a score: found by a rule, with a bootstrap interval and an honest Youden index."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from numpy.random import Generator, default_rng

from analytics.evaluation.inputs import (
    BoolArray,
    EvaluationIsUnfit,
    FloatArray,
    need_both,
    need_one_of,
    need_seed,
    need_whole,
    read_labels,
    read_level,
    read_numbers,
    refuse_out_of_step,
)

MOST_PAIRS = 250_000
SHARE_SEEN = 0.632  # of the patients a bootstrap sample holds on average; Efron 1983
ROUNDING = 1e-12
NO_INFORMATION_ERROR = 0.5  # balanced error of a rule that knows nothing


class Criterion(StrEnum):
    """What makes a cut-off the best one."""

    YOUDEN = "youden"
    """The largest sensitivity + specificity - 1 (Youden 1950)."""
    TOP_LEFT = "top left"
    """The smallest distance from the corner of perfect sensitivity and specificity."""


class HonestMethod(StrEnum):
    """How the Youden index of a chosen cut-off is corrected for having chosen it here."""

    BOOTSTRAP_632_PLUS = ".632+"
    LEAVE_PAIR_OUT = "leave pair out"


@dataclass(frozen=True)
class CutOff:
    """A cut-off and what it is worth; a score at or above `threshold` is called positive.

    `youden` is what these data say of their own best cut-off and is too good; `honest_youden`
    is what to expect in new patients, and no more than that. The intervals are bootstrap
    percentiles over the whole procedure, choice of the cut-off included.
    """

    criterion: Criterion
    threshold: float
    threshold_low: float
    threshold_high: float
    sensitivity: float
    sensitivity_low: float
    sensitivity_high: float
    specificity: float
    specificity_low: float
    specificity_high: float
    youden: float
    honest_youden: float
    honest_method: HonestMethod
    level: float
    n_positive: int
    n_negative: int
    n_bootstrap: int


def best_cut_off(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    *,
    seed: int,
    criterion: Criterion = Criterion.YOUDEN,
    honest: HonestMethod = HonestMethod.BOOTSTRAP_632_PLUS,
    n_bootstrap: int = 2000,
    level: float = 0.95,
) -> CutOff:
    """Find the best cut-off of a score, and say how sure and how honest that is.

    Parameters
    ----------
    labels : array_like of bool
        True or 1 for the patients with the outcome.
    scores : array_like of float
        Higher means more likely to have the outcome.
    seed : int
        Of the bootstrap; the same seed gives the same intervals.
    criterion : Criterion, default: Criterion.YOUDEN
        What makes a cut-off the best. Of equals the nearest to the corner is taken, then the
        more sensitive.
    honest : HonestMethod, default: HonestMethod.BOOTSTRAP_632_PLUS
        How optimism is taken out of the Youden index.
    n_bootstrap : int, default: 2000
        Bootstrap samples, drawn within each outcome; at least 100.
    level : float, default: 0.95
        Confidence level of the percentile intervals.

    Returns
    -------
    CutOff
        Cut-offs lie half-way between neighbouring scores; the lowest score, which calls everybody
        positive, is the cut-off where every other is worse.

    Raises
    ------
    EvaluationIsUnfit
        A value is missing or not finite, there are fewer than two of either outcome, too few
        samples are asked for, there are too many pairs to leave out one by one, or there is no
        such criterion or method.

    Notes
    -----
    Source: Youden 1950, Cancer 3:32; Perkins and Schisterman 2006, Am J Epidemiol 163:670 for
    the corner; Efron and Tibshirani 1997, JASA 92:548 for .632+, applied to the balanced error
    (1 - J) / 2 whose no-information value is 1/2; Airola 2011, Comput Stat Data Anal 55:1828
    for leaving out pairs.
    """
    refuse_out_of_step(labels, scores=scores)
    outcome = read_labels(labels)
    n_positive, n_negative = need_both(outcome, at_least=2)
    numbers = read_numbers(scores, column="scores", n=len(outcome))
    read_level(level)
    criterion = need_one_of(Criterion, criterion, column="criterion")
    honest = need_one_of(HonestMethod, honest, column="honest")
    need_whole(n_bootstrap, column="n_bootstrap", least=100)
    threshold = choose(outcome, numbers, criterion=criterion)
    sensitivity, specificity = _worth(outcome, numbers, threshold)
    drawn = _bootstrap(outcome, numbers, criterion, n_bootstrap, default_rng(need_seed(seed)))
    tail = (1 - level) / 2
    low, high = np.quantile(drawn[:, :3], [tail, 1 - tail], axis=0).tolist()
    youden = sensitivity + specificity - 1
    if criterion is Criterion.YOUDEN:
        youden = max(youden, 0.0)  # the sum of two fractions may miss 1 by its last digit
    if honest is HonestMethod.LEAVE_PAIR_OUT:
        honest_youden = _leave_pair_out(outcome, numbers, criterion)
    else:
        honest_youden = _632_plus(apparent=youden, out_of_bag=float(np.nanmean(drawn[:, 3])))
    return CutOff(
        criterion=criterion,
        threshold=threshold,
        threshold_low=low[0],
        threshold_high=high[0],
        sensitivity=sensitivity,
        sensitivity_low=low[1],
        sensitivity_high=high[1],
        specificity=specificity,
        specificity_low=low[2],
        specificity_high=high[2],
        youden=youden,
        honest_youden=min(max(honest_youden, 0.0), youden),
        honest_method=honest,
        level=level,
        n_positive=n_positive,
        n_negative=n_negative,
        n_bootstrap=n_bootstrap,
    )


def choose(outcome: BoolArray, scores: FloatArray, *, criterion: Criterion) -> float:
    """Choose the best cut-off: half-way between two neighbouring scores, or an end.

    At the lowest score everybody is positive, which has J = 0 and lies at 1 from the corner (as
    nobody positive does); that end is taken where every cut within is worse.

    Parameters
    ----------
    outcome, scores : ndarray, shape (N,)
        As read; both outcomes occur.
    criterion : Criterion

    Returns
    -------
    float
        The one score, where there is no other.
    """
    values, place = np.unique(scores, return_inverse=True)
    if len(values) == 1:
        return float(values[0])
    positive = np.bincount(place, weights=outcome, minlength=len(values))
    negative = np.bincount(place, weights=~outcome, minlength=len(values))
    sensitivity = 1 - np.cumsum(positive)[:-1] / positive.sum()
    specificity = np.cumsum(negative)[:-1] / negative.sum()
    corner = np.hypot(1 - sensitivity, 1 - specificity)
    if criterion is Criterion.YOUDEN:
        keys = (-sensitivity, corner, -(sensitivity + specificity))
    else:
        keys = (-sensitivity, -(sensitivity + specificity), corner)
    # Rounding keeps equal merits equal: sums of fractions differ in the last digit.
    best = int(np.lexsort([np.round(key, 12) for key in keys])[0])
    is_worse = corner[best] > 1 + ROUNDING
    if criterion is Criterion.YOUDEN:
        is_worse = sensitivity[best] + specificity[best] < 1 - ROUNDING
    if is_worse:
        return float(values[0])  # everybody is positive
    below, above = float(values[best]), float(values[best + 1])
    middle = below + (above - below) / 2
    return middle if middle > below else above  # of two neighbours in floating point


def leave_pair_out_auc(
    labels: npt.ArrayLike,
    features: npt.ArrayLike,
    fit_and_score: Callable[[FloatArray, BoolArray, FloatArray], FloatArray],
) -> float:
    """Measure the area of a model that is fitted anew without each pair it ranks.

    Parameters
    ----------
    labels : array_like of bool
        True or 1 for the patients with the outcome.
    features : array_like of float
        One row per patient.
    fit_and_score : callable
        Takes training rows, their labels, and the rows to score; returns their scores.

    Returns
    -------
    float
        Share of the pairs (one with, one without the outcome) ranked rightly; ties count half.
        Leaving one out instead of a pair would be biased downwards (Geroldinger 2023, Diagn
        Progn Res 7:9).

    Raises
    ------
    EvaluationIsUnfit
        Fewer than two of either outcome, or more than 250,000 pairs.

    Notes
    -----
    Source: Airola 2011, Comput Stat Data Anal 55:1828.
    """
    outcome = read_labels(labels)
    need_both(outcome, at_least=2)
    rows = _read_features(features, n=len(outcome))
    if not callable(fit_and_score):
        raise EvaluationIsUnfit(
            column="fit_and_score",
            value=fit_and_score,
            wanted="a function of training rows, their labels and the rows to score",
        )
    won = 0.0
    pairs = _pairs(outcome)
    for pair in pairs:
        kept = np.ones(len(outcome), dtype=np.bool_)
        kept[pair] = False
        found = fit_and_score(rows[kept], outcome[kept], rows[pair])
        with_outcome, without = read_numbers(found, column="fit_and_score", n=2)
        won += 1.0 if with_outcome > without else 0.5 if with_outcome == without else 0.0
    return won / len(pairs)


def _read_features(features: npt.ArrayLike, *, n: int) -> FloatArray:
    given = np.asarray(features)
    given = given[:, None] if given.ndim == 1 else given
    if given.ndim != 2 or len(given) != n:
        raise EvaluationIsUnfit(
            column="features", value=f"shape {given.shape}", wanted=f"{n} rows, one for each label"
        )
    columns = [
        read_numbers(given[:, place], column=f"features[:, {place}]", n=n)
        for place in range(given.shape[1])
    ]
    return np.column_stack(columns)


def _worth(outcome: BoolArray, scores: FloatArray, threshold: float) -> tuple[float, float]:
    called = scores >= threshold
    return float(called[outcome].mean()), float((~called[~outcome]).mean())


def _bootstrap(
    outcome: BoolArray, scores: FloatArray, criterion: Criterion, n_bootstrap: int, rng: Generator
) -> FloatArray:
    """Per sample: threshold, sensitivity and specificity in it, Youden index outside it."""
    positive, negative = np.flatnonzero(outcome), np.flatnonzero(~outcome)
    drawn = np.full((n_bootstrap, 4), np.nan)
    for number in range(n_bootstrap):
        picked = np.concatenate(
            [
                rng.choice(positive, len(positive)),
                rng.choice(negative, len(negative)),
            ]
        )
        threshold = choose(outcome[picked], scores[picked], criterion=criterion)
        left = np.ones(len(outcome), dtype=np.bool_)
        left[picked] = False
        drawn[number, :3] = threshold, *_worth(outcome[picked], scores[picked], threshold)
        if outcome[left].any() and not outcome[left].all():
            drawn[number, 3] = sum(_worth(outcome[left], scores[left], threshold)) - 1
    return drawn


def _632_plus(*, apparent: float, out_of_bag: float) -> float:
    """Weigh the apparent and the out-of-bag Youden index by how much was overfitted."""
    seen = (1 - apparent) / 2
    unseen = min((1 - out_of_bag) / 2, NO_INFORMATION_ERROR)
    overfit = 0.0
    if unseen > seen and seen < NO_INFORMATION_ERROR:
        overfit = (unseen - seen) / (NO_INFORMATION_ERROR - seen)
    weight = SHARE_SEEN / (1 - (1 - SHARE_SEEN) * overfit)
    return 1 - 2 * ((1 - weight) * seen + weight * unseen)


def _leave_pair_out(outcome: BoolArray, scores: FloatArray, criterion: Criterion) -> float:
    """Youden index when each pair is judged by a cut-off chosen without it."""
    found, spared = 0, 0
    pairs = _pairs(outcome)
    for pair in pairs:
        kept = np.ones(len(outcome), dtype=np.bool_)
        kept[pair] = False
        threshold = choose(outcome[kept], scores[kept], criterion=criterion)
        found += int(scores[pair[0]] >= threshold)
        spared += int(scores[pair[1]] < threshold)
    return (found + spared) / len(pairs) - 1


def _pairs(outcome: BoolArray) -> npt.NDArray[np.int64]:
    """Every pair of one patient with and one without the outcome."""
    positive, negative = np.flatnonzero(outcome), np.flatnonzero(~outcome)
    n_pairs = len(positive) * len(negative)
    if n_pairs > MOST_PAIRS:
        raise EvaluationIsUnfit(
            column="labels",
            value=f"{n_pairs} pairs",
            wanted=f"at most {MOST_PAIRS} pairs to leave out; use .632+ for larger cohorts",
        )
    return np.stack(
        [np.repeat(positive, len(negative)), np.tile(negative, len(positive))], axis=1
    ).astype(np.int64)
