"""Two groups measured once: means, spreads, and three tests of the difference."""

import warnings
from collections.abc import Hashable, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import integrate, optimize, special, stats

from analytics.evaluation.inputs import FloatArray
from analytics.scalars import UNSAID, is_missing, is_real, is_whole

LARGEST = 1e100  # its square and the sum of many squares are still numbers
LARGEST_GROUP = 10**9
N_NODES = 60  # of Gauss and Legendre, for each smooth piece of an integral
FURTHEST_SD = 12.0  # a normal variable further out than this has a probability of 1e-33


class ComparisonIsUnfit(ValueError):
    """A table or a summary cannot be compared; the message names what would be right."""

    def __init__(
        self, *, wanted: str, column: str, row: Hashable | None = None, value: object = UNSAID
    ) -> None:
        """Name the column, the row, the value, and what would be right."""
        is_said = row is not None or value is not UNSAID
        value = None if value is UNSAID else value
        self.column, self.row, self.value, self.wanted = column, row, value, wanted
        at_row = "" if row is None else f", row {row}"
        found = f": {value!r}" if is_said else ""
        super().__init__(f"{column}{at_row}{found}; wanted: {wanted}")


def group_table(
    table: pd.DataFrame,
    *,
    group: str,
    resistant: Hashable,
    measures: Sequence[str],
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare two groups in each measure.

    Parameters
    ----------
    table : DataFrame
        One row per patient.
    group : str
        The column that holds the group; exactly two different values.
    resistant : Hashable
        The value of `group` that means resistant; differences are resistant minus the other.
    measures : sequence of str
        At least one numeric column; missing values are left out measure by measure and counted.
    level : float, default: 0.95
        Confidence level of all intervals.

    Returns
    -------
    DataFrame
        One row per measure: n, mean, sd and sem of either group (`_resistant`, `_other`),
        n_left_out, difference; t, df, p and interval of Student's test with equal variances;
        the same of Welch's (`welch_`); u and p of Mann and Whitney; cohens_d, hedges_g and the
        exact interval of the latter from the noncentral t distribution.

    Raises
    ------
    ComparisonIsUnfit
        A column is missing, a value is not a number, there are not two groups, a group has
        fewer than two values, nothing varies, or one name is given where a list is wanted.

    Notes
    -----
    Source: :func:`scipy.stats.ttest_ind`, :func:`scipy.stats.mannwhitneyu` (exact without ties
    in small groups, else normal with continuity correction); Hedges 1981, J Educ Stat 6:107.
    """
    names = read_names(measures, column="measures")
    is_resistant = read_groups(table, group=group, resistant=resistant)
    need_level(level)
    rows = []
    for measure in names:
        values = read_measure(table, measure)
        known = np.isfinite(values)
        first, second = values[known & is_resistant], values[known & ~is_resistant]
        for name, part in (("resistant", first), ("other", second)):
            if len(part) < 2:
                raise ComparisonIsUnfit(
                    column=measure, value=f"{len(part)} values ({name})", wanted="at least two"
                )
        if np.ptp(first) == 0 and np.ptp(second) == 0:
            raise ComparisonIsUnfit(
                column=measure, value=float(first[0]), wanted="values that vary within a group"
            )
        found = {"measure": measure, "n_left_out": int((~known).sum())}
        rows.append(found | _compare(first, second, level=level))
    return pd.DataFrame(rows)


def hedges_correction(df: float) -> float:
    """Factor that takes the small-sample bias out of Cohen's d.

    Parameters
    ----------
    df : float
        Degrees of freedom of the pooled standard deviation.

    Returns
    -------
    float
        Exact, by the gamma function (Hedges 1981), not the usual approximation.

    Raises
    ------
    ComparisonIsUnfit
        There are not more than 1 degrees of freedom.
    """
    if not is_real(df) or not df > 1:
        raise ComparisonIsUnfit(column="df", value=df, wanted="more than 1 degree of freedom")
    return float(special.poch((df - 1) / 2, 0.5) / np.sqrt(df / 2))


def effect_interval(
    t: float, *, n_first: int, n_second: int, level: float = 0.95
) -> tuple[float, float]:
    """Exact interval of Cohen's d by turning round the noncentral t distribution.

    Parameters
    ----------
    t : float
        Student's t with equal variances.
    n_first, n_second : int
        Group sizes.
    level : float, default: 0.95
        Confidence level.

    Returns
    -------
    tuple of float
        Low and high, in standard deviations.

    Raises
    ------
    ComparisonIsUnfit
        t is no finite number, the level is none, or a group is smaller than 1 or over a thousand
        million, or both together than 3.

    Notes
    -----
    Source: Steiger and Fouladi 1997. scipy's own inverse has four digits at t = 100, and its
    distribution none from about 1e5 on, so the integral is worked out here, for any t.
    """
    _refuse_no_statistic(t, n_first=n_first, n_second=n_second)
    need_level(level)
    tail, df = (1 - level) / 2, n_first + n_second - 2
    scale = float(np.sqrt(1 / n_first + 1 / n_second))
    size = abs(float(t))
    near = _noncentrality(size, df=df, tail=tail, is_above=True) * scale
    far = _noncentrality(size, df=df, tail=tail, is_above=False) * scale
    return (near, far) if t >= 0 else (-far, -near)


def _noncentrality(t: float, *, df: int, tail: float, is_above: bool) -> float:
    """Find where a noncentral t lies above `t`, or below it, with the probability `tail`."""
    sign = 1.0 if is_above else -1.0
    if t == 0:
        return sign * float(special.ndtri(tail))

    def excess(shift: float) -> float:
        return sign * (_beyond(t, df=df, shift=shift, is_above=is_above) - tail)

    step = FURTHEST_SD * float(np.hypot(1.0, t / np.sqrt(2 * df)))
    low, high = t - step, t + step
    while excess(low) > 0:
        low -= step
    while excess(high) < 0:
        high += step
    return float(optimize.brentq(excess, low, high, xtol=1e-12))


def _beyond(t: float, *, df: int, shift: float, is_above: bool) -> float:
    """Give the probability that (Z + shift) / S is above `t`, or at most `t`; S² is chi² / df."""
    tail_of_chi = special.gammainc if is_above else special.gammaincc

    def density(z: FloatArray) -> FloatArray:
        ratio = np.maximum(z + shift, 0.0) / t
        return np.asarray(np.exp(-z * z / 2) * tail_of_chi(df / 2, df * (ratio * ratio / 2)))

    middle, width = t - shift, FURTHEST_SD / 2 * t / np.sqrt(2 * df)
    turns = np.array([-FURTHEST_SD, -shift, middle - width, middle, middle + width, FURTHEST_SD])
    pieces = pairwise(np.unique(np.clip([*turns, 0.0], -FURTHEST_SD, FURTHEST_SD)).tolist())
    with np.errstate(over="ignore"):  # of a t near 0: infinitely far out is right
        found = sum(integrate.fixed_quad(density, a, b, n=N_NODES)[0] for a, b in pieces)
    return float(found / np.sqrt(2 * np.pi))


def _refuse_no_statistic(t: float, *, n_first: int, n_second: int) -> None:
    if not is_real(t):
        raise ComparisonIsUnfit(column="t", value=t, wanted="Student's t, a finite number")
    for column, size in (("n_first", n_first), ("n_second", n_second)):
        if not is_whole(size, least=1) or size > LARGEST_GROUP:
            wanted = f"at least 1 patient, at most {LARGEST_GROUP}"
            raise ComparisonIsUnfit(column=column, value=size, wanted=wanted)
    if n_first + n_second < 3:
        raise ComparisonIsUnfit(
            column="n_first, n_second", value=(n_first, n_second), wanted="at least 3 patients"
        )


def read_groups(
    table: pd.DataFrame, *, group: str, resistant: Hashable
) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Read who is resistant, from a column with exactly two values."""
    need_column(table, group)
    for row, value in zip(table.index, table[group].tolist(), strict=True):
        if not isinstance(value, Hashable) or is_missing(value):
            raise ComparisonIsUnfit(
                column=group, row=row, value=value, wanted="a group for every patient"
            )
    found = table[group].unique().tolist()
    if not pd.api.types.is_scalar(resistant) or is_missing(resistant):
        raise ComparisonIsUnfit(
            column="resistant", value=resistant, wanted=f"one of the groups, {found}"
        )
    if len(found) != 2 or resistant not in found:
        raise ComparisonIsUnfit(
            column=group, value=found, wanted=f"two groups, one of them {resistant!r}"
        )
    return np.asarray(table[group].to_numpy() == resistant, dtype=np.bool_)


def read_measure(table: pd.DataFrame, measure: str) -> FloatArray:
    """Read a numeric column; NaN means missing, infinity is refused."""
    need_column(table, measure)
    values = table[measure]
    is_missing = values.isna().to_numpy(dtype=bool)
    if values.dtype.kind in "iufb":
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        listed = [float(value) if _is_number(value) else np.nan for value in values.tolist()]
        numbers = np.array(listed, dtype=np.float64)
    wrong = np.flatnonzero(~is_missing & ~(np.abs(numbers) < LARGEST))
    if len(wrong):
        raise ComparisonIsUnfit(
            column=measure,
            row=table.index[wrong[0]],
            value=table[measure].tolist()[wrong[0]],
            wanted="a finite number, or nothing if it is missing",
        )
    return np.asarray(numbers, dtype=np.float64)


def _is_number(value: object) -> bool:
    return is_real(value) or isinstance(value, bool | np.bool_)


def read_names(given: Sequence[str], *, column: str) -> tuple[str, ...]:
    """Read the names of columns: at least one, each once, and in a list."""
    wanted = "a list of names of columns, such as ['IL-6'], each once"
    if isinstance(given, str | bytes) or not isinstance(given, Sequence | pd.Index | np.ndarray):
        raise ComparisonIsUnfit(column=column, value=given, wanted=wanted)
    names = list(given)
    if not names:
        raise ComparisonIsUnfit(column=column, value=names, wanted="at least one column")
    for row, one in enumerate(names):
        if not isinstance(one, str) or one in names[:row]:
            raise ComparisonIsUnfit(column=column, row=row, value=one, wanted=wanted)
    return tuple(names)


def need_column(table: pd.DataFrame, column: str) -> None:
    """Refuse what is no table, or lacks a column, or has it twice."""
    if not isinstance(table, pd.DataFrame):
        raise ComparisonIsUnfit(
            column="table", value=type(table).__name__, wanted="a DataFrame, one row per patient"
        )
    if not isinstance(column, Hashable):
        raise ComparisonIsUnfit(column="column", value=column, wanted="the name of a column")
    if column not in table.columns:
        raise ComparisonIsUnfit(column=column, wanted="this column, it is missing")
    if (times := int((table.columns == column).sum())) > 1:
        raise ComparisonIsUnfit(column=column, value=f"{times} columns", wanted="one of this name")


def need_level(level: float) -> None:
    """Refuse a confidence level that is none."""
    if not is_real(level) or not 0 < level < 1:
        raise ComparisonIsUnfit(column="level", value=level, wanted="a level between 0 and 1")


def _compare(first: FloatArray, second: FloatArray, *, level: float) -> dict[str, float]:
    with warnings.catch_warnings():
        # One group may be constant, as long as the other is not.
        warnings.filterwarnings("ignore", "Precision loss", RuntimeWarning)
        student = stats.ttest_ind(first, second)
        welch = stats.ttest_ind(first, second, equal_var=False)
    ranks = stats.mannwhitneyu(first, second, alternative="two-sided")
    student_interval = student.confidence_interval(level)
    welch_interval = welch.confidence_interval(level)
    n, m = len(first), len(second)
    d = float(student.statistic) * np.sqrt(1 / n + 1 / m)
    correction = hedges_correction(n + m - 2)
    low, high = effect_interval(float(student.statistic), n_first=n, n_second=m, level=level)
    return {
        **_describe(first, "resistant"),
        **_describe(second, "other"),
        "difference": float(first.mean() - second.mean()),
        "difference_low": float(student_interval.low),
        "difference_high": float(student_interval.high),
        "t": float(student.statistic),
        "df": float(student.df),
        "p": float(student.pvalue),
        "welch_t": float(welch.statistic),
        "welch_df": float(welch.df),
        "welch_p": float(welch.pvalue),
        "welch_low": float(welch_interval.low),
        "welch_high": float(welch_interval.high),
        "mann_whitney_u": float(ranks.statistic),
        "mann_whitney_p": float(ranks.pvalue),
        "cohens_d": d,
        "hedges_g": d * correction,
        "hedges_g_low": low * correction,
        "hedges_g_high": high * correction,
    }


def _describe(values: FloatArray, name: str) -> dict[str, float]:
    spread = float(values.std(ddof=1))
    return {
        f"n_{name}": len(values),
        f"mean_{name}": float(values.mean()),
        f"sd_{name}": spread,
        f"sem_{name}": spread / np.sqrt(len(values)),
    }
