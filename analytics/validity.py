"""Which results may be scored: valid, caution (plotted, not scored) or excluded, and why.

Rests on the events of a patient, the other results of the same draw, and the
segment (laboratory and kit) of the draw; never on whether a value is liked.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from analytics.columns import (
    ANALYTES,
    COMPARATORS,
    CRP,
    EVENT_KINDS,
    IL6,
    IL6R_BLOCKER_DAYS,
    SIL6R,
    US_PER_DAY,
    EventColumns,
)
from analytics.histories import History
from analytics.ready import constant
from analytics.reasons import BIT, Reason
from analytics.specimens import mark_specimens
from analytics.tables import FEW_ROWS, NEVER, Bools, Floats, Ints, is_any


@dataclass(frozen=True, slots=True)
class Disturbance:
    """How long one kind of event disturbs a reading.

    Parameters
    ----------
    reason : Reason
        The code under which a result is left out.
    days_after : float
        How long after its stop the event still disturbs.
    runs_on : bool
        Whether an event without a stop is still running; if not, it was a moment.
    """

    reason: Reason
    days_after: float
    runs_on: bool


# Windows after clinical practice: infection and vaccination 2 to 4 weeks, exercise 24 h, ECT a few
# days (graded M); blockers by their drug.
DISTURBANCES: dict[str, Disturbance] = {
    "il6r_blocker": Disturbance(Reason.IL6R_BLOCKER, IL6R_BLOCKER_DAYS[""], runs_on=True),
    "infection": Disturbance(Reason.INFECTION, 28, runs_on=True),
    "vaccination": Disturbance(Reason.VACCINATION, 28, runs_on=False),
    "surgery": Disturbance(Reason.SURGERY, 28, runs_on=False),
    "steroid": Disturbance(Reason.STEROID, 14, runs_on=True),
    "biologic": Disturbance(Reason.BIOLOGIC, 90, runs_on=True),
    "ect": Disturbance(Reason.ECT, 5, runs_on=True),
    "pregnancy": Disturbance(Reason.PREGNANCY, 84, runs_on=True),
    "exercise": Disturbance(Reason.EXERCISE, 1, runs_on=False),
}
CRP_LIMIT_MG_L = 10.0
CRP_DAYS_AROUND = 3  # an acute phase lasts for days (M)
DAYS_BEFORE_FIRST_DOSE = 28
_BY_KIND = [DISTURBANCES.get(kind) for kind in EVENT_KINDS]
_KIND_BIT = np.array([0 if one is None else BIT[one.reason] for one in _BY_KIND], dtype=np.int64)
_RUNS_ON = np.array([one is not None and one.runs_on for one in _BY_KIND], dtype=np.bool_)
_AFTER_US = np.array(
    [0 if one is None else int(one.days_after * US_PER_DAY) for one in _BY_KIND], dtype=np.int64
)
_EXACT = COMPARATORS.index("")
_FOREVER = np.int64(2**62)
_SIL6R, _IL6, _CRP = ANALYTES.index(SIL6R), ANALYTES.index(IL6), ANALYTES.index(CRP)


class Readings(NamedTuple):
    """Every result known at a moment, with what speaks against scoring it.

    Rows are sorted by patient, time, analyte, segment. ``reasons`` is a bit mask
    over :data:`REASONS`; a row with an empty mask is scored.
    """

    patient: Ints
    drawn_us: Ints
    analyte: Ints
    value: Floats
    comparator: Ints
    segment: Ints
    is_confirmed: Bools
    reasons: Ints
    assay_cv: Floats  # NaN: the laboratory states none
    waived: Ints  # cautions in spite of which a person has the result scored

    @property
    def is_scored(self) -> Bools:
        """Tell which rows may be scored."""
        return np.asarray(self.reasons == 0)

    @property
    def is_censored(self) -> Bools:
        """Tell which rows only bound the concentration."""
        return np.asarray(self.comparator != _EXACT)

    @property
    def is_above(self) -> Bools:
        """Tell which rows are bounded from below: the concentration is above the value."""
        return np.asarray(self.comparator >= COMPARATORS.index(">"))

    @property
    def is_held(self) -> Bools:
        """Tell which rows wait for a check and have nothing else against them."""
        return np.asarray(self.reasons == BIT[Reason.IMPLAUSIBLE])


def read(history: History, *, at_us: int) -> tuple[Readings, Bools]:
    """Judge every result known at a moment.

    Parameters
    ----------
    history : History
        The cohort.
    at_us : int
        The moment, in microseconds since 1970 UTC; later facts are not used.

    Returns
    -------
    readings : Readings
        The results drawn until then, with their reasons.
    is_blocked : array of bool
        Per patient: an IL-6R blocker is running or washing out at the moment,
        so that no reading of sIL-6R means anything.
    """
    results = history.result_columns
    pick = _known_by(results.drawn_us, at_us)
    patient, drawn = results.patient[pick], results.drawn_us[pick]
    analyte, segment = results.analyte[pick], results.segment[pick]
    value, comparator = results.value[pick], results.comparator[pick]
    reasons = results.is_preliminary[pick] * BIT[Reason.PRELIMINARY]
    started = history.started_us[patient]
    too_early = drawn < started - DAYS_BEFORE_FIRST_DOSE * US_PER_DAY
    if is_any(too_early):
        reasons[too_early & (started != NEVER)] |= BIT[Reason.BEFORE_EPISODE]
    is_blocked = _disturb(history, reasons, patient, drawn, analyte, at_us)
    _mark_acute_phase(reasons, patient, drawn, results.local_day[pick], analyte, value, comparator)
    mark_specimens(results, pick, reasons)
    waived = constant(0, len(reasons), np.int64)
    if is_any(reasons):
        waived = results.waives[pick] & reasons
        reasons &= ~waived
    if len(results.segments) > 1:
        _mark_earlier_segments(reasons, patient, analyte, segment)
    readings = Readings(
        patient=patient,
        drawn_us=drawn,
        analyte=analyte,
        value=value,
        comparator=comparator,
        segment=segment,
        is_confirmed=results.is_confirmed[pick],
        reasons=reasons,
        assay_cv=results.assay_cv[pick],
        waived=waived,
    )
    return readings, is_blocked


def _known_by(drawn_us: Ints, at_us: int) -> Bools | slice:
    """Pick the results that are drawn by a moment; all of them, if all are."""
    if len(drawn_us) <= FEW_ROWS and max(drawn_us.tolist(), default=at_us) <= at_us:
        return slice(None)
    known: Bools = drawn_us <= at_us
    return known if is_any(~known) else slice(None)


def hold(readings: Readings, rows: Ints) -> Readings:
    """Hold implausible results back until somebody has checked them.

    Parameters
    ----------
    readings : Readings
        Judged results.
    rows : array of int
        Which to hold.

    Returns
    -------
    Readings
    """
    if len(rows) == 0:
        return readings
    reasons = readings.reasons.copy()
    reasons[rows] |= BIT[Reason.IMPLAUSIBLE]
    return readings._replace(reasons=reasons)


def _after(events: EventColumns) -> Ints:
    """Say how long each event still disturbs: by its kind, a blocker by its drug."""
    after = _AFTER_US[events.kind]
    [blockers] = (_KIND_BIT[events.kind] == BIT[Reason.IL6R_BLOCKER]).nonzero()
    if len(blockers):
        days = [
            IL6R_BLOCKER_DAYS.get(code, IL6R_BLOCKER_DAYS[""])
            for code in events.atc[blockers].tolist()
        ]
        after[blockers] = np.array(days, dtype=np.int64) * US_PER_DAY
    return after


def _windows(events: EventColumns, at_us: int) -> tuple[Ints, Ints, Ints]:
    """Give the bit, first and last moment of what each event disturbs."""
    # A stop that lies in the future of the moment is not known yet.
    is_open = (events.stopped_us == NEVER) | (events.stopped_us > at_us)
    open_end = np.where(_RUNS_ON[events.kind], _FOREVER, events.started_us)
    last = np.where(is_open, open_end, events.stopped_us) + _after(events)
    bits = np.where(events.started_us > at_us, 0, _KIND_BIT[events.kind])
    return bits, events.started_us, last


def _disturb(
    history: History, reasons: Ints, patient: Ints, drawn: Ints, analyte: Ints, at_us: int
) -> Bools:
    """Mark the rows that an event disturbs; tell who is under a blocker now."""
    is_blocked = np.zeros(len(history.patient_ids), dtype=np.bool_)
    events = history.event_columns
    if len(events.kind) == 0:
        return is_blocked
    bits, first, last = _windows(events, at_us)
    now = (bits == BIT[Reason.IL6R_BLOCKER]) & (last >= at_us)
    is_blocked[events.patient[now]] = True
    lo = np.searchsorted(patient, events.patient, side="left")
    hi = np.searchsorted(patient, events.patient, side="right")
    spread = np.where(bits == 0, 0, hi - lo)
    event = np.repeat(np.arange(len(bits)), spread)
    offset = np.arange(len(event)) - np.repeat(np.cumsum(spread) - spread, spread)
    row = lo[event] + offset
    hit = (drawn[row] >= first[event]) & (drawn[row] <= last[event])
    row, bit = row[hit], bits[event[hit]]
    # A blocker makes sIL-6R and IL-6 meaningless; for the others it is a biologic like any.
    spared = (bit == BIT[Reason.IL6R_BLOCKER]) & (analyte[row] != _SIL6R) & (analyte[row] != _IL6)
    np.bitwise_or.at(reasons, row, np.where(spared, BIT[Reason.BIOLOGIC], bit))
    return is_blocked


def _days(drawn: Ints, local_day: Floats) -> Ints:
    """Number the days of the draws: by the calendar of the site, by UTC where it is not known."""
    is_known = ~np.isnan(local_day)
    return np.where(is_known, np.where(is_known, local_day, 0), drawn // US_PER_DAY).astype(
        np.int64
    )


def _mark_acute_phase(
    reasons: Ints,
    patient: Ints,
    drawn: Ints,
    local_day: Floats,
    analyte: Ints,
    value: Floats,
    comparator: Ints,
) -> None:
    """Mark all results of a day on which hs-CRP is over the limit, and of the days around it."""
    is_crp = analyte == _CRP
    if not is_any(is_crp):
        return
    over = (value > CRP_LIMIT_MG_L) & (comparator != COMPARATORS.index("<"))
    over |= (value == CRP_LIMIT_MG_L) & (comparator == COMPARATORS.index(">"))
    over &= is_crp
    if not is_any(over):
        return
    days, of_day = _days(drawn, local_day), np.zeros(len(patient), dtype=np.int64)
    of_day[1:] = np.cumsum((patient[1:] != patient[:-1]) | (days[1:] != days[:-1]))
    acute = np.zeros(int(of_day[-1]) + 1, dtype=np.bool_)
    acute[of_day[over]] = True
    same_day = acute[of_day] & ~is_crp
    reasons[same_day] |= BIT[Reason.ACUTE_PHASE]
    first = days.min() - CRP_DAYS_AROUND
    width = days.max() + CRP_DAYS_AROUND - first + 1
    place = patient * width + days - first
    around = np.arange(-CRP_DAYS_AROUND, CRP_DAYS_AROUND + 1)
    is_near = np.isin(place, (place[over][:, None] + around).ravel())
    reasons[is_near & ~same_day & ~is_crp] |= BIT[Reason.ACUTE_PHASE_NEAR]


def _mark_earlier_segments(reasons: Ints, patient: Ints, analyte: Ints, segment: Ints) -> None:
    """Mark what was measured in another segment than the latest scored result.

    Levels are comparable within one laboratory and kit only; a change of either
    begins a new segment with its own baseline.
    """
    [scored] = (reasons == 0).nonzero()
    if len(scored) == 0:
        return
    track = patient * len(ANALYTES) + analyte
    current = np.full(int(track.max()) + 1, -1, dtype=np.int64)
    current[track[scored]] = segment[scored]  # rows are in order of time: the last one stays
    now = current[track]
    reasons[(now >= 0) & (segment != now)] |= BIT[Reason.EARLIER_SEGMENT]
