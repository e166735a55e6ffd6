"""Where things go: the two axes, and rows and labels that keep out of each other's way."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from monitoring.charts.figures import Panel, TimelineChart
from monitoring.charts.svg import width_of

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEK_STEPS = (1, 2, 4, 8, 13, 26, 52, 104, 208, 520)
NICE_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def clinical_date(day: date) -> str:
    """Write a date as clinical screens do, whatever the reader's region: 05-Oct-2026."""
    return f"{day.day:02d}-{MONTHS[day.month - 1]}-{day.year:04d}"


@dataclass(frozen=True)
class Frame:
    """The measures of one rendering; compact is for a narrow window, not a smaller print."""

    width: float
    left: float
    right: float
    size: float
    is_compact: bool

    @property
    def plot_right(self) -> float:
        return self.width - self.right


WIDE = Frame(width=960, left=64, right=150, size=12.5, is_compact=False)
COMPACT = Frame(width=290, left=28, right=66, size=12, is_compact=True)


@dataclass(frozen=True)
class TimeAxis:
    """From weeks to places, and from weeks to days of the calendar."""

    chart: TimelineChart
    frame: Frame

    def x(self, week: float) -> float:
        share = (week - self.chart.from_week) / (self.chart.to_week - self.chart.from_week)
        return self.frame.left + share * (self.frame.plot_right - self.frame.left)

    def holds(self, week: float) -> bool:
        return self.chart.from_week <= week <= self.chart.to_week

    def clamp(self, week: float) -> float:
        return min(max(week, self.chart.from_week), self.chart.to_week)

    def day(self, week: float) -> date:
        return self.chart.first_dose_on + timedelta(days=round(week * 7))

    def ticks(self) -> list[int]:
        """Whole weeks, as many as leave room for a full date at each."""
        room = width_of("00-Mmm-0000", size=self.frame.size) + 10
        pixels = self.x(1) - self.x(0)
        step = next((step for step in WEEK_STEPS if step * pixels >= room), WEEK_STEPS[-1])
        first = math.ceil(self.chart.from_week / step)
        last = math.floor(self.chart.to_week / step)
        return [number * step for number in range(first, last + 1)]


@dataclass(frozen=True)
class ValueAxis:
    """From values to places; the top of the panel is the high end."""

    low: float
    high: float
    top: float
    bottom: float
    steps: tuple[float, ...]

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.bottom - share * (self.bottom - self.top)

    def clamp(self, value: float) -> float:
        return min(max(value, self.low), self.high)


def nice_steps(low: float, high: float, *, at_most: int) -> tuple[float, ...]:
    """Give round levels that cover the span from low to high."""
    raw = (high - low) / at_most
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(nice * magnitude for nice in NICE_STEPS if nice * magnitude >= raw * 0.999999)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return tuple(round(number * step, 10) for number in range(first, last + 1))


def value_axis(panel: Panel, *, weeks: TimeAxis, top: float, height: float) -> ValueAxis:
    """Hold the panel's own window, stretched to the next step by what lies outside it."""
    values = [
        value
        for series in panel.series
        for point in series.points
        if weeks.holds(point.at_week)
        for value in (point.value, point.low, point.high)
        if value is not None
    ]
    if panel.band is not None:
        inside = [point for point in panel.band.points if weeks.holds(point.at_week)]
        values += [value for point in inside for value in (point.low, point.high)]
    low, high = min([panel.low, *values]), max([panel.high, *values])
    is_stretched = (low, high) != (panel.low, panel.high)
    if panel.steps and not is_stretched:
        return ValueAxis(panel.low, panel.high, top, top + height, panel.steps)
    steps = nice_steps(low, high, at_most=max(2, int(height / 32)))
    return ValueAxis(steps[0], steps[-1], top, top + height, steps)


def spread(wanted: Sequence[tuple[float, float]], *, top: float, bottom: float) -> list[float]:
    """Move labels, each a middle and a height, just far enough apart not to overlap.

    Given in any order, answered in the same order.
    """
    order = sorted(range(len(wanted)), key=lambda index: wanted[index][0])
    places = [middle for middle, _ in wanted]
    edge = top
    for index in order:
        middle, height = wanted[index]
        places[index] = max(middle, edge + height / 2)
        edge = places[index] + height / 2
    edge = bottom
    for index in reversed(order):
        height = wanted[index][1]
        if places[index] + height / 2 <= edge:
            break
        places[index] = edge - height / 2
        edge = places[index] - height / 2
    return places


def stack_rows(extents: Sequence[tuple[float, float]], *, gap: float = 8) -> list[int]:
    """Give each extent (from, to) the first row in which it touches nothing.

    Given in any order, answered in the same order.
    """
    ends: list[float] = []
    rows = [0] * len(extents)
    for index in sorted(range(len(extents)), key=lambda index: extents[index]):
        start, end = extents[index]
        row = next((row for row, taken in enumerate(ends) if taken + gap <= start), len(ends))
        if row == len(ends):
            ends.append(end)
        else:
            ends[row] = end
        rows[index] = row
    return rows
