"""What an estimate is made of, as frozen values that go to JSON and come back."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np

from analytics.mixtures import Band, MixedLines, StraightLine, band
from analytics.tables import Floats

Fact = float | int | str | None
# What codes on record are called now, so that assessments of any day can be read
_RENAMED = {"crp_over_10_in_same_draw": "crp_over_10_on_the_day"}


class EvidenceKind(StrEnum):
    """What a contribution rests on."""

    PRIOR = "prior"
    LOCAL_PREVALENCE = "local_prevalence"
    SYMPTOMS = "early_symptom_change"
    BIOMARKER = "biomarker"
    CAUTION = "parameter_uncertainty"


# One result that a trajectory rests on: microseconds since 1970 UTC, the value, its comparator. As
# short as can be, since there are many of them, and every assessment keeps its own
ScoredDraw = tuple[int, float, str]


@dataclass(frozen=True, slots=True)
class Trajectory:
    """How one analyte moves in one patient.

    Levels are in ``unit``; slopes, lines, covariance and residual in ln units, with time
    in weeks since ``origin_at``; changes and their limits are fractions (0.5 is +50 %).
    ``probability_rising`` is that of a slope above zero. ``lines`` holds probability, level at
    week 0, slope before and slope after ``bend_weeks`` of the line of a resistant and of a
    remitting patient with these results, or of the one line of a marker that tells them not
    apart; ``covariance`` is about either. The limits are widened for the
    number of looks; ``is_beyond_variation`` compares the latest result with the set-point.
    ``innovation`` is how many standard deviations the latest result lies from its prediction
    out of the earlier ones; None while there is none. ``assay_cv`` is that of the kit, as its
    laboratory states it, by which the limits were drawn; None where it states none.
    """

    analyte: str
    unit: str
    segment: str
    origin_at: datetime
    level_now: float
    level_low: float
    level_high: float
    slope_per_week: float
    slope_low: float
    slope_high: float
    probability_rising: float
    n_draws: int
    n_scored: int
    n_censored: int
    latest_value: float
    latest_comparator: str
    latest_at: datetime
    lines: tuple[tuple[float, float, float, float], ...]
    bend_weeks: float | None
    covariance: tuple[float, float, float]
    residual: float
    set_point: float | None
    set_point_draws: int
    change_since_first: float | None
    change_since_previous: float | None
    change_since_set_point: float | None
    reference_change_low: float | None
    reference_change_high: float | None
    is_beyond_variation: bool
    innovation: float | None
    assay_cv: float | None = None  # not written down by assessments of 2026-11-28 and before
    draws: tuple[ScoredDraw, ...] = ()  # by time; nor those

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Trajectory":
        """Read it back from plain JSON values."""
        fields = dict(content)
        fields["origin_at"] = datetime.fromisoformat(content["origin_at"])
        fields["latest_at"] = datetime.fromisoformat(content["latest_at"])
        if "mean" in fields:  # so written down by assessments of 2026-11-26 and before
            level, slope = fields.pop("mean")
            fields |= {"lines": [[1.0, level, slope, slope]], "bend_weeks": None}
        fields["lines"] = tuple(map(tuple, fields["lines"]))
        fields["draws"] = tuple((us, value, sign) for us, value, sign in content.get("draws", ()))
        fields["covariance"] = tuple(content["covariance"])
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class Contribution:
    """One piece of evidence: what it adds to the log-odds, and the facts to say it with."""

    evidence: EvidenceKind
    log_odds: float
    facts: dict[str, Fact]

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Contribution":
        """Read it back from plain JSON values."""
        return cls(EvidenceKind(content["evidence"]), content["log_odds"], dict(content["facts"]))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A result that was seen and not scored.

    ``reason`` is the gravest of ``reasons``; ``is_plotted`` is False where the value means
    nothing even as a picture. ``validity`` is that of the draw: an excluded one cannot be scored,
    one with a caution can be by a person's word, a valid one has no part in this comparison.
    """

    what: str
    reason: str
    reasons: tuple[str, ...]
    analyte: str
    drawn_at: datetime
    is_plotted: bool
    validity: str = ""  # not written down by assessments of 2026-11-26 and before

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "LeftOut":
        """Read it back from plain JSON values."""
        fields = dict(content)
        fields["reason"] = _RENAMED.get(content["reason"], content["reason"])
        fields["reasons"] = tuple(_RENAMED.get(code, code) for code in content["reasons"])
        fields["drawn_at"] = datetime.fromisoformat(content["drawn_at"])
        return cls(**fields)


def prediction_band(trajectory: Trajectory, weeks: Floats) -> Band:
    """Draw where new results of a trajectory would fall with 95 % probability.

    Parameters
    ----------
    trajectory : Trajectory
        As estimated, or as read back from a record.
    weeks : array of float
        Weeks since ``trajectory.origin_at``.

    Returns
    -------
    Band
        In the canonical unit of the analyte.

    Raises
    ------
    ValueError
        A week is not finite.
    """
    try:
        weeks = np.asarray(weeks, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"weeks: {weeks!r}; wanted: an array of weeks") from error
    if weeks.ndim != 1:
        raise ValueError(f"weeks of shape {weeks.shape}; wanted: an array of weeks")
    wrong = ~np.isfinite(weeks)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"weeks, row {row}: {weeks[row]}; wanted: a finite number of weeks")
    one, other = trajectory.lines[0], trajectory.lines[-1]
    v00, v01, v11 = map(np.asarray, trajectory.covariance)
    lines = MixedLines(
        share=np.asarray(one[0]),
        resistant=StraightLine(*map(np.asarray, one[1:])),
        remitting=StraightLine(*map(np.asarray, other[1:])),
        v00=v00,
        v01=v01,
        v11=v11,
        residual=np.asarray(trajectory.residual),
        bend_weeks=np.inf if trajectory.bend_weeks is None else trajectory.bend_weeks,
    )
    return band(lines, weeks)
