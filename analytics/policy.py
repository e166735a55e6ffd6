"""Which flags should be up: thresholds as versioned data, applied to what is known.

The biomarker alone asks for *drifting*, a *watch*; *trending to resistance* is *high* and
needs symptom evidence on an adequate trial. Thresholds come in pairs, one to raise and a
lower one to clear, so that a value that trembles about a threshold does not raise the same
flag again.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Any, NamedTuple

from analytics.changes import LEAST_ALPHA, MOST_ALPHA, MOST_LOOKS
from analytics.courses import Courses
from analytics.definitions import SYMPTOM_STATES, SymptomState
from analytics.elementwise import FEW
from analytics.looks import sequential_limit
from analytics.risk import Risk
from analytics.scalars import is_real, is_whole
from analytics.tables import Bools, Floats, is_any


class FlagKind(StrEnum):
    """What a flag is about; one may be open per patient and kind.

    Safety is raised by one answer of one rating, in the transaction that records it, and by no
    policy; overdue by the plan of visits; the correction by two assessments and what lies between.
    """

    SAFETY = "safety"
    DRIFTING = "drifting"
    TRENDING_TO_RESISTANCE = "trending_to_resistance"
    EARLY_NON_IMPROVEMENT = "early_non_improvement"
    OVERDUE = "overdue"
    CORRECTION_CHANGED_THE_PICTURE = "correction_changed_the_picture"
    NOT_ASSESSABLE = "not_assessable"


class FlagLevel(StrEnum):
    """How soon a person should look."""

    WATCH = "watch"
    HIGH = "high"


class FlagReason(StrEnum):
    """Why a flag should be up."""

    REAL_RISE = "real_rise"
    IMPLAUSIBLE_RESULT = "implausible_result_waits_for_a_check"
    PROBABILITY_OVER_THRESHOLD = "probability_over_threshold"
    NON_RESPONSE = "non_response_at_decision_point"
    RESPONSE_LOST = "response_lost_on_an_adequate_dose"
    RELAPSE = "relapse"
    NOT_CLEARED = "was_so_and_is_not_cleared"
    TRIAL_FAILED = "trial_failed"
    MEETS_TRD_RULE = "meets_trd_rule"
    NO_EARLY_IMPROVEMENT = "no_early_improvement"
    ADEQUACY_NOT_KNOWN = "adequacy_not_known"
    BIOMARKER_AGREES = "biomarker_agrees"
    IL6R_BLOCKER = "il6r_blocker"
    BIPOLAR = "bipolar"
    PSYCHOTIC_DISORDER = "psychotic_disorder"
    DRAW_OVERDUE = "draw_overdue"
    RATING_OVERDUE = "rating_overdue"
    BAND_CHANGED = "band_changed_by_a_correction"
    VALIDITY_CHANGED = "validity_changed_by_a_correction"
    STATE_CHANGED = "state_changed_by_a_correction"
    FLAG_CHANGED = "flag_changed_by_a_correction"
    LEAST_DOSE_CHANGED = "least_dose_of_the_site_changed"


class PolicyIsUnfit(ValueError):
    """A threshold that is none; says which, and what would be right."""


_SHARE = (0.0, 1.0)
_RANGES = {
    "watch_probability": _SHARE,
    "watch_clear_probability": _SHARE,
    "watch_marker_log_odds": (0.0, inf),
    "rise_alpha": (LEAST_ALPHA, MOST_ALPHA),
    "planned_looks": (1, MOST_LOOKS),
    "rise_clear_share": _SHARE,
    "rise_draws": (2, inf),
    "rise_weeks": (0.0, inf),
    "agree_log_odds": (0.0, inf),
    "watch_nominal_share": _SHARE,
    "allocation_probability": _SHARE,
}


_COUNTED = ("planned_looks", "rise_draws")


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds, as data; a change of any is a new version.

    Parameters
    ----------
    version : str
        Printed with every estimate.
    watch_probability, watch_clear_probability : float
        Raise and clear *drifting* by the probability.
    watch_marker_log_odds : float
        What the marker itself must add before the probability may raise *drifting*.
    rise_alpha : float
        False alarms of the test for a real rise over ``planned_looks`` comparisons, two-sided.
    planned_looks : int
        Comparisons with the set-point that a course of therapy brings.
    rise_clear_share : float
        Share of the limit below which a rise is cleared.
    rise_draws, rise_weeks : int, float
        Scored draws, and the weeks they must span, before a rise is spoken of.
    agree_log_odds : float
        From here on the marker is said to agree with the symptoms.
    watch_nominal_share : float
        Most patients whom a marker that means nothing may ever put on *watch* over the planned
        looks. Rises may take half of ``rise_alpha`` of it; the rest sets how far what the marker
        says must stand out among all patients (:attr:`marker_limit`).
    allocation_probability : float
        Cut-off of the three-state allocation; the interval of the prior alone spans it, so that
        without evidence nobody is allocated.

    Raises
    ------
    PolicyIsUnfit
        A threshold is no number of its kind.
    """

    version: str = "policy-7"
    watch_probability: float = 0.42
    watch_clear_probability: float = 0.38
    watch_marker_log_odds: float = 0.35
    rise_alpha: float = 0.05
    planned_looks: int = 7
    rise_clear_share: float = 0.7
    rise_draws: int = 3
    rise_weeks: float = 4.0
    agree_log_odds: float = 0.35
    watch_nominal_share: float = 0.10
    allocation_probability: float = 0.40

    def __post_init__(self) -> None:
        """Refuse what no threshold can be, and a flag that clears above where it is raised."""
        if not isinstance(self.version, str) or not self.version.strip():
            raise PolicyIsUnfit(f"version: {self.version!r}; wanted: a name")
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            is_fit = is_whole(value, least=0) if name in _COUNTED else is_real(value)
            if not (is_fit and least <= value <= most):
                raise PolicyIsUnfit(f"{name}: {value}; wanted: from {least} to {most}")
        if self.watch_clear_probability > self.watch_probability:
            raise PolicyIsUnfit(
                f"watch_clear_probability: {self.watch_clear_probability}; "
                f"wanted: at most watch_probability, {self.watch_probability}"
            )
        if not LEAST_ALPHA <= self._left_to_the_marker <= MOST_ALPHA:
            raise PolicyIsUnfit(
                f"watch_nominal_share: {self.watch_nominal_share}; wanted: above "
                f"{self.rise_alpha / 2}, half of rise_alpha, and at most {MOST_ALPHA} more"
            )

    @property
    def _left_to_the_marker(self) -> float:
        return self.watch_nominal_share - self.rise_alpha / 2

    @property
    def marker_limit(self) -> float:
        """Give how many standard deviations among all patients the marker must stand out."""
        return sequential_limit(looks=self.planned_looks, alpha=self._left_to_the_marker)


CURRENT_POLICY = Policy()
_RELAPSE = SYMPTOM_STATES.index(SymptomState.RELAPSE)


class Signs(NamedTuple):
    """What the policy looks at, one entry per patient.

    ``rise`` is the ln change of sIL-6R against the set-point, ``rise_limit`` its widened
    limit; both NaN while there are too few draws. ``is_held``: the latest result is so far
    from the earlier ones that it waits for a check. ``marker_z``: how far what the marker says
    stands out among all patients (:func:`analytics.looks.among_all`).
    """

    is_assessed: Bools
    is_blocked: Bools
    is_held: Bools
    rise: Floats
    rise_limit: Floats
    marker_z: Floats


@dataclass(frozen=True, slots=True)
class WantedFlag:
    """A flag that should be up.

    Parameters
    ----------
    kind : FlagKind
        What it is about.
    level : FlagLevel
        How soon a person should look.
    reasons : tuple of FlagReason
        Why.
    is_raise : bool
        True: raise it. False: keep it up if it is up, do not raise it.
    """

    kind: FlagKind
    level: FlagLevel
    reasons: tuple[FlagReason, ...]
    is_raise: bool

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "WantedFlag":
        """Read it back from plain JSON values."""
        return cls(
            kind=FlagKind(content["kind"]),
            level=FlagLevel(content["level"]),
            reasons=tuple(map(FlagReason, content["reasons"])),
            is_raise=bool(content["is_raise"]),
        )


def wanted_flags(
    signs: Signs, risk: Risk, courses: Courses, policy: Policy
) -> dict[int, tuple[WantedFlag, ...]]:
    """Say which flags should be up.

    Parameters
    ----------
    signs : Signs
        Real rise, and who can be assessed.
    risk : Risk
        Probabilities.
    courses : Courses
        Symptom evidence.
    policy : Policy
        Thresholds.

    Returns
    -------
    dict
        By position of the patient; who is not in it wants no flag.
    """
    if len(signs.is_assessed) <= FEW and not _may_want_any(signs, risk, courses, policy):
        return {}
    wanted: dict[int, list[WantedFlag]] = {}
    for flags in (
        _drifting(signs, risk, courses, policy),
        _trending(signs, risk, courses, policy),
        _early(signs, risk, courses, policy),
        _not_assessable(signs, courses),
    ):
        for place, flag in flags:
            wanted.setdefault(place, []).append(flag)
    return {place: tuple(flags) for place, flags in wanted.items()}


def _may_want_any(signs: Signs, risk: Risk, courses: Courses, policy: Policy) -> bool:
    """Tell whether anybody has what a flag begins with; as floats, for a few."""
    marks = (
        *(signs.is_held, signs.is_blocked, courses.is_bipolar, courses.is_psychotic),
        *(courses.is_early_kept, courses.meets_rule, courses.is_failed_kept),
        *(courses.is_non_response_kept, courses.is_response_lost_kept),
        courses.symptoms.has_relapsed,
    )
    if any(True in mark.tolist() for mark in marks):
        return True
    if any(added >= policy.watch_marker_log_odds for added in risk.marker.tolist()):
        return True
    rises = zip(signs.rise.tolist(), signs.rise_limit.tolist(), strict=True)
    return any(rise > policy.rise_clear_share * limit for rise, limit in rises)


_Placed = list[tuple[int, WantedFlag]]


def _drifting(signs: Signs, risk: Risk, courses: Courses, policy: Policy) -> _Placed:
    """Ask for a look at what the marker says, and at a result too far off to be scored unchecked.

    A result is held before anything can be assessed too: a first one may be the one that is wrong.
    Where symptoms ask for somebody at once, the probability keeps the flag up and raises none.
    It raises one only where the marker stands out: a threshold alone would put on watch whomever
    the clinic's own share of the resistant has carried over it already.
    """
    kept = (signs.rise > policy.rise_clear_share * signs.rise_limit) & signs.is_assessed
    speaks = (risk.marker >= policy.watch_marker_log_odds) & signs.is_assessed & ~courses.is_well
    likely = speaks & (risk.probability >= policy.watch_clear_probability)
    found: _Placed = []
    places = (kept | signs.is_held | likely).nonzero()[0].tolist()
    if not places:
        return found
    raised = kept & (signs.rise > signs.rise_limit) | signs.is_held
    stands_out = signs.marker_z > policy.marker_limit
    over = likely & (risk.probability >= policy.watch_probability) & stands_out
    raised |= over & ~_is_high(courses)
    for place in places:
        reasons: list[FlagReason] = []
        if kept[place]:
            reasons.append(FlagReason.REAL_RISE)
        if signs.is_held[place]:
            reasons.append(FlagReason.IMPLAUSIBLE_RESULT)
        if likely[place]:
            reasons.append(FlagReason.PROBABILITY_OVER_THRESHOLD)
        is_raise = bool(raised[place])
        flag = WantedFlag(FlagKind.DRIFTING, FlagLevel.WATCH, tuple(reasons), is_raise)
        found.append((place, flag))
    return found


def _is_high(courses: Courses) -> Bools:
    """Tell for whom symptoms on an adequate trial speak of resistance, and who is not well since.

    A trial that has ended is judged no more: what became of the patient is what lowers its flag.
    """
    kept = courses.is_failed_kept | courses.is_non_response_kept | courses.is_response_lost_kept
    kept |= courses.symptoms.has_relapsed
    high: Bools = (kept | courses.meets_rule) & ~courses.is_steadily_well
    return high


def _trending(signs: Signs, risk: Risk, courses: Courses, policy: Policy) -> _Placed:
    """Raise *high* by symptoms on an adequate trial, with or without the marker."""
    high = _is_high(courses)
    found: _Placed = []
    places = high.nonzero()[0].tolist()
    if not places:
        return found
    relapse = courses.symptoms.state == _RELAPSE
    raised = (courses.meets_rule | courses.is_raised | relapse) & ~courses.is_well
    agrees = signs.is_assessed & (risk.marker >= policy.agree_log_odds)
    now = (
        (FlagReason.MEETS_TRD_RULE, courses.meets_rule),
        (FlagReason.TRIAL_FAILED, courses.is_failed),
        (FlagReason.NON_RESPONSE, courses.is_non_response),
        (FlagReason.RESPONSE_LOST, courses.is_response_lost),
        (FlagReason.RELAPSE, relapse & ~courses.is_response_lost),
    )
    for place in places:
        reasons = [reason for reason, is_so in now if is_so[place]] or [FlagReason.NOT_CLEARED]
        if agrees[place]:
            reasons.append(FlagReason.BIOMARKER_AGREES)
        kind, is_raise = FlagKind.TRENDING_TO_RESISTANCE, bool(raised[place])
        found.append((place, WantedFlag(kind, FlagLevel.HIGH, tuple(reasons), is_raise)))
    return found


def _early(signs: Signs, risk: Risk, courses: Courses, policy: Policy) -> _Placed:
    """Raise *high* on an adequate dose, *watch* where adequacy is not known."""
    found: _Placed = []
    if not is_any(courses.is_early_kept):
        return found
    agrees = signs.is_assessed & (risk.marker >= policy.agree_log_odds)
    for place in courses.is_early_kept.nonzero()[0].tolist():
        reasons = [FlagReason.NO_EARLY_IMPROVEMENT]
        adequate = bool(courses.is_dose_adequate[place])
        if not adequate:
            reasons.append(FlagReason.ADEQUACY_NOT_KNOWN)
        if agrees[place]:
            reasons.append(FlagReason.BIOMARKER_AGREES)
        level = FlagLevel.HIGH if adequate else FlagLevel.WATCH
        is_raise = bool(courses.is_early_now[place] and not courses.is_well[place])
        flag = WantedFlag(FlagKind.EARLY_NON_IMPROVEMENT, level, tuple(reasons), is_raise)
        found.append((place, flag))
    return found


def _not_assessable(signs: Signs, courses: Courses) -> _Placed:
    """Say who cannot be assessed at all, and why."""
    found: _Placed = []
    bipolar = courses.is_bipolar & (courses.trial_number > 0)
    psychotic = courses.is_psychotic & (courses.trial_number > 0)
    for place in (signs.is_blocked | bipolar | psychotic).nonzero()[0].tolist():
        reasons: list[FlagReason] = []
        if signs.is_blocked[place]:
            reasons.append(FlagReason.IL6R_BLOCKER)
        if bipolar[place]:
            reasons.append(FlagReason.BIPOLAR)
        if psychotic[place]:
            reasons.append(FlagReason.PSYCHOTIC_DISORDER)
        flag = WantedFlag(FlagKind.NOT_ASSESSABLE, FlagLevel.WATCH, tuple(reasons), is_raise=True)
        found.append((place, flag))
    return found
