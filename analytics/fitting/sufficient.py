"""The first step of fitting: each patient's draws, reduced to six sums per marker."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.fitting.reading import (
    BadDraw,
    identified,
    names,
    numbers,
    positions,
    real,
    refuse_no_index,
    refuse_unreal,
    require,
    shown,
)
from analytics.scalars import is_missing, is_real

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class UnknownPatient(KeyError):
    """The statistics hold no such patient."""


class UnknownMarker(KeyError):
    """The statistics hold no such marker."""


@dataclass(frozen=True, eq=False)
class SufficientStatistics:
    """Sums over the draws of N patients and K markers, about stated origins.

    With x = weeks - week_origin and y = level - level_origin, they hold all that a Gaussian growth
    model needs (Laird & Ware 1982, Biometrics 38:963): the cross-products [[n, t], [t, tt]] of the
    design [1, x] and (y, ty) of the design with the levels. The origins are subtracted before
    summing, so that no digits are lost when weeks or levels are large against their spread.

    Attributes
    ----------
    patient_ids : ndarray, shape (N,)
        Patients, ascending.
    markers : tuple of str, length K
        Markers, in the order of the columns below.
    n, t, tt, y, ty, yy : ndarray of float, shape (N, K)
        Number of draws, sums of x, x², y, x·y and y².
    week_origin : float
        Weeks since the first dose from which x is counted.
    level_origin : ndarray, shape (K,)
        Level (ln units, or scale points of a rating) from which y is counted.
    """

    patient_ids: npt.NDArray[Any]
    markers: tuple[str, ...]
    n: Floats
    t: Floats
    tt: Floats
    y: Floats
    ty: Floats
    yy: Floats
    week_origin: float
    level_origin: Floats

    def __len__(self) -> int:
        return len(self.patient_ids)

    @property
    def n_draws(self) -> Integers:
        """Number of results summed per marker, shape (K,)."""
        return np.asarray(self.n.sum(axis=0), dtype=np.int64)

    def take(self, rows: npt.NDArray[Any]) -> Self:
        """Keep some patients.

        Parameters
        ----------
        rows : ndarray
            Positions, in the order wanted, or a boolean mask of shape (N,).

        Returns
        -------
        SufficientStatistics

        Raises
        ------
        BadDraw
            No positions of these patients.
        """
        rows = positions(rows, len(self), refusal=BadDraw)
        return replace(
            self,
            patient_ids=self.patient_ids[rows],
            **{name: getattr(self, name)[rows] for name in _SUMS},
        )

    def with_draw(self, *, patient_id: object, weeks: float, level: float, marker: str) -> Self:
        """Add one result: O(1), the same sums as starting again from all rows.

        Parameters
        ----------
        patient_id : object
            A patient already known here.
        weeks : float
            Weeks since the first dose.
        level : float
            Level in the marker's unit (ln units, or scale points).
        marker : str
            One of `markers`.

        Returns
        -------
        SufficientStatistics
            A copy with the result added.

        Raises
        ------
        UnknownPatient, UnknownMarker, BadDraw
        """
        return self._changed(patient_id, weeks, level, marker, sign=1.0)

    def without_draw(self, *, patient_id: object, weeks: float, level: float, marker: str) -> Self:
        """Take one result out again, as a correction does.

        Parameters
        ----------
        patient_id, weeks, level, marker
            As for :meth:`with_draw`.

        Returns
        -------
        SufficientStatistics
            A copy without the result.

        Raises
        ------
        UnknownPatient, UnknownMarker, BadDraw
        """
        return self._changed(patient_id, weeks, level, marker, sign=-1.0)

    def _changed(
        self, patient_id: object, weeks: float, level: float, marker: str, *, sign: float
    ) -> Self:
        is_one = pd.api.types.is_scalar(patient_id) and not is_missing(patient_id)
        is_one = is_one and not isinstance(patient_id, bool | np.bool_)  # which would be patient 1
        rows = np.flatnonzero(self.patient_ids == patient_id) if is_one else np.zeros(0, int)
        if not len(rows):
            raise UnknownPatient(f"patient {patient_id!r} is not in these statistics")
        if not isinstance(marker, str) or marker not in self.markers:
            raise UnknownMarker(f"marker {marker!r}: known are {', '.join(self.markers)}")
        weeks = real(weeks, name="weeks", refusal=BadDraw)
        level = real(level, name="level", refusal=BadDraw)
        at = rows[0], self.markers.index(marker)
        if sign < 0 and self.n[at] < 1:
            raise BadDraw(f"patient {patient_id!r}, marker {marker!r}: no draw to take out")
        x, y = weeks - self.week_origin, level - self.level_origin[at[1]]
        terms = {"n": 1.0, "t": x, "tt": x * x, "y": y, "ty": x * y, "yy": y * y}
        sums = {name: getattr(self, name).copy() for name in _SUMS}
        for name, term in terms.items():
            sums[name][at] += sign * term
        return replace(self, **sums)


_SUMS = ("n", "t", "tt", "y", "ty", "yy")


def _level_origins(given: npt.ArrayLike, k: int) -> Floats:
    listed = np.atleast_1d(np.asarray(given, dtype=object)).ravel().tolist()
    if len(listed) not in {1, k} or not all(map(is_real, listed)):
        raise BadDraw(f"level_origin: {given!r} - {k} finite number(s), one a marker, are needed")
    return np.broadcast_to(np.array(listed, dtype=np.float64), (k,)).copy()


def need_statistics(given: object) -> None:
    """Refuse what is no sums: rows, above all."""
    if not isinstance(given, SufficientStatistics):
        raise TypeError(
            f"statistics: {type(given).__name__}; wanted: SufficientStatistics, as "
            "summarise(draws) gives them"
        )


def summarise(
    draws: pd.DataFrame,
    *,
    patient_ids: Sequence[Any] | npt.NDArray[Any] | None = None,
    markers: Sequence[str] | None = None,
    week_origin: float | None = None,
    level_origin: npt.ArrayLike | None = None,
) -> SufficientStatistics:
    """Reduce a table of results to each patient's sums.

    Parameters
    ----------
    draws : DataFrame
        Columns `patient_id`, `weeks` (float, since the first dose) and `level` (float; natural
        logarithm of a concentration, or scale points), and, unless there is one marker only,
        `marker` (str). Rows may come in any order; the sums are the same to the last bit.
    patient_ids : sequence, optional
        Patients to hold, also those without a draw. Default: those of `draws`.
    markers : sequence of str, optional
        Markers to hold, in this order. Default: those of `draws`, sorted.
    week_origin : float, optional
        Origin of time in weeks. Default: the mean of `weeks`, rounded to a whole week where the
        spread allows it.
    level_origin : array_like, shape (K,), optional
        Origin of each marker. Default: its mean level.

    Returns
    -------
    SufficientStatistics

    Raises
    ------
    BadDraw
        A column is missing, a number is not finite, a marker or patient is not among those asked,
        or one word is given where a list is wanted.
    """
    require(draws, ("patient_id", "weeks", "level"), refusal=BadDraw)
    patient = identified(draws, "patient_id", refusal=BadDraw)
    ids = np.unique(patient if patient_ids is None else _patients_of(patient_ids, patient))
    known_markers, marker = _marker_codes(draws, markers)
    code = np.searchsorted(ids, patient).astype(np.int64)
    known = ids[np.minimum(code, len(ids) - 1)] == patient if len(ids) else np.zeros(0, bool)
    if not np.all(known):
        row = int(np.flatnonzero(~known)[0])
        raise BadDraw(
            f"row {row}, column 'patient_id': {shown(patient[row])} is not among patient_ids"
        )
    return summarise_arrays(
        patient=code,
        weeks=numbers(draws, "weeks", refusal=BadDraw),
        level=numbers(draws, "level", refusal=BadDraw),
        marker=marker,
        patient_ids=ids,
        markers=known_markers,
        week_origin=week_origin,
        level_origin=level_origin,
    )


def _marker_codes(
    draws: pd.DataFrame, markers: Sequence[str] | None
) -> tuple[tuple[str, ...], Integers]:
    asked = None if markers is None else names(markers, name="markers", refusal=BadDraw)
    if "marker" not in draws.columns:
        listed = ("marker",) if asked is None else asked
        if len(listed) != 1:
            raise BadDraw(f"missing column 'marker': needed to tell {', '.join(listed)} apart")
        return listed, np.zeros(len(draws), dtype=np.int64)
    given = identified(draws, "marker", refusal=BadDraw)
    found = sorted(set(given)) if asked is None else asked
    listed = names(found, name="column 'marker'", refusal=BadDraw)
    codes = pd.Index(listed).get_indexer(pd.Index(given))
    if len(codes) and codes.min() < 0:
        row = int(np.flatnonzero(codes < 0)[0])
        value = draws["marker"].iloc[row]
        raise BadDraw(f"row {row}, column 'marker': {value!r} - known are {', '.join(listed)}")
    return listed, codes.astype(np.int64)


def _patients_of(asked: object, like: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Read the patients asked for: a list, of the kind that the draws name them by."""
    ids = np.asarray(asked)
    if ids.ndim != 1 or pd.isna(ids).any():
        raise BadDraw(f"patient_ids: {asked!r} - a list of patients is needed")
    try:
        np.sort(np.concatenate([ids, like]))
    except TypeError as error:
        raise BadDraw("patient_ids: ids of one kind are needed, as in the draws") from error
    return ids


def summarise_arrays(
    *,
    patient: Integers,
    weeks: Floats,
    level: Floats,
    patient_ids: npt.NDArray[Any],
    markers: Sequence[str] = ("marker",),
    marker: Integers | None = None,
    week_origin: float | None = None,
    level_origin: npt.ArrayLike | None = None,
) -> SufficientStatistics:
    """Reduce rows that are already coded to sums; the fast form of :func:`summarise`.

    Parameters
    ----------
    patient : ndarray of int, shape (R,)
        Index into `patient_ids` of each row.
    weeks, level : ndarray of float, shape (R,)
        Weeks since the first dose; level in the marker's unit.
    patient_ids : ndarray, shape (N,)
        Patients.
    markers : sequence of str, length K
        Names of the markers.
    marker : ndarray of int, shape (R,), optional
        Index into `markers` of each row. Default: all 0.
    week_origin, level_origin
        As for :func:`summarise`.

    Returns
    -------
    SufficientStatistics

    Raises
    ------
    BadDraw
        Weeks, level or an origin is not finite, the columns differ in length, or an index lies
        outside the list that it is of.
    """
    markers = names(markers, name="markers", refusal=BadDraw)
    k, size = len(markers), np.shape(patient)[:1]
    if np.ndim(patient_ids) != 1 or not k:
        raise BadDraw("patient_ids, markers: a list of patients and one or more markers are needed")
    refuse_unreal("weeks", weeks, size)
    refuse_unreal("level", level, size)
    refuse_no_index("patient", patient, len(patient_ids), size)
    if marker is not None:
        refuse_no_index("marker", marker, k, size)
    cell = patient * k + (0 if marker is None else marker)
    order = _canonical_order(cell, weeks, level)
    if order is not None:
        cell, weeks, level = cell[order], weeks[order], level[order]

    def sums(values: Floats | None) -> Floats:
        found = np.bincount(cell, weights=values, minlength=len(patient_ids) * k).astype(float)
        return found.reshape(len(patient_ids), k)

    n = sums(None)
    origin = _week_origin(weeks)
    if week_origin is not None:
        origin = real(week_origin, name="week_origin", refusal=BadDraw)
    if level_origin is None:
        origins = sums(level).sum(axis=0) / np.maximum(n.sum(axis=0), 1)
    else:
        origins = _level_origins(level_origin, k)
    x = weeks - origin
    y = level - (origins[0] if k == 1 else origins[cell % k])
    return SufficientStatistics(
        patient_ids=patient_ids,
        markers=tuple(markers),
        n=n,
        t=sums(x),
        tt=sums(x * x),
        y=sums(y),
        ty=sums(x * y),
        yy=sums(y * y),
        week_origin=origin,
        level_origin=origins,
    )


def _canonical_order(cell: Integers, weeks: Floats, level: Floats) -> Integers | None:
    """Return the order that makes the sums independent of the rows' order; None: it is there."""
    if len(cell) < 2:
        return None
    same = cell[1:] == cell[:-1]
    later = (weeks[1:] > weeks[:-1]) | ((weeks[1:] == weeks[:-1]) & (level[1:] >= level[:-1]))
    if np.all((cell[1:] > cell[:-1]) | (same & later)):
        return None
    return np.lexsort((level, weeks, cell)).astype(np.int64)


def _week_origin(weeks: Floats) -> float:
    """Choose the mean as origin, on a whole week if that keeps all digits."""
    if not len(weeks):
        return 0.0
    mean = float(weeks.mean())
    return float(round(mean)) if np.ptp(weeks) > 1 else mean
