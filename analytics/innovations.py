"""How far a result lies from what the person's own earlier results predict."""

from typing import NamedTuple, TypeVar

import numpy as np

from analytics.elementwise import root
from analytics.evidence import FIRST_IMPLAUSIBLE_Z, IMPLAUSIBLE_Z
from analytics.tables import Bools, Floats, Ints, column_of, is_any
from analytics.trajectories import Growth, Sums, posterior_gain, sum_rows
from analytics.weighing import RampSums

AnySums = TypeVar("AnySums", Sums, RampSums)


class ScoredRows(NamedTuple):
    """Scored rows, each with its track, time, centred logarithm and weight."""

    row: Ints
    track: Ints
    weeks: Floats
    y: Floats
    weight: Floats

    def of(self, keep: Bools) -> "ScoredRows":
        """Take some of the rows; a weight that all share stays one cell."""
        return ScoredRows(
            self.row[keep],
            self.track[keep],
            self.weeks[keep],
            self.y[keep],
            self.weight[: int(keep.sum())] if self.weight.strides == (0,) else self.weight[keep],
        )

    def sums(self, n_tracks: int) -> Sums:
        """Sum the rows of every track."""
        return sum_rows(self.track, self.weeks, self.y, n_tracks=n_tracks, weight=self.weight)


def picked(sums: AnySums, places: Ints) -> AnySums:
    """Take the sums of some tracks."""
    return type(sums)(*(column[places] for column in sums))


def find_implausible(rows: ScoredRows, is_confirmed: Bools, growth: Growth) -> Bools:
    """Find results that lie far from what the person's own earlier ones predict.

    One after the other in order of time: beyond ``IMPLAUSIBLE_Z`` standard deviations of its
    prediction a result is held, unless confirmed, and predicts nothing itself. The first has only
    the population to predict it, and is held beyond ``FIRST_IMPLAUSIBLE_Z``. A track whose values
    span less than that many residual standard deviations, and lie as near to the population's
    line, is passed over.

    Parameters
    ----------
    rows : ScoredRows
        Quantified scored rows.
    is_confirmed : array of bool
        Which of them a person has confirmed; a corrected report confirms nothing.
    growth : Growth
        The population's law.

    Returns
    -------
    array of bool
        Per row: held.
    """
    n_tracks = len(growth.residual)
    held = np.zeros(len(rows.row), dtype=np.bool_)
    high, low = column_of(-np.inf, n_tracks), column_of(np.inf, n_tracks)
    np.maximum.at(high, rows.track, rows.y)
    np.minimum.at(low, rows.track, rows.y)
    sd = np.sqrt(growth.residual)
    suspect = high - low > IMPLAUSIBLE_Z.value * sd
    suspect |= np.maximum(high, -low) > FIRST_IMPLAUSIBLE_Z.value * sd
    if not is_any(suspect):
        return held
    [places] = suspect[rows.track].nonzero()
    places = places[rows.track[places].argsort(kind="stable")]
    of = rows.track[places]
    count = np.bincount(of, minlength=n_tracks)
    rank = np.arange(len(of)) - (np.cumsum(count) - count)[of]
    known = sum_rows(of[:0], rows.weeks[:0], rows.y[:0], n_tracks=n_tracks)
    for step in range(int(count.max())):
        here = places[rank == step]
        of = rows.track[here]
        law = (growth.d00[of], growth.d01[of], growth.d11[of], growth.residual[of])
        z = innovation(rows.weeks[here], rows.y[here], picked(known, of), *law)
        most = np.where(known.n[of] > 0, IMPLAUSIBLE_Z.value, FIRST_IMPLAUSIBLE_Z.value)
        held[here] = (np.abs(z) > most) & ~is_confirmed[here]
        keep = here[~held[here]]
        known = known + sum_rows(
            rows.track[keep], rows.weeks[keep], rows.y[keep], n_tracks=n_tracks
        )
    return held


def innovation(
    weeks: Floats,
    y: Floats,
    before: Sums,
    d00: Floats,
    d01: Floats,
    d11: Floats,
    residual: Floats,
) -> Floats:
    """Give the innovation of one row per track: (y - prediction) / sd.

    Parameters
    ----------
    weeks, y : float or array of float
        Time and centred logarithm of the rows.
    before : Sums
        Of what is known before each.
    d00, d01, d11, residual : float or array of float
        The population's law of each row's track.

    Returns
    -------
    float or array of float
    """
    k00, k01, k11 = posterior_gain(before, d00, d01, d11, residual)
    level = k00 * before.y + k01 * before.ty
    slope = k01 * before.y + k11 * before.ty
    variance = residual * (1 + k00 + weeks * (2 * k01 + weeks * k11))
    return (y - level - weeks * slope) / root(variance)
