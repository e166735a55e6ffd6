"""What the chart of one patient shows, and what it must never do."""

import re
from dataclasses import replace
from datetime import date
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.charts import (
    Band,
    BandPoint,
    ChartRefused,
    Dose,
    Level,
    Mark,
    Missed,
    Panel,
    Point,
    Range,
    Reading,
    Series,
    Span,
    Sparkline,
    Standing,
    Threshold,
    TimelineChart,
    Trial,
    clinical_date,
    render_sparkline,
    render_timeline,
)
from monitoring.charts.layout import nice_steps, spread, stack_rows
from monitoring.charts.svg import PAINTS

SVG = "{http://www.w3.org/2000/svg}"
FIRST_DOSE = date(2026, 6, 1)
PLOT_RIGHT = 810.0  # of the wide drawing: 960 less the right gutter of 150


def draws(*points: Point, **more: object) -> Panel:
    panel = Panel("sIL-6R", "ng/mL", (Series("sIL-6R", points),), low=20, high=50)
    return replace(panel, **more)  # type: ignore[arg-type]


def course(*panels: Panel, **more: object) -> TimelineChart:
    chart = TimelineChart("Course", "One line on it.", FIRST_DOSE, -2, 25, panels)
    return replace(chart, **more)  # type: ignore[arg-type]


def weekly(*values: float) -> list[Point]:
    return [Point(week, value, f"{value:.2f}") for week, value in enumerate(values)]


def drawn(chart: TimelineChart, *, is_compact: bool = False) -> ElementTree.Element:
    return ElementTree.fromstring(render_timeline(chart, id_prefix="c", is_compact=is_compact))  # noqa: S314 our own text


def texts(svg: ElementTree.Element) -> list[str]:
    return ["".join(element.itertext()) for element in svg.iter(f"{SVG}text")]


def joined_stretches(svg: ElementTree.Element) -> list[int]:
    """How many points each stretch of the sIL-6R line joins."""
    clipped = svg.find(f"{SVG}g[@clip-path]")
    assert clipped is not None
    lines = [path for path in clipped.iter(f"{SVG}path") if path.get("class") == "s-depth"]
    return [path.get("d", "").count("L") + 1 for path in lines]


def readout(svg: ElementTree.Element) -> list[str]:
    return [group.get("data-says", "") for group in svg.iter(f"{SVG}g") if group.get("data-says")]


def test_the_same_chart_gives_the_same_text() -> None:
    chart = course(draws(*weekly(31, 33, 35)))

    once, again = (render_timeline(chart, id_prefix="c") for _ in range(2))

    assert once == again


def test_a_value_is_printed_in_the_precision_received() -> None:
    panel = draws(Point(3, 37.5, "37.50"), latest=Reading("37.50", "22-Jun-2026"))

    svg = drawn(course(panel))

    assert "Latest 37.50 ng/mL, 22-Jun-2026" in texts(svg)
    assert readout(svg) == ["22-Jun-2026, Week 3: sIL-6R 37.50 ng/mL"]


def test_what_people_typed_cannot_become_markup() -> None:
    evil = '</text><script>alert("1")</script>\x00'
    chart = course(
        draws(Point(1, 30, evil, note=evil)),
        title=evil,
        trials=(Trial(evil, (Dose(0, None, evil),)),),
        spans=(Span(evil, 2, 3),),
        marks=(Mark(evil, 4),),
    )

    svg = render_timeline(chart, id_prefix="c")

    assert "<script" not in svg
    assert "\x00" not in svg
    assert evil.replace("\x00", "\ufffd") in texts(ElementTree.fromstring(svg))  # noqa: S314


def test_the_strict_policy_finds_nothing_to_forbid() -> None:
    svg = drawn(course(draws(*weekly(31, 33)), marks=(Mark("Drifting", 1),)))

    names = {name for element in svg.iter() for name in element.attrib}

    assert "style" not in names
    assert not {name for name in names if name.startswith("on") or "href" in name}


def test_it_is_one_picture_with_a_name_and_a_description() -> None:
    svg = drawn(course(draws(*weekly(31, 33))))

    title, description = svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")

    assert svg.get("role") == "img"
    assert title is not None
    assert description is not None
    assert svg.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"


def test_two_charts_on_one_page_share_no_id() -> None:
    chart = course(draws(*weekly(31, 33)))

    ids = [set(re.findall(r'\bid="([^"]+)"', render_timeline(chart, id_prefix=p))) for p in "ab"]

    assert ids[0]
    assert not ids[0] & ids[1]


@pytest.mark.parametrize("prefix", ["", "1a", 'a"b', "a b", "a#b"])
def test_a_prefix_that_cannot_start_an_id_is_refused(prefix: str) -> None:
    with pytest.raises(ChartRefused, match="cannot start an id"):
        render_timeline(course(draws()), id_prefix=prefix)


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(ChartRefused, match="not finite"):
        Point(1, float("nan"), "37.5")
    with pytest.raises(ChartRefused, match="not finite"):
        BandPoint(1, 20, float("inf"))


def test_an_axis_without_length_is_refused() -> None:
    with pytest.raises(ChartRefused, match="time axis is empty"):
        course(to_week=-2)
    with pytest.raises(ChartRefused, match="has no height"):
        draws(low=50)


def test_plain_points_are_joined_by_one_line() -> None:
    svg = drawn(course(draws(*weekly(31, 33, 35, 34))))

    assert joined_stretches(svg) == [4]


def test_the_line_breaks_where_a_draw_was_missed() -> None:
    svg = drawn(course(draws(*weekly(31, 33, 35, 34), missed=(Missed(1.5),))))

    assert joined_stretches(svg) == [2, 2]
    assert "due, not received" in texts(svg)


def test_the_line_breaks_where_the_kit_changed() -> None:
    points = weekly(31, 33, 35, 34)
    points[2] = replace(points[2], breaks_line=True)

    svg = drawn(course(draws(*points)))

    assert joined_stretches(svg) == [2, 2]


def test_a_censored_value_stands_alone_with_its_sign() -> None:
    points = weekly(31, 33, 20, 34, 35)
    points[2] = replace(points[2], text="<20.0", standing=Standing.BELOW)

    svg = drawn(course(draws(*points)))

    assert joined_stretches(svg) == [2, 2]
    assert "<" in texts(svg)
    assert readout(svg)[2] == "15-Jun-2026, Week 2: sIL-6R <20.0 ng/mL"


@pytest.mark.parametrize(
    ("standing", "word"),
    [(Standing.EXCLUDED, "left out"), (Standing.CORRECTED, "replaced by a correction")],
)
def test_a_value_that_does_not_count_is_shown_but_not_joined(standing: Standing, word: str) -> None:
    points = weekly(31, 33, 44, 34)
    points[2] = replace(points[2], standing=standing)

    svg = drawn(course(draws(*points)))

    assert joined_stretches(svg) == [3]
    assert word in texts(svg)
    assert readout(svg)[2] == f"15-Jun-2026, Week 2: sIL-6R 44.00 ng/mL ({word})"


def test_a_value_to_be_read_with_caution_is_joined_and_explained() -> None:
    points = weekly(31, 33, 35)
    points[1] = replace(points[1], standing=Standing.CAUTION, note="haemolysed")

    svg = drawn(course(draws(*points)))

    assert joined_stretches(svg) == [3]
    assert "(use with caution, haemolysed)" in readout(svg)[1]


def test_marks_that_are_not_used_are_not_explained() -> None:
    svg = drawn(course(draws(*weekly(31, 33))))

    assert "left out" not in texts(svg)
    assert "use with caution" not in texts(svg)


def test_what_lies_outside_the_window_is_not_drawn() -> None:
    chart = course(draws(Point(3, 31, "31.0"), Point(30, 49, "49.0")), to_week=12)

    assert readout(drawn(chart)) == ["22-Jun-2026, Week 3: sIL-6R 31.0 ng/mL"]


def test_a_value_above_the_window_stretches_the_axis_instead_of_leaving_it() -> None:
    usual = drawn(course(draws(*weekly(31, 33))))
    higher = drawn(course(draws(*weekly(31, 88))))

    assert "50" in texts(usual)
    assert "90" not in texts(usual)
    assert "100" in texts(higher) or "90" in texts(higher)


def test_labels_of_levels_stand_right_of_the_data_and_apart() -> None:
    panel = draws(
        *weekly(31, 33),
        thresholds=(Threshold("Remission", 30), Threshold("Mild", 30.5)),
        ranges=(Range("Remitted", 25, 36),),
        band=Band("Expected", (BandPoint(0, 25, 36), BandPoint(24, 26, 37))),
    )

    svg = drawn(course(panel))

    labels = {"Remission", "Mild", "Remitted", "Expected"}
    found = [element for element in svg.iter(f"{SVG}text") if element.text in labels]
    heights = sorted(float(element.get("y", "0")) for element in found)
    assert len(found) == len(labels)
    assert all(float(element.get("x", "0")) > PLOT_RIGHT for element in found)
    assert all(lower - upper >= 12 for upper, lower in pairwise(heights))


def test_every_dose_step_is_named_even_where_its_bar_is_too_narrow() -> None:
    steps = (Dose(0, 0.3, "25 mg"), Dose(0.3, 1, "50 mg"), Dose(1, None, "100 mg"))

    svg = drawn(course(draws(), trials=(Trial("Sertraline", steps),)))

    assert "Sertraline 25 mg → 50 mg → 100 mg" in texts(svg)


def test_flags_and_events_are_named_on_the_chart_and_in_the_readout() -> None:
    chart = course(
        draws(*weekly(31)),
        marks=(Mark("Early non-improvement", 4, Level.HIGH),),
        spans=(Span("Infection", 8, 9),),
    )

    svg = drawn(chart)

    assert {"Early non-improvement", "Infection"} <= set(texts(svg))
    assert readout(svg)[-1] == "29-Jun-2026, Week 4: flag: Early non-improvement"


def test_an_empty_panel_says_so() -> None:
    svg = drawn(course(draws(empty_text="No draw yet")))

    assert "No draw yet" in texts(svg)


def test_the_narrow_drawing_says_the_same_as_the_wide_one() -> None:
    chart = course(
        draws(*weekly(31, 33, 35), latest=Reading("35.00", "15-Jun-2026")),
        trials=(Trial("Sertraline", (Dose(0, None, "50 mg"),)),),
        today_week=24,
    )

    wide, narrow = drawn(chart), drawn(chart, is_compact=True)

    assert readout(narrow) == readout(wide)
    assert "Latest 35.00 ng/mL, 15-Jun-2026" in texts(narrow)


def test_a_long_title_is_broken_and_never_cut_in_a_narrow_window() -> None:
    title = "Probability of meeting the rule for resistance to treatment"

    svg = drawn(course(draws(*weekly(31), title=title)), is_compact=True)

    assert title in " ".join(texts(svg))


def test_dates_are_written_as_clinical_screens_write_them() -> None:
    # CUI rules D+Ta-0006 and following: two-digit day, three-letter month, four-digit year
    assert clinical_date(date(2026, 10, 5)) == "05-Oct-2026"


def test_a_small_trend_has_a_name_in_words_and_a_hollow_end_when_censored() -> None:
    points = (Point(0, 30, "30.0"), Point(2, 20, "<20.0", standing=Standing.BELOW))
    spark = Sparkline("From 30.0 to <20.0 ng/mL", points, 20, 60, 0, 4)

    svg = ElementTree.fromstring(render_sparkline(spark))  # noqa: S314 our own text

    end = svg.find(f"{SVG}circle")
    assert svg.get("aria-label") == "From 30.0 to <20.0 ng/mL"
    assert end is not None
    assert end.get("fill") == PAINTS["paper"]


@given(st.lists(st.floats(0, 300), min_size=1, max_size=8))
def test_labels_are_moved_apart_and_keep_their_order(middles: list[float]) -> None:
    height = 20.0

    places = spread([(middle, height) for middle in middles], top=0, bottom=300)

    ordered = [place for _, place in sorted(zip(middles, places, strict=True))]
    gaps = [lower - upper for upper, lower in pairwise(ordered)]
    assert all(gap >= height - 1e-6 for gap in gaps)
    assert max(places) <= 300 - height / 2 + 1e-6


@given(st.lists(st.tuples(st.floats(0, 900), st.floats(1, 200)), max_size=20))
def test_no_two_labels_of_one_row_touch(items: list[tuple[float, float]]) -> None:
    extents = [(start, start + length) for start, length in items]

    rows = stack_rows(extents, gap=8)

    for row in set(rows):
        mine = sorted(extent for extent, its in zip(extents, rows, strict=True) if its == row)
        assert all(a[1] + 8 <= b[0] for a, b in pairwise(mine))


@given(st.floats(-100, 1000), st.floats(0.1, 1000), st.integers(2, 8))
def test_round_levels_cover_the_span(low: float, length: float, at_most: int) -> None:
    steps = nice_steps(low, low + length, at_most=at_most)

    assert steps[0] <= low + 1e-6
    assert steps[-1] >= low + length - 1e-6
    assert len(steps) <= at_most + 2
