"""What a published summary implies: n, means and P, and nothing else, turned into the rest."""

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from scipy import special, stats

from analytics import evidence
from analytics.comparison.groups import (
    LARGEST,
    LARGEST_GROUP,
    ComparisonIsUnfit,
    effect_interval,
    hedges_correction,
    need_level,
)
from analytics.evaluation.roc import hanley_mcneil_standard_error
from analytics.scalars import is_real, is_whole

MOST_DECIMALS = 15  # as many as a number holds
STATUS = "back-calculated"
ASSUMPTION = (
    "back-calculated from group sizes, means and P alone, as if P came from a two-sided t test "
    "with equal variances and the values were normal with one standard deviation; not a figure "
    "of the paper"
)


@dataclass(frozen=True)
class PublishedSummary:
    """What a paper says of one marker in two groups.

    `p_decimals` is the number of decimals that P is printed with; the rounding it hides is
    carried along.
    """

    marker: str
    unit: str
    n_resistant: int
    n_remitted: int
    mean_resistant: float
    mean_remitted: float
    p_value: float
    p_decimals: int
    source: str


@dataclass(frozen=True)
class BackCalculated:
    """What the summary implies; every figure is derived and none is the paper's own.

    Levels are in the unit of the marker; `_ln` is the natural logarithm. `cut` is the midpoint
    of the means, at which sensitivity and specificity are equal under the assumption. The
    probabilities of the area are those of its confidence distribution. `ppv` and `npv` hold at
    `prevalence`.
    """

    marker: str
    unit: str
    status: str
    assumption: str
    t: float
    df: int
    standard_error: float
    pooled_sd: float
    pooled_sd_low: float
    pooled_sd_high: float
    cv: float
    cohens_d: float
    cohens_d_low: float
    cohens_d_high: float
    hedges_g: float
    auc: float
    auc_low: float
    auc_high: float
    auc_standard_error: float
    probability_auc_over_07: float
    probability_auc_over_08: float
    contrast_ln: float
    sd_ln: float
    auc_ln: float
    cut_ln: float
    cut: float
    cut_low: float
    cut_high: float
    sensitivity: float
    sensitivity_low: float
    sensitivity_high: float
    likelihood_ratio_positive: float
    likelihood_ratio_negative: float
    prevalence: float
    ppv: float
    npv: float
    log_odds_per_unit: float
    odds_ratio_per_unit: float
    odds_ratio_per_sd: float
    share_over_70_percent: float
    share_under_15_percent: float

    def as_table(self) -> pd.DataFrame:
        """Give every figure with its status, for print: quantity, value, status."""
        figures = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.type in (float, int)
        }
        return pd.DataFrame(
            {
                "quantity": list(figures),
                "value": [float(value) for value in figures.values()],
                "status": self.status,
            }
        )


# Read in a news summary, not in the paper itself; so are the figures of the other two.
_NEWS = evidence.SEED_SIL6R_P.source
_N_RESISTANT = int(evidence.SEED_N_RESISTANT.value)
_N_REMITTED = int(evidence.SEED_N_REMITTED.value)
SEED_STUDY: tuple[PublishedSummary, ...] = (
    PublishedSummary(
        marker="sIL-6R",
        unit="ng/mL",
        n_resistant=_N_RESISTANT,
        n_remitted=_N_REMITTED,
        mean_resistant=evidence.SEED_SIL6R_RESISTANT.value,
        mean_remitted=evidence.SEED_SIL6R_REMITTED.value,
        p_value=evidence.SEED_SIL6R_P.value,
        p_decimals=3,
        source=_NEWS,
    ),
    PublishedSummary("IL-6", "pg/mL", _N_RESISTANT, _N_REMITTED, 1.79, 1.41, 0.443, 3, _NEWS),
    PublishedSummary("TNF-α", "pg/mL", _N_RESISTANT, _N_REMITTED, 2.23, 1.90, 0.593, 3, _NEWS),
)


def back_calculate(
    summary: PublishedSummary, *, prevalence: float = 1 / 3, level: float = 0.95
) -> BackCalculated:
    """Work out what group sizes, means and P imply, and label it so.

    Parameters
    ----------
    summary : PublishedSummary
        What the paper says.
    prevalence : float, default: 1/3
        Share of resistant patients where the marker would be used.
    level : float, default: 0.95
        Confidence level of the intervals.

    Returns
    -------
    BackCalculated
        With `status` "back-calculated" and the assumption in words.

    Raises
    ------
    ComparisonIsUnfit
        A group is smaller than two or no whole number, the means are equal or not above 0, P, the
        prevalence or the level is not between 0 and 1, or P is printed with so few
        decimals that it may have been 0.

    Notes
    -----
    Source: t from P by the t distribution; pooled SD from t and the means; d and its exact
    interval from the noncentral t; area = Phi(d / sqrt 2) under equal normal spreads; its
    standard error from Hanley and McNeil 1982; on the ln scale one common CV is taken.
    """
    _check(summary, prevalence, level)
    n, m = summary.n_resistant, summary.n_remitted
    df, scale = n + m - 2, float(np.sqrt(1 / n + 1 / m))
    gap = summary.mean_resistant - summary.mean_remitted
    t = float(np.copysign(stats.t.isf(summary.p_value / 2, df), gap))
    rounding = 0.5 * 10.0**-summary.p_decimals
    nearest = stats.t.isf((summary.p_value + np.array([-rounding, rounding])) / 2, df)
    sd_low, sd_high = (abs(gap) / nearest / scale).tolist()
    sd, d = abs(gap / t) / scale, t * scale
    d_low, d_high = effect_interval(t, n_first=n, n_second=m, level=level)
    auc = float(stats.norm.cdf(d / np.sqrt(2)))
    middle = (summary.mean_resistant + summary.mean_remitted) / 2
    half = float(stats.t.ppf(0.5 + level / 2, df)) * sd * scale / 2
    sensitivity, low, high = stats.norm.cdf(np.array([d, d_low, d_high]) / 2).tolist()
    over = [_probability_over(area, t=t, df=df, scale=scale) for area in (0.7, 0.8)]
    return BackCalculated(
        marker=summary.marker,
        unit=summary.unit,
        status=STATUS,
        assumption=ASSUMPTION,
        t=t,
        df=df,
        standard_error=abs(gap / t),
        pooled_sd=sd,
        pooled_sd_low=sd_low,
        pooled_sd_high=sd_high,
        cv=sd / _mean(summary),
        cohens_d=d,
        cohens_d_low=d_low,
        cohens_d_high=d_high,
        hedges_g=d * hedges_correction(df),
        auc=auc,
        auc_low=float(stats.norm.cdf(d_low / np.sqrt(2))),
        auc_high=float(stats.norm.cdf(d_high / np.sqrt(2))),
        auc_standard_error=hanley_mcneil_standard_error(auc, n_positive=n, n_negative=m),
        probability_auc_over_07=over[0],
        probability_auc_over_08=over[1],
        **_cut(middle, half),
        sensitivity=sensitivity,
        sensitivity_low=low,
        sensitivity_high=high,
        **_odds(d, sd),
        prevalence=prevalence,
        **_on_the_ln_scale(summary, cv=sd / _mean(summary)),
        **_in_practice(d, sensitivity, prevalence),
    )


def _cut(middle: float, half: float) -> dict[str, float]:
    """Give the midpoint of the two means with its interval."""
    return {"cut": middle, "cut_low": middle - half, "cut_high": middle + half}


def _odds(d: float, sd: float) -> dict[str, float]:
    """Give the log-odds that a linear discriminant implies, by unit and by standard deviation."""
    return {
        "log_odds_per_unit": d / sd,
        "odds_ratio_per_unit": float(np.exp(d / sd)),
        "odds_ratio_per_sd": float(np.exp(d)),
    }


def seed_study() -> tuple[BackCalculated, ...]:
    """Work out what the seed study's published summary implies for its three cytokines.

    Returns
    -------
    tuple of BackCalculated
        sIL-6R, IL-6, TNF-α.
    """
    return tuple(back_calculate(summary) for summary in SEED_STUDY)


def _check(summary: PublishedSummary, prevalence: float, level: float) -> None:
    if not isinstance(summary, PublishedSummary):
        raise ComparisonIsUnfit(
            column="summary", value=type(summary).__name__, wanted="a PublishedSummary"
        )
    sizes = (summary.n_resistant, summary.n_remitted)
    if not all(is_whole(n, least=2) and n < LARGEST_GROUP for n in sizes):
        raise ComparisonIsUnfit(
            column="n",
            value=sizes,
            wanted="at least two patients in each group, in whole numbers",
        )
    means = (summary.mean_resistant, summary.mean_remitted)
    are_levels = all(is_real(mean) and 0 < mean < LARGEST for mean in means)
    if not are_levels or means[0] == means[1]:
        raise ComparisonIsUnfit(
            column="means", value=means, wanted="two different concentrations above 0"
        )
    if not is_whole(summary.p_decimals, least=1) or summary.p_decimals > MOST_DECIMALS:
        raise ComparisonIsUnfit(
            column="p_decimals",
            value=summary.p_decimals,
            wanted=f"how many decimals P is printed with, from 1 to {MOST_DECIMALS}",
        )
    rounding = 0.5 * 10.0**-summary.p_decimals
    if not is_real(summary.p_value) or not rounding < summary.p_value < 1 - rounding:
        raise ComparisonIsUnfit(
            column="p_value",
            value=summary.p_value,
            wanted=f"a P between 0 and 1 that {summary.p_decimals} decimals can tell from both",
        )
    if not is_real(prevalence) or not 0 < prevalence < 1:
        raise ComparisonIsUnfit(
            column="prevalence", value=prevalence, wanted="a share between 0 and 1"
        )
    need_level(level)


def _mean(summary: PublishedSummary) -> float:
    n, m = summary.n_resistant, summary.n_remitted
    return (n * summary.mean_resistant + m * summary.mean_remitted) / (n + m)


def _probability_over(area: float, *, t: float, df: int, scale: float) -> float:
    """Probability, by the confidence distribution of d, that the area is above a value."""
    d = np.sqrt(2) * stats.norm.ppf(area)
    return float(stats.nct.cdf(t, df, d / scale))


def _on_the_ln_scale(summary: PublishedSummary, *, cv: float) -> dict[str, float]:
    """Two log-normal groups with the published means and one common CV."""
    spread = float(np.sqrt(np.log1p(cv**2)))
    first, second = np.log(summary.mean_resistant), np.log(summary.mean_remitted)
    return {
        "contrast_ln": float(first - second),
        "sd_ln": spread,
        "auc_ln": float(stats.norm.cdf((first - second) / spread / np.sqrt(2))),
        "cut_ln": float(np.exp((first + second) / 2 - spread**2 / 2)),
    }


def _in_practice(d: float, sensitivity: float, prevalence: float) -> dict[str, float]:
    """What one draw is worth where `prevalence` of the patients are resistant."""
    specificity = sensitivity
    found, spared = prevalence * sensitivity, (1 - prevalence) * specificity
    prior = float(special.logit(prevalence))

    def reaches(risk: float) -> tuple[float, float]:
        """Share of resistant and of remitted patients whose marker puts them over a risk."""
        z = (special.logit(risk) - prior) / d
        side = 1 if d > 0 else -1
        return (
            float(stats.norm.sf(side * (z - d / 2))),
            float(stats.norm.sf(side * (z + d / 2))),
        )

    high, low = reaches(0.70), reaches(0.15)
    return {
        "likelihood_ratio_positive": sensitivity / (1 - specificity),
        "likelihood_ratio_negative": (1 - sensitivity) / specificity,
        "ppv": found / (found + (1 - prevalence) * (1 - specificity)),
        "npv": spared / (spared + prevalence * (1 - sensitivity)),
        "share_over_70_percent": prevalence * high[0] + (1 - prevalence) * high[1],
        "share_under_15_percent": prevalence * (1 - low[0]) + (1 - prevalence) * (1 - low[1]),
    }
