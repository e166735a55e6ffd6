"""The words a history may use, and the sorted columns it is turned into."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics.staging import Severity
from analytics.tables import Bools, Floats, Ints, Objects, column_of

US_PER_HOUR = 3_600_000_000  # what a day may have more or less, where the clocks change
US_PER_DAY = 24 * US_PER_HOUR
US_PER_WEEK = 7 * US_PER_DAY
SIL6R, IL6, TNF, CRP = "sIL-6R", "IL-6", "TNF-α", "hs-CRP"
ANALYTES = (SIL6R, IL6, TNF, CRP)
UNITS = {SIL6R: "ng/mL", IL6: "pg/mL", TNF: "pg/mL", CRP: "mg/L"}
COMPARATORS = ("", "<", "<=", ">", ">=")
STATUSES = ("preliminary", "final", "corrected")
EVENT_KINDS = (
    "infection",
    "il6r_blocker",
    "biologic",
    "steroid",
    "vaccination",
    "surgery",
    "ect",
    "pregnancy",
    "exercise",
    "other",
)
# Days after the last dose for which no reading means anything: five half-lives of 13, 10 and 30
# days, and at least the months that complexes need (M). One that is not named may be the slowest.
IL6R_BLOCKER_DAYS = {"L04AC07": 90, "L04AC14": 90, "L04AC19": 150, "": 150}
TRIAL_KINDS = (
    "",  # by the ATC code: an antidepressant, or what augments one
    "antidepressant",
    "augmentation",
    "combination",
    "ect",
    "ketamine",
    "tms",
    "psychotherapy",
)
ADHERENCES = ("", "good", "partial", "poor")
OVERRIDES = ("", "adequate", "inadequate", "indeterminate")
HAEMOLYSES = ("", "none", "slight", "moderate", "gross")
SEVERITIES = ("", *(severity.value for severity in Severity))
GENOTYPES = ("", "AA", "AC", "CC")  # rs2228145; the place less one is the number of C alleles


@dataclass(frozen=True, slots=True)
class ResultColumns:
    """Results sorted by patient, time, analyte, segment; ``patient`` is a position."""

    patient: Ints
    drawn_us: Ints
    analyte: Ints  # position in ANALYTES
    value: Floats
    comparator: Ints  # position in COMPARATORS
    is_preliminary: Bools
    is_confirmed: Bools  # by a person; a corrected report is no check of its own
    segment: Ints  # position in segments
    segments: tuple[str, ...]
    is_kit_assumed: Bools  # not stated: taken to be that of the result before
    told_us: int  # when the last was drawn that told an earlier one its kit or fluid; NEVER: none
    assay_cv: Floats  # of the kit, as its laboratory states it; NaN: not stated
    local_day: Floats  # of the draw, by the calendar of the site; NaN: not known
    waives: Ints  # cautions in spite of which a person scores the draw, with a reason; a bit mask
    specimens: "SpecimenColumns | None"  # None: nothing is known of any


@dataclass(frozen=True, slots=True)
class SpecimenColumns:
    """What was seen of the specimens, in the order of the results."""

    is_duplicate: Bools
    is_matrix_wrong: Bools
    is_kit_unknown: Bools
    is_unsuitable: Bools
    is_zero: Bools  # reported as 0: no concentration, and no logarithm
    is_kept_out: Bools  # by a person
    haemolysis: Ints  # position in HAEMOLYSES
    freeze_thaw_cycles: Floats
    lot: Objects
    local_hour: Floats  # of the draw, by the clock of the site; NaN: not known


@dataclass(frozen=True, slots=True)
class RatingColumns:
    """Ratings sorted by patient, instrument, time."""

    patient: Ints
    instrument: Ints  # position in instruments
    rated_us: Ints
    total: Floats
    instruments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrialColumns:
    """Trials sorted by patient, start, end, and what else is known of them."""

    patient: Ints
    trial_id: Ints
    started_us: Ints
    stopped_us: Ints
    adequate_us: Ints
    dose_mg: Floats
    drug: Objects
    atc: Objects
    stop_reason: Objects
    kind: Ints  # position in TRIAL_KINDS
    adherence: Ints  # position in ADHERENCES
    override: Ints  # position in OVERRIDES: what a clinician says of the adequacy, with a reason
    least_mg: Floats  # the site's own least adequate dose; NaN: the table shipped


@dataclass(frozen=True, slots=True)
class DoseColumns:
    """Daily doses sorted by trial and start; each holds until the next."""

    trial: Ints  # position in the trials
    started_us: Ints
    dose_mg: Floats


@dataclass(frozen=True, slots=True)
class EventColumns:
    """Events sorted by patient, start, kind."""

    patient: Ints
    kind: Ints  # position in EVENT_KINDS
    started_us: Ints
    stopped_us: Ints
    atc: Objects  # of the drug; "": none, or not known


def by_calendar(elapsed_us: Ints) -> Ints:
    """Count whole days as the calendar does: one on which the clocks change is a day too.

    Parameters
    ----------
    elapsed_us : array of int
        Between two moments; from midnight to midnight of one place these are days, but for an hour.

    Returns
    -------
    array of int
    """
    whole = (elapsed_us + US_PER_DAY // 2) // US_PER_DAY * US_PER_DAY
    return np.where(np.abs(elapsed_us - whole) <= US_PER_HOUR, whole, elapsed_us)


def days_between_visits(elapsed_us: Ints) -> Ints:
    """Count the days from one visit to another, whatever the hour of either.

    Parameters
    ----------
    elapsed_us : array of int
        Between two ratings.

    Returns
    -------
    array of int
        The nearest number of days.
    """
    return np.asarray((elapsed_us + US_PER_DAY // 2) // US_PER_DAY)


def through_day(midnight_us: Ints, days: int) -> Ints:
    """Give the last moment of a day that is counted from another: a window's last day is whole.

    Parameters
    ----------
    midnight_us : array of int
        The beginning of the day from which is counted.
    days : int
        How many days later.

    Returns
    -------
    array of int
    """
    return midnight_us + (days + 1) * US_PER_DAY - 1


def first_that_holds(cases: Sequence[tuple[Bools, int]], otherwise: int) -> Ints:
    """Give each row the code of the first case that holds; as numpy's select, for a few rows.

    Parameters
    ----------
    cases : sequence of (array of bool, int)
        The cases, the first to win first.
    otherwise : int
        The code where none holds.

    Returns
    -------
    array of int
    """
    found: Ints = column_of(otherwise, len(cases[0][0]), np.int64)
    for holds, code in reversed(cases):
        put(found, holds, code)
    return found


def put(column: Ints, holds: Bools, code: int) -> None:
    """Write a code where something holds; for a few rows, where it mostly does not, quicker."""
    [rows] = holds.nonzero()
    if len(rows):
        column[rows] = code


def freeze(*parts: object) -> None:
    """Make arrays read-only, at any depth of tuples and of the columns of a table.

    Parameters
    ----------
    *parts : array, tuple, or dataclass with slots
        What else there is, is left as it is.
    """
    for part in parts:
        if type(part) is np.ndarray:
            part.setflags(write=False)
        elif isinstance(part, tuple):
            freeze(*part)
        elif isinstance(part, _TABLES):
            freeze(*(getattr(part, name) for name in part.__slots__))


_TABLES = (
    DoseColumns,
    EventColumns,
    RatingColumns,
    ResultColumns,
    SpecimenColumns,
    TrialColumns,
)
