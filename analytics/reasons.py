"""Why a result may not be scored: coded reasons, and the state of a draw that follows from them."""

from enum import StrEnum

import numpy as np


class Reason(StrEnum):
    """Why a result was left out, the gravest first."""

    KEPT_OUT = "kept_out_by_a_person"
    IL6R_BLOCKER = "il6r_blocker"
    WRONG_MATRIX = "wrong_matrix"
    GROSS_HAEMOLYSIS = "gross_haemolysis"
    UNKNOWN_KIT = "unknown_kit"
    ZERO = "zero"
    DUPLICATE = "duplicate"
    BEFORE_EPISODE = "before_episode"
    INFECTION = "infection"
    VACCINATION = "vaccination"
    SURGERY = "surgery"
    STEROID = "steroid"
    BIOLOGIC = "biologic"
    ECT = "ect"
    PREGNANCY = "pregnancy"
    EXERCISE = "exercise"
    ACUTE_PHASE = "crp_over_10_on_the_day"
    ACUTE_PHASE_NEAR = "crp_over_10_within_3_days"
    HAEMOLYSIS = "haemolysis"
    UNSUITABLE = "unsuitable_sample"
    THAWED = "three_thaws_or_more"
    NEW_LOT = "new_lot"
    OTHER_HOUR = "over_3_h_off_the_personal_hour"
    PRELIMINARY = "preliminary"
    EARLIER_SEGMENT = "earlier_segment"
    IMPLAUSIBLE = "implausible"


REASONS = tuple(Reason)
BIT = {reason: np.int64(1 << place) for place, reason in enumerate(REASONS)}


def mask_of(reasons: tuple[Reason, ...]) -> int:
    """Make one bit mask of reasons."""
    return sum(1 << REASONS.index(reason) for reason in reasons)


# Neither of the two: the draw is a good one, and has no part in the present comparison
SET_ASIDE = (Reason.BEFORE_EPISODE, Reason.PRELIMINARY, Reason.EARLIER_SEGMENT)
MEANINGLESS = mask_of(
    (
        Reason.KEPT_OUT,
        Reason.IL6R_BLOCKER,
        Reason.WRONG_MATRIX,
        Reason.GROSS_HAEMOLYSIS,
        Reason.UNKNOWN_KIT,
        Reason.ZERO,
        Reason.DUPLICATE,
    )
)
EXCLUDING = MEANINGLESS | mask_of((Reason.IMPLAUSIBLE,))
CAUTIONING = mask_of(REASONS) & ~EXCLUDING & ~mask_of(SET_ASIDE)
# By code: what a person may have a draw scored in spite of
CAUTIONS = {each.value: int(BIT[each]) for each in REASONS if BIT[each] & CAUTIONING}


class Validity(StrEnum):
    """Whether a draw may be scored: yes; plotted and not scored; not at all."""

    VALID = "valid"
    CAUTION = "caution"
    EXCLUDED = "excluded"


def validity_of(mask: int) -> Validity:
    """Give the state of a result.

    A caution may be overridden by a person with a reason, an exclusion may not; a result that
    waits for a check (implausible) is excluded until somebody has confirmed or rejected it.

    Parameters
    ----------
    mask : int
        One entry of :attr:`Readings.reasons`.

    Returns
    -------
    Validity
    """
    if mask & EXCLUDING:
        return Validity.EXCLUDED
    return Validity.CAUTION if mask & CAUTIONING else Validity.VALID


def reason_codes(mask: int) -> tuple[Reason, ...]:
    """Spell a bit mask of reasons out, the gravest first.

    Parameters
    ----------
    mask : int
        One entry of :attr:`Readings.reasons`.

    Returns
    -------
    tuple of Reason
    """
    return tuple(reason for place, reason in enumerate(REASONS) if mask >> place & 1)
