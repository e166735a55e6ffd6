"""A trial that is no failed treatment says why, in the structure that page, API and PDF share."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from analytics.counting import NotCounted, counting_words, why_not_counted
from analytics.course_findings import Course, TrialVerdict
from analytics.definitions import NON_REMISSION, RULES, Adequacy, SymptomState, rules_on
from analytics.explanation import explain
from tests.analytics.cohorts import estimate_one, ratings_table, trials_table, week

BEGUN = datetime(2026, 1, 5, tzinfo=UTC)
FAILED = TrialVerdict(
    number=2,
    trial_id=7,
    drug="mirtazapine",
    atc="N06AX11",
    started_at=BEGUN,
    stopped_at=BEGUN + timedelta(weeks=8),
    words="trial 2 failed (adequate)",
    adequacy=Adequacy.ADEQUATE,
    is_overridden=False,
    weeks_at_dose=8.0,
    least_mg=15.0,
    adequate_at=BEGUN + timedelta(weeks=6),
    baseline_total=20.0,
    improvement=0.1,
    is_failed=True,
)
FIRST = replace(FAILED, number=1, trial_id=6, drug="sertraline", atc="N06AB06")


def said(**more: object) -> str:
    trial = replace(FAILED, **more)  # type: ignore[arg-type]
    course = Course(
        status="",
        failed_trials=1,
        first_adequate_at=None,
        instrument="QIDS-SR16",
        baseline_total=20.0,
        latest_total=18.0,
        latest_at=None,
        improvement=0.1,
        symptoms=SymptomState.NON_RESPONSE,
        trials=(FIRST, trial),
        decisions=(),
    )
    return counting_words(trial, course, RULES)


def unfailed(adequacy: Adequacy, **more: object) -> dict[str, object]:
    return {"is_failed": False, "adequacy": adequacy, **more}


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({}, "counted as a failed treatment"),
        (
            {"is_counted": False, "counted_with": 1},
            "not counted: taken together with sertraline (trial 1), whose failure counts",
        ),
        (
            {"is_counted": False, "counted_with": 1, "is_same_drug": True},
            "not counted: the same drug as in sertraline (trial 1), whose failure counts",
        ),
        (
            unfailed(Adequacy.INDETERMINATE, stop_reason="intolerance"),
            "not counted: stopped because it was not tolerated, which is no failure",
        ),
        (
            unfailed(Adequacy.INDETERMINATE, stop_reason="ineffective"),
            "not counted: stopped before 4 weeks, which is no failure",
        ),
        (
            unfailed(Adequacy.INDETERMINATE, is_overridden=True),
            "not counted: a clinician judged it indeterminate",
        ),
        (
            unfailed(Adequacy.INADEQUATE, weeks_at_dose=2.5),
            "not counted: 2.5 weeks in a row at 15 mg a day or more, and not 6",
        ),
        (unfailed(Adequacy.INADEQUATE, was_not_taken=True), "not counted: not taken as prescribed"),
        (unfailed(Adequacy.UNKNOWN), "not counted: no dose is on record"),
        (
            unfailed(Adequacy.UNKNOWN, least_mg=None),
            "not counted: no least dose is known for this drug; a site can set one",
        ),
        (
            unfailed(Adequacy.NOT_YET, stopped_at=None, weeks_at_dose=3.0),
            "not counted yet: 3 of 6 weeks at 15 mg a day or more",
        ),
        (
            unfailed(Adequacy.ADEQUATE, improvement=None),
            "not counted: no rating judges it, from its last week at an adequate dose on",
        ),
        (
            unfailed(Adequacy.ADEQUATE, improvement=0.4),
            "not counted: 40 % gained, which is not under 25 %",
        ),
    ],
)
def test_each_reason_has_its_sentence(known: dict[str, object], words: str) -> None:
    assert said(**known) == words


def test_by_the_variant_what_gained_is_no_failure_by_these_rules() -> None:
    rules = rules_on(datetime(2026, 11, 28, tzinfo=UTC).date(), name=NON_REMISSION)
    trial = replace(FAILED, is_failed=False, improvement=0.8)

    assert why_not_counted(trial, rules) is NotCounted.IMPROVED


def test_the_explanation_of_a_history_says_it_of_every_trial() -> None:
    trials = trials_table(((0, 8), (8.5, None)), atc="N06AB06", dose_mg=100.0)
    found = explain(
        estimate_one(
            at=week(19), ratings=ratings_table([20, 19, 18], weeks=[0, 8, 18]), trials=trials
        ),
        made_at=week(19),
    ).course

    assert found is not None
    first, second = found.trials
    assert (first.not_counted, first.counting) == (None, "counted as a failed treatment")
    assert second.not_counted is NotCounted.SAME_DRUG
    assert "the same drug as in sertraline (trial 1)" in second.counting
    assert (found.failed_trials, found.failed_before, found.failed_wanted) == (1, 0, 2)
