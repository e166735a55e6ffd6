"""Labelled draws that may be learned from: nothing known only after the outcome gets in."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.fitting.censoring import CensoredDraws, censored_draws
from analytics.fitting.reading import (
    BadDraw,
    BadLabel,
    identified,
    names,
    numbers,
    positions,
    real,
    require,
    shown,
    truths,
)
from analytics.fitting.sufficient import SufficientStatistics, summarise
from analytics.validity import DAYS_BEFORE_FIRST_DOSE


class LabelLeakage(ValueError):
    """A datum that could know the outcome, or a patient resolved by the landmark."""


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Draws up to a landmark of patients unresolved then, and how each of them ended.

    Attributes
    ----------
    statistics : SufficientStatistics
        Exact draws of N patients; a patient may have none.
    censored : CensoredDraws
        Draws beyond the limit of quantification.
    is_resistant : ndarray of bool, shape (N,)
        The outcome.
    landmark_weeks : float
        No draw is later (weeks since the first dose); every outcome is.
    symptoms_log_odds : ndarray, shape (N,)
        What the symptoms known at the landmark add to the prior; zero where none are.
    """

    statistics: SufficientStatistics
    censored: CensoredDraws
    is_resistant: npt.NDArray[np.bool_]
    landmark_weeks: float
    symptoms_log_odds: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.is_resistant)

    @property
    def group_sizes(self) -> tuple[int, int]:
        """Numbers of remitting and of resistant patients."""
        resistant = int(self.is_resistant.sum())
        return len(self) - resistant, resistant

    def with_draws(self) -> "TrainingSet":
        """Keep the patients who have a draw: of a marker, the outcome of the others says nothing.

        Returns
        -------
        TrainingSet
        """
        has_draw = self.statistics.n.sum(axis=1) > 0
        has_draw[self.censored.patient] = True
        return self if has_draw.all() else self.take(np.flatnonzero(has_draw))

    def take(self, rows: npt.NDArray[Any]) -> "TrainingSet":
        """Keep some patients.

        Parameters
        ----------
        rows : ndarray
            Their positions, each once, or a boolean mask of shape (N,).

        Returns
        -------
        TrainingSet

        Raises
        ------
        BadLabel
            No positions of these patients, or one twice: an outcome is learned from once.
        """
        rows = positions(rows, len(self), refusal=BadLabel)
        listed, times = np.unique(rows, return_counts=True)
        if len(listed) != len(rows):
            raise BadLabel(f"rows: {listed[times > 1][0]} stands twice - each patient once")
        return TrainingSet(
            statistics=self.statistics.take(rows),
            censored=self.censored.of_patients(rows),
            is_resistant=self.is_resistant[rows],
            landmark_weeks=self.landmark_weeks,
            symptoms_log_odds=self.symptoms_log_odds[rows],
        )


@dataclass(frozen=True, eq=False)
class Cut:
    """What :func:`cut_at_landmark` kept, and how much it left out.

    Attributes
    ----------
    draws, labels : DataFrame
        Ready for :func:`training_set`.
    n_draws_later : int
        Draws after the landmark.
    n_patients_resolved : int
        Patients whose outcome was known by the landmark.
    """

    draws: pd.DataFrame
    labels: pd.DataFrame
    n_draws_later: int
    n_patients_resolved: int


def cut_at_landmark(draws: pd.DataFrame, labels: pd.DataFrame, *, landmark_weeks: float) -> Cut:
    """Keep draws up to the landmark, of patients whose outcome was still open then.

    Landmarking (van Houwelingen 2007, Scand J Stat 34:70): whoever is resolved at the landmark is
    no longer at risk there, and learning from them would be learning from the future.

    Parameters
    ----------
    draws, labels : DataFrame
        As for :func:`training_set`.
    landmark_weeks : float
        Weeks since the first dose.

    Returns
    -------
    Cut
        With the numbers left out, to be reported.

    Raises
    ------
    BadLabel, BadDraw
    """
    landmark_weeks = real(landmark_weeks, name="landmark_weeks", refusal=BadLabel)
    require(labels, _LABEL, refusal=BadLabel)
    require(draws, _DRAW, refusal=BadDraw)
    identified(labels, "patient_id", refusal=BadLabel)
    identified(draws, "patient_id", refusal=BadDraw)
    is_open = numbers(labels, "resolved_weeks", refusal=BadLabel) > landmark_weeks
    kept = labels[is_open]
    of_kept = draws["patient_id"].isin(kept["patient_id"])
    early = numbers(draws, "weeks", refusal=BadDraw) <= landmark_weeks
    return Cut(
        draws=draws[of_kept & early],
        labels=kept,
        n_draws_later=int((of_kept & ~early).sum()),
        n_patients_resolved=int((~is_open).sum()),
    )


def training_set(
    draws: pd.DataFrame,
    labels: pd.DataFrame,
    *,
    landmark_weeks: float,
    markers: tuple[str, ...] | None = None,
) -> TrainingSet:
    """Check labelled draws and reduce them to what training needs; refuse any leak of the outcome.

    Parameters
    ----------
    draws : DataFrame
        Columns `patient_id`, `weeks` since the first dose, `level` (ln units, or scale points),
        `marker` (str; may be absent for one marker) and, if any draw lies beyond the limit of
        quantification, `comparator` ("", "<", "<=", ">" or ">="; `level` is then the limit).
    labels : DataFrame
        Columns `patient_id` (unique), `is_resistant` (bool) and `resolved_weeks`: weeks since the
        first dose at which the outcome was known. May have `symptoms_log_odds`: what the symptoms
        known at the landmark add to the prior, as an estimate at that week says it.
    landmark_weeks : float
        Week at which the model is to be used at the latest.
    markers : tuple of str, optional
        Order of the markers. Default: those of `draws`, sorted; of no draws sIL-6R, the one that
        the published prior knows.

    Returns
    -------
    TrainingSet
        Patients in ascending order, whatever the order of the rows.

    Raises
    ------
    LabelLeakage
        A draw at or after its patient's outcome, a draw after the landmark, or a patient whose
        outcome was known by the landmark (see :func:`cut_at_landmark`).
    BadLabel, BadDraw
        A column or a value is missing, not of its kind, or repeated.
    """
    landmark_weeks = real(landmark_weeks, name="landmark_weeks", refusal=BadLabel)
    if markers is not None:
        markers = names(markers, name="markers", refusal=BadDraw)
    labels = _checked_labels(labels)
    require(draws, _DRAW, refusal=BadDraw)
    given = identified(draws, "patient_id", refusal=BadDraw)
    place = pd.Index(labels["patient_id"]).get_indexer(pd.Index(given))
    if len(place) and place.min() < 0:
        row = int(np.flatnonzero(place < 0)[0])
        raise BadDraw(
            f"row {row}, column 'patient_id': {shown(given[row])} - no label; a labelled patient"
        )
    weeks, _ = (numbers(draws, column, refusal=BadDraw) for column in ("weeks", "level"))
    early = np.flatnonzero(weeks < -DAYS_BEFORE_FIRST_DOSE / 7)
    if len(early):
        raise BadDraw(
            f"row {early[0]}, column 'weeks': {weeks[early[0]]} - weeks since the first dose are "
            f"needed, {DAYS_BEFORE_FIRST_DOSE} days before it at the earliest"
        )
    _refuse_repeats(draws)
    _refuse_leaks(draws, labels, place, landmark_weeks)
    is_exact = np.ones(len(draws), dtype=bool)
    if "comparator" in draws:
        is_exact = (draws["comparator"] == "").to_numpy()
        unknown = ~draws["comparator"].isin(["", "<", "<=", ">", ">="]).to_numpy()
        if unknown.any():
            row = int(np.flatnonzero(unknown)[0])
            value = shown(draws["comparator"].iloc[row])
            raise BadDraw(f"row {row}, column 'comparator': {value} - one of '', <, <=, >, >=")
    if "marker" in draws:
        _refuse_strangers(draws, markers)
    if markers is None:
        markers = _markers_of(draws)
    statistics = summarise(
        draws[is_exact], patient_ids=labels["patient_id"].to_numpy(), markers=markers
    )
    return TrainingSet(
        statistics=statistics,
        censored=_censored(draws[~is_exact], statistics),
        is_resistant=labels["is_resistant"].to_numpy(dtype=bool),
        landmark_weeks=float(landmark_weeks),
        symptoms_log_odds=labels["symptoms_log_odds"].to_numpy(dtype=np.float64),
    )


WITHOUT_DRAWS = "sIL-6R"
_LABEL = ("patient_id", "is_resistant", "resolved_weeks")
_DRAW = ("patient_id", "weeks", "level")


def _markers_of(draws: pd.DataFrame) -> tuple[str, ...]:
    if "marker" not in draws:
        return ("marker",)
    return tuple(sorted(set(draws["marker"]))) or (WITHOUT_DRAWS,)


def _refuse_repeats(draws: pd.DataFrame) -> None:
    """Refuse a row that is there twice: it would count as two draws."""
    twice = draws[[*_DRAW, *(name for name in ("marker", "comparator") if name in draws)]]
    [rows] = twice.duplicated().to_numpy().nonzero()
    if len(rows):
        row = int(rows[0])
        value = shown(draws["patient_id"].iloc[row])
        raise BadDraw(
            f"row {row}, column 'patient_id': {value} - this draw stands twice; each once is needed"
        )


def _refuse_strangers(draws: pd.DataFrame, markers: tuple[str, ...] | None) -> None:
    given = identified(draws, "marker", refusal=BadDraw)
    strange = np.zeros(len(given), dtype=bool) if markers is None else ~np.isin(given, markers)
    if markers is not None and strange.any():
        row = int(np.flatnonzero(strange)[0])
        raise BadDraw(
            f"row {row}, column 'marker': {shown(given[row])} - one of {', '.join(markers)}"
        )


def _censored(draws: pd.DataFrame, statistics: SufficientStatistics) -> CensoredDraws:
    rows = draws.rename(columns={"level": "limit"})
    if len(rows):
        rows["is_below"] = rows["comparator"].isin(["<", "<="])
    else:
        rows["is_below"] = np.zeros(0, dtype=bool)
    return censored_draws(rows, statistics=statistics)


def _checked_labels(labels: pd.DataFrame) -> pd.DataFrame:
    require(labels, _LABEL, refusal=BadLabel)
    identified(labels, "patient_id", refusal=BadLabel)
    twice = labels["patient_id"].duplicated()
    if twice.any():
        row = int(np.flatnonzero(twice)[0])
        value = shown(labels["patient_id"].iloc[row])
        raise BadLabel(f"row {row}, column 'patient_id': {value} stands twice - once is right")
    truth = truths(labels, "is_resistant", refusal=BadLabel)
    numbers(labels, "resolved_weeks", refusal=BadLabel)
    symptoms = np.zeros(len(labels))
    if "symptoms_log_odds" in labels:
        symptoms = numbers(labels, "symptoms_log_odds", refusal=BadLabel)
    checked = labels.assign(is_resistant=truth, symptoms_log_odds=symptoms)
    return checked.sort_values("patient_id", ignore_index=True)


def _refuse_leaks(
    draws: pd.DataFrame, labels: pd.DataFrame, place: npt.NDArray[Any], landmark_weeks: float
) -> None:
    weeks = numbers(draws, "weeks", refusal=BadDraw)
    resolved = labels["resolved_weeks"].to_numpy(dtype=np.float64)
    at_or_after = weeks >= resolved[place] if len(place) else np.zeros(0, dtype=bool)
    if at_or_after.any():
        row = int(np.flatnonzero(at_or_after)[0])
        raise LabelLeakage(
            f"row {row}, column 'weeks': {weeks[row]} - the outcome of patient "
            f"{draws['patient_id'].iloc[row]} was known at week {resolved[place[row]]}; "
            "only draws before it may be learned from"
        )
    late = weeks > landmark_weeks
    if late.any():
        row = int(np.flatnonzero(late)[0])
        raise LabelLeakage(
            f"row {row}, column 'weeks': {weeks[row]} - later than the landmark, "
            f"week {landmark_weeks}"
        )
    settled = resolved <= landmark_weeks
    if settled.any():
        row = int(np.flatnonzero(settled)[0])
        raise LabelLeakage(
            f"patient {labels['patient_id'].iloc[row]}, column 'resolved_weeks': {resolved[row]} - "
            f"resolved by the landmark, week {landmark_weeks}; only open cases may be learned from"
        )
