"""What is found of each marker of each patient: one track per patient and analyte, in columns."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from analytics.columns import freeze
from analytics.elementwise import log1p, root, where
from analytics.innovations import innovation
from analytics.mixtures import MixedLines, Standing
from analytics.releases import Release
from analytics.tables import Bools, Floats, Ints
from analytics.trajectories import Growth, Sums


class Changes(NamedTuple):
    """Changes of the latest result in ln units, NaN where there is nothing to compare with."""

    set_point_draws: Ints  # 0 where there is nothing to compare with
    span_weeks: Floats
    set_point: Floats
    since_first: Floats
    since_previous: Floats
    since_set_point: Floats
    limit: Floats
    innovation: Floats


@dataclass(frozen=True)
class Tracks:
    """One entry per patient and analyte with any result, sorted by patient, then analyte.

    ``latest`` is the row of the latest scored reading, -1 where none is scored; changes are
    between results that were quantified. Where each track stands at the moment is worked out when
    it is first read: neither a probability nor a flag rests on it.
    """

    patient: Ints
    analyte: Ints
    segment: Ints
    origin_us: Ints
    n_draws: Ints
    n_scored: Ints
    n_censored: Ints
    latest: Ints
    changes: Changes
    is_latest_held: Bools
    stand_now: Callable[[], tuple[MixedLines, Standing]] = field(repr=False)

    @cached_property
    def _now(self) -> tuple[MixedLines, Standing]:
        now = self.stand_now()
        freeze(now)
        return now

    @property
    def lines(self) -> MixedLines:
        """Give each track's lines, of both groups where the marker tells them apart."""
        return self._now[0]

    @property
    def standing(self) -> Standing:
        """Give level and slope now, with their intervals."""
        return self._now[1]


def growth_of(
    analyte: Ints, segment: Ints, segments: tuple[str, ...], release: Release
) -> tuple[Growth, Floats]:
    """Give each track the law of its analyte in both groups, and what is unknown of its level.

    Parameters
    ----------
    analyte, segment : array of int
        Of each track.
    segments : tuple of str
        Names of the segments.
    release : Release
        The population's law, and the levels of the segments it knows.

    Returns
    -------
    growth : Growth
    unknown : array of float
        Variance of the level of the track's segment; none where it is known.
    """
    law, unknown = release.population, release.level_variances[analyte]
    mean0, mean1, d00, d01, d11, residual = [column[analyte] for column in law]
    for place, marker in release.levelled:
        for label, level in marker.levels.items():
            if label in segments:
                [own] = ((analyte == place) & (segment == segments.index(label))).nonzero()
                mean0[own] += level
                unknown[own] = 0.0
    return Growth(mean0, mean1, d00 + unknown, d01, d11, residual), unknown


def compare(
    before: Floats,
    widened: Floats,
    log_variance: Floats,
    within_cv: Floats,
    assay_cv: Floats,
    first: Floats,
    second: Floats,
    third: Floats,
    fourth: Floats,
    previous: Floats,
    latest: Floats,
    span: Floats,
    weeks: Floats,
    y: Floats,
    *known: Floats,
) -> tuple[Floats, ...]:
    """Compare a latest result with the earlier ones, as floats or entry by entry.

    Parameters
    ----------
    before : float or array of float
        Draws in the set-point.
    widened : float or array of float
        z of a change that is real.
    log_variance, within_cv, assay_cv
        Variations: the assay's is the laboratory's own where it states one, else the release's.
    first, second, third, fourth, previous, latest
        ln of the first results, the one before the latest, and the latest.
    span, weeks, y
        Weeks from the first to the latest; the latest's own week and centred logarithm.
    *known
        The fields of :class:`Sums`, then d00, d01, d11 and residual of the population's law.

    Returns
    -------
    tuple
        The fields of :class:`Changes` after the first.
    """
    total = first + where(before > 1, second, 0.0)
    total = total + where(before > 2, third, 0.0)
    total = total + where(before > 3, fourth, 0.0)
    set_point = total / before
    stated = log1p(within_cv * within_cv + assay_cv * assay_cv)
    variance = where(assay_cv == assay_cv, stated, log_variance)
    limit = widened * root((1 + 1 / before) * variance)
    own = Sums(1.0, weeks, weeks * weeks, y, weeks * y, y * y)  # type: ignore[arg-type]
    strange = innovation(weeks, y, Sums(*known[:6]) - own, *known[6:])
    since = latest - first, latest - previous, latest - set_point
    return span, set_point, *since, limit, strange
