"""Names for those who act, and the trail of what they did."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from patients.models import Audit, Clinician

SYSTEM = "system"


def name_of(clinician: Clinician) -> str:
    """Name a clinician in the record: an id, never an address."""
    return f"clinician:{clinician.pk}"


def write(
    *,
    verb: str,
    subject: str,
    by: str,
    at: datetime,
    patient_id: int | None = None,
    **detail: Any,
) -> None:
    """Write one line of the trail, in the transaction of the deed itself."""
    Audit.objects.create(
        at=at, by=by, verb=verb, subject=subject, patient_id=patient_id, detail=detail
    )


def write_all(lines: Iterable[dict[str, Any]], *, by: str, at: datetime) -> None:
    """Write several lines of the trail at once."""
    Audit.objects.bulk_create(Audit(at=at, by=by, **line) for line in lines)
