"""From the codes and numbers of the core to sentences; every code has one, or this refuses."""

from dataclasses import dataclass
from datetime import datetime
from math import exp

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics import (
    Allocation,
    ClinicalState,
    Contribution,
    Estimate,
    EvidenceKind,
    FlagReason,
    Outcome,
    Trajectory,
)
from monitoring.charts import clinical_date
from monitoring.models import FlagKind

DRAWS_FOR_A_TREND = 3  # fewer usable draws are none (analytics/policy.py, rise_draws)
SIL6R = "sIL-6R"


class UnknownCode(Exception):
    """The core speaks of something for which the pages have no sentence."""


STATES: dict[ClinicalState, Promise] = {
    ClinicalState.NO_EPISODE: gettext_lazy("no first dose on record"),
    ClinicalState.NO_TRIAL: gettext_lazy("no trial running"),
    ClinicalState.NO_TRIAL_RECORDED: gettext_lazy("no trial recorded"),
    ClinicalState.ON_TRIAL_1: gettext_lazy("on trial 1"),
    ClinicalState.ON_TRIAL_2: gettext_lazy("on trial 2"),
    ClinicalState.ON_TRIAL_3: gettext_lazy("on trial 3"),
    ClinicalState.ON_TRIAL_4: gettext_lazy("on trial 4"),
    ClinicalState.ON_LATER_TRIAL: gettext_lazy("on trial 5 or later"),
    ClinicalState.EARLY_NON_IMPROVEMENT: gettext_lazy("early non-improvement"),
    ClinicalState.TRIAL_1_INADEQUATE: gettext_lazy("trial 1 inadequate"),
    ClinicalState.TRIAL_2_INADEQUATE: gettext_lazy("trial 2 inadequate"),
    ClinicalState.TRIAL_3_INADEQUATE: gettext_lazy("trial 3 inadequate"),
    ClinicalState.TRIAL_4_INADEQUATE: gettext_lazy("trial 4 inadequate"),
    ClinicalState.LATER_TRIAL_INADEQUATE: gettext_lazy("trial 5 or later inadequate"),
    ClinicalState.TRIAL_1_FAILED: gettext_lazy("trial 1 failed (adequate)"),
    ClinicalState.TRIAL_2_FAILED: gettext_lazy("trial 2 failed (adequate)"),
    ClinicalState.TRIAL_3_FAILED: gettext_lazy("trial 3 failed (adequate)"),
    ClinicalState.TRIAL_4_FAILED: gettext_lazy("trial 4 failed (adequate)"),
    ClinicalState.LATER_TRIAL_FAILED: gettext_lazy("trial 5 or later failed (adequate)"),
    ClinicalState.MEETS_TRD_RULE: gettext_lazy("meets TRD rule"),
    ClinicalState.RESPONSE: gettext_lazy("response"),
    ClinicalState.REMISSION: gettext_lazy("remission"),
    ClinicalState.RECOVERY: gettext_lazy("recovery"),
    ClinicalState.RELAPSE: gettext_lazy("relapse"),
}

# For the narrow lane of the chart; the flag's card says it in full
SHORT_FLAGS: dict[str, Promise] = {
    FlagKind.SAFETY: gettext_lazy("Safety"),
    FlagKind.TRENDING: gettext_lazy("Non-response"),
    FlagKind.EARLY_NON_IMPROVEMENT: gettext_lazy("Early"),
    FlagKind.DRIFTING: gettext_lazy("Marker"),
    FlagKind.OVERDUE: gettext_lazy("Overdue"),
    FlagKind.CORRECTED: gettext_lazy("Corrected"),
    FlagKind.NOT_ASSESSABLE: gettext_lazy("Not assessable"),
}

_ALLOCATIONS: dict[Allocation, Promise] = {
    Allocation.HIGH: gettext_lazy("the whole interval lies above 50 of 100"),
    Allocation.LOW: gettext_lazy("the whole interval lies below 50 of 100"),
    Allocation.UNDECIDED: gettext_lazy("undecided: the interval spans 50 of 100"),
}


def state(code: str) -> str:
    """Say where a patient stands in therapy; a rule that is met is named by its version."""
    try:
        known = ClinicalState(code)
    except ValueError:
        raise UnknownCode(code) from None
    version = code.removeprefix(known.value)
    return f"{STATES[known]}{version}"


_SEVERITIES: dict[str, Promise] = {
    "none": gettext_lazy("none"),
    "minimal": gettext_lazy("minimal"),
    "mild": gettext_lazy("mild"),
    "moderate": gettext_lazy("moderate"),
    "moderately severe": gettext_lazy("moderately severe"),
    "severe": gettext_lazy("severe"),
    "very severe": gettext_lazy("very severe"),
}


def severity(name: str) -> str:
    """Name a band of a scale; one that a site has declared itself keeps its own name."""
    return str(_SEVERITIES.get(name, name))


def allocation(code: Allocation) -> str:
    """Say where the interval lies against the cut-off."""
    return str(_ALLOCATIONS[code])


def trajectory_of(estimate: Estimate | None, analyte: str) -> Trajectory | None:
    """Find the line of one analyte."""
    lines = () if estimate is None else estimate.trajectories
    return next((line for line in lines if line.analyte == analyte), None)


def percent(change: float) -> str:
    """Write a relative change with its sign: +22 %, −5 %."""
    return f"{change * 100:+z.0f} %".replace("-", "−").replace("+0 %", "0 %")


def of_100(probability: float) -> str:
    """Write a probability as people out of a hundred, never as a certainty."""
    count = round(probability * 100)
    if count < 1:
        return _("fewer than 1 of 100")
    if count > 99:
        return _("more than 99 of 100")
    return _("about %(count)d of 100") % {"count": count}


def interval(low: float, high: float) -> str:
    """Write an interval in people out of a hundred: 25–58."""
    return f"{round(low * 100)}–{round(high * 100)}"


def no_number(estimate: Estimate | None, *, fault: str = "") -> str:
    """Say why no number is shown; without an estimate the record itself could not be computed."""
    if estimate is None:
        said = {"fault": fault or _("no reason given")}
        return _("not assessable: the record could not be computed (%(fault)s)") % said
    wanted = [flag for flag in estimate.wanted_flags if flag.kind.value == FlagKind.NOT_ASSESSABLE]
    against = {reason for flag in wanted for reason in flag.reasons}
    if FlagReason.BIPOLAR in against:
        return _("not assessable: bipolar disorder is on record, so the TRD rule does not apply")
    if FlagReason.PSYCHOTIC_DISORDER in against:
        return _("not assessable: the diagnosis is F20 to F29, so the TRD rule does not apply")
    if against:
        return _("not assessable: an IL-6 receptor blocker is running or washing out")
    if estimate.outcome is Outcome.RULE_MET:
        rule = {"rule": estimate.rules_version}
        return _("meets TRD rule %(rule)s already: there is no probability left to give") % rule
    if estimate.state is ClinicalState.NO_EPISODE:
        return _("not enough data: no first dose is on record")
    return _("not enough data: no usable draw of sIL-6R, and no rating in weeks 2 to 4 of trial 1")


@dataclass(frozen=True)
class Trend:
    """How sIL-6R moves: up, down or none; the change, if it can be given, and what it means."""

    direction: str
    change: str
    meaning: str

    @property
    def sentence(self) -> str:
        return f"{self.change} {self.meaning}".strip()


def trend(line: Trajectory | None) -> Trend:
    """Judge the latest result against the person's own set-point."""
    if line is None:
        return Trend("none", "", _("no usable draw yet"))
    change = line.change_since_set_point
    if line.n_scored < DRAWS_FOR_A_TREND or change is None:
        meaning = ngettext(
            "no trend yet: %(n)d usable draw", "no trend yet: %(n)d usable draws", line.n_scored
        ) % {"n": line.n_scored}
        return Trend("none", "", meaning)
    if not line.is_beyond_variation:
        return Trend("none", percent(change), _("on own set-point, within expected variation"))
    direction = "up" if change > 0 else "down"
    return Trend(direction, percent(change), _("on own set-point, beyond expected variation"))


def contribution(part: Contribution) -> str:
    """Say one piece of evidence."""
    facts = part.facts
    match part.evidence:
        case EvidenceKind.PRIOR:
            return _(
                "Before anything is known of this person: %(count)d of 100 people starting a first "
                "trial come to meet the rule (basis of the model: %(basis)s)."
            ) % {"count": round(_number(facts["prevalence"]) * 100), "basis": facts["basis"]}
        case EvidenceKind.LOCAL_PREVALENCE:
            return _(
                "By what became of local patients, rather %(count)d of 100; no marker has a part "
                "in this."
            ) % {"count": round(_number(facts["prevalence"]) * 100)}
        case EvidenceKind.SYMPTOMS:
            return _symptoms(part)
        case EvidenceKind.BIOMARKER:
            n = int(_number(facts["n_scored"]))
            return ngettext(
                "%(analyte)s: level %(level).1f %(unit)s from %(n)d usable draw; slope %(slope)s "
                "a week; probability that it rises %(rising)d %%.",
                "%(analyte)s: level %(level).1f %(unit)s from %(n)d usable draws; slope %(slope)s "
                "a week; probability that it rises %(rising)d %%.",
                n,
            ) % {
                "analyte": facts["analyte"],
                "unit": facts.get("unit", "ng/mL"),  # once only sIL-6R was weighed
                "level": _number(facts["level"]),
                "n": n,
                "slope": f"{(exp(_number(facts['slope_per_week'])) - 1) * 100:+.1f} %".replace(
                    "-", "−"
                ),
                "rising": round(_number(facts["probability_rising"]) * 100),
            }
        case EvidenceKind.CAUTION:
            return _(
                "Drawn towards the middle, because the weight of the marker is itself uncertain."
            )


def _symptoms(part: Contribution) -> str:
    facts = part.facts
    values = {
        "scale": facts["instrument"],
        "before": _number(facts["baseline_total"]),
        "after": _number(facts["total"]),
        "change": percent(-_number(facts["improvement"])),
        "on": clinical_date(
            timezone.localtime(datetime.fromisoformat(str(facts["rated_at"]))).date()
        ),
    }
    said = (
        _("%(scale)s: %(before)d to %(after)d (%(change)s) by %(on)s, early improvement.")
        if facts["is_improved"]
        else _("%(scale)s: %(before)d to %(after)d (%(change)s) by %(on)s, no early improvement.")
    )
    return said % values


def weight(part: Contribution) -> str:
    """Say in numbers what a piece of evidence does to the odds."""
    log_odds = f"{part.log_odds:+.2f}".replace("-", "−")
    if part.evidence is EvidenceKind.PRIOR:
        return _("starting point, log-odds %(log_odds)s") % {"log_odds": log_odds}
    return _("odds × %(factor).2f (log-odds %(log_odds)s)") % {
        "factor": exp(part.log_odds),
        "log_odds": log_odds,
    }


def _number(fact: float | int | str | None) -> float:
    if fact is None or isinstance(fact, str):
        raise UnknownCode(repr(fact))
    return float(fact)
