"""A trend small enough for a cell: a thin line, the last value marked, nothing to measure by."""

from monitoring.charts.figures import Panel, Series, Sparkline, Standing
from monitoring.charts.panels import runs_of
from monitoring.charts.svg import line, num, paint, say

WIDTH, HEIGHT, MARGIN = 112.0, 32.0, 5.0


def render_sparkline(spark: Sparkline) -> str:
    """Draw the sparkline as one SVG element, named by its description in words."""

    def x(week: float) -> float:
        share = (week - spark.from_week) / (spark.to_week - spark.from_week)
        return MARGIN + share * (WIDTH - 2 * MARGIN)

    def y(value: float) -> float:
        share = (min(max(value, spark.low), spark.high) - spark.low) / (spark.high - spark.low)
        return HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN)

    inside = tuple(
        point for point in spark.points if spark.from_week <= point.at_week <= spark.to_week
    )
    series = Series(spark.description, inside, spark.tone)
    panel = Panel("", "", (series,), spark.low, spark.high)
    parts = [line(MARGIN, HEIGHT - 2, WIDTH - MARGIN, HEIGHT - 2, stroke="grid")]
    if spark.threshold is not None:
        level = y(spark.threshold)
        parts.append(line(MARGIN, level, WIDTH - MARGIN, level, stroke="soft", dash="3 3"))
    for run in runs_of(series, panel):
        places = [f"{num(x(point.at_week))} {num(y(point.value))}" for point in run]
        dot = "h.01" if len(run) == 1 else ""
        parts.append(
            f'<path d="M{"L".join(places)}{dot}" stroke-linejoin="round" stroke-linecap="round" '
            f"{paint(stroke=spark.tone, width=1.6)}/>"
        )
    used = [point for point in inside if point.standing is not Standing.CORRECTED]
    if used:
        last = used[-1]
        is_plain = last.standing in {Standing.USED, Standing.CAUTION}
        colours = paint(fill=spark.tone if is_plain else "paper", stroke=spark.tone, width=1.5)
        parts.append(
            f'<circle cx="{num(x(last.at_week))}" cy="{num(y(last.value))}" r="3" {colours}/>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="spark" role="img" '
        f'viewBox="0 0 {num(WIDTH)} {num(HEIGHT)}" aria-label="{say(spark.description)}">'
        f"{''.join(parts)}</svg>"
    )
