"""When draws and ratings are due: weeks 0, 2, 4, 6, 9, 12, then every 4."""

from datetime import date, timedelta

import pytest

from monitoring.portal.schedule import missed_weeks, next_due, visit_weeks
from tests.factories import FIRST_DOSE


def week(number: float) -> date:
    return FIRST_DOSE + timedelta(days=round(number * 7))


def test_the_visits_are_those_of_measurement_based_care_and_then_every_four_weeks() -> None:
    assert visit_weeks(until_week=21) == [0, 2, 4, 6, 9, 12, 16, 20, 24]


@pytest.mark.parametrize(
    ("done", "due"), [([], 0), ([0], 2), ([0, 2, 4.2], 6), ([0, 8.6], 12), ([0, 19], 24)]
)
def test_the_next_visit_follows_the_one_that_was_nearest_to_the_last(
    done: list[float], due: float
) -> None:
    found = next_due(FIRST_DOSE, done_on=[week(each) for each in done], today=week(5))

    assert found.on == week(due)


def test_a_visit_is_overdue_after_three_days_of_grace() -> None:
    due_on = week(2)

    in_grace = next_due(FIRST_DOSE, done_on=[week(0)], today=due_on + timedelta(days=3))
    too_late = next_due(FIRST_DOSE, done_on=[week(0)], today=due_on + timedelta(days=4))

    assert not in_grace.is_overdue
    assert too_late.is_overdue
    assert too_late.days_late == 4


def test_a_visit_is_missed_once_the_next_one_is_nearer() -> None:
    done = [week(0), week(2), week(6)]

    # half-way between weeks 9 and 12 is day 73.5
    assert missed_weeks(FIRST_DOSE, done_on=done, today=FIRST_DOSE + timedelta(days=73)) == [4]
    assert missed_weeks(FIRST_DOSE, done_on=done, today=FIRST_DOSE + timedelta(days=75)) == [4, 9]


def test_nothing_is_missed_before_the_first_dose() -> None:
    assert missed_weeks(FIRST_DOSE, done_on=[], today=FIRST_DOSE - timedelta(days=5)) == []
