"""Why a flag is up: every code of a reason as a sentence, in the words of the rules it rests on."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics import Estimate, EvidenceKind, FlagReason
from analytics.definitions import NON_REMISSION
from monitoring.models import FlagKind
from monitoring.portal import words

SELF_HARM = "self_harm_item_above_zero"

_FLAG_REASONS: dict[str, Promise] = {
    FlagReason.REAL_RISE: gettext_lazy(
        "sIL-6R has risen above the patient’s own set-point by more than biology and assay explain."
    ),
    FlagReason.IMPLAUSIBLE_RESULT: gettext_lazy(
        "A result is implausible beside the others and is not scored until somebody has checked it."
    ),
    FlagReason.PROBABILITY_OVER_THRESHOLD: gettext_lazy(
        "With the marker, the probability of meeting the TRD rule is over the watch threshold."
    ),
    FlagReason.NON_RESPONSE: gettext_lazy(
        "Symptoms have improved by less than 25 % at a decision point (week 4 or later) "
        "on an adequate dose."
    ),
    FlagReason.RESPONSE_LOST: gettext_lazy(
        "Less than 25 % is gained any more on an adequate dose, where there had been response or "
        "remission: a relapse, and no failed trial."
    ),
    FlagReason.RELAPSE: gettext_lazy(
        "Symptoms have come back after remission: a relapse by the limit of the scale."
    ),
    FlagReason.NOT_CLEARED: gettext_lazy(
        "What raised it is no longer so, and too little is gained yet to take it down."
    ),
    FlagReason.TRIAL_FAILED: gettext_lazy(
        "A trial that runs, or else the latest, was adequate in dose and duration, and symptoms "
        "improved by less than 25 %."
    ),
    FlagReason.MEETS_TRD_RULE: gettext_lazy(
        "Two adequate trials in this episode have failed: the course meets the TRD rule."
    ),
    FlagReason.NO_EARLY_IMPROVEMENT: gettext_lazy(
        "Symptoms have improved by less than 20 % in the first weeks of the trial."
    ),
    FlagReason.ADEQUACY_NOT_KNOWN: gettext_lazy(
        "It is not known whether the dose is adequate: please record or check it."
    ),
    FlagReason.BIOMARKER_AGREES: gettext_lazy("The course of sIL-6R points the same way."),
    FlagReason.IL6R_BLOCKER: gettext_lazy(
        "An IL-6 receptor blocker is running or washing out, so sIL-6R cannot be read."
    ),
    FlagReason.BIPOLAR: gettext_lazy(
        "Bipolar disorder is on record, so the rule for treatment resistance does not apply."
    ),
    FlagReason.PSYCHOTIC_DISORDER: gettext_lazy(
        "The diagnosis is F20 to F29, so the rule for treatment resistance does not apply."
    ),
    FlagReason.DRAW_OVERDUE: gettext_lazy("A draw that the plan expects is overdue."),
    FlagReason.RATING_OVERDUE: gettext_lazy(
        "A rating on the patient’s scale that the plan expects is overdue."
    ),
    FlagReason.BAND_CHANGED: gettext_lazy(
        "A correction of the record has moved the probability to the other side of the threshold."
    ),
    FlagReason.VALIDITY_CHANGED: gettext_lazy(
        "A correction of the record has changed which draws may be scored."
    ),
    FlagReason.STATE_CHANGED: gettext_lazy(
        "A correction of the record has changed the clinical state."
    ),
    FlagReason.FLAG_CHANGED: gettext_lazy(
        "A correction of the record has raised or lowered another flag."
    ),
    FlagReason.LEAST_DOSE_CHANGED: gettext_lazy(
        "The site has changed the least adequate dose of a drug, and so what a trial was worth."
    ),
    SELF_HARM: gettext_lazy("The item on thoughts of death or suicide was answered above zero."),
}

# By the variant it is remission that counts, and no share of the baseline
_BY_NON_REMISSION: dict[str, Promise] = {
    FlagReason.NON_RESPONSE: gettext_lazy(
        "There is no remission at a decision point (week 4 or later) on an adequate dose."
    ),
    FlagReason.RESPONSE_LOST: gettext_lazy(
        "There is no remission any more on an adequate dose, where there had been one: a relapse, "
        "and no failed trial."
    ),
    FlagReason.NOT_CLEARED: gettext_lazy(
        "What raised it is no longer so, and there is no response or remission that lasts yet to "
        "take it down."
    ),
    FlagReason.TRIAL_FAILED: gettext_lazy(
        "A trial that runs, or else the latest, was adequate in dose and duration, and remission "
        "was not reached."
    ),
    FlagReason.MEETS_TRD_RULE: gettext_lazy(
        "Two adequate trials in this episode have ended without remission: the course meets the "
        "TRD rule."
    ),
}


def flag_reason(code: str, *, kind: str, estimate: Estimate | None, rules: str = "") -> str:
    """Say why a flag is up, with the numbers of the estimate where there is one.

    `rules` is the version of those by which it was raised, where no estimate says it.
    """
    if kind == FlagKind.NOT_ASSESSABLE and code not in _FLAG_REASONS:
        return _("The record could not be computed (%(fault)s); the operators’ log says more.") % {
            "fault": code
        }
    if code not in _FLAG_REASONS:
        raise words.UnknownCode(code)
    version = rules if estimate is None else estimate.rules_version
    by_rules = _BY_NON_REMISSION if version.startswith(NON_REMISSION) else {}
    return _with_numbers(code, estimate) or str(by_rules.get(code, _FLAG_REASONS[code]))


def _with_numbers(code: str, estimate: Estimate | None) -> str | None:
    if estimate is None:
        return None
    if code == FlagReason.REAL_RISE:
        line = words.trajectory_of(estimate, words.SIL6R)
        if line and line.change_since_set_point and line.reference_change_high is not None:
            return _(
                "sIL-6R is %(change)s on the patient’s own set-point, more than biology and "
                "assay explain (up to %(limit)s)."
            ) % {
                "change": words.percent(line.change_since_set_point),
                "limit": words.percent(line.reference_change_high),
            }
    if code == FlagReason.PROBABILITY_OVER_THRESHOLD and estimate.probability is not None:
        return _(
            "With the marker, the probability of meeting the TRD rule is %(risk)s: over the "
            "watch threshold."
        ) % {"risk": words.of_100(estimate.probability)}
    if code == FlagReason.ADEQUACY_NOT_KNOWN:
        return _dose_too_low(estimate)
    if code == FlagReason.NO_EARLY_IMPROVEMENT:
        for part in estimate.contributions:
            if part.evidence is EvidenceKind.SYMPTOMS and not part.facts["is_improved"]:
                return _(
                    "%(scale)s went from %(before)d to %(after)d in the first weeks: improvement "
                    "of less than 20 %%."
                ) % {
                    "scale": part.facts["instrument"],
                    "before": part.facts["baseline_total"],
                    "after": part.facts["total"],
                }
    return None


def _dose_too_low(estimate: Estimate) -> str | None:
    """Say it of a running trial whose dose is known; None where it is not known."""
    trials = () if estimate.course is None else estimate.course.trials
    for each in reversed(trials):
        if each.stopped_at is None and each.doses and each.least_mg is not None:
            dose = max(each.doses, key=lambda step: step.started_at).dose_mg
            if dose < each.least_mg:
                return _(
                    "The dose on record (%(drug)s %(dose)g mg a day) is below the least that "
                    "counts as adequate (%(least)g mg): please check it."
                ) % {"drug": each.drug or each.atc, "dose": dose, "least": each.least_mg}
    return None
