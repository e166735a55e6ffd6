"""When draws and ratings are due: weeks 0, 2, 4, 6, 9 and 12 of therapy, then every 4 weeks.

The weeks are the decision points of measurement-based care (PMC2793274, table 1) with the first
dose and the test of early improvement before them. What is done belongs to the nearest visit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

FIRST_VISIT_WEEKS = (0, 2, 4, 6, 9, 12)
LATER_EVERY_WEEKS = 4
# Later than this, a visit is called overdue
GRACE_DAYS = 3


@dataclass(frozen=True)
class Due:
    """The next visit that has not been done yet; days are below zero while it lies ahead."""

    on: date
    days_late: int

    @property
    def is_overdue(self) -> bool:
        return self.days_late > GRACE_DAYS


def visit_weeks(*, until_week: int) -> list[int]:
    """List the planned weeks, up to the first that lies after the given one."""
    weeks = list(FIRST_VISIT_WEEKS)
    while weeks[-1] <= until_week:
        weeks.append(weeks[-1] + LATER_EVERY_WEEKS)
    return weeks


def next_due(first_dose_on: date, *, done_on: Sequence[date], today: date) -> Due:
    """Find the visit after the last one that was done."""
    on = first_dose_on
    if done_on:
        day = (max(done_on) - first_dose_on).days
        weeks = visit_weeks(until_week=max(day, 0) // 7 + 2 * LATER_EVERY_WEEKS)
        nearest = min(range(len(weeks)), key=lambda place: abs(weeks[place] * 7 - day))
        on = first_dose_on + timedelta(weeks=weeks[nearest + 1])
    return Due(on=on, days_late=(today - on).days)


def missed_weeks(first_dose_on: date, *, done_on: Sequence[date], today: date) -> list[int]:
    """List the planned weeks that have gone by with nothing done nearer to them than to another."""
    days = [(day - first_dose_on).days for day in done_on]
    weeks = visit_weeks(until_week=max((today - first_dose_on).days, 0) // 7 + LATER_EVERY_WEEKS)
    missed = []
    opens = float("-inf")
    for week, following in pairwise(weeks):
        closes = (week + following) * 7 / 2
        if closes >= (today - first_dose_on).days:
            break
        if not any(opens < day <= closes for day in days):
            missed.append(week)
        opens = closes
    return missed
