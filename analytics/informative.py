"""The informative markers of each patient, side by side: what they say together, and their lines.

One row per patient with any of them; a marker that was never drawn has sums of zero.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from analytics.columns import ANALYTES
from analytics.elementwise import FEW, entry_by_entry, expit, where
from analytics.innovations import AnySums, ScoredRows, picked
from analytics.mixtures import MixedLines, Standing, StraightLine, standing
from analytics.releases import Release
from analytics.releases.law import Law
from analytics.tables import Bools, Floats, Ints
from analytics.trajectories import Growth, Lines, Sums, fit_lines
from analytics.unrolled import unrolled
from analytics.weighing import Draws, LogOdds, Matrix, RampSums, Weighed, gain, sum_ramp
from analytics.weighing_apart import weigh_by_law


class SideBySide(NamedTuple):
    """Where the tracks of the informative markers stand.

    ``patient`` is sorted; ``tracks`` and ``rows`` hold, for each marker, its tracks and the row of
    each among the patients.
    """

    patient: Ints
    tracks: tuple[Ints, ...]
    rows: tuple[Ints, ...]

    @classmethod
    def of(cls, patient: Ints, analyte: Ints, keep: Bools, names: tuple[str, ...]) -> "SideBySide":
        """Set the tracks of the markers named side by side, those to keep."""
        tracks = tuple(((analyte == ANALYTES.index(name)) & keep).nonzero()[0] for name in names)
        if len(names) == 1:
            return cls(patient[tracks[0]], tracks, (np.arange(len(tracks[0])),))
        present = np.zeros(int(patient.max(initial=-1)) + 1, dtype=np.bool_)
        for own in tracks:
            present[patient[own]] = True
        place = np.cumsum(present) - 1
        return cls(np.flatnonzero(present), tracks, tuple(place[patient[own]] for own in tracks))

    def spread(self, sums: AnySums, k: int) -> AnySums:
        """Give the sums of marker k for every patient; zeros where there is none."""
        own = sums if len(self.tracks[k]) == len(sums[0]) else picked(sums, self.tracks[k])
        if len(self.rows[k]) == len(self.patient):
            return own
        return type(own)(*(self._spread(column, k) for column in own))

    def _spread(self, values: Floats, k: int) -> Floats:
        found = np.zeros(len(self.patient))
        found[self.rows[k]] = values
        return found


def weigh_side_by_side(
    side: SideBySide,
    scored: ScoredRows,
    sums: Sums,
    unknown: Floats,
    release: Release,
) -> Weighed:
    """Weigh the informative markers of every patient.

    Parameters
    ----------
    side : SideBySide
        The tracks.
    scored : ScoredRows
        Scored rows, those beyond a limit with the value and weight that stand in for them.
    sums : Sums
        Of all tracks.
    unknown : array of float
        Further variance of each track's level where its segment's is not known.
    release : Release
        The model.

    Returns
    -------
    Weighed
        One entry per row of ``side``.
    """
    law = release.law
    ramp = sum_ramp(
        scored.track,
        scored.weeks,
        scored.y,
        ramp_weeks=law.ramp_weeks,
        n_tracks=len(sums.n),
        weight=scored.weight,
    )
    if law.groups is not None:
        return _weighed_apart(side, (sums, ramp), scored, unknown, law)
    columns = [
        column
        for k, own in enumerate(side.tracks)
        for column in (
            *side.spread(sums, k),
            *side.spread(ramp, k),
            side._spread(unknown[own], k),
        )
    ]
    # Chunk by chunk: what lies between is five times what comes out
    work = unrolled_weighing(law) if len(side.patient) <= FEW else partial(_weigh, law)
    return unpacked(entry_by_entry(work, *columns), len(side.tracks))


def _weighed_apart(
    side: SideBySide, whole: tuple[Sums, RampSums], scored: ScoredRows, unknown: Floats, law: Law
) -> Weighed:
    """Weigh by groups that vary differently, what stands in for draws beyond a limit kept apart."""
    sums, ramp = whole
    rows, size = scored.of(scored.weight != 1.0), len(sums.n)
    beyond = rows.sums(size)
    ramp_beyond = sum_ramp(
        *(rows.track, rows.weeks, rows.y),
        ramp_weeks=law.ramp_weeks,
        n_tracks=size,
        weight=rows.weight,
    )
    parts = sums - beyond, RampSums(*(a - b for a, b in zip(ramp, ramp_beyond, strict=True)))
    columns = [
        column
        for k, own in enumerate(side.tracks)
        for column in (
            *side.spread(parts[0], k),
            *side.spread(parts[1], k),
            side._spread(unknown[own], k),
            *side.spread(beyond, k),
            *side.spread(ramp_beyond, k),
        )
    ]
    return unpacked(entry_by_entry(partial(_weigh, law), *columns), len(side.tracks))


OF_THE_SUM = len(LogOdds._fields) - 1  # figures besides the pieces
_N_SUMS, _N_DRAWS = len(Sums._fields), len(Sums._fields) + len(RampSums._fields) + 1


@lru_cache(maxsize=16)
def unrolled_weighing(law: Law) -> Callable[..., tuple[float, ...]]:
    """Compile the weighing of one patient's markers.

    Parameters
    ----------
    law : Law
        Of groups that vary alike.

    Returns
    -------
    callable
        Takes of each marker the fields of :class:`Sums` and of :class:`RampSums`, and what is
        unknown of its level, as floats; gives what :func:`unpacked` names.
    """
    return unrolled(partial(_weigh, law), _N_DRAWS * len(law.residual))


def _weigh(law: Law, *columns: Floats) -> tuple[Floats, ...]:
    """Weigh, with all that goes in and comes out in a row."""
    step = len(columns) // len(law.residual)
    draws = [_draws(columns[at : at + step]) for at in range(0, len(columns), step)]
    found = weigh_by_law(draws, law)
    said = found.log_odds
    spread = [entry for i, row in enumerate(found.covariance) for entry in row[: i + 1]]
    of_sum = said.variance, said.unaveraged, said.information
    return (*said.pieces, *of_sum, *found.middle, *found.apart, *spread)


def _draws(columns: tuple[Floats, ...]) -> Draws:
    n, m = _N_SUMS, _N_DRAWS
    sums, ramp, unknown, rest = columns[:n], columns[n : m - 1], columns[m - 1], columns[m:]
    beyond = (Sums(*rest[:n]), RampSums(*rest[n:])) if rest else None
    return Draws(Sums(*sums), RampSums(*ramp), unknown, beyond)


def said_in_a_row(law: Law) -> int:
    """Count what is said of one patient in a row: see :func:`unpacked`."""
    markers = len(law.residual)
    q = 2 * markers
    return markers + OF_THE_SUM + 2 * q + q * (q + 1) // 2


def unpacked(columns: Sequence[Floats], markers: int) -> Weighed:
    """Name again what was weighed in a row.

    Parameters
    ----------
    columns : sequence of array of float
        Pieces, variance, what of it is not averaged over, information, middle, apart, covariance
        (lower triangle in rows).
    markers : int
        How many there are.

    Returns
    -------
    Weighed
    """
    q, rest, at = 2 * markers, list(columns), markers + OF_THE_SUM
    return Weighed(
        log_odds=LogOdds(tuple(rest[:markers]), *rest[markers:at]),
        middle=rest[at : at + q],
        apart=rest[at + q : at + 2 * q],
        covariance=[rest[at + 2 * q + i * (i + 1) // 2 :][: i + 1] for i in range(q)],
    )


def stand_now(
    sums: Sums, growth: Growth, side: SideBySide, found: Weighed, weeks: Floats, release: Release
) -> tuple[MixedLines, Standing]:
    """Give every track its lines, and where it stands at a week.

    Both groups' lines, weighted, where the marker tells them apart; else the one line, twice.

    Parameters
    ----------
    sums : Sums
        Of all tracks, about the population's lines.
    growth : Growth
        The population's law of all tracks.
    side, found
        The informative markers and what they say.
    weeks : array of float
        One week per track.
    release : Release
        The model.

    Returns
    -------
    lines : MixedLines
        The weights are those of the markers alone, from the share of the resistant on.
    standing : Standing
        See :func:`analytics.mixtures.stand`.
    """
    law, said = release.law, np.zeros((_N_SAID, len(weeks)))
    log_odds = law.prior_log_odds + found.log_odds.value
    for k, (tracks, rows) in enumerate(zip(side.tracks, side.rows, strict=True)):
        i, j = 2 * k, 2 * k + 1
        one, apart = (found.middle[i], found.middle[j]), (found.apart[i], found.apart[j])
        spread = found.covariance[i][i], found.covariance[j][i], found.covariance[j][j]
        said[:-3, tracks] = np.array([log_odds, *one, *apart, *spread])[:, rows]
        said[-3, tracks], said[-2, tracks], said[-1, tracks] = 1.0, law.delta[i], law.delta[j]
    work = partial(_stand_now, law)
    columns = entry_by_entry(work, weeks, *sums, *growth, *said)
    groups = StraightLine(*columns[1:4]), StraightLine(*columns[4:7])
    v00, v01, v11 = columns[7:10]
    lines = MixedLines(columns[0], *groups, v00, v01, v11, growth.residual, law.ramp_weeks)
    return lines, Standing(*columns[10:])


_N_SAID = 11


def _stand_now(law: Law, weeks: Floats, *columns: Floats) -> tuple[Floats, ...]:
    """Give the fields of the lines and of the standing, in a row."""
    n_sums, n_law = len(Sums._fields), len(Growth._fields)
    growth = Growth(*columns[n_sums : n_sums + n_law])
    own = fit_lines(Sums(*columns[:n_sums]), growth)
    log_odds, level, slope, apart0, apart1, v00, v01, v11, told, delta0, delta1 = columns[-_N_SAID:]
    is_told = told > 0
    share = where(is_told, expit(log_odds), 0.0)
    found = [share]
    for side_of, part in ((-0.5, 1 - law.share), (0.5, -law.share)):
        after = slope + side_of * apart1
        start = growth.mean0 + (level + side_of * apart0 + part * delta0)
        found.append(where(is_told, start, own.mean0))
        found.append(where(is_told, growth.mean1 + (after + part * delta1), own.mean1))
        found.append(where(is_told, growth.mean1 + after, own.mean1))
    found += [
        where(is_told, v00, own.v00),
        where(is_told, v01, own.v01),
        where(is_told, v11, own.v11),
    ]
    return (*found, *standing(law.ramp_weeks, weeks, *found))


def joint_spread(release: Release) -> Matrix:
    """Give the covariance of level and slope of all informative markers in the whole population.

    Between persons, plus that of the groups' means, plus the uncertainty of the lines.
    """
    law = release.law
    mixed = law.share * (1 - law.share)
    rows = zip(law.between, law.mean_covariance, law.delta, strict=True)
    return [
        [d + m + mixed * one * other for d, m, other in zip(*row, law.delta, strict=True)]
        for *row, one in rows
    ]


def lines_together(
    sums: Sums, lines: Lines, side: SideBySide, unknown: Floats, release: Release
) -> Lines:
    """Give the lines of several informative markers by all their results, not by their own alone.

    Parameters
    ----------
    sums : Sums
        Of all tracks, about the population's lines.
    lines : Lines
        Of every track by itself, about the population's lines.
    side, unknown, release
        As in :func:`weigh_side_by_side`.

    Returns
    -------
    Lines
        About the population's lines.
    """
    own = [side.spread(sums, k) for k in range(len(side.tracks))]
    residual = release.law.residual
    prior: Matrix = [list(row) for row in joint_spread(release)]
    for k, tracks in enumerate(side.tracks):
        prior[2 * k][2 * k] = prior[2 * k][2 * k] + side._spread(unknown[tracks], k)
    K = gain(prior, [(s.n / s2, s.t / s2, s.tt / s2) for s, s2 in zip(own, residual, strict=True)])
    u = [part / s2 for s, s2 in zip(own, residual, strict=True) for part in (s.y, s.ty)]
    found = {name: column.copy() for name, column in lines._asdict().items()}
    for k, (tracks, rows) in enumerate(zip(side.tracks, side.rows, strict=True)):
        i, j = 2 * k, 2 * k + 1
        for name, row in (("mean0", i), ("mean1", j)):
            total = sum((entry * part for entry, part in zip(K[row], u, strict=True)), 0.0)
            found[name][tracks] = np.broadcast_to(total, len(side.patient))[rows]
        for name, (a, b) in (("v00", (i, i)), ("v01", (j, i)), ("v11", (j, j))):
            found[name][tracks] = np.broadcast_to(K[a][b], len(side.patient))[rows]
    return Lines(**found)
