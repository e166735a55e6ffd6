"""The seed study's analysis, repeatable for any cohort."""

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from analytics.comparison.groups import (
    ComparisonIsUnfit,
    group_table,
    read_groups,
    read_measure,
    read_names,
)
from analytics.comparison.regression import Regression, regress
from analytics.evaluation.cutoffs import best_cut_off
from analytics.evaluation.inputs import BoolArray, FloatArray
from analytics.evaluation.roc import compare_roc_areas, roc_area


@dataclass(frozen=True)
class StudyAnalysis:
    """Groups, ROC of each marker, and the regression of severity on all of them.

    Attributes
    ----------
    groups : DataFrame
        One row per marker and for the severity: see :func:`group_table`.
    roc : DataFrame
        marker, n_left_out, area with DeLong interval, and its Youden cut-off with bootstrap
        interval, apparent and honest Youden index.
    roc_tests : DataFrame
        first, second, n, difference of the areas with interval and P of the paired DeLong test,
        in the patients who have both.
    regression : Regression
        Severity on all markers at once.
    """

    groups: pd.DataFrame
    roc: pd.DataFrame
    roc_tests: pd.DataFrame
    regression: Regression


def analyse_study(
    table: pd.DataFrame,
    *,
    group: str,
    resistant: Hashable,
    markers: Sequence[str],
    severity: str,
    seed: int,
    is_log: bool = False,
    n_bootstrap: int = 2000,
    level: float = 0.95,
) -> StudyAnalysis:
    """Repeat the seed study's analysis in a cohort measured once.

    Parameters
    ----------
    table : DataFrame
        One row per patient.
    group : str
        The column that holds the group.
    resistant : Hashable
        The value of `group` that means resistant.
    markers : sequence of str
        The concentrations, such as sIL-6R, IL-6 and TNF-α; higher is taken to mean resistant.
    severity : str
        The severity, such as the total of the QIDS-SR16.
    seed : int
        Of the bootstrap of the cut-offs.
    is_log : bool, default: False
        Compare groups and regress on ln concentrations; the seed study took them as they are.
        Ranks, hence areas, are the same; cut-offs are then ln concentrations too.
    n_bootstrap : int, default: 2000
        Bootstrap samples per cut-off.
    level : float, default: 0.95
        Confidence level of all intervals.

    Returns
    -------
    StudyAnalysis

    Raises
    ------
    ComparisonIsUnfit
        A column is missing or holds something that cannot be compared, a concentration is not
        above 0, or one name is given where a list is wanted.
    EvaluationIsUnfit
        A group is too small for a ROC curve.

    Notes
    -----
    Source: Yamasaki, Hasegawa and Takeda 2020, doi 10.1002/npr2.12100: group comparison, ROC of
    each cytokine, multiple regression of the QIDS-SR16.
    """
    markers = read_names(markers, column="markers")
    (severity,) = read_names([severity], column="severity")
    if severity in markers:
        raise ComparisonIsUnfit(column=severity, wanted="a severity that is not a marker too")
    if not isinstance(is_log, bool):
        raise ComparisonIsUnfit(column="is_log", value=is_log, wanted="True or False")
    is_resistant = read_groups(table, group=group, resistant=resistant)
    values = {marker: _concentrations(table, marker) for marker in markers}
    if is_log:
        values = {marker: np.log(found) for marker, found in values.items()}
    used = pd.DataFrame(values | {severity: read_measure(table, severity)}, index=table.index)
    return StudyAnalysis(
        groups=group_table(
            used.assign(**{group: table[group]}),
            group=group,
            resistant=resistant,
            measures=[*markers, severity],
            level=level,
        ),
        roc=pd.DataFrame(
            [
                _roc_row(marker, is_resistant, values[marker], seed, n_bootstrap, level)
                for marker in markers
            ]
        ),
        roc_tests=pd.DataFrame(
            [
                _test_row(first, second, is_resistant, values, level)
                for first, second in combinations(markers, 2)
            ],
            columns=["first", "second", "n", "difference", "low", "high", "z", "p"],
        ),
        regression=regress(used, outcome=severity, predictors=markers, level=level),
    )


def _concentrations(table: pd.DataFrame, marker: str) -> FloatArray:
    values = read_measure(table, marker)
    wrong = np.flatnonzero(values <= 0)
    if len(wrong):
        raise ComparisonIsUnfit(
            column=marker,
            row=table.index[wrong[0]],
            value=float(values[wrong[0]]),
            wanted="a concentration above 0; a result below the limit of quantification is none",
        )
    return values


def _roc_row(
    marker: str,
    is_resistant: BoolArray,
    values: FloatArray,
    seed: int,
    n_bootstrap: int,
    level: float,
) -> dict[str, object]:
    known = np.isfinite(values)
    area = roc_area(is_resistant[known], values[known], level=level)
    cut = best_cut_off(
        is_resistant[known], values[known], seed=seed, n_bootstrap=n_bootstrap, level=level
    )
    of_cut = {name: value for name, value in asdict(cut).items() if name not in asdict(area)}
    return {"marker": marker, "n_left_out": int((~known).sum()), **asdict(area), **of_cut}


def _test_row(
    first: str,
    second: str,
    is_resistant: BoolArray,
    values: dict[str, FloatArray],
    level: float,
) -> dict[str, object]:
    known = np.isfinite(values[first]) & np.isfinite(values[second])
    found = compare_roc_areas(
        is_resistant[known], values[first][known], values[second][known], level=level
    )
    return {
        "first": first,
        "second": second,
        "n": int(known.sum()),
        "difference": found.difference,
        "low": found.low,
        "high": found.high,
        "z": found.z,
        "p": found.p_value,
    }
