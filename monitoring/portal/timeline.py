"""From the record and the newest estimate to the figure: what is drawn, and in whose words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from analytics import Estimate, LeftOut, prediction_band
from instruments import INSTRUMENTS
from monitoring import charts
from monitoring.models import FlagLevel
from monitoring.portal import draw_words, schedule, words
from monitoring.portal.scales import scale_of
from monitoring.queries import SIL6R, PatientRecord
from patients.models import DoseStep, Draw, Rating, Result, Trial

DAYS_A_WEEK = 7.0
SECONDS_A_WEEK = DAYS_A_WEEK * 24 * 3600
WEEKS_AHEAD = 4.0
BAND_STEPS = 40
# What is always in view, so that noise does not fill the frame (ng/mL)
SIL6R_IN_VIEW = (0.0, 60.0)
_CENSORED = {"<": charts.Standing.BELOW, ">": charts.Standing.ABOVE}


@dataclass(frozen=True)
class Figure:
    """What components/chart.html prints."""

    sentence: str
    wide: SafeString
    compact: SafeString
    caption: str


@dataclass(frozen=True)
class _Axis:
    """Weeks since the first dose, by the calendar of the site."""

    first_dose_on: date
    zone: ZoneInfo

    def of_day(self, on: date) -> float:
        return (on - self.first_dose_on).days / DAYS_A_WEEK

    def of_moment(self, at: datetime) -> float:
        """Place a moment at its day, so that the figure and the tables name the same date."""
        return self.of_day(at.astimezone(self.zone).date())

    def exactly(self, at: datetime) -> float:
        start = datetime.combine(self.first_dose_on, time(), tzinfo=self.zone)
        return (at - start).total_seconds() / SECONDS_A_WEEK


def draw_timeline(record: PatientRecord, *, sentence: str, at: datetime) -> Figure | None:
    """Draw the whole course; None while nothing is on record that has a date."""
    zone = record.patient.team.site.zone
    start = _start(record, zone=zone)
    if start is None:
        return None
    axis = _Axis(start, zone)
    today = at.astimezone(zone).date()
    chart = _chart(record, axis=axis, today=today, sentence=sentence)
    return Figure(
        sentence="",  # it stands on top of the page, and in the drawing as its description
        wide=_safe(charts.render_timeline(chart, id_prefix="course")),
        compact=_safe(charts.render_timeline(chart, id_prefix="narrow", is_compact=True)),
        caption=_(
            "Trials, sIL-6R and %(scale)s of one patient from %(first)s to %(last)s, as known now. "
            "The same values stand in the tables below."
        )
        % {
            "scale": scale_of(record),
            "first": charts.clinical_date(start),
            "last": charts.clinical_date(today),
        },
    )


def _safe(svg: str) -> SafeString:
    return mark_safe(svg)  # noqa: S308  # the chart escapes what it is given


def _start(record: PatientRecord, *, zone: ZoneInfo) -> date | None:
    """Begin with the first dose; without an episode with whatever came first."""
    if record.episode is not None:
        return record.episode.started_on
    days = [trial.started_on for trial in record.trials]
    days += [draw.collected_at.astimezone(zone).date() for draw in record.draws]
    days += [rating.rated_at.astimezone(zone).date() for rating in record.ratings]
    return min(days, default=None)


def _chart(
    record: PatientRecord, *, axis: _Axis, today: date, sentence: str
) -> charts.TimelineChart:
    panels = (_sil6r(record, axis=axis, today=today), _symptoms(record, axis=axis, today=today))
    weeks = [point.at_week for panel in panels for each in panel.series for point in each.points]
    weeks += [axis.of_day(trial.started_on) for trial in record.trials]
    now = axis.of_day(today)
    words_of_chart = _words(has_episode=record.episode is not None)
    return charts.TimelineChart(
        title=_("Course of therapy"),
        description=sentence,
        first_dose_on=axis.first_dose_on,
        from_week=min([*weeks, 0.0]) - 0.5,
        to_week=max([*weeks, now, 0.0]) + min(WEEKS_AHEAD, max(now, WEEKS_AHEAD) / 4),
        panels=panels,
        trials=tuple(_trial(trial, axis=axis) for trial in record.trials),
        spans=tuple(
            charts.Span(
                label=event.get_kind_display(),
                from_week=axis.of_day(event.started_on),
                to_week=None if event.stopped_on is None else axis.of_day(event.stopped_on),
            )
            for event in record.events
        ),
        marks=tuple(
            charts.Mark(
                label=str(words.SHORT_FLAGS[flag.kind]),
                at_week=axis.of_moment(flag.raised_at),
                level=charts.Level.WATCH if flag.level == FlagLevel.WATCH else charts.Level.HIGH,
            )
            for flag in reversed(record.flags)
        ),
        today_week=now,
        words=words_of_chart,
    )


def _words(*, has_episode: bool) -> charts.Words:
    return charts.Words(
        trials=_("Trials"),
        events=_("Events"),
        flags=_("Flags"),
        week=_("Week"),
        first_dose=_("First dose") if has_episode else _("First entry"),
        today=_("Today"),
        latest=_("Latest"),
        previous=_("previous"),
        below=_("below what the kit can measure"),
        above=_("above what the kit can measure"),
        caution=_("plotted, not scored"),
        excluded=_("left out"),
        corrected=_("replaced by a correction"),
        missed=_("due, not received"),
        no_data=_("No data"),
        flag=_("flag"),
    )


def _trial(trial: Trial, *, axis: _Axis) -> charts.Trial:
    steps: Sequence[DoseStep] = sorted(trial.dose_steps.all(), key=lambda step: step.started_on)
    end = None if trial.stopped_on is None else axis.of_day(trial.stopped_on)
    starts = [axis.of_day(step.started_on) for step in steps]
    if not steps:
        dose = charts.Dose(axis.of_day(trial.started_on), end, _("dose not recorded"))
        return charts.Trial(trial.drug, (dose,))
    ends = [*starts[1:], end]
    return charts.Trial(
        trial.drug,
        tuple(
            charts.Dose(begin, stop, dose_in_words(step))
            for begin, stop, step in zip(starts, ends, steps, strict=True)
        ),
    )


def dose_in_words(step: DoseStep) -> str:
    """Write a daily dose without zeros that nobody has written: 10 mg, 37.5 mg."""
    return _("%(dose)s mg") % {"dose": f"{step.dose_mg.normalize():f}"}


# sIL-6R: current results joined, what is not scored marked, what was replaced as a ghost


def _sil6r(record: PatientRecord, *, axis: _Axis, today: date) -> charts.Panel:
    left_out = {
        part.drawn_at: part
        for part in (record.estimate.left_out if record.estimate else ())
        if part.analyte == SIL6R
    }
    current: list[charts.Point] = []
    replaced: list[tuple[Draw, Result]] = []
    segments = {each.drawn_at: each.segment for each in record.measured if each.analyte == SIL6R}
    last = ""
    for draw, result in _results(record.draws):
        if result.value is None:
            continue
        if result.superseded_at is not None:
            if _was_another_value(draw, result):
                replaced.append((draw, result))
            continue
        part = left_out.get(draw.collected_at.astimezone(UTC))
        segment = segments.get(draw.collected_at, "")
        current.append(
            charts.Point(
                at_week=axis.of_moment(draw.collected_at),
                value=float(result.value),
                text=f"{result.comparator}{result.value}",
                standing=_standing(result, part),
                note="" if part is None else draw_words.left_out(part),
                breaks_line=bool(last and segment) and segment != last,
            )
        )
        last = segment or last
    # A value that was wrong by a factor of ten must not flatten the true ones: it goes to the edge
    edge = max([SIL6R_IN_VIEW[1], *(point.value for point in current)])
    ghosts = [_ghost(draw, result, axis=axis, edge=edge) for draw, result in replaced]
    line = words.trajectory_of(record.estimate, SIL6R)
    scored = [point for point in current if point.standing is charts.Standing.USED]
    shown = scored or current
    days = [draw.collected_at.astimezone(axis.zone).date() for draw in record.draws]
    return charts.Panel(
        title=SIL6R,
        unit="ng/mL",
        series=(charts.Series(SIL6R, _in_order(current, ghosts)),),
        low=SIL6R_IN_VIEW[0],
        high=SIL6R_IN_VIEW[1],
        band=_band(record.estimate, axis=axis, points=current) if line else None,
        missed=_missed(record, axis=axis, done_on=days, today=today),
        latest=_reading(shown, 1, axis=axis),
        previous=_reading(shown, 2, axis=axis),
        empty_text=_("No draw yet"),
        height=170,
    )


def _results(draws: Sequence[Draw]) -> list[tuple[Draw, Result]]:
    return [
        (draw, result)
        for draw in draws
        for result in draw.results.all()
        if result.analyte.code == SIL6R and result.value is not None
    ]


def _was_another_value(draw: Draw, old: Result) -> bool:
    """Tell a corrected value from one that was only called final, or moved with its draw."""
    now = [each for each in draw.results.all() if each.superseded_at is None]
    same = [each for each in now if each.analyte_id == old.analyte_id]
    return not any((each.value, each.comparator) == (old.value, old.comparator) for each in same)


def _ghost(draw: Draw, result: Result, *, axis: _Axis, edge: float) -> charts.Point:
    replaced_at = result.superseded_at or draw.collected_at
    value = float(result.value or 0)
    return charts.Point(
        at_week=axis.of_moment(draw.collected_at),
        value=min(value, edge),
        text=f"{result.comparator}{result.value}",
        standing=charts.Standing.CORRECTED,
        note=_("corrected %(on)s")
        % {"on": charts.clinical_date(replaced_at.astimezone(axis.zone).date())},
    )


def _standing(result: Result, part: LeftOut | None) -> charts.Standing:
    """Say what a value is worth; a bound is scored as a bound, and is no caution."""
    if part is not None and not part.is_plotted:
        return charts.Standing.EXCLUDED
    if result.comparator:
        return _CENSORED[result.comparator[0]]
    return charts.Standing.USED if part is None else charts.Standing.CAUTION


def _in_order(
    current: Sequence[charts.Point], ghosts: Sequence[charts.Point]
) -> tuple[charts.Point, ...]:
    return tuple(sorted([*current, *ghosts], key=lambda point: point.at_week))


def _band(
    estimate: Estimate | None, *, axis: _Axis, points: Sequence[charts.Point]
) -> charts.Band | None:
    """Draw where new results of this person would fall, over the draws that were scored."""
    line = words.trajectory_of(estimate, SIL6R)
    weeks = [point.at_week for point in points if point.standing is charts.Standing.USED]
    if line is None or not weeks:
        return None
    origin = axis.exactly(line.origin_at)
    shown = np.linspace(min(weeks), max(weeks) + WEEKS_AHEAD, BAND_STEPS)
    band = prediction_band(line, shown - origin)
    return charts.Band(
        label=_("95 % of this person’s results expected here"),
        points=tuple(
            charts.BandPoint(at_week=week, low=low, high=high, middle=middle)
            for week, low, high, middle in zip(
                shown.tolist(),
                band.low.tolist(),
                band.high.tolist(),
                band.middle.tolist(),
                strict=True,
            )
        ),
    )


def _reading(points: Sequence[charts.Point], back: int, *, axis: _Axis) -> charts.Reading | None:
    if len(points) < back:
        return None
    point = points[-back]
    on = axis.first_dose_on + timedelta(days=round(point.at_week * DAYS_A_WEEK))
    return charts.Reading(text=point.text, when=charts.clinical_date(on))


def _missed(
    record: PatientRecord, *, axis: _Axis, done_on: Sequence[date], today: date
) -> tuple[charts.Missed, ...]:
    if record.episode is None:
        return ()
    every_weeks = record.patient.team.site.visits_every_weeks
    weeks = schedule.missed_weeks(
        axis.first_dose_on, done_on=done_on, today=today, every_weeks=every_weeks
    )
    return tuple(charts.Missed(at_week=float(week)) for week in weeks)


# The scale of the episode


def _symptoms(record: PatientRecord, *, axis: _Axis, today: date) -> charts.Panel:
    scale = INSTRUMENTS[scale_of(record)]
    ratings = [each for each in record.ratings if each.instrument == scale.code]
    current = [
        _rated(each, charts.Standing.USED, axis=axis)
        for each in ratings
        if each.total is not None and each.superseded_at is None
    ]
    ghosts = [
        _rated(each, charts.Standing.CORRECTED, axis=axis)
        for each in ratings
        if each.total is not None and each.superseded_at is not None
    ]
    # By whichever scale: what is overdue is found so too
    days = [
        each.rated_at.astimezone(axis.zone).date()
        for each in record.ratings
        if each.superseded_at is None
    ]
    return charts.Panel(
        title=scale.code,
        unit=_("points"),
        series=(
            charts.Series(
                scale.code, _in_order(current, ghosts), charts.Tone.PLUM, charts.Shape.SQUARE
            ),
        ),
        low=0,
        high=float(scale.highest_total),
        steps=(0, *(band.highest for band in scale.bands)),
        thresholds=(
            charts.Threshold(
                label=_("remission at %(points)d or fewer") % {"points": scale.remission_at_most},
                value=float(scale.remission_at_most),
            ),
        ),
        missed=_missed(record, axis=axis, done_on=days, today=today),
        latest=_reading(current, 1, axis=axis),
        previous=_reading(current, 2, axis=axis),
        empty_text=_("No rating yet"),
    )


def _rated(rating: Rating, standing: charts.Standing, *, axis: _Axis) -> charts.Point:
    return charts.Point(
        at_week=axis.of_moment(rating.rated_at),
        value=float(rating.total or 0),
        text=str(rating.total),
        standing=standing,
    )
