"""How well a score ranks: ROC curve, area with DeLong interval, paired test of two scores."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from sklearn.metrics import roc_curve

from analytics.evaluation.inputs import (
    EvaluationIsUnfit,
    FloatArray,
    need_both,
    need_whole,
    read_labels,
    read_level,
    read_numbers,
    refuse_out_of_step,
)
from analytics.scalars import is_real


@dataclass(frozen=True)
class RocArea:
    """Area under a ROC curve with its DeLong interval, clipped to [0, 1].

    `is_separated` is true if no positive scores like a negative: the area is then 0 or 1, the
    DeLong standard error is 0 and the interval has no width, which is a limit of the method and
    not a certainty. `is_constant` is true if all patients have one score: it ranks nobody, the
    area is one half by the rule for ties alone, nothing is known of how it would vary, and
    standard error and interval are NaN.
    """

    auc: float
    standard_error: float
    low: float
    high: float
    level: float
    n_positive: int
    n_negative: int
    is_separated: bool
    is_constant: bool = False


@dataclass(frozen=True)
class RocComparison:
    """Difference of two areas measured in the same patients: first minus second."""

    first: RocArea
    second: RocArea
    difference: float
    standard_error: float
    low: float
    high: float
    z: float
    p_value: float
    correlation: float


def roc_points(labels: npt.ArrayLike, scores: npt.ArrayLike) -> pd.DataFrame:
    """Give every point of the ROC curve.

    Parameters
    ----------
    labels : array_like of bool
        True or 1 for the patients with the outcome.
    scores : array_like of float
        Higher means more likely to have the outcome.

    Returns
    -------
    DataFrame
        threshold (a score at or above it is called positive; the first is infinite),
        sensitivity, specificity; from the strictest threshold to the laxest.

    Raises
    ------
    EvaluationIsUnfit
        A value is missing or not finite, or one of the two outcomes does not occur.

    Notes
    -----
    Source: :func:`sklearn.metrics.roc_curve` with no point dropped.
    """
    refuse_out_of_step(labels, scores=scores)
    outcome = read_labels(labels)
    need_both(outcome, at_least=1)
    numbers = read_numbers(scores, column="scores", n=len(outcome))
    false_positive, true_positive, thresholds = roc_curve(outcome, numbers, drop_intermediate=False)
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "sensitivity": true_positive,
            "specificity": 1 - false_positive,
        }
    )


def roc_area(labels: npt.ArrayLike, scores: npt.ArrayLike, *, level: float = 0.95) -> RocArea:
    """Measure the area under the ROC curve with its DeLong interval.

    Parameters
    ----------
    labels : array_like of bool
        True or 1 for the patients with the outcome.
    scores : array_like of float
        Higher means more likely to have the outcome; the direction is never guessed.
    level : float, default: 0.95
        Confidence level of the interval.

    Returns
    -------
    RocArea
        Without an interval (NaN) where all patients have the same score.

    Raises
    ------
    EvaluationIsUnfit
        A value is missing or not finite, or there are fewer than two of either outcome.

    Notes
    -----
    Source: DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44:837; placements from midranks
    in O(n log n) as in Sun and Xu 2014, IEEE Signal Process Lett 21:1389. Ties count one half,
    and two scores are tied only if they are equal.
    """
    refuse_out_of_step(labels, scores=scores)
    outcome = read_labels(labels)
    need_both(outcome, at_least=2)
    numbers = read_numbers(scores, column="scores", n=len(outcome))
    areas, _ = _areas(outcome, numbers[None, :], level=read_level(level))
    return areas[0]


def compare_roc_areas(
    labels: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    level: float = 0.95,
) -> RocComparison:
    """Test whether two scores of the same patients rank equally well (paired DeLong test).

    Parameters
    ----------
    labels : array_like of bool
        True or 1 for the patients with the outcome.
    first, second : array_like of float
        The two scores, higher means more likely to have the outcome.
    level : float, default: 0.95
        Confidence level of the intervals.

    Returns
    -------
    RocComparison
        With a two-sided P value. Scores that rank all patients alike have difference 0, P 1.

    Raises
    ------
    EvaluationIsUnfit
        A value is missing or not finite, or there are fewer than two of either outcome.

    Notes
    -----
    Source: DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44:837.
    """
    refuse_out_of_step(labels, first=first, second=second)
    outcome = read_labels(labels)
    need_both(outcome, at_least=2)
    both = np.stack(
        [
            read_numbers(first, column="first", n=len(outcome)),
            read_numbers(second, column="second", n=len(outcome)),
        ]
    )
    areas, covariance = _areas(outcome, both, level=read_level(level))
    difference = areas[0].auc - areas[1].auc
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    # Scores of equal rank leave rounding dust of either sign where the variance is truly zero.
    dust = 1e-12 * max(covariance[0, 0], covariance[1, 1])
    error = float(np.sqrt(variance)) if variance > dust else 0.0
    if error > 0:
        z = difference / error
    else:
        z = 0.0 if abs(difference) < 1e-12 else float(np.copysign(np.inf, difference))
    half = float(stats.norm.ppf(0.5 + level / 2)) * error
    scale = areas[0].standard_error * areas[1].standard_error
    return RocComparison(
        first=areas[0],
        second=areas[1],
        difference=difference,
        standard_error=error,
        low=max(difference - half, -1.0),
        high=min(difference + half, 1.0),
        z=z,
        p_value=float(2 * stats.norm.sf(abs(z))),
        correlation=float(covariance[0, 1] / scale) if scale > 0 else float("nan"),
    )


def hanley_mcneil_standard_error(auc: float, *, n_positive: int, n_negative: int) -> float:
    """Give the standard error of an area from the area and the group sizes alone.

    Parameters
    ----------
    auc : float
        Area under the curve, 0 to 1.
    n_positive, n_negative : int
        Group sizes, at least 1 each.

    Returns
    -------
    float

    Raises
    ------
    EvaluationIsUnfit
        The area or a group size is outside what it can be.

    Notes
    -----
    Source: Hanley and McNeil 1982, Radiology 143:29.
    """
    if not is_real(auc) or not 0 <= auc <= 1:
        raise EvaluationIsUnfit(column="auc", value=auc, wanted="an area from 0 to 1")
    need_whole(n_positive, column="n_positive", least=1)
    need_whole(n_negative, column="n_negative", least=1)
    two_positives = auc / (2 - auc)
    two_negatives = 2 * auc**2 / (1 + auc)
    variance = (
        auc * (1 - auc)
        + (n_positive - 1) * (two_positives - auc**2)
        + (n_negative - 1) * (two_negatives - auc**2)
    ) / (n_positive * n_negative)
    return float(np.sqrt(variance))


def _areas(
    outcome: npt.NDArray[np.bool_], scores: FloatArray, *, level: float
) -> tuple[list[RocArea], FloatArray]:
    """Areas of several scores in the same patients, with their joint covariance."""
    positive, negative = scores[:, outcome], scores[:, ~outcome]
    m, n = positive.shape[1], negative.shape[1]
    together = stats.rankdata(np.hstack([positive, negative]), axis=1)
    of_positive = (together[:, :m] - stats.rankdata(positive, axis=1)) / n
    of_negative = 1 - (together[:, m:] - stats.rankdata(negative, axis=1)) / m
    covariance = np.atleast_2d(np.cov(of_positive)) / m + np.atleast_2d(np.cov(of_negative)) / n
    auc = of_positive.mean(axis=1)
    error = np.sqrt(np.diag(covariance))
    half = stats.norm.ppf(0.5 + level / 2) * error
    is_constant = together.min(axis=1) == together.max(axis=1)
    error[is_constant] = half[is_constant] = np.nan
    areas = [
        RocArea(
            auc=float(min(max(auc[k], 0.0), 1.0)),
            standard_error=float(error[k]),
            low=float(np.maximum(auc[k] - half[k], 0.0)),
            high=float(np.minimum(auc[k] + half[k], 1.0)),
            level=level,
            n_positive=m,
            n_negative=n,
            is_separated=bool(
                positive[k].min() > negative[k].max() or positive[k].max() < negative[k].min()
            ),
            is_constant=bool(is_constant[k]),
        )
        for k in range(len(scores))
    ]
    return areas, covariance
