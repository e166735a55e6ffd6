"""The words for what would change an estimate, and for the checks that go with a flag.

Pages, the API and printed reports share them. They ask to look at something and name no treatment.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from analytics import FlagKind
from analytics.checklists import CHECKLISTS, Check
from analytics.explanation import Change, Lever

CHECKS: dict[Check, Promise] = {
    Check.ADHERENCE: gettext_lazy("Adherence: has the drug been taken as agreed?"),
    Check.DOSE: gettext_lazy("Dose: has it been at or above the least adequate dose?"),
    Check.DURATION: gettext_lazy("Duration: how many weeks at that dose, without a break?"),
    Check.DIAGNOSIS: gettext_lazy(
        "Diagnosis: is it still right? Ask for past elation or overactivity (bipolar disorder)."
    ),
    Check.COMORBIDITY: gettext_lazy("Other illness, of mind or body, that explains the course?"),
    Check.SUBSTANCES: gettext_lazy("Alcohol, drugs, and other medicines that lower mood?"),
    Check.CONFOUNDERS: gettext_lazy(
        "What disturbs a reading: infection, vaccination, steroid, biologic, ECT, pregnancy?"
    ),
    Check.SPECIMEN: gettext_lazy("The specimen: haemolysis, thaws, lot, kit, hour of the draw?"),
    Check.REPEAT_DRAW: gettext_lazy("Would another draw at the usual hour settle it?"),
    Check.RATING: gettext_lazy("Is there a rating of the same days to set beside it?"),
    Check.CONTACT: gettext_lazy("Reach the patient: is something the matter?"),
    Check.CORRECTION: gettext_lazy("Read what was corrected, by whom, and why."),
    Check.EARLIER_DECISIONS: gettext_lazy(
        "Was anything decided on the earlier picture? Look at it again."
    ),
    Check.SAFETY_ASSESSMENT: gettext_lazy(
        "Speak with the patient now, and assess the risk in a structured way."
    ),
    Check.SAFETY_PLAN: gettext_lazy("Is there a safety plan, and does the patient have it?"),
    Check.RESPONSIBLE: gettext_lazy("Who is responsible until the next contact?"),
    Check.WASHOUT: gettext_lazy("Until when does what disturbs the reading last?"),
}

_LEVERS: dict[Lever, Promise] = {
    Lever.WITHOUT_BIOMARKER: gettext_lazy(
        "Without the marker the probability would be %(probability_percent)d of 100."
    ),
    Lever.RATING_FOR_EARLY_IMPROVEMENT: gettext_lazy(
        "%(instrument)s of %(at_most)d or less in the first weeks would be an early improvement."
    ),
    Lever.RATING_FOR_NO_FAILURE: gettext_lazy(
        "%(instrument)s of %(at_most)d or less would no longer count as a failure of this trial."
    ),
    Lever.RATING_FOR_REMISSION: gettext_lazy(
        "%(instrument)s of %(at_most)d or less would be remission."
    ),
    Lever.ONE_MORE_FAILED_TRIAL: gettext_lazy(
        "One more adequate trial without improvement would meet TRD rule %(rules)s."
    ),
    Lever.FIRST_RATING: gettext_lazy(
        "A rating from day %(from_day)d to day %(to_day)d of the first trial would be counted."
    ),
    Lever.RECORD_DOSE: gettext_lazy(
        "Trial %(trial)d (%(drug)s): with its dose on record, its adequacy would be known."
    ),
    Lever.OVERRIDE_CAUTION: gettext_lazy(
        "%(results)d results are plotted and not scored; a person may have them scored, "
        "with a reason."
    ),
    Lever.CONFIRM_RESULT: gettext_lazy(
        "%(results)d results wait for somebody to check them, and are not scored until then."
    ),
    Lever.MORE_DRAWS: gettext_lazy(
        "A trend needs %(needed)d usable draws over four weeks; there are %(scored)d."
    ),
}


def would_change(change: Change) -> str:
    """Say one thing that would change an estimate."""
    facts = dict(change.facts)
    if change.lever is Lever.WITHOUT_BIOMARKER:
        facts["probability_percent"] = round(100 * float(facts["probability"] or 0))
    return str(_LEVERS[change.lever]) % facts


def checklist(kind: str) -> list[str]:
    """List what to go through for a flag of this kind."""
    return [str(CHECKS[check]) for check in CHECKLISTS[FlagKind(kind)]]
