"""Which scale a page shows of a patient: one, and never two in one curve or percentage."""

from collections.abc import Sequence

from analytics import Estimate
from instruments import INSTRUMENTS, QIDS_SR16
from monitoring.queries import PatientRecord


def scale_shown(chosen: str, estimate: Estimate | None, rated_by: Sequence[str]) -> str:
    """Give the scale that was chosen, else the one assessed by, else that of the last rating.

    Parameters
    ----------
    chosen
        The primary scale of the episode, as somebody has said it.
    rated_by
        The scales of the current ratings, the oldest first.
    """
    course = None if estimate is None else estimate.course
    candidates = (chosen, "" if course is None else course.instrument, *reversed(rated_by))
    return next((each for each in candidates if each in INSTRUMENTS), QIDS_SR16)


def scale_of(record: PatientRecord) -> str:
    """Give the scale that the page of a patient shows."""
    chosen = record.episode.primary_instrument if record.episode is not None else ""
    rated_by = [each.instrument for each in record.ratings if each.superseded_at is None]
    return scale_shown(chosen, record.estimate, rated_by)
