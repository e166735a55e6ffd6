"""Whether a trial counts as a failed treatment, and if not why: a code, and a sentence."""

from enum import StrEnum

from analytics.course_findings import Course, TrialVerdict
from analytics.definitions import Adequacy, Failure, Rules


class NotCounted(StrEnum):
    """Why a trial is no failed treatment of its own."""

    TOGETHER = "taken_together"
    SAME_DRUG = "same_drug"
    BY_OVERRIDE = "judged_by_a_clinician"
    NOT_TOLERATED = "not_tolerated"
    STOPPED_EARLY = "stopped_early"
    NOT_TAKEN = "not_taken"
    UNDER_DOSE = "under_dose"
    UNKNOWN_DOSE = "unknown_dose"
    NOT_YET = "not_yet"
    NOT_RATED = "not_rated"
    IMPROVED = "improved"
    HAD_WORKED = "had_worked"
    BEGAN_MILD = "began_mild"
    NOT_RECORDED = "not_recorded"


def why_not_counted(trial: TrialVerdict, rules: Rules) -> NotCounted | None:
    """Say why a trial does not count as a failed treatment.

    Parameters
    ----------
    trial : TrialVerdict
        As assessed, or as read back from a record.
    rules : Rules
        Those by which it was assessed.

    Returns
    -------
    NotCounted or None
        None where it counts.
    """
    if trial.is_failed:
        if trial.is_counted:
            return None
        return NotCounted.SAME_DRUG if trial.is_same_drug else NotCounted.TOGETHER
    if trial.trial_id is None:
        return NotCounted.NOT_RECORDED
    if trial.adequacy is Adequacy.ADEQUATE:
        return _by_ratings(trial, rules)
    if trial.is_overridden:
        return NotCounted.BY_OVERRIDE
    match trial.adequacy:
        case Adequacy.INDETERMINATE:
            is_early = trial.stop_reason.lower() not in rules.intolerance_reasons
            return NotCounted.STOPPED_EARLY if is_early else NotCounted.NOT_TOLERATED
        case Adequacy.INADEQUATE:
            return NotCounted.NOT_TAKEN if trial.was_not_taken else NotCounted.UNDER_DOSE
        case Adequacy.UNKNOWN:
            return NotCounted.UNKNOWN_DOSE
        case _:
            return NotCounted.NOT_YET


def _by_ratings(trial: TrialVerdict, rules: Rules) -> NotCounted:
    gained = trial.improvement
    if trial.had_worked and gained is not None and gained < rules.failure_improvement:
        return NotCounted.HAD_WORKED
    if trial.began_mild and gained is not None and gained < rules.failure_improvement:
        return NotCounted.BEGAN_MILD
    if gained is None:
        return NotCounted.NOT_RATED
    # By the variant too: what was remission by the last rating that judges is no failure
    is_little = gained < rules.failure_improvement
    return NotCounted.NOT_RATED if is_little else NotCounted.IMPROVED


def counting_words(trial: TrialVerdict, course: Course, rules: Rules) -> str:
    """Say whether a trial counts as a failed treatment, and if not why.

    Parameters
    ----------
    trial : TrialVerdict
        One of the course.
    course : Course
        The course.
    rules : Rules
        Those by which it was assessed.

    Returns
    -------
    str
    """
    why = why_not_counted(trial, rules)
    if why is None:
        return "counted as a failed treatment"
    not_yet = " yet" if trial.stopped_at is None and why in _MAY_STILL else ""
    return f"not counted{not_yet}: {_because(why, trial, course, rules)}"


_MAY_STILL = {NotCounted.NOT_YET, NotCounted.NOT_RATED}


_SENTENCES = {
    NotCounted.TOGETHER: "taken together with {other}, whose failure counts",
    NotCounted.SAME_DRUG: "the same drug as in {other}, whose failure counts",
    NotCounted.BY_OVERRIDE: "a clinician judged it {adequacy}",
    NotCounted.NOT_TOLERATED: "stopped because it was not tolerated, which is no failure",
    NotCounted.STOPPED_EARLY: "stopped before {least} weeks, which is no failure",
    NotCounted.NOT_TAKEN: "not taken as prescribed",
    NotCounted.UNDER_DOSE: "{weeks} weeks in a row at {dose} or more, and not {full}",
    NotCounted.UNKNOWN_DOSE: "{unknown}",
    NotCounted.NOT_YET: "{weeks} of {full} weeks at {dose} or more",
    NotCounted.NOT_RATED: "no rating judges it, from its last week at an adequate dose on",
    NotCounted.IMPROVED: "{improved}",
    NotCounted.HAD_WORKED: "it had worked, or there was no more to gain; a relapse is no failure",
    NotCounted.BEGAN_MILD: "it began at {baseline}, under what the scale calls an episode",
    NotCounted.NOT_RECORDED: "no trial is on record",
}


def _because(why: NotCounted, trial: TrialVerdict, course: Course, rules: Rules) -> str:
    has_least = trial.least_mg is not None
    no_least = "no least dose is known for this drug; a site can set one"
    return _SENTENCES[why].format(
        other=_name(trial.counted_with, course),
        adequacy=trial.adequacy.value,
        least=f"{rules.least_weeks:g}",
        full=f"{rules.adequate_weeks:g}",
        weeks=f"{trial.weeks_at_dose:.1f}".removesuffix(".0"),
        dose=f"{trial.least_mg:g} mg a day" if has_least else "the least dose",
        unknown="no dose is on record" if has_least else no_least,
        improved=_improved(trial, rules),
        baseline="" if trial.baseline_total is None else f"{trial.baseline_total:g}",
    )


def _improved(trial: TrialVerdict, rules: Rules) -> str:
    gained = f"{(trial.improvement or 0) * 100:.0f} %"
    if rules.failure is Failure.NON_REMISSION:
        return f"{gained} gained, no failure by these rules"
    return f"{gained} gained, which is not under {rules.failure_improvement * 100:g} %"


def _name(number: int | None, course: Course) -> str:
    found = next((each for each in course.trials if each.number == number), None)
    if found is None:
        return "another trial"
    return f"{found.drug or found.atc} (trial {found.number})"
