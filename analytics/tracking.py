"""Every patient's markers at a moment: one track per patient and analyte, in columns."""

from dataclasses import dataclass

import numpy as np

from analytics.changes import SET_POINT_DRAWS, log_variance, widened_table
from analytics.histories import ANALYTES, SIL6R, US_PER_WEEK
from analytics.policy import Policy
from analytics.releases import Release
from analytics.risk import LogOdds, marker_log_odds, sum_ramp
from analytics.tables import NEVER, Floats, Ints
from analytics.trajectories import (
    Ends,
    Growth,
    Lines,
    Sums,
    at_week,
    find_ends,
    fit_lines,
    probability_rising,
    sum_rows,
)
from analytics.validity import Readings

_SIL6R = ANALYTES.index(SIL6R)


@dataclass(frozen=True, slots=True)
class Tracks:
    """One entry per patient and analyte with any result, sorted by patient, then analyte."""

    patient: Ints
    analyte: Ints
    segment: Ints
    origin_us: Ints
    n_draws: Ints
    n_scored: Ints
    n_censored: Ints
    lines: Lines
    level: Floats
    level_sd: Floats
    rising: Floats
    ends: Ends
    changes: "Changes"


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes of the latest result in ln units, NaN where there is nothing to compare with."""

    span_weeks: Floats
    set_point: Floats
    set_point_draws: Ints
    since_first: Floats
    since_previous: Floats
    since_set_point: Floats
    limit: Floats


@dataclass(frozen=True, slots=True)
class _Rows:
    """The scored rows, each with its track, time and centred logarithm."""

    row: Ints
    track: Ints
    weeks: Floats
    y: Floats


def follow(
    readings: Readings,
    *,
    started_us: Ints,
    at_us: int,
    segments: tuple[str, ...],
    release: Release,
    policy: Policy,
) -> tuple[Tracks, LogOdds]:
    """Follow every marker of every patient.

    Parameters
    ----------
    readings : Readings
        Judged results, sorted by patient and time.
    started_us : array of int
        First dose of each patient, or ``NEVER``.
    at_us : int
        The moment.
    segments : tuple of str
        Names of the segments.
    release : Release
        The population's law and the contrast.
    policy : Policy
        Planned looks and false alarm rate of real changes.

    Returns
    -------
    tracks : Tracks
        The trajectories.
    marker : LogOdds
        What sIL-6R adds to each patient's log-odds; zero without a scored draw or an episode.
    """
    size = len(started_us)
    code = readings.patient * len(ANALYTES) + readings.analyte
    present = np.zeros(size * len(ANALYTES), dtype=np.bool_)
    present[code] = True
    codes = np.flatnonzero(present)
    number = np.cumsum(present) - 1
    track = number[code]
    patient, analyte = codes // len(ANALYTES), codes % len(ANALYTES)
    origin = _origins(readings, started_us)[patient]
    scored = readings.is_scored & ~readings.is_censored
    ends = find_ends(track, scored, n_tracks=len(codes))
    segment = np.where(ends.latest >= 0, readings.segment[ends.latest], 0) if len(codes) else codes
    growth = _growth(analyte, segment, segments, release)
    row = np.flatnonzero(scored)
    of = track[row]
    weeks = (readings.drawn_us[row] - origin[of]) / US_PER_WEEK
    y = np.log(readings.value[row]) - growth.mean0[of] - growth.mean1[of] * weeks
    rows = _Rows(row, of, weeks, y)
    sums = sum_rows(of, weeks, y, n_tracks=len(codes))
    lines = fit_lines(sums, growth)
    now = (at_us - origin) / US_PER_WEEK
    level, level_sd = at_week(lines, now)
    censored = readings.is_scored & readings.is_censored
    tracks = Tracks(
        patient=patient,
        analyte=analyte,
        segment=segment,
        origin_us=origin,
        n_draws=np.bincount(track, minlength=len(codes)),
        n_scored=np.bincount(of, minlength=len(codes)),
        n_censored=np.bincount(track[censored], minlength=len(codes)),
        lines=lines,
        level=level,
        level_sd=level_sd,
        rising=probability_rising(lines),
        ends=ends,
        changes=_changes(readings, rows, ends, analyte, release, policy),
    )
    return tracks, _weigh(tracks, rows, sums, started_us, release)


def _origins(readings: Readings, started_us: Ints) -> Ints:
    """Count weeks from the first dose, or from the first draw where there is none."""
    origin = started_us.copy()
    first = np.full(len(started_us), NEVER)
    # Rows are in order of time: writing them backwards leaves each patient's first.
    first[readings.patient[::-1]] = readings.drawn_us[::-1]
    return np.where(origin == NEVER, first, origin)


def _growth(analyte: Ints, segment: Ints, segments: tuple[str, ...], release: Release) -> Growth:
    """Give each track the law of its analyte, of both groups together.

    The unlabelled population has the covariance within a group, plus that of the
    groups' means, plus the uncertainty of the population's own line.
    """
    table = np.empty((len(ANALYTES), 6))
    for place, name in enumerate(ANALYTES):
        marker = release.markers[name]
        d00, d01, d11 = (
            a + b for a, b in zip(marker.covariance, marker.mean_covariance, strict=True)
        )
        if place == _SIL6R:
            contrast = release.contrast
            one, two = (contrast.shrinkage * part for part in contrast.delta)
            mixed = contrast.mixing * (1 - contrast.mixing)
            d00, d01, d11 = d00 + mixed * one * one, d01 + mixed * one * two, d11 + mixed * two**2
        table[place] = (*marker.mean, d00, d01, d11, marker.residual)
    shift = np.zeros((len(ANALYTES), max(len(segments), 1)))
    for place, name in enumerate(ANALYTES):
        for label, level in release.markers[name].levels.items():
            if label in segments:
                shift[place, segments.index(label)] = level
    picked = table[analyte]
    return Growth(
        mean0=picked[:, 0] + shift[analyte, segment],
        mean1=picked[:, 1],
        d00=picked[:, 2],
        d01=picked[:, 3],
        d11=picked[:, 4],
        residual=picked[:, 5],
    )


def _changes(
    readings: Readings, rows: _Rows, ends: Ends, analyte: Ints, release: Release, policy: Policy
) -> Changes:
    """Measure each track's changes in ln units, NaN where there is nothing to compare."""
    size = len(analyte)
    log_value = np.log(readings.value)
    order = np.argsort(rows.track, kind="stable")
    track = rows.track[order]
    count = np.bincount(track, minlength=size)
    rank = np.arange(len(track)) - (np.cumsum(count) - count)[track]
    before = np.minimum(np.maximum(count - 1, 0), SET_POINT_DRAWS)
    in_set = rank < before[track]
    total = np.bincount(track[in_set], weights=log_value[rows.row[order][in_set]], minlength=size)
    several = count > 1
    set_point = np.where(several, total / np.maximum(before, 1), np.nan)
    picked = np.append(log_value, np.nan)  # the last stands for "none": row -1
    time = np.append(readings.drawn_us, 0)
    latest = picked[ends.latest]
    variance = np.array(
        [
            log_variance(
                within_cv=release.markers[name].within_cv, assay_cv=release.markers[name].assay_cv
            )
            for name in ANALYTES
        ]
    )
    widened = widened_table(planned_looks=policy.planned_looks, alpha=policy.rise_alpha)
    looks = np.minimum(np.maximum(count - 1, 0), widened.shape[1] - 1)
    m = np.maximum(before, 1)
    limit = widened[m - 1, looks] * np.sqrt((1 + 1 / m) * variance[analyte])
    return Changes(
        span_weeks=(time[ends.latest] - time[ends.first]) / US_PER_WEEK,
        set_point=set_point,
        set_point_draws=np.where(several, before, 0),
        since_first=np.where(several, latest - picked[ends.first], np.nan),
        since_previous=latest - picked[ends.previous],
        since_set_point=latest - set_point,
        limit=np.where(several, limit, np.nan),
    )


def _weigh(tracks: Tracks, rows: _Rows, sums: Sums, started_us: Ints, release: Release) -> LogOdds:
    """Weigh sIL-6R for resistance and spread the result over the patients."""
    size = len(started_us)
    value, variance = np.zeros(size), np.zeros(size)
    mine = (tracks.analyte == _SIL6R) & (tracks.n_scored > 0)
    mine &= started_us[tracks.patient] != NEVER
    marker, contrast = release.markers[SIL6R], release.contrast
    ramp = sum_ramp(
        rows.track,
        rows.weeks,
        rows.y,
        ramp_weeks=contrast.ramp_weeks,
        n_tracks=len(tracks.patient),
    )
    found = marker_log_odds(sums, ramp, marker, contrast, release.variance_matrix)
    value[tracks.patient[mine]] = found.value[mine]
    variance[tracks.patient[mine]] = found.variance[mine]
    return LogOdds(value, variance)
