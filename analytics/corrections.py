"""Whether a correction of the record has changed the picture that somebody may have acted on."""

from analytics.estimate import Estimate
from analytics.findings import LeftOut
from analytics.policy import FlagKind, FlagLevel, FlagReason, WantedFlag
from analytics.reasons import Validity


def changed_picture(before: Estimate, after: Estimate) -> tuple[FlagReason, ...]:
    """Say in what two estimates of one patient differ, with a correction between them.

    Parameters
    ----------
    before, after : Estimate
        What was said before the correction, and what is said with it.

    Returns
    -------
    tuple of FlagReason
        The probability on the other side of the threshold, or no longer given; a draw that may
        be scored and might not, or the reverse; another clinical state; another flag. Empty where
        none of it changed, whatever the numbers.
    """
    differs = {
        FlagReason.BAND_CHANGED: (before.outcome, before.allocation)
        != (after.outcome, after.allocation),
        FlagReason.VALIDITY_CHANGED: _unfit(before.left_out) != _unfit(after.left_out),
        FlagReason.STATE_CHANGED: before.state is not after.state,
        FlagReason.FLAG_CHANGED: _raised(before) != _raised(after),
    }
    return tuple(reason for reason, is_so in differs.items() if is_so)


def _unfit(left_out: tuple[LeftOut, ...]) -> set[tuple[str, str, str]]:
    return {
        (part.analyte, part.drawn_at.isoformat(), part.validity)
        for part in left_out
        if part.validity not in {"", Validity.VALID}
    }


def _raised(estimate: Estimate) -> set[tuple[FlagKind, FlagLevel]]:
    return {(flag.kind, flag.level) for flag in estimate.wanted_flags if flag.is_raise}


def is_said_otherwise(before: Estimate, after: Estimate) -> bool:
    """Tell whether anything but figures differs between two estimates of one patient.

    Parameters
    ----------
    before, after : Estimate
        What was said, and what would be said now of the same record.

    Returns
    -------
    bool
        Whether a state, a flag, the worth of a trial or of a draw, or a stage is another one.
    """
    return bool(changed_picture(before, after)) or _words(before) != _words(after)


def _words(estimate: Estimate) -> tuple[object, ...]:
    course = estimate.course
    of_course = course and (
        *(course.status, course.symptoms, course.failed_trials, course.staging),
        course.first_adequate_at is None,
        [(each.number, each.words, each.adequacy) for each in course.trials],
        [(each.week, each.reading) for each in course.decisions],
    )
    return (
        sorted((each.analyte, each.drawn_at, each.reasons) for each in estimate.left_out),
        sorted(
            (each.kind, each.level, each.is_raise, each.reasons) for each in estimate.wanted_flags
        ),
        of_course,
    )


def correction_flag(before: Estimate, after: Estimate) -> WantedFlag | None:
    """Say whether the flag *correction changed the picture* should go up.

    Parameters
    ----------
    before, after : Estimate
        As for :func:`changed_picture`.

    Returns
    -------
    WantedFlag or None
        High where symptoms had asked, or ask now, for somebody at once; else to be looked at.
    """
    reasons = changed_picture(before, after)
    if not reasons:
        return None
    urgent = any(level is FlagLevel.HIGH for _, level in _raised(before) ^ _raised(after))
    level = FlagLevel.HIGH if urgent else FlagLevel.WATCH
    return WantedFlag(FlagKind.CORRECTION_CHANGED_THE_PICTURE, level, reasons, is_raise=True)
