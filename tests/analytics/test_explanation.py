"""One structure says what an estimate rests on, and what would change it."""

from datetime import timedelta

import pytest

from analytics import Estimate, evidence
from analytics.definitions import NoSuchRules
from analytics.doses import TABLE_VERSION
from analytics.explanation import Explanation, InputKind, Lever, explain
from analytics.policy import FlagKind
from tests.analytics.cohorts import (
    estimate_one,
    events_table,
    ratings_table,
    results_table,
    trials_table,
    week,
)

DRAWS = results_table([30, 31, 32, 33], weeks=[0, 2, 4, 6])
NO_GAIN = ratings_table([20, 19], weeks=[0, 2])


def explained(**tables: object) -> tuple[Estimate, Explanation]:
    found = estimate_one(at=week(7), **tables)  # type: ignore[arg-type]
    return found, explain(found, made_at=week(7))


def levers(said: Explanation) -> dict[Lever, dict[str, object]]:
    return {change.lever: dict(change.facts) for change in said.would_change}


def test_inputs_have_their_values_days_and_ages() -> None:
    _, said = explained(results=DRAWS, ratings=NO_GAIN, trials=trials_table())

    inputs = [(each.kind.value, each.what, each.value, each.age_days) for each in said.inputs]
    assert inputs == [
        ("result", "sIL-6R", 33.0, 7),
        ("earlier_result", "sIL-6R", 32.0, 21),
        ("earlier_result", "sIL-6R", 31.0, 35),
        ("earlier_result", "sIL-6R", 30.0, 49),
        ("baseline", "QIDS-SR16", 20.0, 49),
        ("rating", "QIDS-SR16", 19.0, 35),
        ("trial", "sertraline", "on trial 1", 49),
    ]


def test_the_rating_that_judged_a_failed_trial_is_named_with_its_day() -> None:
    ratings = ratings_table([20, 19, 18], weeks=[0, 6, 7])
    found, said = explained(ratings=ratings, trials=trials_table())

    assert said.course is not None
    [trial] = said.course.trials
    judging = [each for each in said.inputs if each.kind is InputKind.JUDGING_RATING]
    assert trial.is_failed
    assert (trial.baseline_total, trial.baseline_on) == (20.0, week(0).date())
    assert (trial.judged_total, trial.judged_on) == (18.0, week(7).date())
    assert [(each.what, each.value, each.at) for each in judging] == [
        ("QIDS-SR16, trial 1", 18.0, week(7))
    ]
    assert explain(Estimate.from_json(found.as_json()), made_at=week(7)) == said


def test_versions_of_everything_are_named() -> None:
    found, said = explained(results=DRAWS, ratings=NO_GAIN, trials=trials_table())

    assert said.versions == {
        "model": found.release_version,
        "policy": found.policy_version,
        "rules": "eu-pearl-4",
        "evidence": evidence.VERSION,
        "QIDS-SR16": "1",
        "least doses": TABLE_VERSION,
    }
    assert said.rules["failure_improvement"] == 0.25


def test_every_source_has_its_grade() -> None:
    _, said = explained(results=DRAWS, ratings=NO_GAIN, trials=trials_table())

    rules, *others = said.citations
    assert "Sforzini 2022" in rules.source
    assert all(each.grade in {"V", "V-sec", "M", "D"} for each in others)
    assert any("28697423" in each.source for each in others)
    assert any("Yamasaki" in each.source for each in others)


def test_the_assay_variation_that_a_laboratory_states_for_its_kit_is_cited() -> None:
    plain, with_cv = (
        explained(results=draws, ratings=NO_GAIN, trials=trials_table())[1].citations
        for draws in (DRAWS, DRAWS.assign(assay_cv=0.05))
    )

    [own] = [each for each in with_cv if each not in plain]
    assert own.value == 0.05
    assert "by this kit" in own.name
    assert "stated by the laboratory" in own.source


def test_what_the_marker_makes_of_it_is_a_difference() -> None:
    found, said = explained(results=DRAWS, ratings=NO_GAIN, trials=trials_table())

    assert found.probability is not None
    assert found.probability_without_biomarker is not None
    assert said.difference == found.probability - found.probability_without_biomarker
    assert levers(said)[Lever.WITHOUT_BIOMARKER]["difference"] == said.difference


def test_the_total_that_would_have_been_an_early_improvement_is_named() -> None:
    _, said = explained(ratings=NO_GAIN, trials=trials_table())

    # 20 less a fifth
    wanted = {"instrument": "QIDS-SR16", "at_most": 16}
    assert levers(said)[Lever.RATING_FOR_EARLY_IMPROVEMENT] == wanted
    assert levers(said)[Lever.RATING_FOR_REMISSION]["at_most"] == 5


def test_one_more_failed_trial_would_meet_the_rule() -> None:
    ratings = ratings_table([20, 19], weeks=[0, 6.5])

    _, said = explained(ratings=ratings, trials=trials_table())

    assert levers(said)[Lever.ONE_MORE_FAILED_TRIAL] == {"rules": "eu-pearl-4"}
    # 20 less a quarter
    assert levers(said)[Lever.RATING_FOR_NO_FAILURE]["at_most"] == 15


def test_what_is_left_out_and_could_be_scored_is_counted() -> None:
    infection = events_table("infection", start=5, stop=5.5)

    _, said = explained(results=DRAWS, events=infection)

    assert [part.reason for part in said.exclusions] == ["infection"]
    assert levers(said)[Lever.OVERRIDE_CAUTION] == {"results": 1}


def test_every_wanted_flag_has_its_checks_and_none_is_a_treatment() -> None:
    found, said = explained(ratings=NO_GAIN, trials=trials_table())

    assert set(said.checklists) == {flag.kind for flag in found.wanted_flags}
    assert "adherence" in said.checklists[FlagKind.EARLY_NON_IMPROVEMENT]


def test_it_goes_to_plain_json() -> None:
    _, said = explained(results=DRAWS, ratings=NO_GAIN, trials=trials_table())

    content = said.as_json()

    assert content["inputs"][0]["at"] == week(6).isoformat()
    assert content["checklists"]["early_non_improvement"][0] == "adherence"


def test_an_estimate_that_was_read_back_is_explained_alike() -> None:
    found, said = explained(results=DRAWS, ratings=NO_GAIN, trials=trials_table())

    assert explain(Estimate.from_json(found.as_json()), made_at=week(7)) == said


def test_an_assessment_from_before_there_were_courses_is_explained_by_its_rules() -> None:
    found, _ = explained(results=DRAWS, ratings=NO_GAIN, trials=trials_table())
    content = found.as_json() | {"rules_version": "eu-pearl-1"}
    for name in ("course", "waived", "genotype"):
        del content[name]

    said = explain(Estimate.from_json(content), made_at=week(7) + timedelta(days=30))

    assert said.versions["rules"] == "eu-pearl-1"
    assert said.status == ""


def test_rules_that_nobody_knows_are_no_explanation() -> None:
    found, _ = explained(ratings=NO_GAIN, trials=trials_table())
    content = found.as_json() | {"rules_version": "horoscope-1"}

    with pytest.raises(NoSuchRules, match="horoscope-1"):
        explain(Estimate.from_json(content), made_at=week(7))
