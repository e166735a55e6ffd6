"""Every patient's markers at a moment: one track per patient and analyte, in columns."""

from dataclasses import dataclass, replace

import numpy as np

from analytics.changes import SET_POINT_DRAWS, log_variance, widened_table
from analytics.evidence import IMPLAUSIBLE_Z
from analytics.histories import ANALYTES, SIL6R, US_PER_WEEK
from analytics.limits import stand_in
from analytics.policy import Policy
from analytics.releases import Release
from analytics.risk import LogOdds, marker_log_odds, sum_ramp
from analytics.tables import NEVER, Bools, Floats, Ints
from analytics.trajectories import (
    Growth,
    Lines,
    Sums,
    at_week,
    fit_lines,
    probability_rising,
    sum_rows,
)
from analytics.validity import Readings, hold

_SIL6R = ANALYTES.index(SIL6R)


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
    innovation: Floats


@dataclass(frozen=True, slots=True)
class Tracks:
    """One entry per patient and analyte with any result, sorted by patient, then analyte.

    ``latest`` is the row of the latest scored reading, -1 where none is scored; changes are
    between results that were quantified.
    """

    patient: Ints
    analyte: Ints
    segment: Ints
    origin_us: Ints
    n_draws: Ints
    n_scored: Ints
    n_censored: Ints
    latest: Ints
    lines: Lines
    level: Floats
    level_sd: Floats
    rising: Floats
    changes: Changes
    is_latest_held: Bools


@dataclass(frozen=True, slots=True)
class _Rows:
    """Scored rows, each with its track, time, centred logarithm and weight."""

    row: Ints
    track: Ints
    weeks: Floats
    y: Floats
    weight: Floats

    def of(self, keep: Bools) -> "_Rows":
        return _Rows(*(getattr(self, name)[keep] for name in _Rows.__slots__))

    def sums(self, n_tracks: int) -> Sums:
        return sum_rows(self.track, self.weeks, self.y, n_tracks=n_tracks, weight=self.weight)


def follow(
    readings: Readings,
    *,
    started_us: Ints,
    at_us: int,
    segments: tuple[str, ...],
    release: Release,
    policy: Policy,
) -> tuple[Tracks, LogOdds, Readings]:
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
    readings : Readings
        The same, with implausible results held back.
    """
    codes, track = _number_tracks(readings, len(started_us))
    patient, analyte = codes // len(ANALYTES), codes % len(ANALYTES)
    origin = _origins(readings, started_us)[patient]
    segment = _segments(readings, track, len(codes))
    growth = _growth(analyte, segment, segments, release)
    scored = _center(readings, track, origin, growth)
    exact = scored.of(~readings.is_censored[scored.row])
    held = find_implausible(exact, readings.is_confirmed[exact.row], growth)
    readings = hold(readings, exact.row[held])
    exact = exact.of(~held)
    censored = scored.of(readings.is_censored[scored.row])
    sums = exact.sums(len(codes))
    rows = exact
    if len(censored.row):
        is_above = readings.is_above[censored.row]
        found = stand_in(
            censored.track, censored.weeks, censored.y, is_above, exact=sums, growth=growth
        )
        censored = replace(censored, y=found.value, weight=found.weight)
        rows = _join(exact, censored)
        sums = sums + censored.sums(len(codes))
    lines = fit_lines(sums, growth)
    level, level_sd = at_week(lines, (at_us - origin) / US_PER_WEEK)
    latest = np.full(len(codes), -1, dtype=np.int64)
    latest[track[np.sort(rows.row)]] = np.sort(rows.row)
    tracks = Tracks(
        patient=patient,
        analyte=analyte,
        segment=segment,
        origin_us=origin,
        n_draws=np.bincount(track, minlength=len(codes)),
        n_scored=np.bincount(rows.track, minlength=len(codes)),
        n_censored=np.bincount(censored.track, minlength=len(codes)),
        latest=latest,
        lines=lines,
        level=level,
        level_sd=level_sd,
        rising=probability_rising(lines),
        changes=_changes(readings, exact, analyte, growth, release, policy),
        is_latest_held=_latest_held(readings, track, len(codes)),
    )
    return tracks, _weigh(tracks, rows, sums, started_us, segments, release), readings


def _number_tracks(readings: Readings, size: int) -> tuple[Ints, Ints]:
    """Number patient and analyte together; give the tracks' codes and each row's track."""
    code = readings.patient * len(ANALYTES) + readings.analyte
    present = np.zeros(size * len(ANALYTES), dtype=np.bool_)
    present[code] = True
    return np.flatnonzero(present), (np.cumsum(present) - 1)[code]


def _segments(readings: Readings, track: Ints, n_tracks: int) -> Ints:
    """Give each track the segment of its latest scored reading."""
    segment = np.zeros(n_tracks, dtype=np.int64)
    rows = np.flatnonzero(readings.is_scored)
    segment[track[rows]] = readings.segment[rows]  # in order of time: the last one stays
    return segment


def _center(readings: Readings, track: Ints, origin: Ints, growth: Growth) -> _Rows:
    """Take the population's line from the logarithm of every scored row."""
    row = np.flatnonzero(readings.is_scored)
    of = track[row]
    weeks = (readings.drawn_us[row] - origin[of]) / US_PER_WEEK
    y = np.log(readings.value[row]) - growth.mean0[of] - growth.mean1[of] * weeks
    return _Rows(row, of, weeks, y, np.ones(len(row)))


def _join(exact: _Rows, censored: _Rows) -> _Rows:
    return _Rows(
        *(
            np.concatenate([getattr(exact, name), getattr(censored, name)])
            for name in _Rows.__slots__
        )
    )


def find_implausible(rows: _Rows, is_confirmed: Bools, growth: Growth) -> Bools:
    """Find results that lie far from what the person's own earlier ones predict.

    One after the other in order of time: beyond ``IMPLAUSIBLE_Z`` standard deviations of its
    prediction a result is held, unless confirmed, and predicts nothing itself. A track
    whose values span less than that many residual standard deviations is passed over.

    Parameters
    ----------
    rows : _Rows
        Quantified scored rows.
    is_confirmed : array of bool
        Which of them a person or a corrected report has confirmed.
    growth : Growth
        The population's law.

    Returns
    -------
    array of bool
        Per row: held.
    """
    n_tracks = len(growth.residual)
    held = np.zeros(len(rows.row), dtype=np.bool_)
    high, low = np.full(n_tracks, -np.inf), np.full(n_tracks, np.inf)
    np.maximum.at(high, rows.track, rows.y)
    np.minimum.at(low, rows.track, rows.y)
    suspect = high - low > IMPLAUSIBLE_Z.value * np.sqrt(growth.residual)
    if not suspect.any():
        return held
    places = np.flatnonzero(suspect[rows.track])
    places = places[np.argsort(rows.track[places], kind="stable")]
    of = rows.track[places]
    count = np.bincount(of, minlength=n_tracks)
    rank = np.arange(len(of)) - (np.cumsum(count) - count)[of]
    known = sum_rows(of[:0], rows.weeks[:0], rows.y[:0], n_tracks=n_tracks)
    for step in range(int(count.max())):
        here = places[rank == step]
        z = _innovations(rows, here, known, growth)
        held[here] = (step > 0) & (np.abs(z) > IMPLAUSIBLE_Z.value) & ~is_confirmed[here]
        keep = here[~held[here]]
        known = known + sum_rows(
            rows.track[keep], rows.weeks[keep], rows.y[keep], n_tracks=n_tracks
        )
    return held


def _innovations(rows: _Rows, places: Ints, known: Sums, growth: Growth) -> Floats:
    """Give (y - prediction) / sd of rows, at most one a track, out of the sums known before."""
    of, weeks = rows.track[places], rows.weeks[places]
    before = Sums(*(getattr(known, name)[of] for name in Sums.__slots__))
    law = Growth(*(getattr(growth, name)[of] for name in Growth.__slots__))
    none = np.zeros(len(of))
    lines = fit_lines(before, replace(law, mean0=none, mean1=none))
    mean, sd = at_week(lines, weeks)
    return (rows.y[places] - mean) / np.sqrt(sd**2 + law.residual)


def _latest_held(readings: Readings, track: Ints, n_tracks: int) -> Bools:
    """Tell whose latest reading, but for those left out for other reasons, is held."""
    is_held = readings.is_held
    rows = np.flatnonzero(readings.is_scored | is_held)
    found = np.zeros(n_tracks, dtype=np.bool_)
    found[track[rows]] = is_held[rows]  # in order of time: the last one stays
    return found


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
    shift, unknown = _levels(segments, release)
    picked = table[analyte]
    return Growth(
        mean0=picked[:, 0] + shift[analyte, segment],
        mean1=picked[:, 1],
        d00=picked[:, 2] + unknown[analyte, segment],
        d01=picked[:, 3],
        d11=picked[:, 4],
        residual=picked[:, 5],
    )


def _levels(segments: tuple[str, ...], release: Release) -> tuple[Floats, Floats]:
    """Give the shift of the level by analyte and segment, and its variance where unknown."""
    shape = len(ANALYTES), max(len(segments), 1)
    shift, variance = np.zeros(shape), np.zeros(shape)
    for place, name in enumerate(ANALYTES):
        marker = release.markers[name]
        variance[place] = marker.level_sd**2
        for label, level in marker.levels.items():
            if label in segments:
                shift[place, segments.index(label)] = level
                variance[place, segments.index(label)] = 0.0
    return shift, variance


def _changes(
    readings: Readings,
    rows: _Rows,
    analyte: Ints,
    growth: Growth,
    release: Release,
    policy: Policy,
) -> Changes:
    """Measure each track's changes between quantified results."""
    size = len(analyte)
    log_value = np.log(readings.value)
    order = np.argsort(rows.track, kind="stable")
    track, row = rows.track[order], rows.row[order]
    count = np.bincount(track, minlength=size)
    start = np.cumsum(count) - count
    rank = np.arange(len(track)) - start[track]
    before = np.minimum(np.maximum(count - 1, 0), SET_POINT_DRAWS)
    in_set = rank < before[track]
    total = np.bincount(track[in_set], weights=log_value[row[in_set]], minlength=size)
    several = count > 1
    m = np.maximum(before, 1)
    set_point = np.where(several, total / m, np.nan)
    # Places of the first, previous and latest row; the entry after the last stands for "none".
    value, time = np.append(log_value[row], np.nan), np.append(readings.drawn_us[row], 0)
    first = np.where(several, start, len(row))
    previous = np.where(several, start + count - 2, len(row))
    latest = np.where(several, start + count - 1, len(row))
    innovation = np.full(size, np.nan)
    last = order[latest[several]]
    own = sum_rows(rows.track[last], rows.weeks[last], rows.y[last], n_tracks=size)
    earlier = rows.sums(size) - own
    innovation[several] = _innovations(rows, last, earlier, growth)
    return Changes(
        span_weeks=(time[latest] - time[first]) / US_PER_WEEK,
        set_point=set_point,
        set_point_draws=np.where(several, before, 0),
        since_first=value[latest] - value[first],
        since_previous=value[latest] - value[previous],
        since_set_point=value[latest] - set_point,
        limit=np.where(several, _change_limits(count, m, analyte, release, policy), np.nan),
        innovation=innovation,
    )


def _change_limits(
    count: Ints, before: Ints, analyte: Ints, release: Release, policy: Policy
) -> Floats:
    """Give the ln change that is real, widened for the looks taken so far."""
    markers = [release.markers[name] for name in ANALYTES]
    variance = np.array(
        [log_variance(within_cv=one.within_cv, assay_cv=one.assay_cv) for one in markers]
    )
    widened = widened_table(planned_looks=policy.planned_looks, alpha=policy.rise_alpha)
    looks = np.minimum(np.maximum(count - 1, 0), widened.shape[1] - 1)
    reach = widened[before - 1, looks] * np.sqrt((1 + 1 / before) * variance[analyte])
    return np.asarray(reach, dtype=np.float64)


def _weigh(
    tracks: Tracks,
    rows: _Rows,
    sums: Sums,
    started_us: Ints,
    segments: tuple[str, ...],
    release: Release,
) -> LogOdds:
    """Weigh sIL-6R for resistance and spread the result over the patients."""
    size = len(started_us)
    value, variance = np.zeros(size), np.zeros(size)
    mine = (tracks.analyte == _SIL6R) & (tracks.n_scored > 0)
    mine &= started_us[tracks.patient] != NEVER
    ramp = sum_ramp(
        rows.track,
        rows.weeks,
        rows.y,
        ramp_weeks=release.contrast.ramp_weeks,
        n_tracks=len(tracks.patient),
        weight=rows.weight,
    )
    _, unknown = _levels(segments, release)
    found = marker_log_odds(
        sums,
        ramp,
        release.markers[SIL6R],
        release.contrast,
        release.variance_matrix,
        level_variance=unknown[_SIL6R, tracks.segment],
    )
    value[tracks.patient[mine]] = found.value[mine]
    variance[tracks.patient[mine]] = found.variance[mine]
    return LogOdds(value, variance)
