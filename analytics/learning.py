"""From a local record to a release: the cold start's second step, and draws to train on.

Offline. The same validity as in scoring decides which draws count; the statistics are those of
``analytics.fitting``. Labels then teach the contrast there.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

import numpy as np
import pandas as pd

from analytics.columns import ANALYTES, COMPARATORS, SIL6R, US_PER_WEEK
from analytics.evidence import ENOUGH_LOCAL_PATIENTS, LEVEL_SD
from analytics.fitting import (
    ResidualVarianceIsZero,
    SufficientStatistics,
    UnidentifiableFit,
    fit_growth,
    summarise_arrays,
)
from analytics.fitting.priors import local_prior
from analytics.histories import History, microseconds
from analytics.releases import Marker, Release, dump, parse
from analytics.tables import NEVER, Bools, Floats, Ints, Objects
from analytics.validity import read

ENOUGH_IN_A_FURTHER_SEGMENT = 20


@dataclass(frozen=True, slots=True)
class _Draws:
    """Valid draws of some analytes within episodes."""

    analyte: Ints
    patient: Ints
    segment: Ints
    weeks: Floats
    level: Floats
    comparator: Ints
    names: tuple[str, ...]

    def of(self, name: str) -> "_Draws":
        """Take those of one analyte."""
        mine = self.analyte == ANALYTES.index(name)
        return _Draws(
            analyte=self.analyte[mine],
            patient=self.patient[mine],
            segment=self.segment[mine],
            weeks=self.weeks[mine],
            level=self.level[mine],
            comparator=self.comparator[mine],
            names=self.names,
        )


def _valid_draws(history: History, at: datetime, analytes: tuple[str, ...] = (SIL6R,)) -> _Draws:
    at_us = microseconds(at)
    readings, _ = read(history, at_us=at_us)
    started = history.started_us[readings.patient]
    wanted = np.isin(readings.analyte, [ANALYTES.index(name) for name in analytes])
    keep = readings.is_scored & wanted & (started != NEVER)
    return _Draws(
        analyte=readings.analyte[keep],
        patient=readings.patient[keep],
        segment=readings.segment[keep],
        weeks=(readings.drawn_us[keep] - started[keep]) / US_PER_WEEK,
        level=np.log(readings.value[keep]),
        comparator=readings.comparator[keep],
        names=history.result_columns.segments,
    )


def learn_level(history: History, *, at: datetime, base: Release, version: str) -> Release:
    """Give a release the local level and spread of each marker, from draws without any label.

    sIL-6R must have enough patients; another analyte that has keeps the base's law no longer. The
    contrast stays the published one, and is not counted twice in the spread
    (:func:`analytics.fitting.priors.local_prior`). Level and spread come from the segment that most
    patients have draws in; further segments with enough patients get a level of their own, and any
    other keeps an uncertain one.

    Parameters
    ----------
    history : History
        Local patients; what their outcomes are is not asked.
    at : datetime
        The moment up to which facts are used.
    base : Release
        Whose contrast, prior and other markers are kept.
    version : str
        Name of the new release.

    Returns
    -------
    Release
        With basis "local level".

    Raises
    ------
    TooFewLocalPatients
        Fewer than ``ENOUGH_LOCAL_PATIENTS`` have a valid draw in one segment.
    """
    whole = _valid_draws(history, at, ANALYTES)
    draws = whole.of(SIL6R)
    exact = draws.comparator == 0
    home = _home_segment(draws, exact)
    prior = local_prior(base, _statistics(draws, exact & (draws.segment == home)))
    share = base.contrast.mixing
    mean = (1 - share) * prior.effects[0] + share * prior.effects[1]
    # What the two groups' lines have in common is the uncertainty of the population's.
    local = replace(
        base.markers[SIL6R],
        mean=(float(mean[0]), float(mean[1])),
        mean_covariance=_three(prior.effects_covariance[:2, 2:]),
        covariance=_three(prior.covariance),
        residual=float(prior.residual_variance[0]),
        levels={draws.names[home]: 0.0},
        level_sd=LEVEL_SD.value,
    )
    local = replace(local, levels=local.levels | _further_levels(draws, exact, home, local))
    made = replace(
        base,
        version=version,
        basis=prior.basis,
        markers=base.markers | {SIL6R: local} | _further_markers(whole, base),
        variance_covariance=tuple(tuple(row) for row in prior.variance_covariance.tolist()),
        fingerprint=_fingerprint(whole),
    )
    # Written and read, so that what is handed on has been checked and summed.
    return parse(dump(made))


def training_draws(
    history: History, *, at: datetime, release: Release, analytes: tuple[str, ...] = (SIL6R,)
) -> pd.DataFrame:
    """Give the valid draws as training wants them, every segment on one level.

    Parameters
    ----------
    history : History
        The patients.
    at : datetime
        The moment up to which facts are used.
    release : Release
        Whose segments' levels are taken out; draws of segments it does not know are left out,
        unless it knows none of that analyte.
    analytes : tuple of str
        What to learn from, together.

    Returns
    -------
    DataFrame
        Columns patient_id, weeks, level (ln units), comparator, marker.
    """
    draws = _valid_draws(history, at, analytes)
    known = np.zeros((len(ANALYTES), max(len(draws.names), 1)), dtype=np.bool_)
    shift = np.zeros(known.shape)
    for place, analyte in enumerate(ANALYTES):
        levels = release.markers[analyte].levels
        for segment, name in enumerate(draws.names):
            known[place, segment] = name in levels or not levels
            shift[place, segment] = levels.get(name, 0.0)
    cell = draws.analyte, draws.segment
    keep = known[cell]
    words: Objects = np.array(COMPARATORS, dtype=object)
    return pd.DataFrame(
        {
            "patient_id": history.patient_ids[draws.patient[keep]],
            "weeks": draws.weeks[keep],
            "level": (draws.level - shift[cell])[keep],
            "comparator": words[draws.comparator[keep]],
            "marker": np.array(ANALYTES, dtype=object)[draws.analyte[keep]],
        }
    )


def _home_segment(draws: _Draws, exact: Bools) -> int:
    """Find the segment that most patients have draws in."""
    pairs = np.unique(np.column_stack([draws.segment[exact], draws.patient[exact]]), axis=0)
    return int(np.argmax(np.bincount(pairs[:, 0], minlength=max(len(draws.names), 1))))


def _further_markers(whole: _Draws, base: Release) -> dict[str, Marker]:
    """Learn the law of the other analytes that weigh nothing, where enough patients have them."""
    found: dict[str, Marker] = {}
    for name in ANALYTES:
        draws = whole.of(name)
        exact = draws.comparator == 0
        if name in base.informative or not exact.any():
            continue
        home = _home_segment(draws, exact)
        statistics = _statistics(draws, exact & (draws.segment == home), name)
        # Draws beyond a limit would be missing from one end: then the published law must do
        is_cut = bool((draws.comparator[draws.segment == home] != 0).any())
        if is_cut or len(statistics) < ENOUGH_LOCAL_PATIENTS.value:
            continue
        try:
            fit = fit_growth(statistics)
        except (UnidentifiableFit, ResidualVarianceIsZero):
            continue  # one draw each tells no slope: the published law must do here too
        local = replace(
            base.markers[name],
            mean=(float(fit.effects[0, 0]), float(fit.effects[0, 1])),
            mean_covariance=_three(fit.effects_covariance),
            covariance=_three(fit.covariance),
            residual=float(fit.residual_variance[0]),
            levels={draws.names[home]: 0.0},
            level_sd=LEVEL_SD.value,
        )
        further = _further_levels(draws, exact, home, local)
        found[name] = replace(local, levels=local.levels | further)
    return found


def _statistics(draws: _Draws, keep: Bools, name: str = SIL6R) -> SufficientStatistics:
    ids, patient = np.unique(draws.patient[keep], return_inverse=True)
    return summarise_arrays(
        patient=patient,
        weeks=draws.weeks[keep],
        level=draws.level[keep],
        patient_ids=ids,
        markers=(name,),
    )


def _further_levels(draws: _Draws, exact: Bools, home: int, marker: Marker) -> dict[str, float]:
    """Estimate the level of further segments by the mean of their patients' residuals."""
    found: dict[str, float] = {}
    residual = draws.level - marker.mean[0] - marker.mean[1] * draws.weeks
    for place in np.unique(draws.segment[exact]).tolist():
        rows = exact & (draws.segment == place)
        patient = draws.patient[rows]
        ids, of = np.unique(patient, return_inverse=True)
        if place == home or len(ids) < ENOUGH_IN_A_FURTHER_SEGMENT:
            continue
        count = np.bincount(of)
        means = np.bincount(of, weights=residual[rows]) / count
        weight = 1 / (marker.covariance[0] + marker.residual / count)
        found[draws.names[place]] = float((weight * means).sum() / weight.sum())
    return found


def _three(matrix: Floats) -> tuple[float, float, float]:
    return float(matrix[0, 0]), float(matrix[0, 1]), float(matrix[1, 1])


def _fingerprint(draws: _Draws) -> str:
    whole = sha256()
    for column in (draws.analyte, draws.patient, draws.segment, draws.weeks, draws.level):
        whole.update(np.ascontiguousarray(column).tobytes())
    return whole.hexdigest()
