"""Whether two results of one person really differ, result by result."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from analytics.changes import Z95, reference_change
from analytics.columns import CRP, IL6, SIL6R, TNF
from analytics.evidence import CVA_OTHERS, CVA_SIL6R, CVI_CRP, CVI_IL6, CVI_SIL6R, CVI_TNF, Constant
from analytics.scalars import is_real

VARIATION: dict[str, tuple[Constant, Constant]] = {
    SIL6R: (CVI_SIL6R, CVA_SIL6R),
    IL6: (CVI_IL6, CVA_OTHERS),
    TNF: (CVI_TNF, CVA_OTHERS),
    CRP: (CVI_CRP, CVA_OTHERS),
}


class ReadingIsUnfit(ValueError):
    """A result that is no concentration; says which, and what would be right."""


class Verdict(StrEnum):
    """What a change means."""

    WITHIN = "within"
    BEYOND = "beyond"
    NOT_COMPARABLE = "not_comparable"


class WhyNot(StrEnum):
    """Why two results cannot be compared."""

    NONE = ""
    FIRST = "first_of_its_segment"
    BOUND = "only_a_bound_is_known"
    NOT_SCORED = "not_scored"


def _refuse_no_moment(given: object) -> None:
    if not isinstance(given, datetime) or given.tzinfo is None:
        raise ReadingIsUnfit(f"drawn_at: {given!r}; wanted: a datetime with a time zone")


@dataclass(frozen=True, slots=True)
class Reading:
    """One result: its value in the canonical unit of the analyte, and where it was measured.

    Raises
    ------
    ReadingIsUnfit
        The value is no concentration: zero, below zero or not finite. A result below the limit of
        detection is that limit with the comparator "<".
    """

    drawn_at: datetime
    value: float
    comparator: str = ""
    segment: str = ""
    is_scored: bool = True
    assay_cv: float | None = None  # of its kit, as the laboratory states it

    def __post_init__(self) -> None:
        """Refuse what no ratio can be made of."""
        if not is_real(self.value) or not self.value > 0:
            message = f"value: {self.value!r}; wanted: a concentration above zero"
            raise ReadingIsUnfit(message)
        _refuse_no_moment(self.drawn_at)


@dataclass(frozen=True, slots=True)
class RealChange:
    """The change of one result against the one scored before it, in fractions (0.22 is +22 %).

    ``low`` and ``high`` are the relative changes that biology and assay explain for 95 of 100
    pairs of results of a steady person.
    """

    analyte: str
    drawn_at: datetime
    since: datetime | None
    change: float | None
    low: float | None
    high: float | None
    verdict: Verdict
    why_not: WhyNot

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return {
            "analyte": self.analyte,
            "drawn_at": self.drawn_at.isoformat(),
            "since": None if self.since is None else self.since.isoformat(),
            "change": self.change,
            "low": self.low,
            "high": self.high,
            "verdict": self.verdict.value,
            "why_not": self.why_not.value,
        }


def real_changes(
    readings: Sequence[Reading], *, analyte: str, assay_cv: float | None = None
) -> tuple[RealChange, ...]:
    """Compare every result with the one scored before it in the same laboratory and kit.

    Log-normal reference change value, two-sided 95 % (Fokkema 2006): exp(±1.96 √2 σ) - 1.

    Parameters
    ----------
    readings : sequence of Reading
        Results of one analyte of one person, in any order.
    analyte : str
        Which; its variation is that of :data:`VARIATION`.
    assay_cv : float or None
        The assay's coefficient of variation for results that state none, 0.07 for 7 %; without it
        that of :data:`VARIATION`. Where a result states one, its own counts.

    Returns
    -------
    tuple of RealChange
        One per result, in order of time.

    Raises
    ------
    ReadingIsUnfit
        The analyte is none of :data:`VARIATION`.
    """
    if not isinstance(analyte, str) or analyte not in VARIATION:
        wanted = " or ".join(map(repr, VARIATION))
        raise ReadingIsUnfit(f"analyte: {analyte!r}; wanted: {wanted}")
    within, assay = VARIATION[analyte]
    usual = assay.value if assay_cv is None else assay_cv
    latest: dict[str, Reading] = {}
    found: list[RealChange] = []
    for each in sorted(readings, key=lambda one: (one.drawn_at, one.segment, one.value)):
        before = latest.get(each.segment)
        why_not = _why_not(each, before)
        if why_not or before is None:
            empty = (None, None, None, None, Verdict.NOT_COMPARABLE, why_not)
            found.append(RealChange(analyte, each.drawn_at, *empty))
        else:
            change = each.value / before.value - 1
            own = usual if each.assay_cv is None else each.assay_cv
            limits = reference_change(within_cv=within.value, assay_cv=own, z=Z95)
            is_within = limits.low <= change <= limits.high
            verdict = Verdict.WITHIN if is_within else Verdict.BEYOND
            said = (before.drawn_at, change, limits.low, limits.high, verdict, why_not)
            found.append(RealChange(analyte, each.drawn_at, *said))
        if each.is_scored and not each.comparator:
            latest[each.segment] = each
    return tuple(found)


def _why_not(reading: Reading, before: Reading | None) -> WhyNot:
    if not reading.is_scored:
        return WhyNot.NOT_SCORED
    if reading.comparator:
        return WhyNot.BOUND
    return WhyNot.NONE if before is not None else WhyNot.FIRST
