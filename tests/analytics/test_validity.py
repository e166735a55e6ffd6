"""Which results are scored, plotted only, or excluded."""

import pandas as pd
import pytest

from analytics import Estimate, HistoryIsUnfit, Outcome, Reason
from tests.analytics.cohorts import estimate_one, events_table, results_table, week


def reasons(estimate: Estimate) -> dict[str, tuple[str, ...]]:
    return {part.what: part.reasons for part in estimate.left_out}


@pytest.mark.parametrize(
    ("kind", "days_later", "is_scored"),
    [
        ("vaccination", 27, False),
        ("surgery", 20, False),
        ("exercise", 0.5, False),
        ("exercise", 2, True),
        ("other", 1, True),
    ],
)
def test_a_passing_event_disturbs_for_its_time(
    kind: str, days_later: float, is_scored: bool
) -> None:
    events = events_table(kind, start=2)
    results = results_table([30, 33], weeks=[0, 2 + days_later / 7])

    found = estimate_one(results=results, events=events)

    assert (len(found.left_out) == 0) == is_scored
    assert found.trajectories[0].n_draws == 2
    assert found.trajectories[0].n_scored == (2 if is_scored else 1)


@pytest.mark.parametrize(
    ("kind", "days_later", "is_scored"),
    [("infection", 27, False), ("infection", 29, True), ("ect", 4, False), ("ect", 6, True)],
)
def test_what_lasts_disturbs_for_its_time_after_its_end(
    kind: str, days_later: float, is_scored: bool
) -> None:
    events = events_table(kind, start=1, stop=2)
    results = results_table([30, 33], weeks=[0, 2 + days_later / 7])

    found = estimate_one(results=results, events=events)

    assert (len(found.left_out) == 0) == is_scored


@pytest.mark.parametrize("kind", ["infection", "steroid", "biologic", "pregnancy", "ect"])
def test_what_has_not_stopped_goes_on_disturbing(kind: str) -> None:
    events = events_table(kind, start=2)

    found = estimate_one(results=results_table([30, 33], weeks=[0, 11]), events=events)

    assert [part.reason for part in found.left_out] == [kind]
    assert found.left_out[0].is_plotted


def test_a_draw_before_the_event_is_not_disturbed() -> None:
    events = events_table("infection", start=2)

    found = estimate_one(results=results_table([30, 33], weeks=[0, 1.9]), events=events)

    assert found.left_out == ()


def test_an_il6r_blocker_excludes_and_the_patient_cannot_be_assessed() -> None:
    events = events_table("il6r_blocker", start=4)

    found = estimate_one(results=results_table([30, 300], weeks=[0, 8]), events=events)

    assert found.outcome is Outcome.NOT_ASSESSABLE
    assert found.probability is None
    assert reasons(found) == {"sIL-6R 2026-03-02": (Reason.IL6R_BLOCKER,)}
    assert not found.left_out[0].is_plotted


def test_a_blocker_that_has_washed_out_no_longer_stands_in_the_way() -> None:
    events = events_table("il6r_blocker", start=1, stop=2).assign(drug_atc="L04AC07")

    found = estimate_one(
        results=results_table([30, 300, 31], weeks=[0, 8, 20]), events=events, at=week(20)
    )

    assert found.outcome is Outcome.ESTIMATED
    assert found.trajectories[0].n_scored == 2


def test_a_crp_over_ten_marks_the_other_results_of_its_draw_only() -> None:
    results = pd.concat(
        [
            results_table([30, 40], weeks=[0, 4]),
            results_table([2, 11], weeks=[0, 4], analyte="hs-CRP"),
        ]
    )

    found = estimate_one(results=results)

    assert reasons(found) == {"sIL-6R 2026-02-02": (Reason.ACUTE_PHASE,)}


def test_a_preliminary_result_is_plotted_and_not_scored() -> None:
    results = results_table([30, 40], status=["final", "preliminary"])

    found = estimate_one(results=results)

    assert reasons(found) == {"sIL-6R 2026-01-12": (Reason.PRELIMINARY,)}


def test_a_change_of_kit_begins_a_new_baseline() -> None:
    results = results_table([30, 31, 62, 61], weeks=[0, 2, 4, 8], segment=["a", "a", "b", "b"])

    found = estimate_one(results=results)

    line = found.trajectories[0]
    assert line.segment == "b"
    assert line.n_scored == 2
    assert line.set_point == pytest.approx(62)
    assert [part.reason for part in found.left_out] == [Reason.EARLIER_SEGMENT] * 2


def test_a_draw_long_before_the_first_dose_belongs_to_no_episode() -> None:
    found = estimate_one(results=results_table([30, 31], weeks=[-5, -1]))

    assert [part.reason for part in found.left_out] == [Reason.BEFORE_EPISODE]


def test_facts_after_the_moment_are_not_used() -> None:
    results = results_table([30, 31, 60], weeks=[0, 4, 8])

    then = estimate_one(results=results, at=week(5))

    assert then.as_json() == estimate_one(results=results.head(2), at=week(5)).as_json()


def test_an_implausible_jump_waits_for_a_check() -> None:
    results = results_table([30, 31, 30, 120, 31], weeks=[0, 2, 4, 6, 8])

    found = estimate_one(results=results)

    assert reasons(found) == {"sIL-6R 2026-02-16": (Reason.IMPLAUSIBLE,)}
    assert found.trajectories[0].latest_value == 31


def test_a_confirmed_jump_is_scored_and_a_corrected_report_confirms_nothing() -> None:
    results = results_table([30, 31, 30, 120], weeks=[0, 2, 4, 6])

    by_person = estimate_one(results=results.assign(is_confirmed=[False, False, False, True]))
    by_report = estimate_one(results=results.assign(status=["final"] * 3 + ["corrected"]))

    assert by_person.left_out == ()
    assert [part.reasons for part in by_report.left_out] == [(Reason.IMPLAUSIBLE,)]


def test_only_the_cautions_that_are_named_are_waived() -> None:
    results = results_table([30, 31, 30, 32], weeks=[0, 2, 4, 6]).assign(
        haemolysis=["", "", "", "moderate"],
        freeze_thaw_cycles=[0.0, 0.0, 0.0, 3.0],
        is_overridden=[False, False, False, True],
    )

    def with_reasons(text: str) -> Estimate:
        return estimate_one(results=results.assign(overridden_reasons=["", "", "", text]))

    assert with_reasons("").left_out == ()
    assert with_reasons("haemolysis three_thaws_or_more").left_out == ()
    [part] = with_reasons("haemolysis").left_out
    assert part.reasons == (Reason.THAWED,)
    with pytest.raises(HistoryIsUnfit, match=r"overridden_reasons, row 3.*'hemolysis'.*haemolysis"):
        with_reasons("hemolysis")
