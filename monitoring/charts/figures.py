"""What a chart is told: frozen values in the reader's words, in weeks since the first dose."""

import math
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class ChartRefused(ValueError):
    """The figure cannot be drawn truthfully, and the message says why."""


class Tone(StrEnum):
    """The colour of a series; each has a value in the light and in the dark scheme."""

    DEPTH = "depth"
    PLUM = "plum"
    MOSS = "moss"
    SLATE = "slate"


class Shape(StrEnum):
    """The mark of a series, so that nothing is told by colour alone."""

    CIRCLE = "circle"
    SQUARE = "square"
    DIAMOND = "diamond"


class Standing(StrEnum):
    """What a point is worth; each has a mark of its own."""

    USED = "used"  # filled, joined by the line
    BELOW = "below"  # censored: hollow, "<" beside it, the line breaks
    ABOVE = "above"  # censored: hollow, ">" beside it, the line breaks
    CAUTION = "caution"  # a triangle, joined by the line
    EXCLUDED = "excluded"  # a cross, not joined
    CORRECTED = "corrected"  # the ghost of a value that was replaced; not joined


class Level(StrEnum):
    """How loud a flag is."""

    WATCH = "watch"
    HIGH = "high"


def _require_numbers(what: str, *numbers: float | None) -> None:
    if any(number is not None and not math.isfinite(number) for number in numbers):
        raise ChartRefused(f"{what} has a number that is not finite: {numbers}")


@dataclass(frozen=True)
class Point:
    """One value of one series.

    ``text`` is printed exactly as it is given ("37.50", "<0.5"); ``value`` is only where it is
    drawn. ``breaks_line``: what came before is not comparable (another kit). ``low`` and ``high``
    draw an interval through the point.
    """

    at_week: float
    value: float
    text: str
    standing: Standing = Standing.USED
    note: str = ""
    breaks_line: bool = False
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        _require_numbers(f"the point “{self.text}”", self.at_week, self.value, self.low, self.high)


@dataclass(frozen=True)
class Series:
    """Points of one kind, oldest first, joined by a straight thin line."""

    name: str
    points: tuple[Point, ...]
    tone: Tone = Tone.DEPTH
    shape: Shape = Shape.CIRCLE
    is_dashed: bool = False


@dataclass(frozen=True)
class BandPoint:
    at_week: float
    low: float
    high: float
    middle: float | None = None

    def __post_init__(self) -> None:
        _require_numbers("the band", self.at_week, self.low, self.high, self.middle)


@dataclass(frozen=True)
class Band:
    """Where values were to be expected: a pale area with its name in the right gutter."""

    label: str
    points: tuple[BandPoint, ...]
    tone: Tone = Tone.DEPTH


@dataclass(frozen=True)
class Range:
    """A reference range; an open end reaches to the edge. The label names population and source."""

    label: str
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Threshold:
    """A level with a meaning, such as remission at five points or fewer."""

    label: str
    value: float


@dataclass(frozen=True)
class Missed:
    """A draw or rating that was due and did not come; the line breaks here."""

    at_week: float
    note: str = ""


@dataclass(frozen=True)
class Reading:
    """A value as it is printed beside the series, with its date."""

    text: str
    when: str


@dataclass(frozen=True)
class Panel:
    """One unit on the shared time axis.

    ``low`` and ``high`` are always in view, so that noise does not fill the frame; values outside
    stretch the axis to the next step. ``steps`` fixes the labelled levels of a scale that has its
    own (QIDS-SR16: 0, 5, 10, 15, 20, 27).
    """

    title: str
    unit: str
    series: tuple[Series, ...]
    low: float
    high: float
    steps: tuple[float, ...] = ()
    band: Band | None = None
    ranges: tuple[Range, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    missed: tuple[Missed, ...] = ()
    latest: Reading | None = None
    previous: Reading | None = None
    empty_text: str = ""
    height: int = 150

    def __post_init__(self) -> None:
        _require_numbers(f"the panel “{self.title}”", self.low, self.high, *self.steps)
        if self.low >= self.high:
            raise ChartRefused(f"the panel “{self.title}” has no height: {self.low} to {self.high}")


@dataclass(frozen=True)
class Dose:
    """One dose step of a trial; open at the end while it runs."""

    from_week: float
    to_week: float | None
    text: str


@dataclass(frozen=True)
class Trial:
    """One course of one antidepressant."""

    name: str
    doses: tuple[Dose, ...]


@dataclass(frozen=True)
class Span:
    """An event that disturbs readings while it lasts."""

    label: str
    from_week: float
    to_week: float | None = None


@dataclass(frozen=True)
class Mark:
    """A flag, at the moment it was raised."""

    label: str
    at_week: float
    level: Level = Level.WATCH


@dataclass(frozen=True)
class Words:
    """Every word that the chart itself writes; the page hands them in translated."""

    trials: str = "Trials"
    events: str = "Events"
    flags: str = "Flags"
    week: str = "Week"
    first_dose: str = "First dose"
    today: str = "Today"
    latest: str = "Latest"
    previous: str = "previous"
    below: str = "below what the kit can measure"
    above: str = "above what the kit can measure"
    caution: str = "use with caution"
    excluded: str = "left out"
    corrected: str = "replaced by a correction"
    missed: str = "due, not received"
    no_data: str = "No data"
    flag: str = "flag"


@dataclass(frozen=True)
class TimelineChart:
    """Everything on one time axis: trials, events and flags on top, one panel per unit below."""

    title: str
    description: str
    first_dose_on: date
    from_week: float
    to_week: float
    panels: tuple[Panel, ...]
    trials: tuple[Trial, ...] = ()
    spans: tuple[Span, ...] = ()
    marks: tuple[Mark, ...] = ()
    today_week: float | None = None
    words: Words = field(default_factory=Words)

    def __post_init__(self) -> None:
        _require_numbers("the time axis", self.from_week, self.to_week, self.today_week)
        if self.from_week >= self.to_week:
            raise ChartRefused(f"the time axis is empty: week {self.from_week} to {self.to_week}")


@dataclass(frozen=True)
class Sparkline:
    """The course of one series in a cell: last value marked, no axis; the words say the rest."""

    description: str
    points: tuple[Point, ...]
    low: float
    high: float
    from_week: float
    to_week: float
    tone: Tone = Tone.DEPTH
    threshold: float | None = None

    def __post_init__(self) -> None:
        if self.low >= self.high or self.from_week >= self.to_week:
            raise ChartRefused(f"the sparkline “{self.description}” has no room")
