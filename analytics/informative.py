"""The informative markers of each patient, side by side: what they say together, and their lines.

One row per patient with any of them; a marker that was never drawn has sums of zero.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, logit

from analytics.columns import ANALYTES
from analytics.innovations import AnySums, ScoredRows, picked
from analytics.mixtures import MixedLines, StraightLine
from analytics.releases import Release
from analytics.releases.law import Law
from analytics.tables import Bools, Floats, Ints
from analytics.trajectories import Growth, Lines, Sums
from analytics.weighing import Draws, LogOdds, Matrix, Weighed, gain, sum_ramp, weigh

FEW_PATIENTS = 6  # up to here plain floats are quicker than arrays


@dataclass(frozen=True, slots=True)
class SideBySide:
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
        tracks = tuple(np.flatnonzero((analyte == ANALYTES.index(name)) & keep) for name in names)
        if len(names) == 1:
            return cls(patient[tracks[0]], tracks, (np.arange(len(tracks[0])),))
        present = np.zeros(int(patient.max(initial=-1)) + 1, dtype=np.bool_)
        for own in tracks:
            present[patient[own]] = True
        place = np.cumsum(present) - 1
        return cls(np.flatnonzero(present), tracks, tuple(place[patient[own]] for own in tracks))

    def spread(self, sums: AnySums, k: int) -> AnySums:
        """Give the sums of marker k for every patient; zeros where there is none."""
        own = picked(sums, self.tracks[k])
        if len(self.rows[k]) == len(self.patient):
            return own
        return type(own)(*(self._spread(getattr(own, name), k) for name in type(own).__slots__))

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
    draws = [
        Draws(side.spread(sums, k), side.spread(ramp, k), side._spread(unknown[own], k))
        for k, own in enumerate(side.tracks)
    ]
    if len(side.patient) > FEW_PATIENTS:
        return weigh(draws, law)
    return _joined(
        [weigh([_one(one, row) for one in draws], law) for row in range(len(side.patient))], law
    )


def _one(draws: Draws, row: int) -> Draws:
    """Take one patient's sums as plain floats: the same arithmetic to the bit, and far quicker."""

    def plain(sums: AnySums) -> AnySums:
        return type(sums)(*(float(getattr(sums, name)[row]) for name in type(sums).__slots__))  # type: ignore[arg-type]

    return Draws(plain(draws.sums), plain(draws.ramp), float(draws.unknown[row]))  # type: ignore[index]


def _joined(found: list[Weighed], law: Law) -> Weighed:
    """Put patients weighed one by one into arrays."""
    q = range(len(law.delta))

    def array(values: list[Floats]) -> Floats:
        return np.array(values, dtype=np.float64)

    return Weighed(
        log_odds=LogOdds(
            pieces=tuple(
                array([one.log_odds.pieces[k] for one in found]) for k in range(len(law.residual))
            ),
            variance=array([one.log_odds.variance for one in found]),
            unaveraged=array([one.log_odds.unaveraged for one in found]),
        ),
        middle=[array([one.middle[i] for one in found]) for i in q],
        apart=[array([one.apart[i] for one in found]) for i in q],
        covariance=[[array([one.covariance[i][j] for one in found]) for j in q] for i in q],
    )


def mixed_lines(
    lines: Lines, side: SideBySide, found: Weighed, growth: Growth, release: Release
) -> MixedLines:
    """Give every track its lines: of both groups, weighted, where the marker tells them apart.

    Parameters
    ----------
    lines : Lines
        Of every track by itself.
    side, found
        The informative markers and what they say.
    growth : Growth
        The population's law of all tracks.
    release : Release
        The model.

    Returns
    -------
    MixedLines
        The weights are those of the markers alone, from the share of the resistant on.
    """
    law = release.law
    single = MixedLines.single(lines, law.ramp_weeks)
    whole = {name: getattr(single, name).copy() for name in ("share", "v00", "v01", "v11")}
    pair = [
        [getattr(single.resistant, name).copy() for name in StraightLine.__slots__]
        for _ in range(2)
    ]
    weight = expit(logit(law.share) + found.log_odds.value)
    for k, (tracks, rows) in enumerate(zip(side.tracks, side.rows, strict=True)):
        i, j = 2 * k, 2 * k + 1
        whole["share"][tracks] = weight[rows]
        for name, (a, b) in (("v00", (i, i)), ("v01", (j, i)), ("v11", (j, j))):
            whole[name][tracks] = found.covariance[a][b][rows]
        for line, side_of, own in zip(pair, (-0.5, 0.5), (1 - law.share, -law.share), strict=True):
            level = found.middle[i] + side_of * found.apart[i] + own * law.delta[i]
            after = found.middle[j] + side_of * found.apart[j]
            line[0][tracks] = growth.mean0[tracks] + level[rows]
            line[1][tracks] = growth.mean1[tracks] + (after + own * law.delta[j])[rows]
            line[2][tracks] = growth.mean1[tracks] + after[rows]
    resistant, remitting = (StraightLine(*line) for line in pair)
    return replace(single, resistant=resistant, remitting=remitting, **whole)


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
    found = {name: getattr(lines, name).copy() for name in Lines.__slots__}
    for k, (tracks, rows) in enumerate(zip(side.tracks, side.rows, strict=True)):
        i, j = 2 * k, 2 * k + 1
        for name, row in (("mean0", i), ("mean1", j)):
            total = sum((entry * part for entry, part in zip(K[row], u, strict=True)), 0.0)
            found[name][tracks] = np.broadcast_to(total, len(side.patient))[rows]
        for name, (a, b) in (("v00", (i, i)), ("v01", (j, i)), ("v11", (j, j))):
            found[name][tracks] = np.broadcast_to(K[a][b], len(side.patient))[rows]
    return Lines(**found)
