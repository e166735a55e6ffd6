"""When draws and ratings are due: by the plan of the site, as the flag *overdue* has it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils.html import strip_tags

from monitoring import overdue
from monitoring.models import Flag, FlagKind, Standing
from monitoring.portal.presenters.overdue import rows_of
from monitoring.portal.schedule import missed_weeks, next_due
from tests.factories import (
    FIRST_DOSE,
    DrawFactory,
    EpisodeFactory,
    RatingFactory,
    ResultFactory,
)


def week(number: float) -> date:
    return FIRST_DOSE + timedelta(days=round(number * 7))


@pytest.mark.parametrize(
    ("done", "today", "every_weeks", "due"),
    [
        ([], 0, 4, 0),
        ([0], 1, 4, 2),
        ([0, 2, 4.2], 5, 4, 6),
        ([0, 2, 4, 6, 9, 12], 13, 4, 16),
        ([0, 2, 4, 6, 9, 12], 13, 8, 20),
        ([0, 2, 4, 6, 9, 12, 16], 18, 4, 20),
    ],
)
def test_the_next_visit_is_that_of_the_sites_plan(
    done: list[float], today: float, every_weeks: int, due: float
) -> None:
    found = next_due(
        FIRST_DOSE,
        done_on=[week(each) for each in done],
        today=week(today),
        every_weeks=every_weeks,
    )

    assert found is not None
    assert found.on == week(due)


def test_a_site_may_expect_nothing_after_week_12() -> None:
    done = [week(each) for each in (0, 2, 4, 6, 9, 12)]

    assert next_due(FIRST_DOSE, done_on=done, today=week(20), every_weeks=0) is None


def test_a_visit_is_overdue_after_three_days_of_grace() -> None:
    due_on = week(2)
    asked = {"done_on": [week(0)], "every_weeks": 4}

    in_grace = next_due(FIRST_DOSE, today=due_on + timedelta(days=3), **asked)  # type: ignore[arg-type]
    too_late = next_due(FIRST_DOSE, today=due_on + timedelta(days=4), **asked)  # type: ignore[arg-type]

    assert in_grace is not None
    assert too_late is not None
    assert not in_grace.is_overdue
    assert too_late.is_overdue
    assert too_late.days_late == 4


def test_what_was_not_received_in_its_grace_is_marked() -> None:
    done = [week(0), week(2), week(6)]

    def missed(day: int) -> list[int]:
        today = FIRST_DOSE + timedelta(days=day)
        return missed_weeks(FIRST_DOSE, done_on=done, today=today, every_weeks=4)

    # week 9 is day 63, with three days of grace
    assert missed(66) == [4]
    assert missed(67) == [4, 9]


def test_nothing_is_missed_before_the_first_dose() -> None:
    today = FIRST_DOSE - timedelta(days=5)

    assert missed_weeks(FIRST_DOSE, done_on=[], today=today, every_weeks=4) == []


@pytest.mark.django_db
def test_the_list_says_what_has_not_come_and_since_when_the_longest_first() -> None:
    # First dose on 28-Sep-2026; on 16-Nov week 6 (09-Nov) is overdue, and 0 to 4 were missed
    at = datetime(2026, 11, 16, 12, tzinfo=UTC)
    late, later = EpisodeFactory.create().patient, EpisodeFactory.create().patient
    for patient in (late, later):
        Standing.objects.create(patient=patient, team=patient.team)
    RatingFactory.create(patient=late, rated_at=datetime(2026, 10, 26, 9, tzinfo=UTC))
    ResultFactory.create(
        draw=DrawFactory.create(patient=late, collected_at=datetime(2026, 10, 26, 9, tzinfo=UTC))
    )
    overdue.check_visits(at=at)
    flags = list(Flag.objects.up().filter(kind=FlagKind.OVERDUE))

    rows = rows_of(flags, overdue.visits_by_patient([each.patient for each in flags], at=at), at=at)

    assert [row.public_id for row in rows] == [str(later.public_id), str(late.public_id)]
    assert [strip_tags(each) for each in rows[1].what] == [
        "Draw of week 6 overdue: due 09-Nov-2026, 7 days ago",
        "Rating of week 6 overdue: due 09-Nov-2026, 7 days ago",
    ]
    assert "Draw of week 2 missed: due 12-Oct-2026, 35 days ago" in [
        strip_tags(each) for each in rows[0].what
    ]
