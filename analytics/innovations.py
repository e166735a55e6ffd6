"""How far a result lies from what the person's own earlier results predict."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from analytics.evidence import IMPLAUSIBLE_Z
from analytics.tables import Bools, Floats, Ints
from analytics.trajectories import Growth, Sums, posterior_gain, sum_rows
from analytics.weighing import RampSums

AnySums = TypeVar("AnySums", Sums, RampSums)


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """Scored rows, each with its track, time, centred logarithm and weight."""

    row: Ints
    track: Ints
    weeks: Floats
    y: Floats
    weight: Floats

    def of(self, keep: Bools) -> "ScoredRows":
        """Take some of the rows."""
        return ScoredRows(*(getattr(self, name)[keep] for name in ScoredRows.__slots__))

    def sums(self, n_tracks: int) -> Sums:
        """Sum the rows of every track."""
        return sum_rows(self.track, self.weeks, self.y, n_tracks=n_tracks, weight=self.weight)


def picked(sums: AnySums, places: Ints) -> AnySums:
    """Take the sums of some tracks."""
    return type(sums)(*(getattr(sums, name)[places] for name in sums.__slots__))


def find_implausible(rows: ScoredRows, is_confirmed: Bools, growth: Growth) -> Bools:
    """Find results that lie far from what the person's own earlier ones predict.

    One after the other in order of time: beyond ``IMPLAUSIBLE_Z`` standard deviations of its
    prediction a result is held, unless confirmed, and predicts nothing itself. A track
    whose values span less than that many residual standard deviations is passed over.

    Parameters
    ----------
    rows : ScoredRows
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
        of = rows.track[here]
        z = innovations(rows.weeks[here], rows.y[here], picked(known, of), growth, of)
        held[here] = (step > 0) & (np.abs(z) > IMPLAUSIBLE_Z.value) & ~is_confirmed[here]
        keep = here[~held[here]]
        known = known + sum_rows(
            rows.track[keep], rows.weeks[keep], rows.y[keep], n_tracks=n_tracks
        )
    return held


def innovations(weeks: Floats, y: Floats, before: Sums, growth: Growth, track: Ints) -> Floats:
    """Give the innovation of one row per track: (y - prediction) / sd.

    Parameters
    ----------
    weeks, y : array of float
        Time and centred logarithm of the rows.
    before : Sums
        Of what is known before each.
    growth : Growth
        The population's law.
    track : array of int
        The track of each row.

    Returns
    -------
    array of float
    """
    d00, d01, d11 = growth.d00[track], growth.d01[track], growth.d11[track]
    residual = growth.residual[track]
    k00, k01, k11 = posterior_gain(before, d00, d01, d11, residual)
    level = k00 * before.y + k01 * before.ty
    slope = k01 * before.y + k11 * before.ty
    variance = residual * (1 + k00 + weeks * (2 * k01 + weeks * k11))
    return np.asarray((y - level - weeks * slope) / np.sqrt(variance), dtype=np.float64)
