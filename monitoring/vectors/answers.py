"""What this program answers to a vector: one function per kind, plain values out."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from analytics import Estimate, HistoryIsUnfit, WantedFlag
from analytics.changes import (
    Z95,
    false_alarm_rate,
    reference_change,
    symmetric_reference_change,
)
from analytics.checklists import CHECKLISTS
from analytics.corrections import changed_picture, correction_flag
from analytics.definitions import CONSENSUS, NoSuchRules, rules_on
from analytics.genotype import genotype_adjusted
from analytics.policy import FlagKind
from analytics.real_changes import Reading, real_changes
from analytics.schedule import Expected, Plan, PlanIsUnfit, expected_visits, overdue_flag
from analytics.staging import Severity, StagingFault, stage
from instruments import INSTRUMENTS, ItemFault
from monitoring.change_words import in_words
from monitoring.vectors.histories import day_of, estimate_of
from monitoring.vectors.shapes import (
    GivenIsUnfit,
    day_given,
    refuse_strangers,
    with_all_wanted,
    word_given,
)
from patients.doses import daily_mg

Given = dict[str, Any]
_REFUSALS = (ValueError, HistoryIsUnfit, ItemFault, NoSuchRules, PlanIsUnfit, StagingFault)


def answer(kind: str, given: Given) -> dict[str, Any]:
    """Answer one vector; what is refused is answered by the sentence that refuses it.

    Raises
    ------
    GivenIsUnfit
        Where a field is lacking or none of its kind, a text stands for a number, or the like.
    """
    refuse_strangers(kind, given)
    try:
        return KINDS[kind](with_all_wanted(given))
    except _REFUSALS as refusal:
        return {"is_refused": True, "sentence": str(refusal)}
    except (TypeError, AttributeError, IndexError, ArithmeticError) as fault:
        raise GivenIsUnfit(str(fault)) from fault
    except KeyError as unknown:
        return {"is_refused": True, "sentence": f"{unknown.args[0]}: not known"}


def _score(given: Given) -> dict[str, Any]:
    scale = INSTRUMENTS[given["instrument"]]
    total: int | None
    answered: int | None
    if "total" in given and "items" in given and scale.total(given["items"]) != given["total"]:
        message = f"total: {given['total']}; the items add up to {scale.total(given['items'])}"
        raise ValueError(message)
    if "items" not in given:
        total = given["total"]
        scale.check_total(total)
        answered = scale.least_self_harm(total)
    else:
        total = scale.total(given["items"])
        answered = scale.self_harm_answer(given["items"])
    level = scale.self_harm.level(answered)
    return {
        "total": total,
        "band": None if total is None else scale.band(total).name,
        "self_harm": None if level is None else level.value,
        "flag": None if level is None else FlagKind.SAFETY.value,
    }


def _history(given: Given) -> dict[str, Any]:
    found = estimate_of(given)
    course = found.course
    if course is None:
        raise ValueError(found)
    return {
        "outcome": found.outcome.value,
        "state": found.state_words,
        "rules": found.rules_version,
        "status": course.status,
        "symptoms": course.symptoms.value,
        "instrument": course.instrument,
        "improvement": course.improvement,
        "failed_trials": course.failed_trials,
        "first_adequate_day": day_of(course.first_adequate_at),
        "trials": [
            {
                "words": trial.words,
                "adequacy": trial.adequacy.value,
                "weeks_at_dose": trial.weeks_at_dose,
                "adequate_day": day_of(trial.adequate_at),
                "least_mg": trial.least_mg,
                "is_failed": trial.is_failed,
            }
            for trial in course.trials
        ],
        "decisions": {str(point.week): point.reading.value for point in course.decisions},
        "flags": {flag.kind.value: _flag(flag) for flag in found.wanted_flags},
        "left_out": _left_out(found),
        "waived": [[day_of(part.drawn_at), list(part.reasons)] for part in found.waived],
        "scored": sum(line.n_scored for line in found.trajectories),
    }


def _left_out(found: Estimate) -> list[dict[str, Any]]:
    return [
        {
            "analyte": part.analyte,
            "day": day_of(part.drawn_at),
            "validity": part.validity,
            "reasons": list(part.reasons),
            "is_plotted": part.is_plotted,
        }
        for part in found.left_out
    ]


def _flag(flag: WantedFlag) -> dict[str, Any]:
    return {
        "level": flag.level.value,
        "reasons": [reason.value for reason in flag.reasons],
        "is_raise": flag.is_raise,
        "checklist": [check.value for check in CHECKLISTS[flag.kind]],
    }


def _staging(given: Given) -> dict[str, Any]:
    severity = given.get("severity")
    found = stage(
        duration_months=given.get("duration_months"),
        severity=None if severity is None else word_given("severity", severity, Severity),
        failed_trials=given.get("failed_trials"),
        is_augmented=given.get("is_augmented"),
        has_ect=given.get("has_ect"),
    )
    return found.as_json()


_FORMS = {"log-normal": reference_change, "symmetric": symmetric_reference_change}


def _reference_change(given: Given) -> dict[str, Any]:
    form = given.get("form", "log-normal")
    if form not in _FORMS:
        raise GivenIsUnfit(f"form: {form!r}; wanted: {' or '.join(_FORMS)}")
    limits = _FORMS[form](
        within_cv=given["within_cv"],
        assay_cv=given["assay_cv"],
        z=given.get("z", Z95),
        draws_before=given.get("draws_before", 1),
    )
    return {"low": limits.low, "high": limits.high}


def _false_alarms(given: Given) -> dict[str, Any]:
    return {"rate": false_alarm_rate(z=given.get("z", Z95), looks=given["draws"] - 1)}


def _real_change(given: Given) -> dict[str, Any]:
    if not given["results"]:
        raise GivenIsUnfit("results: none; wanted: at least one")
    readings = [
        Reading(
            drawn_at=datetime.fromisoformat(row["drawn_at"]),
            value=row["value"],
            comparator=row.get("comparator", ""),
            segment=row.get("kit", ""),
            is_scored=row.get("is_scored", True),
            assay_cv=row.get("assay_cv"),
        )
        for row in given["results"]
    ]
    found = real_changes(
        readings, analyte=given.get("analyte", "sIL-6R"), assay_cv=given.get("assay_cv")
    )
    zone = ZoneInfo(given.get("zone", "UTC"))
    return {
        "verdicts": [change.verdict.value for change in found],
        "words": in_words(found[-1], zone=zone),
        "change": found[-1].change,
    }


def _schedule(given: Given) -> dict[str, Any]:
    asked = dict(given.get("plan", {}))
    if "weeks" in asked:
        asked["weeks"] = tuple(asked["weeks"])
    ended = given.get("ended_on")
    visits = expected_visits(
        word_given("what", given["what"], Expected),
        started_on=day_given("started_on", given["started_on"]),
        done_on=[day_given("done_on", day) for day in given.get("done_on", [])],
        today=day_given("today", given["today"]),
        ended_on=None if ended is None else day_given("ended_on", ended),
        plan=Plan(**asked),
    )
    flag = overdue_flag(visits)
    return {
        "weeks": {str(visit.week): visit.status.value for visit in visits},
        "due_on": {str(visit.week): visit.due_on.isoformat() for visit in visits},
        "flag": None if flag is None else {"kind": flag.kind.value} | _flag(flag),
    }


def _correction(given: Given) -> dict[str, Any]:
    before, after = estimate_of(given["before"]), estimate_of(given["after"])
    flag = correction_flag(before, after)
    return {
        "reasons": [reason.value for reason in changed_picture(before, after)],
        "flag": None if flag is None else {"kind": flag.kind.value} | _flag(flag),
    }


def _genotype(given: Given) -> dict[str, Any]:
    found = genotype_adjusted(
        given["level_ng_ml"], genotype=given["genotype"], typical_ng_ml=given["typical_ng_ml"]
    )
    return {"z": found.z, "z_adjusted": found.z_adjusted}


def _dose(given: Given) -> dict[str, Any]:
    return {"daily_mg": float(daily_mg(given["text"]))}


def _rules(given: Given) -> dict[str, Any]:
    day = day_given("day", given["day"])
    return rules_on(day, name=given.get("name", CONSENSUS)).as_json()


KINDS: dict[str, Callable[[Given], dict[str, Any]]] = {
    "score": _score,
    "history": _history,
    "staging": _staging,
    "reference change": _reference_change,
    "false alarms": _false_alarms,
    "real change": _real_change,
    "schedule": _schedule,
    "correction": _correction,
    "genotype": _genotype,
    "dose": _dose,
    "rules": _rules,
}
