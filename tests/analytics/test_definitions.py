"""The clinic's words applied to ratings and trials."""

from datetime import datetime

import pandas as pd
import pytest

from analytics import ClinicalState, Estimate, FlagKind, Outcome
from analytics.definitions import RULES
from tests.analytics.cohorts import (
    estimate_one,
    patients_table,
    ratings_table,
    trials_table,
    week,
)


def rated(
    totals: list[float], *, weeks: list[float], at: float, trials: pd.DataFrame | None = None
) -> Estimate:
    trials = trials_table() if trials is None else trials
    return estimate_one(ratings=ratings_table(totals, weeks=weeks), trials=trials, at=week(at))


def test_without_a_first_dose_there_is_no_episode() -> None:
    found = estimate_one(patients=patients_table(started_at=None))

    assert found.state is ClinicalState.NO_EPISODE
    assert found.weeks_on_therapy is None


def test_a_first_dose_in_the_future_has_not_happened() -> None:
    found = estimate_one(patients=patients_table(started_at=week(2)), at=week(1))

    assert found.state is ClinicalState.NO_EPISODE


def test_of_a_first_dose_without_a_trial_it_is_said_that_none_is_recorded() -> None:
    found = estimate_one(at=week(3))

    assert found.state is ClinicalState.NO_TRIAL_RECORDED
    assert found.course is not None
    assert (found.course.status, found.course.trials[0].words) == ("no trial recorded",) * 2
    assert found.weeks_on_therapy == 3


def test_trials_are_numbered_by_their_start() -> None:
    found = estimate_one(trials=trials_table([(5, None), (0, 4)]), at=week(8))

    assert found.state is ClinicalState.ON_TRIAL_2


def test_an_augmentation_is_not_another_trial() -> None:
    trials = pd.concat(
        [trials_table(), trials_table([(4, None)], atc="N05AN01", drug="lithium", first_id=2)]
    )

    assert estimate_one(trials=trials, at=week(8)).state is ClinicalState.ON_TRIAL_1


def test_between_trials_none_is_running() -> None:
    found = estimate_one(trials=trials_table([(0, 3)]), at=week(5))

    assert found.state is ClinicalState.NO_TRIAL


def test_a_stop_that_is_yet_to_come_is_not_known() -> None:
    found = estimate_one(trials=trials_table([(0, 9)]), at=week(5))

    assert found.state is ClinicalState.ON_TRIAL_1


@pytest.mark.parametrize(
    ("total", "state"),
    [(5, ClinicalState.REMISSION), (6, ClinicalState.RESPONSE), (9, ClinicalState.RESPONSE)],
)
def test_remission_is_five_or_less_and_response_a_half(total: float, state: ClinicalState) -> None:
    assert rated([18, total], weeks=[0, 8], at=8).state is state


@pytest.mark.parametrize(
    ("instrument", "limit"),
    [("QIDS-SR16", 5), ("QIDS-C16", 5), ("HAM-D17", 7), ("MADRS", 10), ("PHQ-9", 4)],
)
def test_each_scale_has_its_own_remission(instrument: str, limit: int) -> None:
    def state(total: float) -> ClinicalState:
        ratings = ratings_table([limit + 2, total], weeks=[0, 8], instrument=instrument)
        return estimate_one(ratings=ratings, at=week(8)).state

    assert state(limit) is ClinicalState.REMISSION
    assert state(limit + 1) is not ClinicalState.REMISSION


@pytest.mark.parametrize(
    ("total", "state"),
    [
        (17, ClinicalState.EARLY_NON_IMPROVEMENT),  # 20 - 15 % : less than a fifth
        (16, ClinicalState.ON_TRIAL_1),  # exactly a fifth is an improvement
        (12, ClinicalState.ON_TRIAL_1),
    ],
)
def test_early_non_improvement_is_less_than_a_fifth_at_weeks_two_to_four(
    total: float, state: ClinicalState
) -> None:
    assert rated([20, total], weeks=[0, 2], at=3).state is state


@pytest.mark.parametrize("later", [1, 5.5])
def test_outside_weeks_two_to_four_no_rating_is_early(later: float) -> None:
    found = rated([20, 20], weeks=[0, later], at=5.6)

    assert found.state is ClinicalState.ON_TRIAL_1


def test_an_improvement_afterwards_ends_early_non_improvement() -> None:
    found = rated([20, 20, 14], weeks=[0, 2, 6], at=6)

    assert found.state is ClinicalState.ON_TRIAL_1


def test_a_trial_fails_after_six_adequate_weeks_with_less_than_a_quarter_gained() -> None:
    assert rated([20, 16], weeks=[0, 6], at=6).state is ClinicalState.TRIAL_1_FAILED
    assert rated([20, 15], weeks=[0, 6], at=6).state is ClinicalState.ON_TRIAL_1
    assert rated([20, 20], weeks=[0, 5], at=6).state is not ClinicalState.TRIAL_1_FAILED


def test_the_weeks_count_from_the_adequate_dose() -> None:
    trials = trials_table(adequate_from=pd.Series([week(3)], dtype="datetime64[us, UTC]"))

    assert rated([20, 16], weeks=[0, 8], at=8, trials=trials).state is ClinicalState.ON_TRIAL_1
    assert rated([20, 16], weeks=[0, 9], at=9, trials=trials).state is ClinicalState.TRIAL_1_FAILED


@pytest.mark.parametrize(("dose", "is_failed"), [(50.0, True), (25.0, False), (None, False)])
def test_a_listed_dose_stands_in_where_no_day_of_adequacy_is_known(
    dose: float | None, is_failed: bool
) -> None:
    trials = trials_table(
        adequate_from=pd.Series([None], dtype="datetime64[us, UTC]"),
        dose_mg=pd.Series([dose], dtype=float),
    )

    found = rated([20, 19], weeks=[0, 8], at=8, trials=trials)

    assert (found.state is ClinicalState.TRIAL_1_FAILED) == is_failed


def test_a_drug_that_was_not_tolerated_has_not_failed() -> None:
    trials = trials_table([(0, 8)], stop_reason="intolerance")

    found = rated([20, 20], weeks=[0, 8], at=9, trials=trials)

    assert found.state is ClinicalState.NO_TRIAL


def test_two_failed_trials_meet_the_rule() -> None:
    trials = trials_table(
        [(0, 8), (8, None)], stop_reason=["ineffective", ""], atc=["N06AB06", "N06AX11"]
    )

    found = rated([20, 19, 18], weeks=[0, 8, 16], at=16, trials=trials)

    assert found.state is ClinicalState.MEETS_TRD_RULE
    assert found.state.worded(RULES.version) == "meets TRD rule eu-pearl-4"
    assert found.rules_version == RULES.version


def test_whoever_meets_the_rule_is_given_no_probability_of_coming_to_meet_it() -> None:
    trials = trials_table(
        [(0, 8), (8, None)], stop_reason=["ineffective", ""], atc=["N06AB06", "N06AX11"]
    )

    found = rated([20, 19, 18], weeks=[0, 8, 16], at=16, trials=trials)

    assert (found.outcome, found.probability) == (Outcome.RULE_MET, None)
    assert [flag.kind for flag in found.wanted_flags] == [FlagKind.TRENDING_TO_RESISTANCE]


def test_the_scale_with_a_baseline_is_the_primary_one() -> None:
    ratings = pd.concat(
        [
            ratings_table([4], weeks=[6], instrument="QIDS-SR16"),
            ratings_table([30, 28], weeks=[0, 6], instrument="MADRS"),
        ]
    )

    found = estimate_one(ratings=ratings, trials=trials_table(), at=week(6))

    assert found.state is ClinicalState.TRIAL_1_FAILED


def test_scales_are_never_mixed_in_one_comparison() -> None:
    ratings = pd.concat(
        [
            ratings_table([20], weeks=[0], instrument="QIDS-SR16"),
            ratings_table([20], weeks=[2], instrument="PHQ-9"),
        ]
    )

    found = estimate_one(ratings=ratings, trials=trials_table(), at=week(3))

    assert found.state is ClinicalState.ON_TRIAL_1
    assert found.contributions == ()


def test_a_patient_is_not_judged_by_a_neighbours_ratings() -> None:
    # The neighbour's last rating stands just before ours in the sorted columns.
    ratings = pd.concat(
        [
            ratings_table([3], weeks=[6], patient_id=1),
            ratings_table([20], weeks=[0], patient_id=2),
        ]
    )

    found = estimate_one(patients=patients_table([2]), ratings=ratings.query("patient_id == 2"))

    assert found.state is ClinicalState.NO_TRIAL_RECORDED


@pytest.mark.parametrize("start", [week(0), week(-1500)])
def test_a_start_long_before_the_first_rating_is_no_trouble(start: datetime) -> None:
    ratings = ratings_table([12, 11], weeks=[0, 2])

    found = estimate_one(patients=patients_table(started_at=start), ratings=ratings, at=week(3))

    assert found.state in {ClinicalState.NO_TRIAL_RECORDED, ClinicalState.EARLY_NON_IMPROVEMENT}
