"""One panel: its head with the last values, its series with band, ranges and thresholds."""

from collections.abc import Iterator
from itertools import pairwise

from monitoring.charts.figures import Band, Panel, Point, Range, Series, Standing
from monitoring.charts.layout import TimeAxis, ValueAxis, spread
from monitoring.charts.svg import line, num, paint, rect, say, text, width_of, wrap
from monitoring.charts.symbols import missed, symbol

CENSORED = frozenset({Standing.BELOW, Standing.ABOVE})
NOT_JOINED = frozenset({Standing.EXCLUDED, Standing.CORRECTED})


def head_height(panel: Panel, *, weeks: TimeAxis) -> float:
    """Tell how much room the head needs: one line where it is wide, up to four where not."""
    if not weeks.frame.is_compact:
        return 34
    lines = 1 + (len(panel.series) > 1) + (panel.latest is not None) + (panel.previous is not None)
    return 12 + 17 * lines


def draw_head(panel: Panel, *, weeks: TimeAxis, top: float) -> list[str]:
    """Write title and unit, the series where there are several, latest large, previous small."""
    frame, words = weeks.frame, weeks.chart.words
    baseline = top + 22
    parts = [
        f'<text x="4" y="{num(baseline)}" font-size="15" font-weight="650" {paint(fill="ink")}>'
        f'{say(panel.title)} <tspan font-size="{num(frame.size)}" font-weight="400" '
        f"{paint(fill='soft')}>{say(panel.unit)}</tspan></text>"
    ]
    x = 4 + width_of(panel.title, size=15, is_bold=True) + width_of(f" {panel.unit}", size=13) + 22
    y = baseline
    if len(panel.series) > 1:
        if frame.is_compact:
            x, y = 10.0, baseline + 17
        parts += _name_series(panel, x=x, y=y, size=frame.size)
    latest = panel.latest and (words.latest, panel.latest.text, panel.latest.when)
    previous = panel.previous and (words.previous, panel.previous.text, panel.previous.when)
    if frame.is_compact:
        for reading, size in ((latest, 15.0), (previous, frame.size)):
            if reading:
                y += 17
                parts.append(
                    f'<text x="4" y="{num(y)}" font-size="{num(frame.size)}" {paint(fill="soft")}>'
                    f"{_reading(reading, unit=panel.unit, size=size)}</text>"
                )
        return parts
    told = [
        _reading(reading, unit=panel.unit, size=size)
        for reading, size in ((latest, 17.0), (previous, frame.size))
        if reading
    ]
    if told:
        spaced = '<tspan dx="14"></tspan>'.join(told)
        parts.append(
            f'<text x="{num(frame.width - 4)}" y="{num(baseline)}" font-size="{num(frame.size)}" '
            f'text-anchor="end" {paint(fill="soft")}>{spaced}</text>'
        )
    return parts


def _reading(reading: tuple[str, str, str], *, unit: str, size: float) -> str:
    label, value, when = reading
    return (
        f'{say(label)} <tspan font-size="{num(size)}" font-weight="650" {paint(fill="ink")}>'
        f"{say(value)}</tspan> {say(unit)}, {say(when)}"
    )


def _name_series(panel: Panel, *, x: float, y: float, size: float) -> list[str]:
    parts = []
    for series in panel.series:
        dash = "4 3" if series.is_dashed else ""
        parts.append(line(x - 6, y - 4, x + 14, y - 4, stroke=series.tone, width=1.5, dash=dash))
        parts.append(symbol(series.shape, series.tone, Standing.USED, x + 4, y - 4))
        parts.append(text(x + 20, y, series.name, size=size, fill="ink"))
        x += 20 + width_of(series.name, size=size) + 22
    return parts


def draw_plot(
    panel: Panel, *, weeks: TimeAxis, axis: ValueAxis, shading: str, clip: str
) -> list[str]:
    """Draw the panel from the back to the front: areas, grid, lines, marks, labels outside."""
    left, right = weeks.frame.left, weeks.frame.plot_right
    parts = [shading, *_draw_ground(panel, weeks=weeks, axis=axis), f'<g clip-path="url(#{clip})">']
    if panel.band is not None:
        parts += _draw_band(panel.band, weeks=weeks, axis=axis)
    for threshold in panel.thresholds:
        y = axis.y(threshold.value)
        parts.append(line(left, y, right, y, stroke="soft", width=1.2, dash="6 3"))
    for series in panel.series:
        parts += _draw_lines(series, panel, weeks=weeks, axis=axis)
    parts.append("</g>")
    parts.append(line(left, axis.top, left, axis.bottom, stroke="frame"))
    parts.append(line(left, axis.bottom, right, axis.bottom, stroke="frame"))
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
    for step in axis.steps:
        y = axis.y(step)
        parts.append(line(left, y, right, y, stroke="grid"))
        parts.append(text(left - 8, y + 4, f"{step:g}", size=frame.size - 1, anchor="end"))
    places = (weeks.x(week) for week in weeks.ticks())
    parts += [line(x, axis.top, x, axis.bottom, stroke="grid") for x in places]
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
