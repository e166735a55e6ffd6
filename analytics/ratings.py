"""Each patient's ratings on one primary scale; scales are never mixed."""

from typing import NamedTuple

import numpy as np

from analytics.columns import US_PER_DAY, RatingColumns, through_day
from analytics.definitions import Rules
from analytics.histories import History
from analytics.ready import constant
from analytics.tables import NEVER, Bools, Floats, Ints, column_of
from instruments import INSTRUMENTS, Instrument

KNOWN: tuple[Instrument, ...] = tuple(INSTRUMENTS.values())
_PLACE = {scale.code: place for place, scale in enumerate(KNOWN)}
UNKNOWN = len(KNOWN)
_LATER = np.iinfo(np.int64).max - 1  # than any rating
_SPAN = np.int64(1) << 34  # seconds: 544 years, more than any two moments of a record lie apart


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
    return patient * _SPAN + np.minimum(np.maximum(us // 1_000_000 - base, 0), _SPAN - 1)


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
    """Take one scale per patient: the chosen one, else the one that was followed first.

    Of the scales with a baseline (of all where none has one) it is the one on which the first
    rating behind the baseline came first, so that a rating on another scale later takes no failure
    back; of several that were followed from one moment, or of none, it is the best known.

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
    chosen, has_any = _followed_first(
        patient * len(order) + rank, rated, started[patient], rules, shape=(size, len(order))
    )
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


def _followed_first(
    of_scale: Ints, rated: Ints, start: Ints, rules: Rules, *, shape: tuple[int, int]
) -> tuple[Ints, Bools]:
    """Give the place of the scale that goes first, and whether there is any, per patient.

    `of_scale` is the place of each rating's patient and scale in a table of `shape`.
    """
    is_running = start != NEVER
    is_before = rated <= through_day(start, rules.baseline_after_days)
    is_baseline = (
        is_running & is_before & (rated >= start - rules.baseline_before_days * US_PER_DAY)
    )
    is_rated, has_baseline = np.zeros((2, shape[0] * shape[1]), dtype=np.bool_)
    is_rated[of_scale] = True
    has_baseline[of_scale[is_baseline]] = True
    followed = column_of(_LATER, len(is_rated), np.int64)
    is_behind = is_running & ~is_before
    day = (rated - start)[is_behind] // US_PER_DAY  # two forms of one visit came together
    np.minimum.at(followed, of_scale[is_behind], day)
    has_baseline, is_rated = has_baseline.reshape(shape), is_rated.reshape(shape)
    may_be = has_baseline | (is_rated & ~has_baseline.any(axis=1, keepdims=True))
    followed[~may_be.ravel()] = _LATER + 1
    return followed.reshape(shape).argmin(axis=1), np.asarray(is_rated.any(axis=1))


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
