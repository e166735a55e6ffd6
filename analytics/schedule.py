"""Which draws and ratings an episode expects, and which of them are due, overdue or missed.

What is missing is a fact of its own: it is shown as such, and never taken for a zero.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any

from analytics.policy import FlagKind, FlagLevel, FlagReason, WantedFlag


class VisitStatus(StrEnum):
    """What has become of an expected draw or rating."""

    DONE = "done"
    DONE_LATE = "done late"
    UPCOMING = "upcoming"
    DUE = "due"
    OVERDUE = "overdue"
    MISSED = "missed"


class Expected(StrEnum):
    """What is expected of a visit."""

    DRAW = "draw"
    RATING = "rating"


class PlanIsUnfit(ValueError):
    """A plan that contradicts itself; says where, and what would be right."""


@dataclass(frozen=True, slots=True)
class Plan:
    """When something is expected: at weeks of the episode, then at an interval.

    Parameters
    ----------
    weeks : tuple of int
        Weeks since the first dose; measurement-based care reads 4, 6, 9 and 12 (PMC2793274, V),
        early non-improvement week 2, and the baseline is week 0.
    every_weeks : int
        The interval after the last of them; 0: nothing more is expected.
    days_before, days_after : int
        How many days before and after its day a visit is in time.
    baseline_before : int
        The same before week 0: what counts as a baseline.
    """

    weeks: tuple[int, ...] = (0, 2, 4, 6, 9, 12)
    every_weeks: int = 4
    days_before: int = 3
    days_after: int = 3
    baseline_before: int = 28

    def __post_init__(self) -> None:
        """Refuse weeks that do not rise, and windows that overlap."""
        if not self.weeks or any(later <= earlier for earlier, later in pairwise(self.weeks)):
            raise PlanIsUnfit(f"weeks {self.weeks}; wanted: at least one, each later than the last")
        if self.weeks[0] < 0 or self.every_weeks < 0:
            raise PlanIsUnfit("weeks and interval; wanted: zero or more")
        gaps = [7 * (later - earlier) for earlier, later in pairwise(self.weeks)]
        gaps += [7 * self.every_weeks] if self.every_weeks else []
        if min(self.days_before, self.days_after, self.baseline_before) < 0:
            raise PlanIsUnfit("days before and after; wanted: zero or more")
        if gaps and self.days_before + self.days_after >= min(gaps):
            raise PlanIsUnfit(
                f"{self.days_before} days before and {self.days_after} after; "
                f"wanted: together fewer than the {min(gaps)} days between two visits"
            )


DEFAULT_PLAN = Plan()


@dataclass(frozen=True, slots=True)
class Visit:
    """One draw or rating that the plan expects."""

    what: Expected
    week: int
    due_on: date
    opens_on: date
    closes_on: date
    status: VisitStatus
    done_on: date | None

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return {
            "what": self.what.value,
            "week": self.week,
            "due_on": self.due_on.isoformat(),
            "opens_on": self.opens_on.isoformat(),
            "closes_on": self.closes_on.isoformat(),
            "status": self.status.value,
            "done_on": None if self.done_on is None else self.done_on.isoformat(),
        }


def expected_visits(
    what: Expected,
    *,
    started_on: date,
    done_on: Sequence[date],
    today: date,
    ended_on: date | None = None,
    plan: Plan = DEFAULT_PLAN,
) -> tuple[Visit, ...]:
    """Lay the plan out up to today, and one visit further.

    Something done belongs to the visit whose window opened last before it; the first that was
    done counts. It is in time until the window closes, late until the next window opens, and
    from then on the visit is missed.

    Parameters
    ----------
    what : Expected
        Draws or ratings.
    started_on : date
        Day of the first dose.
    done_on : sequence of date
        The days on which it was done, in any order.
    today : date
        The day, by the clock of the site.
    ended_on : date or None
        The day on which the episode ended; nothing is expected whose window opens after it.
    plan : Plan
        The weeks and windows.

    Returns
    -------
    tuple of Visit
        By week; those that are done, past or due, and the next one to come.
    """
    done = sorted(each for each in done_on if each <= today)
    visits: list[Visit] = []
    for (week, opens), (_, next_opens) in pairwise(_windows(started_on, plan)):
        if opens is None or (ended_on is not None and opens > ended_on):
            break
        due = started_on + timedelta(weeks=week)
        closes = due + timedelta(days=plan.days_after)
        until = next_opens or date.max
        mine = next((each for each in done if opens <= each < until), None)
        is_over = ended_on is not None and ended_on < today
        status = _status(mine, opens, closes, today if is_over else next_opens, today)
        visits.append(Visit(what, week, due, opens, closes, status, mine))
        if status is VisitStatus.UPCOMING:
            break
    return tuple(visits)


def _windows(started_on: date, plan: Plan) -> Iterator[tuple[int, date | None]]:
    """Give each week and the day its window opens; at last a window that never opens."""
    week = 0
    for week in plan.weeks:
        before = plan.baseline_before if week == 0 else plan.days_before
        yield week, started_on + timedelta(weeks=week) - timedelta(days=before)
    while plan.every_weeks:
        week += plan.every_weeks
        yield week, started_on + timedelta(weeks=week) - timedelta(days=plan.days_before)
    yield week, None


def _status(
    done: date | None, opens: date, closes: date, next_opens: date | None, today: date
) -> VisitStatus:
    if done is not None:
        return VisitStatus.DONE if done <= closes else VisitStatus.DONE_LATE
    if today < opens:
        return VisitStatus.UPCOMING
    if today <= closes:
        return VisitStatus.DUE
    if next_opens is None or today < next_opens:
        return VisitStatus.OVERDUE
    return VisitStatus.MISSED


_REASON = {
    Expected.DRAW: FlagReason.DRAW_OVERDUE,
    Expected.RATING: FlagReason.RATING_OVERDUE,
}


def overdue_flag(*plans: Sequence[Visit]) -> WantedFlag | None:
    """Say whether the flag *overdue* should be up.

    It is raised by a visit that is overdue, and kept while one was missed and nothing has been
    done since, so that the opening of the next window does not lower it.

    Parameters
    ----------
    *plans : sequence of Visit
        The visits of draws and of ratings, each by week.

    Returns
    -------
    WantedFlag or None
    """
    raised, kept = [], []
    for visits in plans:
        past = [each for each in visits if each.status is not VisitStatus.UPCOMING]
        if past and past[-1].status is VisitStatus.OVERDUE:
            raised.append(_REASON[past[-1].what])
        elif (
            len(past) > 1
            and past[-1].status is VisitStatus.DUE
            and past[-2].status is VisitStatus.MISSED
        ):
            kept.append(_REASON[past[-1].what])
    if not raised and not kept:
        return None
    return WantedFlag(FlagKind.OVERDUE, FlagLevel.WATCH, (*raised, *kept), bool(raised))
