"""One panel: its head with the last values, its series with band, ranges and thresholds."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from monitoring.charts.figures import Band, Panel, Point, Range, Series, Standing
from monitoring.charts.layout import TimeAxis, ValueAxis, spread
from monitoring.charts.svg import line, num, paint, rect, say, text, width_of, wrap
from monitoring.charts.symbols import missed, symbol

CENSORED = frozenset({Standing.BELOW, Standing.ABOVE})
LINE = 18.0
READINGS_APART = 18.0
NOT_JOINED = frozenset({Standing.EXCLUDED, Standing.CORRECTED})


@dataclass
class _HeadLine:
    """One line of a head: words at its start and at its end, and series that are named in it."""

    start: str = ""
    end: str = ""
    series: list[tuple[float, Series]] = field(default_factory=list)


def head_height(panel: Panel, *, weeks: TimeAxis) -> float:
    """Tell how much room the head needs above the plot."""
    return 16 + LINE * len(_head_lines(panel, weeks=weeks))


def draw_head(panel: Panel, *, weeks: TimeAxis, top: float) -> list[str]:
    """Write title and unit, latest value large, previous small, and the names of several series."""
    frame = weeks.frame
    parts: list[str] = []
    for number, content in enumerate(_head_lines(panel, weeks=weeks)):
        y = top + 22 + number * LINE
        common = f'y="{num(y)}" font-size="{num(frame.size)}" {paint(fill="soft")}'
        if content.start:
            parts.append(f'<text x="4" {common}>{content.start}</text>')
        if content.end:
            anchored = f'x="{num(frame.width - 4)}" text-anchor="end"'
            parts.append(f"<text {anchored} {common}>{content.end}</text>")
        for x, series in content.series:
            parts += _name_series(series, x=x, y=y, size=frame.size)
    return parts


def _head_lines(panel: Panel, *, weeks: TimeAxis) -> list[_HeadLine]:
    """Set the head: one line where everything fits beside the title, more where it does not."""
    frame = weeks.frame
    room = frame.width - 8
    lines = [_HeadLine(start=_title(line)) for line in wrap(panel.title, room=room, size=16)]
    taken = width_of(panel.title, size=15, is_bold=True) + width_of(f" {panel.unit}", size=13)
    unit = say(panel.unit)
    if len(lines) > 1 or taken > room:
        lines.append(_HeadLine(start=unit))
    elif unit:
        lines[0].start += f" {unit}"
    told = _readings(panel, weeks=weeks)
    if frame.is_compact:
        lines += [_HeadLine(start=words) for reading in told for words in reading.fit(room)]
    elif told:
        if taken + sum(reading.width for reading in told) + READINGS_APART * len(told) > room:
            lines.append(_HeadLine())
        spaced = f'<tspan dx="{num(READINGS_APART)}">'
        lines[-1].end = f"{spaced}".join(f"{reading.whole}</tspan>" for reading in told)
        lines[-1].end = f"<tspan>{lines[-1].end}"
    if len(panel.series) > 1:
        if frame.is_compact or len(lines) == 1:
            lines.append(_HeadLine())
        x = 10.0 if frame.is_compact else frame.left
        for series in panel.series:
            lines[-1].series.append((x, series))
            x += 42 + width_of(series.name, size=frame.size)
    return lines


def _title(words: str) -> str:
    return f'<tspan font-size="15" font-weight="650" {paint(fill="ink")}>{say(words)}</tspan>'


@dataclass(frozen=True)
class _Told:
    """The latest or the previous value in words: what and when, and how wide both are together."""

    value: str
    when: str
    width: float

    @property
    def whole(self) -> str:
        return f"{self.value}, {self.when}"

    def fit(self, room: float) -> list[str]:
        """Give one line, or two where the date does not fit behind the value."""
        return [self.whole] if self.width <= room else [self.value, self.when]


def _readings(panel: Panel, *, weeks: TimeAxis) -> list[_Told]:
    frame, words = weeks.frame, weeks.chart.words
    told = []
    for label, reading, size in (
        (words.latest, panel.latest, 17.0),
        (words.previous, panel.previous, frame.size),
    ):
        if reading is not None:
            large = f'font-size="{num(size)}" font-weight="650" {paint(fill="ink")}'
            value = f"{say(label)} <tspan {large}>{say(reading.text)}</tspan> {say(panel.unit)}"
            width = width_of(f"{label}  {panel.unit}, {reading.when}", size=frame.size)
            width += width_of(reading.text, size=size, is_bold=True)
            told.append(_Told(value.rstrip(), say(reading.when), width))
    return told


def _name_series(series: Series, *, x: float, y: float, size: float) -> list[str]:
    dash = "4 3" if series.is_dashed else ""
    return [
        line(x - 6, y - 4, x + 14, y - 4, stroke=series.tone, width=1.5, dash=dash),
        symbol(series.shape, series.tone, Standing.USED, x + 4, y - 4),
        text(x + 20, y, series.name, size=size, fill="ink"),
    ]


def draw_plot(
    panel: Panel, *, weeks: TimeAxis, axis: ValueAxis, shading: str, clip: str
) -> list[str]:
    """Draw the panel from the back to the front: areas, grid, lines, marks, labels outside."""
    left, right = weeks.frame.left, weeks.frame.plot_right
    parts = [shading, *_draw_ground(panel, weeks=weeks, axis=axis), f'<g clip-path="url(#{clip})">']
    if panel.band is not None:
        parts += _draw_band(panel.band, weeks=weeks, axis=axis)
    parts += _draw_verticals(weeks, axis=axis)
    for threshold in panel.thresholds:
        y = axis.y(threshold.value)
        parts.append(line(left, y, right, y, stroke="soft", width=1.2, dash="6 3"))
    for series in panel.series:
        parts += _draw_lines(series, panel, weeks=weeks, axis=axis)
    parts.append("</g>")
    edges = f"M{num(left)} {num(axis.top)}V{num(axis.bottom)}H{num(right)}"
    parts.append(f'<path d="{edges}" {paint(stroke="frame")}/>')
    parts += [
        missed(weeks.x(gap.at_week), axis.bottom)
        for gap in panel.missed
        if weeks.holds(gap.at_week)
    ]
    for series in panel.series:
        parts += _draw_points(series, weeks=weeks, axis=axis)
    if not any(series.points for series in panel.series):
        x, y = (left + right) / 2, (axis.top + axis.bottom) / 2
        parts.append(text(x, y, panel.empty_text, size=weeks.frame.size, anchor="middle"))
    return parts + _draw_gutter(panel, weeks=weeks, axis=axis)


def _draw_ground(panel: Panel, *, weeks: TimeAxis, axis: ValueAxis) -> list[str]:
    """Draw the reference ranges and the grid, with the levels of the value axis."""
    frame = weeks.frame
    left, right = frame.left, frame.plot_right
    parts = []
    for span in panel.ranges:
        low, high = _ends(span, axis)
        ground = paint(fill="range")
        parts.append(rect(left, axis.y(high), right - left, axis.y(low) - axis.y(high), ground))
    across = "".join(f"M{num(left)} {num(axis.y(step))}H{num(right)}" for step in axis.steps)
    down = "".join(
        f"M{num(weeks.x(week))} {num(axis.top)}V{num(axis.bottom)}" for week in weeks.ticks()
    )
    parts.append(f'<path d="{across}{down}" {paint(stroke="grid")}/>')
    parts += [
        text(left - 8, axis.y(step) + 4, f"{step:g}", size=frame.size - 1, anchor="end")
        for step in axis.steps
    ]
    return parts


def _draw_verticals(weeks: TimeAxis, *, axis: ValueAxis) -> list[str]:
    """Carry the flags and today down through the panel."""
    chart = weeks.chart
    parts = []
    for mark in chart.marks:
        if weeks.holds(mark.at_week):
            x = weeks.x(mark.at_week)
            parts.append(line(x, axis.top, x, axis.bottom, stroke=str(mark.level), dash="2 3"))
    if chart.today_week is not None and weeks.holds(chart.today_week):
        x = weeks.x(chart.today_week)
        parts.append(line(x, axis.top, x, axis.bottom, stroke="soft", width=1.2))
    return parts


def _ends(span: Range, axis: ValueAxis) -> tuple[float, float]:
    low = axis.low if span.low is None else axis.clamp(span.low)
    high = axis.high if span.high is None else axis.clamp(span.high)
    return low, high


def _draw_band(band: Band, *, weeks: TimeAxis, axis: ValueAxis) -> list[str]:
    if not band.points:
        return []
    there = [f"{num(weeks.x(p.at_week))} {num(axis.y(p.high))}" for p in band.points]
    back = [f"{num(weeks.x(p.at_week))} {num(axis.y(p.low))}" for p in reversed(band.points)]
    parts = [f'<path d="M{"L".join(there + back)}z" {paint(fill=f"{band.tone}-pale")}/>']
    middle = [
        f"{num(weeks.x(p.at_week))} {num(axis.y(p.middle))}"
        for p in band.points
        if p.middle is not None
    ]
    if middle:
        dotted = 'stroke-dasharray="1.5 3.5" stroke-linecap="round"'
        parts.append(
            f'<path d="M{"L".join(middle)}" {paint(stroke=band.tone, width=1.2)} {dotted}/>'
        )
    return parts


def runs_of(series: Series, panel: Panel) -> Iterator[list[Point]]:
    """Give the stretches that one line may join: broken by gaps, kits and censored values."""
    run: list[Point] = []
    joined = [point for point in series.points if point.standing not in NOT_JOINED]
    for point in joined:
        if run and _is_broken(run[-1], point, panel):
            yield run
            run = []
        run.append(point)
    if run:
        yield run


def _is_broken(before: Point, point: Point, panel: Panel) -> bool:
    return (
        point.breaks_line
        or point.standing in CENSORED
        or before.standing in CENSORED
        or any(before.at_week < gap.at_week < point.at_week for gap in panel.missed)
    )


def _draw_lines(series: Series, panel: Panel, *, weeks: TimeAxis, axis: ValueAxis) -> list[str]:
    dash = ' stroke-dasharray="4 3"' if series.is_dashed else ""
    colours = paint(stroke=series.tone, width=1.6)
    parts = []
    for run in runs_of(series, panel):
        if any(one.at_week != other.at_week for one, other in pairwise(run)):
            places = [f"{num(weeks.x(p.at_week))} {num(axis.y(p.value))}" for p in run]
            parts.append(f'<path d="M{"L".join(places)}" stroke-linejoin="round" {colours}{dash}/>')
    return parts


def _draw_points(series: Series, *, weeks: TimeAxis, axis: ValueAxis) -> list[str]:
    parts = []
    for point in series.points:
        if not weeks.holds(point.at_week):
            continue
        x, y = weeks.x(point.at_week), axis.y(point.value)
        if point.low is not None and point.high is not None:
            low, high = axis.y(point.low), axis.y(point.high)
            ends = f"M{num(x - 3)} {num(high)}h6M{num(x - 3)} {num(low)}h6"
            whisker = f"M{num(x)} {num(high)}V{num(low)}{ends}"
            parts.append(f'<path d="{whisker}" {paint(stroke=series.tone, width=1.2)}/>')
        parts.append(symbol(series.shape, series.tone, point.standing, x, y))
    return parts


def _draw_gutter(panel: Panel, *, weeks: TimeAxis, axis: ValueAxis) -> list[str]:
    """Label ranges, thresholds and the band outside the data, where no line can cross them."""
    frame = weeks.frame
    size = frame.size - 1
    x = frame.plot_right + 12
    room = frame.width - x - 2
    said: list[tuple[float, str, str]] = [
        (axis.y(threshold.value), "ink", threshold.label) for threshold in panel.thresholds
    ]
    said += [(axis.y(sum(_ends(span, axis)) / 2), "soft", span.label) for span in panel.ranges]
    if panel.band is not None and panel.band.points:
        last = max(panel.band.points, key=lambda point: point.at_week)
        middle = axis.y(axis.clamp((last.low + last.high) / 2))
        said.append((middle, str(panel.band.tone), panel.band.label))
    labels = [(y, fill, wrap(label, room=room, size=size)) for y, fill, label in said]
    height = size + 2.5
    wanted = [(y, len(lines) * height + 4) for y, _, lines in labels]
    places = spread(wanted, top=axis.top - 6, bottom=axis.bottom + 6)
    parts = []
    for place, (y, fill, lines) in zip(places, labels, strict=True):
        parts.append(
            line(frame.plot_right + 2, y, frame.plot_right + 9, place, stroke="frame", width=1)
        )
        first = place - (len(lines) - 1) * height / 2 + size * 0.35
        for number, content in enumerate(lines):
            parts.append(text(x, first + number * height, content, size=size, fill=fill))
    return parts
