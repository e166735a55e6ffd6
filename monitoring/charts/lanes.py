"""The lanes above the panels: trials with their dose steps, events, flags."""

from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.charts.figures import Dose, Mark, Span, Trial
from monitoring.charts.layout import TimeAxis, stack_rows
from monitoring.charts.svg import line, num, paint, rect, say, text, width_of
from monitoring.charts.symbols import pennant

ROW = 17.0
BAR = 17.0
TRIAL = 42.0


@dataclass(frozen=True)
class Lane:
    """What was drawn and how much height it took."""

    parts: list[str]
    height: float


EMPTY = Lane([], 0)


@dataclass(frozen=True)
class _Placed:
    """A label beside its mark, on the side where there is room."""

    x: float
    anchor: str
    row: int


def _lane_title(title: str, *, weeks: TimeAxis, y: float) -> tuple[str, float]:
    """Name the lane: in the left gutter, or above it where there is none to speak of."""
    frame = weeks.frame
    if frame.is_compact:
        return text(4, y + 12, title, size=11, is_bold=True), 16
    return text(frame.left - 10, y + 13, title, size=11.5, anchor="end", is_bold=True), 0


def _place(items: Sequence[tuple[float, float, str]], *, weeks: TimeAxis) -> list[_Placed]:
    """Place labels for marks (from, to, label): to the right of the start, or ending at its end."""
    frame = weeks.frame
    extents: list[tuple[float, float]] = []
    sides: list[tuple[float, str]] = []
    for start, end, label in items:
        room = width_of(label, size=frame.size)
        if start + room <= frame.width - 4:
            sides.append((start, "start"))
            extents.append((start, max(end, start + room)))
        else:
            right = min(max(end, start), frame.width - 4)
            sides.append((right, "end"))
            extents.append((min(start, right - room), right))
    rows = stack_rows(extents)
    return [_Placed(x, anchor, row) for (x, anchor), row in zip(sides, rows, strict=True)]


def draw_flags(marks: Sequence[Mark], *, weeks: TimeAxis, title: str, top: float) -> Lane:
    """Draw one pennant per flag, with its name beside it."""
    shown = [mark for mark in marks if weeks.holds(mark.at_week)]
    if not shown:
        return EMPTY
    heading, above = _lane_title(title, weeks=weeks, y=top)
    items = [(weeks.x(mark.at_week) + 13, weeks.x(mark.at_week), mark.label) for mark in shown]
    placed = _place(items, weeks=weeks)
    parts = [heading]
    for mark, place in zip(shown, placed, strict=True):
        y = top + above + place.row * ROW + 9
        x = weeks.x(mark.at_week)
        beside = place.x if place.anchor == "start" else x - 4
        parts.append(pennant(x, y, mark.level))
        parts.append(
            text(
                beside,
                y + 4,
                mark.label,
                size=weeks.frame.size,
                fill=str(mark.level),
                anchor=place.anchor,
            )
        )
    rows = max(place.row for place in placed) + 1
    return Lane(parts, above + rows * ROW + 6)


def draw_events(spans: Sequence[Span], *, weeks: TimeAxis, title: str, top: float) -> Lane:
    """Draw each event as a bracket over its days, with its name above it."""
    shown = [span for span in spans if _touches(span.from_week, span.to_week, weeks)]
    if not shown:
        return EMPTY
    heading, above = _lane_title(title, weeks=weeks, y=top)
    extents = [_extent(span.from_week, span.to_week, weeks) for span in shown]
    items = [(start, end, span.label) for (start, end), span in zip(extents, shown, strict=True)]
    placed = _place(items, weeks=weeks)
    parts = [heading]
    for (start, end), span, place in zip(extents, shown, placed, strict=True):
        y = top + above + place.row * (ROW + 6)
        parts.append(
            text(
                place.x, y + 12, span.label, size=weeks.frame.size, fill="ink", anchor=place.anchor
            )
        )
        parts.append(
            rect(start, y + 16, end - start, 4, paint(fill="event", stroke="event", width=0.5))
        )
    rows = max(place.row for place in placed) + 1
    return Lane(parts, above + rows * (ROW + 6) + 4)


def shade_events(spans: Sequence[Span], *, weeks: TimeAxis, top: float, bottom: float) -> str:
    """Tint the days of each event behind a panel."""
    parts = []
    for span in spans:
        if _touches(span.from_week, span.to_week, weeks):
            start, end = _extent(span.from_week, span.to_week, weeks)
            parts.append(rect(start, top, end - start, bottom - top, paint(fill="event-pale")))
    return "".join(parts)


def draw_trials(trials: Sequence[Trial], *, weeks: TimeAxis, title: str, top: float) -> Lane:
    """Draw each trial as its name over the bars of its dose steps."""
    shown = [
        trial
        for trial in trials
        if any(_touches(dose.from_week, dose.to_week, weeks) for dose in trial.doses)
    ]
    if not shown:
        return EMPTY
    heading, above = _lane_title(title, weeks=weeks, y=top)
    parts = [heading]
    y = top + above
    for trial in shown:
        parts += _draw_trial(trial, weeks=weeks, y=y)
        y += TRIAL
    return Lane(parts, y - top + 2)


def _draw_trial(trial: Trial, *, weeks: TimeAxis, y: float) -> list[str]:
    frame = weeks.frame
    doses = [dose for dose in trial.doses if _touches(dose.from_week, dose.to_week, weeks)]
    start = _extent(doses[0].from_week, doses[0].to_week, weeks)[0]
    steps = " → ".join(dose.text for dose in trial.doses)
    room = width_of(trial.name, size=frame.size, is_bold=True) + width_of(
        f" {steps}", size=frame.size
    )
    x = max(4.0, min(start, frame.width - 4 - room))
    parts = [
        f'<text x="{num(x)}" y="{num(y + 13)}" font-size="{num(frame.size)}" {paint(fill="ink")}>'
        f'<tspan font-weight="600">{say(trial.name)}</tspan> '
        f"<tspan {paint(fill='soft')}>{say(steps)}</tspan></text>"
    ]
    for dose in doses:
        parts += _draw_dose(dose, weeks=weeks, y=y + 18)
    return parts


def _draw_dose(dose: Dose, *, weeks: TimeAxis, y: float) -> list[str]:
    """Draw one step: a bar with its dose in it where it fits; a running one stays open."""
    start, end = _extent(dose.from_week, dose.to_week, weeks)
    middle = y + BAR / 2
    parts = [rect(start, y, end - start, BAR, paint(fill="slate-pale"))]
    parts.append(line(start, y, start, y + BAR, stroke="slate", width=1.5))
    parts.append(line(start, y + BAR, end, y + BAR, stroke="slate", width=1.5))
    if dose.to_week is not None and weeks.holds(dose.to_week):
        parts.append(line(end, y, end, y + BAR, stroke="slate", width=1.5))
    if width_of(dose.text, size=11) + 8 <= end - start:
        parts.append(text(start + 6, middle + 4, dose.text, size=11, fill="ink"))
    return parts


def _touches(from_week: float, to_week: float | None, weeks: TimeAxis) -> bool:
    ends = weeks.chart.to_week if to_week is None else to_week
    return ends >= weeks.chart.from_week and from_week <= weeks.chart.to_week


def _extent(from_week: float, to_week: float | None, weeks: TimeAxis) -> tuple[float, float]:
    """Give the places where something starts and ends; running things end today."""
    today = weeks.chart.today_week
    ends = to_week if to_week is not None else (today if today is not None else weeks.chart.to_week)
    start = weeks.x(weeks.clamp(from_week))
    end = weeks.x(weeks.clamp(ends))
    return start, max(end, start + 2)
