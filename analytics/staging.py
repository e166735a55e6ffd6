"""The Maudsley staging of resistance, with its parts; incomplete, it has no score."""

from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any

# What was taken from where, and its grade
SOURCES = (
    ("Maudsley staging", "BMC Psychiatry 2018, s12888-018-1679-x table 3", "V"),
    ("Maudsley staging, points of failed trials", "psychiatryeducationforum.com", "V-sec"),
)
SOURCE = "; ".join(f"{what}: {source} ({grade})" for what, source, grade in SOURCES)
MOST = 15
_MONTHS = ((12, 1), (24, 2))
_FAILURES = ((2, 1), (4, 2), (6, 3), (10, 4))
_MOST_MONTHS, _MOST_FAILURES = 3, 5
_BANDS = ((6, "mild"), (10, "moderate"), (15, "severe"))


class Severity(StrEnum):
    """How severe the episode is, as the staging counts it."""

    SUBSYNDROMAL = "subsyndromal"
    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"
    PSYCHOTIC = "severe with psychosis"


_SEVERITIES = tuple(Severity)


class Part(StrEnum):
    """What the score is the sum of."""

    DURATION = "duration"
    SEVERITY = "severity"
    FAILURES = "failures"
    AUGMENTATION = "augmentation"
    ECT = "ect"


@dataclass(frozen=True, slots=True)
class StagingFacts:
    """What a record holds for the staging of one episode; None and "" mean not known.

    ``failed_here`` are the adequate trials on record that have failed, ``failed_before`` those
    that are said to have failed before the first dose here.
    """

    duration_months: float | None
    severity: str
    failed_here: int
    failed_before: int | None
    is_augmented: bool | None
    has_ect: bool | None

    @property
    def failed_trials(self) -> int | None:
        """Add up the failures; not known while it is not known what came before."""
        return None if self.failed_before is None else self.failed_here + self.failed_before

    def staged(self) -> "Staging":
        """Give the score and its parts."""
        return stage(
            duration_months=self.duration_months,
            severity=Severity(self.severity) if self.severity else None,
            failed_trials=self.failed_trials,
            is_augmented=self.is_augmented,
            has_ect=self.has_ect,
        )


def months_between(since: date, until: date) -> float:
    """Count months by the calendar: whole on the day of the month, more the day after.

    Parameters
    ----------
    since, until : date
        The days; one that comes before the other counts as the same.

    Returns
    -------
    float
    """
    months = 12 * (until.year - since.year) + until.month - since.month
    return max(months + (until.day - since.day) / 31, 0.0)


class StagingFault(ValueError):
    """Something that the staging cannot count; says what, and what would be right."""


@dataclass(frozen=True, slots=True)
class Staging:
    """The parts, and their sum where all are known.

    ``missing`` names what is not known; while it names anything there is no total and no band.
    """

    duration: int | None
    severity: int | None
    failures: int | None
    augmentation: int | None
    ect: int | None
    total: int | None
    band: str | None
    missing: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return asdict(self) | {"missing": list(self.missing), "source": SOURCE}


def stage(
    *,
    duration_months: float | None,
    severity: Severity | None,
    failed_trials: int | None,
    is_augmented: bool | None,
    has_ect: bool | None,
) -> Staging:
    """Add the parts up.

    Parameters
    ----------
    duration_months : float or None
        How long the episode has lasted.
    severity : Severity or None
        Its severity.
    failed_trials : int or None
        Adequate trials of it that have failed. The staging begins with one: at none it is
        incomplete.
    is_augmented, has_ect : bool or None
        Whether a trial was augmented, and whether ECT was given.

    Returns
    -------
    Staging
        3 to 15; None for a part that is not known, and then for the total.

    Raises
    ------
    StagingFault
        A duration or a count below zero, or a count that is no whole number.
    """
    for name, value in (("duration_months", duration_months), ("failed_trials", failed_trials)):
        if value is not None and not value >= 0:
            message = f"{name}: {value!r}; wanted: zero or more, or nothing"
            raise StagingFault(message)
    if failed_trials is not None and type(failed_trials) is not int:
        message = (
            f"failed_trials: {failed_trials!r}; wanted: a whole number, zero or more, or nothing"
        )
        raise StagingFault(message)
    parts = {
        "duration": _points(duration_months, _MONTHS, _MOST_MONTHS),
        "severity": None if severity is None else 1 + _SEVERITIES.index(severity),
        "failures": _points(failed_trials, _FAILURES, _MOST_FAILURES) if failed_trials else None,
        "augmentation": None if is_augmented is None else int(is_augmented),
        "ect": None if has_ect is None else int(has_ect),
    }
    missing = tuple(name for name, points in parts.items() if points is None)
    total = None if missing else sum(points for points in parts.values() if points is not None)
    band = None if total is None else next(name for limit, name in _BANDS if total <= limit)
    return Staging(**parts, total=total, band=band, missing=missing)


def _points(value: float | None, limits: tuple[tuple[int, int], ...], most: int) -> int | None:
    if value is None:
        return None
    return next((points for limit, points in limits if value <= limit), most)
