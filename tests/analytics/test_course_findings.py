"""Days of the site, and the rules a site may set."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.course_findings import nearest_day
from analytics.definitions import NON_REMISSION, RULE_SETS, RULES, rules_of, rules_on, with_weeks


@pytest.mark.parametrize(
    ("zone", "start", "weeks", "day"),
    [
        # The clocks of Berlin go back on 25 October 2026 and forward on 29 March 2026
        ("Europe/Berlin", date(2026, 10, 5), 6, date(2026, 11, 16)),
        ("Europe/Berlin", date(2026, 3, 2), 6, date(2026, 4, 13)),
        ("Asia/Tokyo", date(2026, 8, 3), 6, date(2026, 9, 14)),
        ("Pacific/Kiritimati", date(2026, 8, 3), 6, date(2026, 9, 14)),
        ("America/Adak", date(2026, 10, 5), 6, date(2026, 11, 16)),
    ],
)
def test_six_weeks_are_full_on_the_same_day_of_the_week(
    zone: str, start: date, weeks: int, day: date
) -> None:
    midnight = datetime.combine(start, datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)

    assert nearest_day(midnight + timedelta(weeks=weeks), ZoneInfo(zone)) == day


@given(st.dates(date(2026, 1, 1), date(2030, 1, 1)), st.integers(0, 60))
def test_whole_weeks_after_a_midnight_are_whole_weeks_by_the_calendar(
    start: date, weeks: int
) -> None:
    zone = ZoneInfo("America/New_York")
    midnight = datetime.combine(start, datetime.min.time(), zone).astimezone(UTC)

    assert nearest_day(midnight + timedelta(weeks=weeks), zone) == start + timedelta(weeks=weeks)


def test_no_two_rule_sets_have_one_version() -> None:
    assert len({rules.version for rules in RULE_SETS}) == len(RULE_SETS)


def test_the_rules_in_force_are_the_ones_that_are_applied() -> None:
    assert rules_on(date(2026, 11, 28)) is RULES
    assert rules_on(date(2026, 11, 28), name=NON_REMISSION).version == "non-remission-3"


def test_a_sites_own_weeks_are_named_by_the_version_and_read_back() -> None:
    own = with_weeks(RULES, 4)

    assert own.version == "eu-pearl-4+4wk"
    assert rules_of("eu-pearl-4+4wk") == own
    assert with_weeks(RULES, 6) is RULES


def test_fewer_weeks_than_any_definition_are_refused() -> None:
    with pytest.raises(ValueError, match="adequate_weeks is 3; wanted: at least 4"):
        with_weeks(RULES, 3)
