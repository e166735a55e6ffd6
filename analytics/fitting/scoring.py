"""A nation at once: probabilities from rows of one marker in memory, patient by patient in chunks.

The front door reads whole histories and explains itself. This is the bare weighing of a marker for
millions of patients, for research on releases; the log-odds are those of :mod:`analytics.weighing`.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from analytics.fitting.reading import BadDraw, refuse_misshapen
from analytics.fitting.sufficient import Floats, Integers
from analytics.releases import Contrast, Marker, Release, need_release
from analytics.risk import assess_risk
from analytics.scalars import is_whole
from analytics.trajectories import Sums
from analytics.weighing import Draws, RampSums
from analytics.weighing_apart import weigh_by_law

CHUNK = 8192  # patients whose rows and sums fit the processor's cache together


class RowsAreUnsorted(ValueError):
    """The rows are not in the order of the patients."""


class SeveralMarkersWeigh(ValueError):
    """Rows of one marker cannot be scored by a release that weighs several together."""


@dataclass(frozen=True, eq=False)
class Scores:
    """Probability of resistance of N patients.

    Attributes
    ----------
    log_odds : ndarray, shape (N,)
        What the marker says, before cap and recalibration; 0 without a draw.
    probability : ndarray, shape (N,)
        With an interval asked: averaged over the uncertainty of the parameters; else plugged in.
    low, high : ndarray, shape (N,), or None
        95 % interval, if asked.
    """

    log_odds: Floats
    probability: Floats
    low: Floats | None
    high: Floats | None


def score_rows(
    *,
    patient: Integers,
    weeks: Floats,
    level: Floats,
    n_patients: int,
    release: Release,
    with_interval: bool = True,
    marker: Integers | None = None,
) -> Scores:
    """Weigh the markers of many patients; time grows with the rows, memory stays flat.

    Parameters
    ----------
    patient : ndarray of int, shape (R,)
        Number of the patient, 0 to N - 1, ascending (within a chunk any order will do).
    weeks : ndarray, shape (R,)
        Weeks since the first dose.
    level : ndarray, shape (R,)
        ln of the concentration in the marker's unit (ng/mL for sIL-6R).
    n_patients : int
        N.
    release : Release
        The model.
    with_interval : bool
        Also the delta-method interval and the averaged probability.
    marker : ndarray of int, shape (R,), optional
        Place of each row's marker in `release.informative`; may be left out where there is one.

    Returns
    -------
    Scores

    Raises
    ------
    RowsAreUnsorted, BadDraw
    SeveralMarkersWeigh
        The release weighs more than one marker, and which row is of which is not said.
    TypeError
        `release` is none: a name, say.
    """
    need_release(release)
    names = release.informative
    if marker is None and len(names) > 1:
        raise SeveralMarkersWeigh(
            f"{release.version} weighs {', '.join(names)}; wanted: marker, the place of each row's"
        )
    _refuse_no_rows(patient, weeks, level, marker)
    if not is_whole(n_patients, least=0):
        raise BadDraw(f"n_patients: {n_patients!r} - a whole number of patients is needed")
    edges = _edges(patient, n_patients)
    scores = [np.empty(n_patients) for _ in range(4 if with_interval else 2)]
    for number, start in enumerate(range(0, n_patients, CHUNK)):
        own = slice(start, min(start + CHUNK, n_patients))
        rows = slice(edges[number], edges[number + 1])
        columns = patient[rows] - start, weeks[rows], level[rows]
        parts = [columns] if marker is None else _by_marker(columns, marker[rows], names)
        with np.errstate(invalid="ignore"):  # what is no number is refused by name
            draws = _draws(parts, release, own.stop - own.start)
        if not all(np.isfinite(one.sums.y + one.sums.tt).all() for one in draws):
            _name_unreal(weeks, level)
        found = _with_interval(draws, release) if with_interval else _lean(draws, release)
        for whole, part in zip(scores, found, strict=True):
            whole[own] = part
    if not with_interval:
        return Scores(scores[0], scores[1], None, None)
    return Scores(*scores)


def _refuse_no_rows(
    patient: Integers, weeks: Floats, level: Floats, marker: Integers | None
) -> None:
    """Refuse columns that are no arrays of one length; what is no finite number turns up later."""
    size = np.shape(patient)[:1]
    refuse_misshapen("patient", patient, size, kinds="iu", wanted="whole numbers")
    refuse_misshapen("weeks", weeks, size, kinds="iuf", wanted="numbers")
    refuse_misshapen("level", level, size, kinds="iuf", wanted="numbers")
    if marker is not None:
        refuse_misshapen("marker", marker, size, kinds="iu", wanted="whole numbers")


def _draws(
    parts: list[tuple[Integers, Floats, Floats]], release: Release, size: int
) -> list[Draws]:
    """Sum the rows of each marker."""
    ramp, squares = release.law.ramp_weeks, release.groups is not None
    return [
        Draws(*_sums(*part, release.markers[name], ramp, size, with_squares=squares))
        for name, part in zip(release.informative, parts, strict=True)
    ]


def _lean(draws: list[Draws], release: Release) -> tuple[Floats, ...]:
    """Give log-odds and probability as if the parameters were certain, and no interval."""
    if len(draws) == 1 and release.groups is None:
        marker = release.markers[release.informative[0]]
        log_odds = _log_odds(draws[0].sums, draws[0].ramp, marker, release.contrast)
    else:
        log_odds = weigh_by_law(draws, release.law).log_odds.value
    return log_odds, _plugged_in(log_odds, release)


def _with_interval(draws: list[Draws], release: Release) -> tuple[Floats, ...]:
    found = weigh_by_law(draws, release.law).log_odds
    unknown = np.full(len(found.value), -1, dtype=np.int64)
    risk = assess_risk(found, unknown, release)
    return found.value, risk.probability, risk.low, risk.high


def _edges(patient: Integers, n_patients: int) -> Integers:
    """Find where each chunk of patients begins among the rows."""
    edges = np.searchsorted(patient, np.arange(0, n_patients + CHUNK, CHUNK))
    edges[-1:] = np.searchsorted(patient, n_patients)
    if edges[0] != 0 or edges[-1] != len(patient) or np.any(np.diff(edges) < 0):
        raise RowsAreUnsorted(_ORDER.format(n_patients - 1))
    return edges


def _by_marker(
    columns: tuple[Integers, Floats, Floats], marker: Integers, names: tuple[str, ...]
) -> list[tuple[Integers, Floats, Floats]]:
    """Part the rows of a chunk by their marker."""
    if len(marker) and not (marker.min() >= 0 and marker.max() < len(names)):
        row = int(np.argmax((marker < 0) | (marker >= len(names))))
        raise BadDraw(
            f"patient {columns[0][row]} of a chunk, column 'marker': {marker[row]} - 0 to "
            f"{len(names) - 1} are needed, the places of {', '.join(names)}"
        )
    place, weeks, level = columns
    parts = [(marker == k).nonzero()[0] for k in range(len(names))]
    return [(place[own], weeks[own], level[own]) for own in parts]


_ORDER = "column 'patient': ascending numbers of 0 to {} are needed"


def _name_unreal(weeks: Floats, level: Floats) -> None:
    """Refuse the first row that is no number; called once a sum came out as none."""
    for name, values in (("weeks", weeks), ("level", level)):
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            row = int(bad[0])
            raise BadDraw(f"row {row}, column {name!r}: {values[row]} - a finite number is needed")


def _sums(
    place: Integers,
    weeks: Floats,
    level: Floats,
    marker: Marker,
    ramp_weeks: float,
    size: int,
    *,
    with_squares: bool = False,
) -> tuple[Sums, RampSums]:
    """Sum a chunk less the marker's mean line; min(t, T) differs from t only after week T."""

    def total(of: Floats, at: Integers = place) -> Floats:
        return np.asarray(np.bincount(at, weights=of, minlength=size), dtype=np.float64)

    try:
        counted = np.bincount(place, minlength=size)
    except ValueError as error:  # a place below zero
        raise RowsAreUnsorted("column 'patient': ascending numbers are needed") from error
    if len(counted) != size:
        raise RowsAreUnsorted("column 'patient': ascending numbers are needed")
    n = counted.astype(np.float64)
    t, tt, y, ty = total(weeks), total(weeks * weeks), total(level), total(weeks * level)
    late = np.flatnonzero(weeks > ramp_weeks)
    h, ht, hh, hy = t, tt, tt, ty
    if len(late):
        at, late_weeks = place[late], weeks[late]
        over = late_weeks - ramp_weeks
        cross = total(over * late_weeks, at)
        h, ht = t - total(over, at), tt - cross
        hh = ht - ramp_weeks * (t - h)
        hy = ty - total(over * level[late], at)
    # The population's line is taken out of the sums, which spares a pass over the rows
    start, slope = marker.mean
    yy = np.zeros(size)
    if with_squares:
        yy = total(level * level) - 2 * (start * y + slope * ty)
        yy = yy + start * start * n + 2 * start * slope * t + slope * slope * tt
    sums = Sums(n, t, tt, y - start * n - slope * t, ty - start * t - slope * tt, yy)
    return sums, RampSums(h, ht, hh, hy - start * h - slope * ht)


def _log_odds(sums: Sums, ramp: RampSums, marker: Marker, contrast: Contrast) -> Floats:
    """Return the value of :func:`weigh` alone, a'V⁻¹(y - a(1/2 - π)) with a = Z·δ."""
    s2 = marker.residual
    d00, d01, d11 = (
        (own + mean) / s2
        for own, mean in zip(marker.covariance, marker.mean_covariance, strict=True)
    )
    delta0, delta1 = (contrast.shrinkage * part for part in contrast.delta)
    half = 0.5 - contrast.mixing
    xa0, xa1 = delta0 * sums.n + delta1 * ramp.h, delta0 * sums.t + delta1 * ramp.ht
    xr0, xr1 = sums.y - half * xa0, sums.ty - half * xa1
    aa = delta0 * xa0 + delta1 * (delta0 * ramp.h + delta1 * ramp.hh)
    ar = delta0 * sums.y + delta1 * ramp.hy - half * aa
    volume = d00 * d11 - d01 * d01
    spread = sums.n * sums.tt - sums.t * sums.t
    det = 1 + d00 * sums.n + 2 * d01 * sums.t + d11 * sums.tt + volume * spread
    k01 = d01 - volume * sums.t
    explained = (d00 + volume * sums.tt) * xa0 * xr0 + (d11 + volume * sums.n) * xa1 * xr1
    explained += k01 * (xa0 * xr1 + xa1 * xr0)
    return np.asarray((ar - explained / det) / s2)


def _plugged_in(log_odds: Floats, release: Release) -> Floats:
    """Return :func:`assess_risk`'s probability as if the parameters were certain."""
    intercept, slope = release.recalibration
    cap = release.contrast.cap
    start = release.prior_log_odds + intercept
    return np.asarray(expit(start + np.clip(slope * log_odds, -cap, cap)))
