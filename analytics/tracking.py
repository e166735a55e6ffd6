"""Every patient's markers at a moment: one track per patient and analyte, in columns."""

from functools import partial
from typing import NamedTuple

import numpy as np

from analytics.changes import SET_POINT_DRAWS, widened_table
from analytics.columns import ANALYTES, US_PER_WEEK
from analytics.elementwise import entry_by_entry
from analytics.few_tracks import follow_few
from analytics.informative import (
    SideBySide,
    lines_together,
    stand_now,
    weigh_side_by_side,
)
from analytics.innovations import ScoredRows, find_implausible
from analytics.limits import lie_too_far, stand_in
from analytics.policy import Policy
from analytics.ready import constant
from analytics.releases import Release
from analytics.tables import NEVER, Bools, Floats, Ints, column_of, is_any
from analytics.tracks import Changes, Tracks, compare, growth_of
from analytics.trajectories import Growth, Lines, Sums
from analytics.validity import Readings, hold
from analytics.weighing import LogOdds, Weighed


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
    given = _Given(started_us, at_us, segments, release, policy)
    few = follow_few(readings, **given._asdict())
    return _follow_many(readings, given) if few is None else (*few, readings)


class _Given(NamedTuple):
    """What the markers are followed by, besides the readings."""

    started_us: Ints
    at_us: int
    segments: tuple[str, ...]
    release: Release
    policy: Policy


def _follow_many(readings: Readings, given: _Given) -> tuple[Tracks, LogOdds, Readings]:
    started_us, at_us, segments, release, policy = given
    codes, track = _number_tracks(readings, len(started_us))
    patient, analyte = codes // len(ANALYTES), codes % len(ANALYTES)
    origin = _origins(readings, started_us)[patient]
    segment = _segments(readings, track, len(codes))
    growth, unknown = growth_of(analyte, segment, segments, release)
    exact, censored = _center(readings, track, origin, growth)
    held = find_implausible(exact, readings.is_confirmed[exact.row], growth)
    if is_any(held):
        readings = hold(readings, exact.row[held])
        exact = exact.of(~held)
    if len(censored.row):
        held = lie_too_far(*censored[1:4], growth)
        readings, censored = hold(readings, censored.row[held]), censored.of(~held)
    exact_sums = exact.sums(len(codes))
    n_censored = np.bincount(censored.track, minlength=len(codes))
    n_scored = np.bincount(exact.track, minlength=len(codes)) + n_censored
    side = SideBySide.of(patient, analyte, n_scored > 0, release.informative)
    rows, sums = _with_stand_ins(
        exact, censored, exact_sums, readings, growth, side, unknown, release
    )
    found = weigh_side_by_side(side, rows, sums, unknown, release)
    weeks = (at_us - origin) / US_PER_WEEK
    tracks = Tracks(
        patient=patient,
        analyte=analyte,
        segment=segment,
        origin_us=origin,
        n_draws=np.bincount(track, minlength=len(codes)),
        n_scored=n_scored,
        n_censored=n_censored,
        latest=_latest(rows, len(codes)),
        changes=_changes(readings, exact, exact_sums, analyte, growth, release, policy),
        is_latest_held=_latest_held(readings, track, len(codes)),
        stand_now=partial(stand_now, sums, growth, side, found, weeks, release),
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
    counted = censored._replace(y=found.value, weight=found.weight)
    return _join(exact, counted), sums + counted.sums(len(sums.n))


def _number_tracks(readings: Readings, size: int) -> tuple[Ints, Ints]:
    """Number patient and analyte together; give the tracks' codes and each row's track."""
    code = readings.patient * len(ANALYTES) + readings.analyte
    present = np.zeros(size * len(ANALYTES), dtype=np.bool_)
    present[code] = True
    [codes] = present.nonzero()
    if len(codes) == len(present):
        return codes, code
    number = np.empty(len(present), dtype=np.int64)
    number[codes] = np.arange(len(codes))
    return codes, number[code]


def _segments(readings: Readings, track: Ints, n_tracks: int) -> Ints:
    """Give each track the segment of its latest scored reading."""
    segment = np.zeros(n_tracks, dtype=np.int64)
    [rows] = readings.is_scored.nonzero()
    segment[track[rows]] = readings.segment[rows]  # in order of time: the last one stays
    return segment


def _center(
    readings: Readings, track: Ints, origin: Ints, growth: Growth
) -> tuple[ScoredRows, ScoredRows]:
    """Take the population's line from the logarithm of scored rows; part exact and censored."""
    [row] = readings.is_scored.nonzero()
    of, drawn_us, value = track, readings.drawn_us, readings.value
    if len(row) < len(of):
        of, drawn_us, value = of[row], drawn_us[row], value[row]
    weeks = (drawn_us - origin[of]) / US_PER_WEEK
    y = np.log(value) - growth.mean0[of] - growth.mean1[of] * weeks
    scored, is_censored = (
        ScoredRows(row, of, weeks, y, constant(1.0, len(row))),
        readings.is_censored[row],
    )
    if not is_any(is_censored):
        return scored, _NO_ROWS
    return scored.of(~is_censored), scored.of(is_censored)


_NONE = np.empty(0, dtype=np.int64)
_NO_ROWS = ScoredRows(_NONE, _NONE, np.empty(0), np.empty(0), np.empty(0))


def _join(exact: ScoredRows, censored: ScoredRows) -> ScoredRows:
    pairs = zip(exact, censored, strict=True)
    return ScoredRows(*[np.concatenate(pair) for pair in pairs])


def _latest(rows: ScoredRows, n_tracks: int) -> Ints:
    """Give each track its last scored reading; -1: none."""
    latest = column_of(-1, n_tracks, np.int64)
    if rows.weight.strides == (0,):  # no draw beyond a limit was joined at the end
        latest[rows.track] = rows.row  # in order of time: the last one stays
        return latest
    order = rows.row.argsort(kind="stable")
    latest[rows.track[order]] = rows.row[order]
    return latest


def _latest_held(readings: Readings, track: Ints, n_tracks: int) -> Bools:
    """Tell whose latest reading, but for those left out for other reasons, is held."""
    is_held = readings.is_held
    found = np.zeros(n_tracks, dtype=np.bool_)
    if not is_any(is_held):
        return found
    [rows] = (readings.is_scored | is_held).nonzero()
    found[track[rows]] = is_held[rows]  # in order of time: the last one stays
    return found


def _origins(readings: Readings, started_us: Ints) -> Ints:
    """Count weeks from the first dose, or from the first draw where there is none."""
    has_none = started_us == NEVER
    if not is_any(has_none):
        return started_us
    first = column_of(NEVER, len(started_us), np.int64)
    # Rows are in order of time: writing them backwards leaves each patient's first.
    first[readings.patient[::-1]] = readings.drawn_us[::-1]
    return np.where(has_none, first, started_us)


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
    order = rows.track.argsort(kind="stable")
    count = np.bincount(rows.track, minlength=size)
    [several] = (count > 1).nonzero()
    end, known, has_all = count.cumsum(), [*sums, *growth[2:]], len(several) == size
    if not has_all:
        end, count, analyte = end[several], count[several], analyte[several]
        known = [of[several] for of in known]
    first, last = end - count, end - 1
    latest, before = order[last], np.minimum(count - 1, SET_POINT_DRAWS)
    now, earliest = rows.row[latest], rows.row[order[first]]
    of_set_point = rows.row[order[np.minimum(first + _OF_SET_POINT, last)]]
    ln, time = np.log, readings.drawn_us
    found = entry_by_entry(
        compare,
        *(before, _widened(count, before, policy), release.log_variances[analyte]),
        *(release.within_cvs[analyte], readings.assay_cv[now]),
        *ln(readings.value[of_set_point]),
        *(ln(readings.value[rows.row[order[last - 1]]]), ln(readings.value[now])),
        *((time[now] - time[earliest]) / US_PER_WEEK, rows.weeks[latest], rows.y[latest]),
        *known,
    )
    if has_all:
        return Changes(before, *found)
    draws = np.zeros(size, dtype=np.int64)
    draws[several] = before
    whole = np.empty((len(found), size))
    whole.fill(np.nan)
    whole[:, several] = found
    return Changes(draws, *whole)


_OF_SET_POINT = np.arange(SET_POINT_DRAWS)[:, np.newaxis]


def _widened(count: Ints, before: Ints, policy: Policy) -> Floats:
    """Give the z of a change that is real, widened for the looks taken so far."""
    widened = widened_table(planned_looks=policy.planned_looks, alpha=policy.rise_alpha)
    z: Floats = widened[before - 1, np.minimum(count - 1, widened.shape[1] - 1)]
    return z


def _log_odds(found: Weighed, side: SideBySide, started_us: Ints) -> LogOdds:
    """Spread what the markers say over the patients; without an episode they say nothing."""
    said, in_episode = found.log_odds, started_us[side.patient] != NEVER
    if len(side.patient) == len(started_us) and not is_any(~in_episode):
        return said
    pieces, *of_sum = said
    columns = np.array([*pieces, *of_sum])
    whole = np.zeros((len(columns), len(started_us)))
    whole[:, side.patient[in_episode]] = columns[:, in_episode]
    return LogOdds(tuple(whole[: len(pieces)]), *whole[len(pieces) :])
