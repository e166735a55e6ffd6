"""The markers of a few patients, followed row by row as plain floats.

For one patient an operation on an array costs ten times its arithmetic. What is done here is what
:mod:`analytics.tracking` does with arrays, operation for operation and in the same order, so the
bits are the same: a patient alone and the same patient among a million get one estimate.
"""

from collections.abc import Callable
from functools import partial
from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from analytics.changes import MOST_LOOKS, SET_POINT_DRAWS, widened_table
from analytics.columns import ANALYTES, US_PER_WEEK
from analytics.elementwise import FEW
from analytics.evidence import FIRST_IMPLAUSIBLE_Z, IMPLAUSIBLE_Z
from analytics.informative import (
    OF_THE_SUM,
    SideBySide,
    said_in_a_row,
    stand_now,
    unpacked,
    unrolled_weighing,
)
from analytics.mixtures import MixedLines, Standing
from analytics.policy import Policy
from analytics.ready import constant
from analytics.releases import Release
from analytics.tables import NEVER, Ints
from analytics.tracks import Changes, Tracks, compare, growth_of
from analytics.trajectories import Growth, Sums
from analytics.validity import Readings
from analytics.weighing import LogOdds

MOST_ROWS = 32
Numbers = tuple[float, ...]
_N_SUMS = len(Sums._fields)


class _Row(NamedTuple):
    """A scored result: its place, time and logarithms; the assay's variation is NaN if not told."""

    place: int
    us: int
    weeks: float
    level: float
    y: float
    assay_cv: float


class _Track(NamedTuple):
    """One patient's scored results of one analyte, and their sums: plain, then ramped."""

    patient: int
    analyte: int
    rows: list[_Row]
    sums: Numbers
    unknown: float


def follow_few(
    readings: Readings,
    *,
    started_us: Ints,
    at_us: int,
    segments: tuple[str, ...],
    release: Release,
    policy: Policy,
) -> tuple[Tracks, LogOdds] | None:
    """Follow the markers of a few patients.

    Parameters
    ----------
    readings, started_us, at_us, segments, release, policy
        As in :func:`analytics.tracking.follow`.

    Returns
    -------
    tuple of Tracks and LogOdds, or None
        None where arrays are needed: many patients or results, results beyond a limit, groups that
        vary differently, a result that may have to be held.
    """
    if not 0 < len(readings.patient) <= MOST_ROWS or len(started_us) > FEW:
        return None
    if release.law.groups is not None or any(readings.comparator.tolist()):
        return None
    starts = started_us.tolist()
    codes, row_codes, origins = _place(readings, starts)
    analyte = np.array([code % len(ANALYTES) for code in codes], dtype=np.int64)
    segment = _segments(readings, codes, row_codes)
    growth, unknown = growth_of(analyte, segment, segments, release)
    laws = list(zip(*[column.tolist() for column in growth], strict=True))
    scored = _scored(readings, codes, row_codes, origins, laws)
    if any(map(_may_be_held, scored, laws)):
        return None
    tracks = [
        _Track(*divmod(code, len(ANALYTES)), rows, _summed(rows, release.law.ramp_weeks), free)
        for code, rows, free in zip(codes, scored, unknown.tolist(), strict=True)
    ]
    weighed = _weigh(tracks, release)
    patient, analyte, origin, n_draws, n_scored, latest = _counts(tracks, row_codes, origins)
    found = Tracks(
        patient=patient,
        analyte=analyte,
        segment=segment,
        origin_us=origin,
        n_draws=n_draws,
        n_scored=n_scored,
        n_censored=constant(0, len(codes), np.int64),
        latest=latest,
        changes=_changes(tracks, laws, release, policy),
        is_latest_held=constant(value=False, size=len(codes), dtype=np.bool_),
        stand_now=partial(_stand, tracks, origin, growth, weighed, at_us, release),
    )
    return found, _log_odds(weighed, starts, release)


def _counts(tracks: list[_Track], row_codes: list[int], origins: list[int]) -> Ints:
    """Give the fields of :class:`Tracks` that are whole numbers, one below the other."""
    rows = [
        (
            each.patient,
            each.analyte,
            origins[each.patient],
            row_codes.count(each.patient * len(ANALYTES) + each.analyte),
            len(each.rows),
            each.rows[-1].place if each.rows else -1,
        )
        for each in tracks
    ]
    return np.array(rows, dtype=np.int64).T


def _place(readings: Readings, starts: list[int]) -> tuple[list[int], list[int], list[int]]:
    """Number patient and analyte together; count weeks from the first dose, or the first draw."""
    patients = readings.patient.tolist()
    kinds = len(ANALYTES)
    row_codes = [
        patient * kinds + analyte
        for patient, analyte in zip(patients, readings.analyte.tolist(), strict=True)
    ]
    origins = starts
    if NEVER in starts:
        firsts = dict(zip(reversed(patients), reversed(readings.drawn_us.tolist()), strict=True))
        origins = [
            firsts.get(patient, NEVER) if start == NEVER else start
            for patient, start in enumerate(starts)
        ]
    return sorted(set(row_codes)), row_codes, origins


def _segments(readings: Readings, codes: list[int], row_codes: list[int]) -> Ints:
    """Give each track the segment of its latest scored reading."""
    rows = zip(row_codes, readings.segment.tolist(), readings.reasons.tolist(), strict=True)
    latest = {code: segment for code, segment, reasons in rows if not reasons}
    return np.array([latest.get(code, 0) for code in codes], dtype=np.int64)


def _scored(
    readings: Readings,
    codes: list[int],
    row_codes: list[int],
    origins: list[int],
    laws: list[Numbers],
) -> list[list[_Row]]:
    """Take the population's line from the logarithm of the scored rows of each track."""
    found: dict[int, list[_Row]] = {code: [] for code in codes}
    law_of = dict(zip(codes, laws, strict=True))
    columns = zip(
        row_codes,
        readings.reasons.tolist(),
        readings.drawn_us.tolist(),
        np.log(readings.value).tolist(),
        readings.assay_cv.tolist(),
        strict=True,
    )
    for place, (code, reasons, us, level, assay_cv) in enumerate(columns):
        if reasons:
            continue
        weeks = float(us - origins[code // len(ANALYTES)]) / US_PER_WEEK
        mean0, mean1, *_ = law_of[code]
        row = _Row(place, us, weeks, level, level - mean0 - mean1 * weeks, assay_cv)
        found[code].append(row)
    return list(found.values())


def _may_be_held(rows: list[_Row], law: Numbers) -> bool:
    """Tell whether :func:`analytics.innovations.find_implausible` would look at a track."""
    if not rows:
        return False
    ys, sd = [row.y for row in rows], sqrt(law[-1])
    high, low = max(ys), min(ys)
    is_wide = high - low > IMPLAUSIBLE_Z.value * sd
    return is_wide or max(high, -low) > FIRST_IMPLAUSIBLE_Z.value * sd


def _summed(rows: list[_Row], ramp_weeks: float) -> Numbers:
    """Sum the rows one after the other, as ``np.bincount`` does."""
    t = tt = y = ty = yy = h = ht = hh = hy = 0.0
    for row in rows:
        week, level = row.weeks, row.y
        ramp = min(week, ramp_weeks)
        t, tt = t + week, tt + week * week
        y, ty, yy = y + level, ty + week * level, yy + level * level
        h, ht, hh, hy = h + ramp, ht + ramp * week, hh + ramp * ramp, hy + ramp * level
    return (float(len(rows)), t, tt, y, ty, yy, h, ht, hh, hy)


def _weigh(tracks: list[_Track], release: Release) -> dict[int, Numbers]:
    """Give what the informative markers say of each patient who has a scored result of any."""
    places = [ANALYTES.index(name) for name in release.informative]
    seen: dict[int, dict[int, Numbers]] = {}
    for track in tracks:
        if track.analyte in places and track.rows:
            seen.setdefault(track.patient, {})[track.analyte] = (*track.sums, track.unknown)
    weigh = unrolled_weighing(release.law)
    return {
        patient: weigh(*[x for place in places for x in of.get(place, _NOT_DRAWN)])
        for patient, of in seen.items()
    }


_NOT_DRAWN = (0.0,) * (_N_SUMS + 4 + 1)


def _log_odds(weighed: dict[int, Numbers], starts: list[int], release: Release) -> LogOdds:
    """Spread what the markers say over the patients; without an episode they say nothing."""
    markers = len(release.informative)
    said = markers + OF_THE_SUM
    rows = [
        weighed[patient][:said] if patient in weighed and start != NEVER else (0.0,) * said
        for patient, start in enumerate(starts)
    ]
    columns = np.array(rows).T
    return LogOdds(tuple(columns[:markers]), *columns[markers:])


def _changes(
    tracks: list[_Track], laws: list[Numbers], release: Release, policy: Policy
) -> Changes:
    """Measure each track's changes between its results."""
    widened = widened_table(planned_looks=policy.planned_looks, alpha=policy.rise_alpha)
    work: Callable[..., Any] = compare
    found: list[Numbers] = []
    for track, law in zip(tracks, laws, strict=True):
        rows, count = track.rows, len(track.rows)
        if count < 2:
            found.append(_NOTHING_TO_COMPARE)
            continue
        before = min(count - 1, SET_POINT_DRAWS)
        several = [rows[min(place, count - 1)].level for place in range(SET_POINT_DRAWS)]
        latest, code = rows[-1], track.analyte
        compared = work(
            *(before, widened.item(before - 1, min(count - 1, MOST_LOOKS))),
            *(release.log_variances.item(code), release.within_cvs.item(code), latest.assay_cv),
            *(*several, rows[-2].level, latest.level),
            *(float(latest.us - rows[0].us) / US_PER_WEEK, latest.weeks, latest.y),
            *(*track.sums[:_N_SUMS], *law[2:]),
        )
        found.append((before, *compared))
    draws, *columns = np.array(found, dtype=np.float64).T
    return Changes(draws.astype(np.int64), *columns)


_NOTHING_TO_COMPARE = (0.0, *[np.nan] * (len(Changes._fields) - 1))


def _stand(
    tracks: list[_Track],
    origin_us: Ints,
    growth: Growth,
    weighed: dict[int, Numbers],
    at_us: int,
    release: Release,
) -> tuple[MixedLines, Standing]:
    """Say where each track stands at the moment; from here on in arrays."""
    patient, analyte = (np.array([each[part] for each in tracks]) for part in (0, 1))
    has_rows = np.array([bool(each.rows) for each in tracks])
    side = SideBySide.of(patient, analyte, has_rows, release.informative)
    sums = Sums(*np.array([each.sums[:_N_SUMS] for each in tracks]).T)
    rows = [weighed[place] for place in side.patient.tolist()]
    said = np.array(rows, dtype=np.float64).reshape(len(rows), said_in_a_row(release.law)).T
    found = unpacked(list(said), len(release.informative))
    weeks = (at_us - origin_us) / US_PER_WEEK
    return stand_now(sums, growth, side, found, weeks, release)
