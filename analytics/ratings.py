"""Each patient's ratings on one primary scale; scales are never mixed."""

from typing import NamedTuple

import numpy as np

from analytics.columns import US_PER_DAY, RatingColumns
from analytics.definitions import Rules
from analytics.histories import History
from analytics.ready import constant
from analytics.tables import NEVER, Bools, Floats, Ints, column_of
from instruments import INSTRUMENTS, Instrument

KNOWN: tuple[Instrument, ...] = tuple(INSTRUMENTS.values())
_PLACE = {scale.code: place for place, scale in enumerate(KNOWN)}
UNKNOWN = len(KNOWN)
_SPAN = np.int64(1) << 34  # seconds: five hundred years, more than any two facts lie apart


class PrimaryRatings(NamedTuple):
    """Ratings on each patient's primary scale, in order of patient and time."""

    key: Ints
    rated_us: Ints
    total: Floats
    base: int

    def latest(self, patient: Ints, *, not_after: Ints, not_before: Ints) -> Ints:
        """Find the latest rating in a window, or -1."""
        if len(self.key) == 0:
            return column_of(-1, len(patient), np.int64)
        place = self.key.searchsorted(_key(patient, not_after, self.base), side="right") - 1
        # Place -1 stays -1, whichever key it picks
        place[self.key[place] < _key(patient, not_before, self.base)] = -1
        return place

    @property
    def patients(self) -> Ints:
        """Give the patient of every row."""
        return self.key // _SPAN

    def first_since(self, patient: Ints, us: Ints) -> Ints:
        """Find where a patient's ratings since a moment begin; may be past the end."""
        return self.key.searchsorted(_key(patient, us, self.base), side="left")

    def totals(self, rows: Ints) -> Floats:
        """Give the totals at rows, NaN at -1."""
        if len(self.total) == 0:
            return column_of(np.nan, len(rows))
        totals = self.total[rows]
        totals[rows < 0] = np.nan
        return totals

    def times(self, rows: Ints) -> Ints:
        """Give the times at rows, NEVER at -1."""
        if len(self.rated_us) == 0:
            return column_of(NEVER, len(rows), np.int64)
        times = self.rated_us[rows]
        times[rows < 0] = NEVER
        return times


_NONE = np.empty(0, dtype=np.int64)
_NO_RATINGS = PrimaryRatings(_NONE, _NONE, np.empty(0), 0)


def _key(patient: Ints, us: Ints, base: int) -> Ints:
    """Make one sortable number of patient and time (to the second)."""
    return patient * _SPAN + np.maximum(us // 1_000_000 - base, 0)


def scales_of(names: tuple[str, ...]) -> Ints:
    """Give each name's position in :data:`KNOWN`, :data:`UNKNOWN` for a scale not declared.

    Parameters
    ----------
    names : tuple of str
        As :attr:`RatingColumns.instruments`.

    Returns
    -------
    array of int
    """
    return np.array([_PLACE.get(name, UNKNOWN) for name in names], dtype=np.int64)


def primary_ratings(
    history: History, started: Ints, at_us: int, rules: Rules
) -> tuple[PrimaryRatings, Ints]:
    """Take one scale per patient: the chosen one; else the best known, with a baseline if any.

    Parameters
    ----------
    history : History
        The cohort.
    started : array of int
        First dose of each patient, or ``NEVER``.
    at_us : int
        The moment; later ratings are not used.
    rules : Rules
        What counts as a baseline.

    Returns
    -------
    ratings : PrimaryRatings
    instrument : array of int
        Per patient, position in :attr:`RatingColumns.instruments`; -1: no rating on it.
    """
    ratings: RatingColumns = history.rating_columns
    size = len(history.patient_ids)
    [known] = (ratings.rated_us <= at_us).nonzero()
    if len(known) == 0:
        return _NO_RATINGS, constant(-1, size, np.int64)
    patient, rated = ratings.patient[known], ratings.rated_us[known]
    # Unknown scales keep the order of their names, after the known ones.
    order = scales_of(ratings.instruments).argsort(kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    rank = place[ratings.instrument[known]]
    start = started[patient]
    has_baseline = (
        (start != NEVER)
        & (rated >= start - rules.baseline_before_days * US_PER_DAY)
        & (rated <= start + rules.baseline_after_days * US_PER_DAY)
    )
    best = column_of(len(order) * 2, size, np.int64)
    np.minimum.at(best, patient, rank + len(order) * ~has_baseline)
    chosen = best % len(order)
    has_any = best < len(order) * 2
    _obey_choice(history, ratings.instruments, place, chosen, has_any)
    keep = (rank == chosen[patient]) & has_any[patient]
    rows = known[keep]
    on_scale = np.zeros(size, dtype=np.bool_)
    on_scale[patient[keep]] = True
    instrument = order[chosen]
    instrument[~on_scale] = -1
    base = int(rated.min() // 1_000_000) - 400 * 86_400
    key = _key(ratings.patient[rows], ratings.rated_us[rows], base)
    return PrimaryRatings(key, ratings.rated_us[rows], ratings.total[rows], base), instrument


def _obey_choice(
    history: History, names: tuple[str, ...], place: Ints, chosen: Ints, has_any: Bools
) -> None:
    """Let the primary scale that the clinic has chosen for the episode stand, rated or not."""
    for row, name in enumerate(history.primary_instrument.tolist()):
        if not name:
            continue
        if name in names:
            chosen[row] = place[names.index(name)]
        else:
            has_any[row] = False
