"""From a local record to a release: the cold start's second step, and draws to train on.

Offline. The same validity as in scoring decides which draws count; the statistics are those of
``analytics.fitting``. Labels then teach the contrast there.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from analytics.columns import ANALYTES, COMPARATORS, SIL6R, US_PER_WEEK
from analytics.evidence import ENOUGH_LOCAL_PATIENTS, LEVEL_SD
from analytics.fitting import (
    CensoredDraws,
    MarkersDiffer,
    ResidualVarianceIsZero,
    SufficientStatistics,
    UnidentifiableFit,
    posterior_with_censoring,
    summarise_arrays,
)
from analytics.fitting.priors import fit_whole, local_prior
from analytics.histories import History
from analytics.known import known_by
from analytics.moments import microseconds
from analytics.policy import CURRENT_POLICY
from analytics.releases import Marker, Release, dump, need_release, parse
from analytics.releases.law import square
from analytics.tables import NEVER, Bools, Floats, Ints, Objects
from analytics.tracking import follow
from analytics.validity import read

ENOUGH_IN_A_FURTHER_SEGMENT = 20
MOST_ROUNDS = 20


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
        return self.where(self.analyte == ANALYTES.index(name))

    def where(self, keep: Bools) -> "_Draws":
        """Take some."""
        return _Draws(
            analyte=self.analyte[keep],
            patient=self.patient[keep],
            segment=self.segment[keep],
            weeks=self.weeks[keep],
            level=self.level[keep],
            comparator=self.comparator[keep],
            names=self.names,
        )


def _valid_draws(
    history: History, at: datetime, release: Release, analytes: tuple[str, ...] = (SIL6R,)
) -> tuple[_Draws, Ints]:
    """Give the draws that count, and the rows of those that wait for a check by a release's law."""
    at_us = microseconds(at)
    history = known_by(history, at_us)
    started_us = history.started_us
    segments = history.result_columns.segments
    readings, _ = read(history, at_us=at_us)
    *_, readings = follow(
        readings,
        started_us=started_us,
        at_us=at_us,
        segments=segments,
        release=release,
        policy=CURRENT_POLICY,
    )
    started = started_us[readings.patient]
    wanted = np.isin(readings.analyte, [ANALYTES.index(name) for name in analytes])
    wanted &= started != NEVER
    keep = readings.is_scored & wanted
    draws = _Draws(
        analyte=readings.analyte[keep],
        patient=readings.patient[keep],
        segment=readings.segment[keep],
        weeks=(readings.drawn_us[keep] - started[keep]) / US_PER_WEEK,
        level=np.log(readings.value[keep]),
        comparator=readings.comparator[keep],
        names=segments,
    )
    return draws, (readings.is_held & wanted).nonzero()[0]


def learn_level(history: History, *, at: datetime, base: Release, version: str) -> Release:
    """Give a release the local level and spread of each marker, from draws without any label.

    sIL-6R must have enough patients; another analyte that has keeps the base's law no longer. The
    contrast stays the published one, and is not counted twice in the spread
    (:func:`analytics.fitting.priors.local_prior`). Draws beyond a limit count as what they are.
    An implausible one that nobody has confirmed teaches nothing, as it is not scored: judged first
    by the law of the base and then, until nothing changes, by the one learned, so that patients
    who vary more than was published are not cut off. The card says how many.
    Level and spread come from the segment that most patients have draws in; further segments with
    enough patients get a level of their own, and any other keeps an uncertain one.

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
        Fewer than ``ENOUGH_LOCAL_PATIENTS`` have a valid exact draw in one segment.
    """
    need_release(base, name="base")
    made, known = base, np.array([-1])
    for _ in range(MOST_ROUNDS):
        draws, held = _valid_draws(history, at, made, ANALYTES)
        if np.array_equal(held, known):
            break
        made, known = _learned(draws, len(held), base, version), held
    return made


def _learned(whole: _Draws, n_held: int, base: Release, version: str) -> Release:
    """Make the release from the draws that count."""
    draws = whole.of(SIL6R)
    home = _home_segment(draws)
    prior = local_prior(base, *_statistics(draws.where(draws.segment == home)))
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
    local = replace(local, levels=local.levels | _further_levels(draws, home, local))
    made = replace(
        base,
        version=version,
        basis=prior.basis,
        markers=base.markers | {SIL6R: local} | _further_markers(whole, base),
        variance_covariance=tuple(tuple(row) for row in prior.variance_covariance.tolist()),
        fingerprint=_fingerprint(whole),
        card=base.card | {"data": f"{base.card['data']} {_said(n_held)}".strip()},
    )
    # Written and read, so that what is handed on has been checked and summed.
    return parse(dump(made))


def _refuse_strangers(given: object) -> None:
    is_list = isinstance(given, tuple | list) and len(given) > 0
    if not is_list or any(name not in ANALYTES for name in given):  # type: ignore[attr-defined]
        raise MarkersDiffer(f"analytes {given!r}; wanted: some of {', '.join(ANALYTES)}, in a list")


def _said(n_held: int) -> str:
    if not n_held:
        return ""
    return f"{n_held} implausible draw(s) that wait for a check were left out of the local level."


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
        Columns patient_id, weeks, level (ln units), comparator, marker. Implausible draws that
        wait for a check are not among them; `attrs["held"]` counts them.
    """
    need_release(release)
    _refuse_strangers(analytes)
    draws, held = _valid_draws(history, at, release, analytes)
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
    table = pd.DataFrame(
        {
            "patient_id": history.patient_ids[draws.patient[keep]],
            "weeks": draws.weeks[keep],
            "level": (draws.level - shift[cell])[keep],
            "comparator": words[draws.comparator[keep]],
            "marker": np.array(ANALYTES, dtype=object)[draws.analyte[keep]],
        }
    )
    table.attrs["held"] = len(held)
    return table


def _home_segment(draws: _Draws) -> int:
    """Find the segment that most patients have draws in."""
    pairs = np.unique(np.column_stack([draws.segment, draws.patient]), axis=0)
    return int(np.argmax(np.bincount(pairs[:, 0], minlength=max(len(draws.names), 1))))


def _further_markers(whole: _Draws, base: Release) -> dict[str, Marker]:
    """Learn the law of the other analytes that weigh nothing, where enough patients have them."""
    found: dict[str, Marker] = {}
    for name in ANALYTES:
        draws = whole.of(name)
        if name in base.informative or not len(draws.patient):
            continue
        home = _home_segment(draws)
        statistics, censored = _statistics(draws.where(draws.segment == home), name)
        if (statistics.n[:, 0] > 0).sum() < ENOUGH_LOCAL_PATIENTS.value:
            continue
        try:
            fit = fit_whole(statistics, censored)
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
        further = _further_levels(draws, home, local)
        found[name] = replace(local, levels=local.levels | further)
    return found


def _statistics(draws: _Draws, name: str = SIL6R) -> tuple[SufficientStatistics, CensoredDraws]:
    """Sum exact draws; those beyond a limit are kept as what they are."""
    ids, patient = np.unique(draws.patient, return_inverse=True)
    exact = draws.comparator == 0
    statistics = summarise_arrays(
        patient=patient[exact],
        weeks=draws.weeks[exact],
        level=draws.level[exact],
        patient_ids=ids,
        markers=(name,),
    )
    beyond = ~exact
    censored = CensoredDraws(
        patient=patient[beyond].astype(np.int64),
        marker=np.zeros(int(beyond.sum()), dtype=np.int64),
        weeks=draws.weeks[beyond],
        limit=draws.level[beyond],
        is_below=np.isin(draws.comparator[beyond], _BELOW),
    )
    return statistics, censored


_BELOW = [COMPARATORS.index(sign) for sign in ("<", "<=")]


def _further_levels(draws: _Draws, home: int, marker: Marker) -> dict[str, float]:
    """Estimate the level of further segments by maximum likelihood, the home's law given."""
    found: dict[str, float] = {}
    for place in np.unique(draws.segment).tolist():
        own = draws.where(draws.segment == place)
        if place == home or len(np.unique(own.patient)) < ENOUGH_IN_A_FURTHER_SEGMENT:
            continue
        found[draws.names[place]] = _level_of(own, marker)
    return found


def _level_of(draws: _Draws, marker: Marker) -> float:
    """Find how far the level of some draws lies from the population's."""
    statistics, censored = _statistics(draws)
    start, slope = marker.mean

    def misfit(level: float) -> float:
        found = posterior_with_censoring(
            statistics,
            censored,
            effects=[start + level, slope],
            covariance=square(marker.covariance),
            residual_variance=[marker.residual],
        )
        return -float(found.log_density.sum())

    near = float((draws.level - start - slope * draws.weeks).mean())
    return float(minimize_scalar(misfit, bracket=(near - 0.1, near + 0.1)).x)


def _three(matrix: Floats) -> tuple[float, float, float]:
    return float(matrix[0, 0]), float(matrix[0, 1]), float(matrix[1, 1])


def _fingerprint(draws: _Draws) -> str:
    whole = sha256()
    numbers = draws.analyte, draws.patient, draws.segment, draws.comparator
    for column in (*numbers, draws.weeks, draws.level):
        whole.update(np.ascontiguousarray(column).tobytes())
    return whole.hexdigest()
