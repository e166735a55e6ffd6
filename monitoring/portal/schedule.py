"""When draws and ratings are due and which were missed, by the plan of the site.

The plan is that of the core (analytics/schedule.py), which raises the flag *overdue* too: a page
and a flag never say different things of one visit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from analytics.schedule import Expected, Visit, VisitStatus, expected_visits
from monitoring.overdue import plan_of

_WAITED_FOR = (VisitStatus.DUE, VisitStatus.OVERDUE, VisitStatus.UPCOMING)
_NOT_RECEIVED = (VisitStatus.MISSED, VisitStatus.OVERDUE)


@dataclass(frozen=True)
class Due:
    """The next visit that has not been done yet; days are below zero while it lies ahead."""

    on: date
    days_late: int
    is_overdue: bool


def next_due(
    first_dose_on: date, *, done_on: Sequence[date], today: date, every_weeks: int
) -> Due | None:
    """Find the visit that is waited for; None where the plan has come to its end."""
    visits = _visits(first_dose_on, done_on=done_on, today=today, every_weeks=every_weeks)
    visit = next((each for each in visits if each.status in _WAITED_FOR), None)
    if visit is None:
        return None
    return Due(visit.due_on, (today - visit.due_on).days, visit.status is VisitStatus.OVERDUE)


def missed_weeks(
    first_dose_on: date, *, done_on: Sequence[date], today: date, every_weeks: int
) -> list[int]:
    """List the planned weeks of which nothing was received in time, nor late."""
    visits = _visits(first_dose_on, done_on=done_on, today=today, every_weeks=every_weeks)
    return [each.week for each in visits if each.status in _NOT_RECEIVED]


def not_received(visits: Sequence[Visit]) -> list[Visit]:
    """List what was expected since something was last done, and has not come; the newest last."""
    last = max((place for place, each in enumerate(visits) if each.done_on), default=-1)
    return [each for each in visits[last + 1 :] if each.status in _NOT_RECEIVED]


def _visits(
    first_dose_on: date, *, done_on: Sequence[date], today: date, every_weeks: int
) -> tuple[Visit, ...]:
    return expected_visits(
        Expected.DRAW,  # the plan is the same for ratings
        started_on=first_dose_on,
        done_on=done_on,
        today=today,
        plan=plan_of(every_weeks),
    )
