"""What to go through when a flag is up: checks, never a treatment."""

from enum import StrEnum

from analytics.policy import FlagKind


class Check(StrEnum):
    """One thing to look at; the words for it are the site's."""

    ADHERENCE = "adherence"
    DOSE = "dose"
    DURATION = "duration"
    DIAGNOSIS = "diagnosis_incl_bipolar"
    COMORBIDITY = "comorbidity"
    SUBSTANCES = "substances"
    CONFOUNDERS = "confounders"
    SPECIMEN = "specimen"
    REPEAT_DRAW = "repeat_draw"
    RATING = "rating"
    CONTACT = "contact"
    CORRECTION = "correction"
    EARLIER_DECISIONS = "earlier_decisions"
    SAFETY_ASSESSMENT = "safety_assessment"
    SAFETY_PLAN = "safety_plan"
    RESPONSIBLE = "responsible"
    WASHOUT = "washout"


# In the order in which a flag on the course of therapy is gone through (implication 19)
REVIEW = (
    Check.ADHERENCE,
    Check.DOSE,
    Check.DURATION,
    Check.DIAGNOSIS,
    Check.COMORBIDITY,
    Check.SUBSTANCES,
    Check.CONFOUNDERS,
)
CHECKLISTS: dict[FlagKind, tuple[Check, ...]] = {
    FlagKind.SAFETY: (
        Check.SAFETY_ASSESSMENT,
        Check.SAFETY_PLAN,
        Check.RESPONSIBLE,
        *REVIEW,
    ),
    FlagKind.DRIFTING: (Check.SPECIMEN, Check.REPEAT_DRAW, Check.RATING, *REVIEW),
    FlagKind.TRENDING_TO_RESISTANCE: REVIEW,
    FlagKind.EARLY_NON_IMPROVEMENT: REVIEW,
    FlagKind.OVERDUE: (Check.CONTACT, Check.RATING, *REVIEW),
    FlagKind.CORRECTION_CHANGED_THE_PICTURE: (
        Check.CORRECTION,
        Check.EARLIER_DECISIONS,
        *REVIEW,
    ),
    FlagKind.NOT_ASSESSABLE: (Check.WASHOUT, Check.RATING, *REVIEW),
}
