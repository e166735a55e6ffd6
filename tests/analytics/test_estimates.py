"""The front door: one estimate per patient, the same bit for bit whoever stands beside."""

import json
from datetime import datetime

import numpy as np
import orjson
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from analytics import (
    CURRENT_POLICY,
    CURRENT_RELEASE,
    Estimate,
    Estimates,
    EvidenceKind,
    History,
    Outcome,
    Trajectory,
    estimate_cohort,
    prediction_band,
)
from tests.analytics.cohorts import (
    estimate_one,
    events_table,
    patients_table,
    ratings_table,
    results_table,
    trials_table,
    week,
)

TWENTY_WEEKS = week(20)


def mixed_cohort(n: int, *, seed: int = 4) -> dict[str, pd.DataFrame]:
    """Make patients of every kind: few draws, limits, jumps, infections, scales, trials."""
    rng = np.random.default_rng(seed)
    results, ratings, trials, events = [], [], [], []
    for patient in range(1, n + 1):
        draws = int(rng.integers(0, 9))
        weeks = np.sort(rng.choice(np.arange(0, 20, 0.5), draws, replace=False)).tolist()
        own = rng.normal(3.5, 0.25)
        for analyte, shift in (("sIL-6R", 0.0), ("IL-6", -3.0), ("hs-CRP", -2.0)):
            logs = own + shift + rng.normal(0, 0.3, draws)
            table = results_table(
                np.exp(logs).tolist(), weeks=weeks, patient_id=patient, analyte=analyte
            )
            below = rng.random(draws) < (0.4 if analyte == "IL-6" else 0.05)
            results.append(table.assign(comparator=np.where(below, "<", "").astype(object)))
        rated = sorted(rng.choice(16, int(rng.integers(0, 5)), replace=False).tolist())
        totals = rng.integers(3, 25, len(rated)).astype(float).tolist()
        ratings.append(ratings_table(totals, weeks=rated, patient_id=patient))
        trials.append(trials_table([(0, 7), (8, None)], patient_id=patient, first_id=2 * patient))
        if patient % 5 == 0:
            events.append(events_table("infection", start=3, patient_id=patient))
        if patient % 31 == 0:
            events.append(events_table("il6r_blocker", start=9, patient_id=patient))
    tables = {"results": results, "ratings": ratings, "trials": trials, "events": events}
    found = {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}
    return {"patients": patients_table(range(1, n + 1))} | found


def estimates_of(tables: dict[str, pd.DataFrame]) -> Estimates:
    return estimate_cohort(History(**tables), at=TWENTY_WEEKS)


COHORT = mixed_cohort(124)
WHOLE = {each.patient_id: each for each in estimates_of(COHORT)}


def test_a_patient_alone_gets_the_same_numbers_bit_for_bit() -> None:
    for patient_id, together in WHOLE.items():
        own = {name: table[table["patient_id"] == patient_id] for name, table in COHORT.items()}

        (alone,) = estimates_of(own)

        assert alone.as_json() == together.as_json()


def test_the_order_of_the_rows_does_not_matter() -> None:
    shuffled = {
        name: table.sample(frac=1, random_state=9).reset_index(drop=True)
        for name, table in COHORT.items()
    }

    found = estimates_of(shuffled)

    assert {each.patient_id: each for each in found} == WHOLE


def test_every_kind_of_patient_is_in_this_cohort() -> None:
    outcomes = {each.outcome for each in WHOLE.values()}
    reasons = {part.reason for each in WHOLE.values() for part in each.left_out}
    censored = sum(line.n_censored for each in WHOLE.values() for line in each.trajectories)

    assert outcomes == set(Outcome) - {Outcome.RULE_MET}  # these courses are too short for it
    assert {"infection", "il6r_blocker", "implausible"} <= reasons
    assert censored > 50


def test_shifting_all_times_shifts_the_dates_and_nothing_else() -> None:
    days = pd.Timedelta(days=400)

    def shifted(table: pd.DataFrame) -> pd.DataFrame:
        times = table.select_dtypes("datetimetz").columns
        return table.assign(**{name: table[name] + days for name in times})

    moved = estimate_cohort(
        History(**{name: shifted(table) for name, table in COHORT.items()}),
        at=TWENTY_WEEKS + days,
    )

    pd.testing.assert_frame_equal(moved.table, estimates_of(COHORT).table, check_exact=True)


def test_the_contributions_add_up_to_the_log_odds() -> None:
    for each in WHOLE.values():
        if each.outcome is not Outcome.ESTIMATED:
            assert each.contributions == ()
            continue

        total = sum(piece.log_odds for piece in each.contributions)

        assert expit(total) == pytest.approx(each.probability, abs=1e-14)


def test_no_number_is_shown_where_there_is_none() -> None:
    for each in WHOLE.values():
        shown = (each.probability, each.probability_low, each.probability_without_biomarker)

        assert all((part is None) == (each.outcome is not Outcome.ESTIMATED) for part in shown)


def test_an_estimate_on_record_can_be_read_again() -> None:
    for each in WHOLE.values():
        stored = json.dumps(each.as_json(), allow_nan=False)

        assert Estimate.from_json(json.loads(stored)) == each


def test_the_table_shows_the_same_numbers() -> None:
    table = estimates_of(COHORT).table.set_index("patient_id")

    for patient_id, each in WHOLE.items():
        row = table.loc[patient_id]
        assert row["outcome"] == each.outcome.value
        assert row["state"] == each.state.value
        if each.probability is not None:
            assert row["probability"] == each.probability


def test_the_table_is_a_copy() -> None:
    estimates = estimates_of(COHORT)

    mine = estimates.table
    mine["probability"] = 2.0

    assert estimates.table["probability"].max() < 1


def test_an_estimate_says_by_what_it_was_made() -> None:
    found = estimate_one(results=results_table([33]))

    assert found.basis == "prior only"
    assert found.release_version == CURRENT_RELEASE.version
    assert found.policy_version == CURRENT_POLICY.version


def test_one_draw_is_enough_for_an_estimate() -> None:
    found = estimate_one(results=results_table([45], weeks=[8]))

    assert found.outcome is Outcome.ESTIMATED
    assert [piece.evidence for piece in found.contributions] == [
        EvidenceKind.PRIOR,
        EvidenceKind.BIOMARKER,
        EvidenceKind.CAUTION,
    ]
    assert found.probability is not None
    assert found.probability > 0.3


def test_the_prior_alone_is_not_enough() -> None:
    assert estimate_one().outcome is Outcome.NOT_ENOUGH_DATA


def test_without_an_episode_there_is_a_trajectory_and_no_estimate() -> None:
    found = estimate_one(patients=patients_table(started_at=None), results=results_table([33, 35]))

    assert found.outcome is Outcome.NOT_ENOUGH_DATA
    assert found.trajectories[0].n_scored == 2


def test_symptoms_alone_make_an_estimate_with_equal_risks() -> None:
    found = estimate_one(ratings=ratings_table([20, 19], weeks=[0, 2]))

    assert (
        found.probability == found.probability_without_biomarker == pytest.approx(0.607, abs=1e-3)
    )
    facts = found.contributions[1].facts
    assert (facts["instrument"], facts["baseline_total"], facts["total"]) == ("QIDS-SR16", 20, 19)
    assert facts["improvement"] == pytest.approx(0.05)


@given(st.lists(st.floats(5, 200), min_size=1, max_size=8), st.floats(1, 3))
@settings(max_examples=60, deadline=None)
def test_a_higher_course_is_never_a_lower_risk(values: list[float], factor: float) -> None:
    weeks = [2.0 * place for place in range(len(values))]
    confirmed = [True] * len(values)

    low = estimate_one(results=results_table(values, weeks=weeks, is_confirmed=confirmed))
    high = estimate_one(
        results=results_table(
            [value * factor for value in values], weeks=weeks, is_confirmed=confirmed
        )
    )

    assert low.contributions[1].log_odds <= high.contributions[1].log_odds + 1e-12


def test_a_limit_lowers_what_it_bounds_from_above() -> None:
    exact = results_table([2.0, 2.0, 0.5], weeks=[0, 4, 8], analyte="IL-6")

    bounded = estimate_one(results=exact.assign(comparator=["", "", "<"])).trajectories[0]
    dropped = estimate_one(results=exact.head(2)).trajectories[0]

    assert bounded.level_now < dropped.level_now
    assert (bounded.n_draws, bounded.n_scored, bounded.n_censored) == (3, 3, 1)
    assert (bounded.latest_value, bounded.latest_comparator) == (0.5, "<")
    assert bounded.change_since_first == pytest.approx(0)


@pytest.mark.parametrize(
    "values", [[0.5, 2000.0], [0.5, 2000.0, 0.5, 2000.0, 0.5, 2000.0], [1e-6, 1e9], [32, 0.5, 2000]]
)
def test_limits_that_contradict_each_other_still_give_an_estimate(values: list[float]) -> None:
    results = results_table(values, weeks=[*range(len(values))])
    said = ["<" if value < 1 else ">" if value > 1000 else "" for value in values]

    line = estimate_one(results=results.assign(comparator=said)).trajectories[0]

    assert line.n_censored == sum(each != "" for each in said)
    assert np.isfinite([line.level_now, line.slope_per_week]).all()


def test_the_band_is_drawn_from_what_is_stored() -> None:
    line = estimate_one(results=results_table([30, 34, 33], weeks=[0, 4, 8])).trajectories[0]

    drawn = prediction_band(
        Trajectory.from_json(orjson.loads(orjson.dumps(line))), np.array([12.0, 40.0])
    )

    assert drawn.middle[0] == pytest.approx(line.level_now)
    assert drawn.low[0] < line.level_low < line.level_high < drawn.high[0]
    assert drawn.high[1] - drawn.low[1] > drawn.high[0] - drawn.low[0]


@pytest.mark.parametrize("week_asked", [np.nan, np.inf])
def test_a_band_at_no_week_is_refused(week_asked: float) -> None:
    line = estimate_one(results=results_table([30, 34, 33], weeks=[0, 4, 8])).trajectories[0]

    with pytest.raises(ValueError, match=f"weeks, row 1: {week_asked}; wanted: a finite"):
        prediction_band(line, np.array([12.0, week_asked]))


def test_the_innovation_is_the_distance_from_what_was_predicted_before() -> None:
    draws = results_table([30, 34, 33, 41], weeks=[0, 3, 5, 9])
    before = estimate_one(results=draws.head(3)).trajectories[0]
    # Mean and variance of the mixture of both groups' lines, before any bend.
    share = np.array([line[0] for line in before.lines])
    middles = np.array([line[1] + 9 * line[2] for line in before.lines])
    mean, (v00, v01, v11) = share @ middles, before.covariance
    spread = share @ (middles - mean) ** 2 + v00 + 18 * v01 + 81 * v11 + before.residual

    found = estimate_one(results=draws).trajectories[0]

    # The innovation takes both groups for one normal law of the same mean and variance.
    assert found.innovation == pytest.approx((np.log(41) - mean) / np.sqrt(spread), abs=0.01)


def test_the_probability_over_draws_is_what_it_is_over_the_same_draws_at_once() -> None:
    draws = results_table([30, 36, 41], weeks=[0, 4, 8])

    stepwise = [estimate_one(results=draws, at=week(at)).probability for at in (0, 4, 8)]

    at_once = [estimate_one(results=draws.head(n)).probability for n in (1, 2, 3)]
    assert stepwise == at_once


@pytest.mark.parametrize("factor", [1000.0, 10.0, 0.1])
def test_a_first_draw_of_another_unit_or_decimal_point_waits_for_a_check(factor: float) -> None:
    table = results_table([33.0 * factor, 34.0 * factor])

    (held,) = estimate_cohort(History(patients=patients_table(), results=table), at=week(12))
    (checked,) = estimate_cohort(
        History(patients=patients_table(), results=table.assign(is_confirmed=True)), at=week(12)
    )

    assert held.outcome == "not_enough_data"
    assert [part.reasons for part in held.left_out] == [("implausible",), ("implausible",)]
    assert checked.outcome == "estimated"


@pytest.mark.parametrize("factor", [0.4, 2.5])
def test_a_first_draw_that_another_kit_may_give_is_scored(factor: float) -> None:
    table = results_table([33.0 * factor])

    (found,) = estimate_cohort(History(patients=patients_table(), results=table), at=week(12))

    assert found.outcome == "estimated"


@pytest.mark.parametrize(("comparator", "value"), [(">", 1e300), ("<", 1e-300)])
def test_an_absurd_limit_waits_for_a_check_and_keeps_nobody_else_waiting(
    comparator: str, value: float
) -> None:
    absurd = results_table([value], comparator=comparator, patient_id=1)
    both = pd.concat([absurd, results_table([33.0], patient_id=2)], ignore_index=True)

    one, other = estimate_cohort(History(patients=patients_table([1, 2]), results=both), at=week(4))

    assert one.outcome == Outcome.NOT_ENOUGH_DATA
    assert [part.reason for part in one.left_out] == ["implausible"]
    assert other.outcome == Outcome.ESTIMATED


@pytest.mark.parametrize("draws", [1, 2, 5, 31, 32, 33, 70])
@pytest.mark.parametrize("started_at", [week(0), None])
def test_however_many_draws_a_patient_alone_gets_the_numbers_of_a_cohort(
    draws: int, started_at: datetime | None
) -> None:
    rng = np.random.default_rng(draws)
    ids = range(1, 12)
    patients = patients_table(ids, started_at=started_at)
    results = pd.concat(
        [
            results_table(
                np.exp(rng.normal(shift, 0.25, draws)).tolist(),
                weeks=np.linspace(0, 19, draws).tolist(),
                patient_id=patient,
                analyte=analyte,
                segment=f"1/kit {patient % 2}",
            )
            for patient in ids
            for analyte, shift in (("sIL-6R", 3.5), ("TNF-α", 0.4))
        ],
        ignore_index=True,
    )
    together = estimates_of({"patients": patients, "results": results})

    for place, patient in enumerate(ids):
        own = {
            "patients": patients[patients["patient_id"] == patient],
            "results": results[results["patient_id"] == patient],
        }
        alone = estimates_of(own)

        assert [each.as_json() for each in alone] == [list(together)[place].as_json()]
        assert alone.table.equals(together.table.iloc[[place]].reset_index(drop=True))


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("release", "published-prior-1", "release: 'published-prior-1'; wanted: a Release"),
        ("policy", None, "policy: NoneType; wanted: a Policy"),
        ("rules", {"failed_trials": 2}, "rules: dict; wanted: Rules"),
    ],
)
def test_what_is_no_release_policy_or_rules_is_refused_in_words(
    name: str, value: object, told: str
) -> None:
    with pytest.raises(TypeError, match=told):
        estimate_cohort(History(patients=patients_table()), at=TWENTY_WEEKS, **{name: value})  # type: ignore[arg-type]


def test_a_table_is_no_history() -> None:
    with pytest.raises(TypeError, match=r"history: DataFrame; wanted: a History\(patients="):
        estimate_cohort(patients_table(), at=TWENTY_WEEKS)  # type: ignore[arg-type]


def test_nobody_can_write_into_an_estimate_or_a_history() -> None:
    history = History(
        patients=patients_table(), trials=trials_table(), results=results_table([30, 35, 40])
    )
    found = estimate_cohort(history, at=week(12))

    for column in (
        found.outcome,
        found.allocation,
        found.patient_ids,
        found.risk.probability,
        found.risk.pieces[0],
        found.courses.state,
        found.tracks.changes.since_first,
        found.tracks.standing.level,
        history.result_columns.value,
    ):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 0
    own = found.table
    own.loc[0, "probability"] = 2.0

    assert found.table["probability"][0] == found.risk.probability[0]
