"""The stacked figure of one patient: lanes on top, panels below, one time axis through all."""

import re

from monitoring.charts.figures import ChartRefused, Panel, Standing, TimelineChart
from monitoring.charts.lanes import draw_events, draw_flags, draw_trials, shade_events
from monitoring.charts.layout import COMPACT, WIDE, TimeAxis, ValueAxis, clinical_date, value_axis
from monitoring.charts.panels import draw_head, draw_plot, head_height
from monitoring.charts.svg import line, num, say, text, width_of
from monitoring.charts.symbols import missed, symbol

_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def render_timeline(chart: TimelineChart, *, id_prefix: str, is_compact: bool = False) -> str:
    """Draw the chart as one SVG element.

    The same chart gives the same text, character by character. ``id_prefix`` keeps two charts on
    one page apart; ``is_compact`` draws it for a narrow window, with the same content.
    """
    if not _ID.fullmatch(id_prefix):
        raise ChartRefused(f"“{id_prefix}” cannot start an id")
    weeks = TimeAxis(chart, COMPACT if is_compact else WIDE)
    words = chart.words
    parts: list[str] = []
    y = _draw_milestones(parts, weeks)
    drawn = draw_trials(chart.trials, weeks=weeks, title=words.trials, top=y)
    parts += drawn.parts
    y += drawn.height
    drawn = draw_events(chart.spans, weeks=weeks, title=words.events, top=y)
    parts += drawn.parts
    y += drawn.height
    drawn = draw_flags(chart.marks, weeks=weeks, title=words.flags, top=y)
    parts += drawn.parts
    y += drawn.height
    plots: list[str] = []
    for number, panel in enumerate(chart.panels):
        axis = _draw_panel(parts, panel, weeks=weeks, top=y, clip=f"{id_prefix}-clip{number}")
        plots.append(f"{num(axis.top)} {num(axis.bottom)}")
        y = axis.bottom + 12
    y = _draw_time_axis(parts, weeks, top=y)
    y = _draw_legend(parts, weeks, top=y)
    stops = _draw_stops(weeks)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart__svg" role="img" '
        f'viewBox="0 0 {num(weeks.frame.width)} {num(y)}" font-family="sans-serif" '
        f'aria-labelledby="{id_prefix}-title {id_prefix}-desc" '
        f'data-plots="{" ".join(plots)}">'
        f'<title id="{id_prefix}-title">{say(chart.title)}</title>'
        f'<desc id="{id_prefix}-desc">{say(chart.description)}</desc>'
        f"{''.join(parts)}{stops}</svg>"
    )


def _draw_milestones(parts: list[str], weeks: TimeAxis) -> float:
    """Name the first dose and today on top; where both would touch, today takes the next line."""
    chart, frame = weeks.chart, weeks.frame
    y, taken = 12.0, 0.0
    if weeks.holds(0):
        label = f"{chart.words.first_dose} {clinical_date(chart.first_dose_on)}"
        x = min(weeks.x(0), frame.width - 4 - width_of(label, size=11.5))
        parts.append(text(x, y, label, size=11.5, fill="ink"))
        taken = x + width_of(label, size=11.5)
    if chart.today_week is not None and weeks.holds(chart.today_week):
        label = f"{chart.words.today} {clinical_date(weeks.day(chart.today_week))}"
        room = width_of(label, size=11.5)
        right = min(weeks.x(chart.today_week) + room / 2, frame.width - 4)
        if right - room < taken + 8:
            y += 15
        parts.append(text(max(right, room + 4), y, label, size=11.5, fill="ink", anchor="end"))
    return y + 8


def _draw_panel(
    parts: list[str], panel: Panel, *, weeks: TimeAxis, top: float, clip: str
) -> ValueAxis:
    frame = weeks.frame
    parts += draw_head(panel, weeks=weeks, top=top)
    plot_top = top + head_height(panel, weeks=weeks)
    axis = value_axis(panel, weeks=weeks, top=plot_top, height=panel.height)
    parts.append(
        f'<clipPath id="{clip}"><rect x="{num(frame.left)}" y="{num(plot_top)}" '
        f'width="{num(frame.plot_right - frame.left)}" height="{num(panel.height)}"/></clipPath>'
    )
    shading = shade_events(weeks.chart.spans, weeks=weeks, top=axis.top, bottom=axis.bottom)
    parts += draw_plot(panel, weeks=weeks, axis=axis, shading=shading, clip=clip)
    return axis


def _draw_time_axis(parts: list[str], weeks: TimeAxis, *, top: float) -> float:
    """Write weeks since the first dose, and under each the day of the calendar."""
    frame = weeks.frame
    size = frame.size - 1
    half = width_of("00-Mmm-0000", size=size) / 2
    if not frame.is_compact:
        parts.append(text(4, top + 6, weeks.chart.words.week, size=size, is_bold=True))
    for week in weeks.ticks():
        x = weeks.x(week)
        parts.append(line(x, top - 12, x, top - 7, stroke="frame"))
        label = f"{weeks.chart.words.week} {week}" if frame.is_compact else str(week)
        middle = max(x, half + 2)
        parts.append(text(middle, top + 6, label, size=size, fill="ink", anchor="middle"))
        day = clinical_date(weeks.day(week))
        parts.append(text(middle, top + 21, day, size=size, anchor="middle"))
    return top + 28


def _draw_legend(parts: list[str], weeks: TimeAxis, *, top: float) -> float:
    """Explain the marks that are used, and no others."""
    chart, frame, words = weeks.chart, weeks.frame, weeks.chart.words
    explained = {
        Standing.BELOW: words.below,
        Standing.ABOVE: words.above,
        Standing.CAUTION: words.caution,
        Standing.EXCLUDED: words.excluded,
        Standing.CORRECTED: words.corrected,
    }
    first_use = {
        point.standing: series
        for panel in reversed(chart.panels)
        for series in reversed(panel.series)
        for point in series.points
        if weeks.holds(point.at_week)
    }
    entries: list[tuple[str, Standing | None]] = [
        (label, standing) for standing, label in explained.items() if standing in first_use
    ]
    if any(weeks.holds(gap.at_week) for panel in chart.panels for gap in panel.missed):
        entries.append((words.missed, None))
    if not entries:
        return top + 4
    left = 4.0 if frame.is_compact else frame.left
    x, y = left, top + 18
    for label, standing in entries:
        room = 24 + width_of(label, size=frame.size - 1)
        if x > left and x + room > frame.width - 4:
            x, y = left, y + 18
        if standing is None:
            parts.append(missed(x + 12, y + 1))
        else:
            series = first_use[standing]
            parts.append(symbol(series.shape, series.tone, standing, x + 12, y - 4))
        parts.append(text(x + 22, y, label, size=frame.size - 1))
        x += room + 16
    return y + 10


def _draw_stops(weeks: TimeAxis) -> str:
    """List the dates that the readout steps through, each with what is known on it.

    Nothing to see: chart.js reads them. The same values stand in the tables of the page.
    """
    chart = weeks.chart
    told: dict[int, list[str]] = {}
    for panel in chart.panels:
        several = len(panel.series) > 1
        for series in panel.series:
            for point in series.points:
                if weeks.holds(point.at_week):
                    name = f"{panel.title}, {series.name}" if several else panel.title
                    said = f"{name} {point.text} {panel.unit}".rstrip()
                    remarks = [_standing_in_words(point.standing, weeks), point.note]
                    remark = ", ".join(filter(None, remarks))
                    told.setdefault(round(point.at_week * 7), []).append(
                        f"{said} ({remark})" if remark else said
                    )
        for gap in panel.missed:
            if weeks.holds(gap.at_week):
                remark = gap.note or chart.words.missed
                told.setdefault(round(gap.at_week * 7), []).append(f"{panel.title}: {remark}")
    for mark in chart.marks:
        if weeks.holds(mark.at_week):
            told.setdefault(round(mark.at_week * 7), []).append(f"{chart.words.flag}: {mark.label}")
    stops = []
    for day in sorted(told):
        when = f"{clinical_date(weeks.day(day / 7))}, {chart.words.week} {num_week(day)}"
        content = f"{when}: {'; '.join(told[day])}"
        stops.append(f'<g data-x="{num(weeks.x(day / 7))}" data-says="{say(content)}"></g>')
    return "".join(stops)


def num_week(day: int) -> str:
    """Name the whole week of therapy that a day belongs to."""
    return str(day // 7)


def _standing_in_words(standing: Standing, weeks: TimeAxis) -> str:
    words = weeks.chart.words
    match standing:
        case Standing.CAUTION:
            return words.caution
        case Standing.EXCLUDED:
            return words.excluded
        case Standing.CORRECTED:
            return words.corrected
        case Standing.USED | Standing.BELOW | Standing.ABOVE:
            return ""
