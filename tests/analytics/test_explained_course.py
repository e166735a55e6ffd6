"""An explanation says what was found at each decision point, also where nothing was."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from analytics.definitions import SymptomState
from analytics.explained_course import ExplainedCourse, Unread
from analytics.explanation import explain
from tests.analytics.cohorts import MONDAY, estimate_one, ratings_table, trials_table, week

FULL = ratings_table([20, 18, 14, 10, 4, 5], weeks=[0, 2, 4, 6, 9, 12])


def course(at: float = 12, **tables: object) -> ExplainedCourse:
    given = {"trials": trials_table(), **tables}
    found = explain(estimate_one(at=week(at), **given), made_at=week(at)).course  # type: ignore[arg-type]
    assert found is not None
    return found


def found_at(said: ExplainedCourse) -> dict[int, str]:
    return {point.week: point.found.value for point in said.decision_points}


def test_every_point_is_read_by_the_share_gained_and_the_range_of_remission() -> None:
    # 20 -> 18 is 10 %, 14 is 30 %, 10 is 50 %; QIDS-SR16 up to 5 is remission (ids-qids.org)
    said = course(ratings=FULL)

    assert found_at(said) == {
        2: "non-response",
        4: "partial response",
        6: "response",
        9: "remission",
        12: "remission",
    }
    assert [point.improvement for point in said.decision_points] == pytest.approx(
        [0.1, 0.3, 0.5, 0.8, 0.75]
    )
    assert said.symptoms is SymptomState.REMISSION


def test_what_has_no_rating_is_not_rated_due_or_to_come() -> None:
    said = course(at=6, ratings=FULL.iloc[[0]])

    assert found_at(said) == {
        2: SymptomState.NOT_RATED,
        4: SymptomState.NOT_RATED,
        6: Unread.DUE,
        9: Unread.TO_COME,
        12: Unread.TO_COME,
    }
    assert all(point.total is None for point in said.decision_points)


def test_points_after_the_end_of_the_trial_are_none_of_it() -> None:
    said = course(ratings=FULL, trials=trials_table(((0, 5),)))

    assert found_at(said)[9] == found_at(said)[12] == Unread.ENDED


def test_points_are_those_of_the_latest_trial() -> None:
    trials = trials_table(((0, 6), (6, None)), drug=["sertraline", "mirtazapine"])
    trials["atc"] = ["N06AB06", "N06AX11"]

    said = course(at=9, ratings=FULL, trials=trials)

    assert (said.trial, said.drug) == (2, "mirtazapine")
    assert said.decision_points[0].opens_on == (MONDAY + timedelta(weeks=6, days=11)).date()


def test_days_are_those_of_the_site() -> None:
    # Midnight in Berlin on 05-Jan-2026 is 23:00 UTC of the day before; six weeks on is 16-Feb
    start = MONDAY - timedelta(hours=1)
    trials = trials_table().assign(started_at=start, adequate_from=start)
    found = estimate_one(trials=trials)

    said = explain(found, made_at=week(12), zone=ZoneInfo("Europe/Berlin")).course

    assert said is not None
    assert said.first_adequate_on == date(2026, 2, 16)
