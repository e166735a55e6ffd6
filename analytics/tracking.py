"""Every patient's markers at a moment: one track per patient and analyte, in columns."""

from dataclasses import dataclass, replace

import numpy as np

from analytics.changes import SET_POINT_DRAWS, widened_table
from analytics.columns import ANALYTES, US_PER_WEEK
from analytics.informative import (
    SideBySide,
    lines_together,
    mixed_lines,
    weigh_side_by_side,
)
from analytics.innovations import ScoredRows, find_implausible, innovations, picked
from analytics.limits import stand_in
from analytics.mixtures import MixedLines, Standing, stand
from analytics.policy import Policy
from analytics.releases import Release
from analytics.tables import NEVER, Bools, Floats, Ints
from analytics.trajectories import Growth, Lines, Sums, fit_lines
from analytics.validity import Readings, hold
from analytics.weighing import LogOdds, Weighed


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
    lines: MixedLines
    standing: Standing
    changes: Changes
    is_latest_held: Bools


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
        What each informative marker adds to a patient's log-odds; zero without a scored draw or an
        episode.
    readings : Readings
        The same, with implausible results held back.
    """
    codes, track = _number_tracks(readings, len(started_us))
    patient, analyte = codes // len(ANALYTES), codes % len(ANALYTES)
    origin = _origins(readings, started_us)[patient]
    segment = _segments(readings, track, len(codes))
    shift, unknown = (of[analyte, segment] for of in _levels(segments, release))
    growth = _growth(analyte, shift, unknown, release)
    scored = _center(readings, track, origin, growth)
    exact = scored.of(~readings.is_censored[scored.row])
    held = find_implausible(exact, readings.is_confirmed[exact.row], growth)
    if held.any():
        readings = hold(readings, exact.row[held])
        exact = exact.of(~held)
    censored = scored.of(readings.is_censored[scored.row])
    exact_sums = exact.sums(len(codes))
    n_scored = np.bincount(exact.track, minlength=len(codes))
    n_scored += np.bincount(censored.track, minlength=len(codes))
    side = SideBySide.of(patient, analyte, n_scored > 0, release.informative)
    rows, sums = _with_stand_ins(
        exact, censored, exact_sums, readings, growth, side, unknown, release
    )
    found = weigh_side_by_side(side, rows, sums, unknown, release)
    lines = mixed_lines(fit_lines(sums, growth), side, found, growth, release)
    latest = np.full(len(codes), -1, dtype=np.int64)
    latest[track[np.sort(rows.row)]] = np.sort(rows.row)
    tracks = Tracks(
        patient=patient,
        analyte=analyte,
        segment=segment,
        origin_us=origin,
        n_draws=np.bincount(track, minlength=len(codes)),
        n_scored=n_scored,
        n_censored=np.bincount(censored.track, minlength=len(codes)),
        latest=latest,
        lines=lines,
        standing=stand(lines, (at_us - origin) / US_PER_WEEK),
        changes=_changes(readings, exact, exact_sums, analyte, growth, release, policy),
        is_latest_held=_latest_held(readings, track, len(codes)),
    )
    return tracks, _log_odds(found, side, started_us), readings


def _with_stand_ins(
    exact: ScoredRows,
    censored: ScoredRows,
    sums: Sums,
    readings: Readings,
    growth: Growth,
    side: SideBySide,
    unknown: Floats,
    release: Release,
) -> tuple[ScoredRows, Sums]:
    """Let each censored draw count as the Gaussian that expectation propagation gives it.

    Informative markers are judged by each other's results too, so a patient's settle together.
    """
    if not len(censored.row):
        return exact, sums
    party = np.arange(len(sums.n))
    for own, rows in zip(side.tracks, side.rows, strict=True):
        party[own] = len(party) + rows

    def together(joined: Sums, lines: Lines) -> Lines:
        return lines_together(joined, lines, side, unknown, release)

    is_above = readings.is_above[censored.row]
    found = stand_in(
        censored.track,
        censored.weeks,
        censored.y,
        is_above,
        exact=sums,
        growth=growth,
        party=party,
        together=together if len(side.tracks) > 1 else None,
    )
    counted = replace(censored, y=found.value, weight=found.weight)
    return _join(exact, counted), sums + counted.sums(len(sums.n))


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


def _center(readings: Readings, track: Ints, origin: Ints, growth: Growth) -> ScoredRows:
    """Take the population's line from the logarithm of every scored row."""
    row = np.flatnonzero(readings.is_scored)
    of = track[row]
    weeks = (readings.drawn_us[row] - origin[of]) / US_PER_WEEK
    y = np.log(readings.value[row]) - growth.mean0[of] - growth.mean1[of] * weeks
    return ScoredRows(row, of, weeks, y, np.ones(len(row)))


def _join(exact: ScoredRows, censored: ScoredRows) -> ScoredRows:
    return ScoredRows(
        *(
            np.concatenate([getattr(exact, name), getattr(censored, name)])
            for name in ScoredRows.__slots__
        )
    )


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


def _growth(analyte: Ints, shift: Floats, unknown: Floats, release: Release) -> Growth:
    """Give each track the law of its analyte, of both groups together, at its segment's level."""
    picked = release.population[analyte]
    return Growth(
        mean0=picked[:, 0] + shift,
        mean1=picked[:, 1],
        d00=picked[:, 2] + unknown,
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
    rows: ScoredRows,
    sums: Sums,
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
    cv = np.append(readings.assay_cv[row], np.nan)[latest]
    innovation = np.full(size, np.nan)
    last = order[latest[several]]
    weeks, y, known = rows.weeks[last], rows.y[last], picked(sums, np.flatnonzero(several))
    own = Sums(np.ones(len(last)), t=weeks, tt=weeks * weeks, y=y, ty=weeks * y, yy=y * y)
    innovation[several] = innovations(weeks, y, known - own, growth, rows.track[last])
    return Changes(
        span_weeks=(time[latest] - time[first]) / US_PER_WEEK,
        set_point=set_point,
        set_point_draws=np.where(several, before, 0),
        since_first=value[latest] - value[first],
        since_previous=value[latest] - value[previous],
        since_set_point=value[latest] - set_point,
        limit=np.where(several, _change_limits(count, m, analyte, cv, release, policy), np.nan),
        innovation=innovation,
    )


def _change_limits(
    count: Ints, before: Ints, analyte: Ints, cv: Floats, release: Release, policy: Policy
) -> Floats:
    """Give the ln change that is real, widened for the looks taken so far.

    The assay's variation is the laboratory's own where it states one, else the release's.
    """
    widened = widened_table(planned_looks=policy.planned_looks, alpha=policy.rise_alpha)
    looks = np.minimum(np.maximum(count - 1, 0), widened.shape[1] - 1)
    stated = np.log1p(release.within_cvs[analyte] ** 2 + cv**2)
    variance = np.where(np.isnan(cv), release.log_variances[analyte], stated)
    reach = widened[before - 1, looks] * np.sqrt((1 + 1 / before) * variance)
    return np.asarray(reach, dtype=np.float64)


def _log_odds(found: Weighed, side: SideBySide, started_us: Ints) -> LogOdds:
    """Spread what the markers say over the patients; without an episode they say nothing."""
    in_episode = started_us[side.patient] != NEVER
    places = side.patient[in_episode]

    def spread(of: Floats) -> Floats:
        column = np.zeros(len(started_us))
        column[places] = of[in_episode]
        return column

    log_odds = found.log_odds
    return LogOdds(
        tuple(map(spread, log_odds.pieces)),
        spread(log_odds.variance),
        spread(log_odds.unaveraged),
    )
