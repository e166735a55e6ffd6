"""A file is brought by a person: looked at, then taken in by the same way as any message."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from monitoring import ingest
from monitoring.models import Upload
from patients import audit
from patients.intake.receipts import Sender
from patients.intake.tables.faults import FileIsUnreadable
from patients.intake.tables.profiles import layout_of
from patients.intake.tables.reading import Kind, Reading, read_table
from patients.intake.verdicts import Verdict, counts_of, verdicts_of_table
from patients.models import Clinician, Laboratory, Role

KEPT_FOR = timedelta(hours=1)


class UploadHasChanged(Exception):
    """The laboratory's profile reads the file otherwise now than when it was looked at."""


class RowsAreRefused(Exception):
    """Rows of the file cannot be read, so none is taken in."""


@dataclass(frozen=True)
class Looked:
    """A file with what would become of every row of it."""

    upload: Upload
    verdicts: list[Verdict]

    @property
    def can_be_confirmed(self) -> bool:
        """Tell whether every row can be read."""
        return "refused" not in counts_of(self.verdicts)


def may_upload(clinician: Clinician) -> bool:
    """A file may hold results of any team's patients: operators and leads may bring one."""
    return clinician.is_active and (
        clinician.is_operator or clinician.memberships.filter(role=Role.LEAD).exists()
    )


def keep(*, laboratory: Laboratory, kind: Kind, body: bytes, by: Clinician, at: datetime) -> Upload:
    """Keep a file that can be read until it is confirmed.

    Raises
    ------
    FileIsUnreadable
        When not one row of it can be read; nothing is kept.
    """
    reading = _read(body, kind=kind, laboratory_id=laboratory.pk)
    return Upload.objects.create(
        laboratory=laboratory,
        uploaded_by=by,
        uploaded_at=at,
        kind=kind,
        body=body,
        sha256=_digest(body, reading),
    )


def look_at(upload: Upload, *, at: datetime) -> Looked:
    """Say what would become of every row at this moment; nothing is stored.

    Raises
    ------
    UploadHasChanged
        When the file is read otherwise now than when it was brought.
    """
    reading = _read_again(upload)
    receipt = ingest.rehearse(
        reading.reports,
        body=bytes(upload.body),
        dialect=upload.kind,
        sender=_sender(upload),
        at=at,
        asked=reading.read_as,
    )
    return Looked(upload, verdicts_of_table(reading, receipt.answers))


@transaction.atomic
def confirm(upload: Upload, *, by: Clinician, at: datetime) -> dict[str, int]:
    """Take the file in; say how many results became what.

    Raises
    ------
    UploadHasChanged
        When the file is read otherwise now than when it was looked at.
    RowsAreRefused
        When any row cannot be read.
    """
    upload = Upload.objects.select_for_update().select_related("laboratory").get(pk=upload.pk)
    reading = _read_again(upload)
    if reading.faults:
        raise RowsAreRefused
    receipt = ingest.receive(
        reading.reports,
        body=bytes(upload.body),
        dialect=upload.kind,
        sender=_sender(upload),
        at=at,
        asked=reading.read_as,
    )
    counts = counts_of(verdicts_of_table(reading, receipt.answers))
    audit.write(
        verb="upload_results",
        subject=f"laboratory:{upload.laboratory_id}",
        by=audit.name_of(by),
        at=at,
        kind=upload.kind,
        **counts,
    )
    upload.delete()
    return counts


def forget_old(*, at: datetime) -> None:
    """Let the files go that nobody has confirmed."""
    Upload.objects.filter(uploaded_at__lt=at - KEPT_FOR).delete()


def _read(body: bytes, *, kind: Kind, laboratory_id: int) -> Reading:
    return read_table(body, kind=kind, layout=layout_of(laboratory_id=laboratory_id))


def _read_again(upload: Upload) -> Reading:
    body = bytes(upload.body)
    try:
        reading = _read(body, kind=Kind(upload.kind), laboratory_id=upload.laboratory_id)
    except FileIsUnreadable as fault:
        raise UploadHasChanged from fault
    if _digest(body, reading) != upload.sha256:
        raise UploadHasChanged
    return reading


def _digest(body: bytes, reading: Reading) -> str:
    return hashlib.sha256(reading.read_as.encode() + body).hexdigest()


def _sender(upload: Upload) -> Sender:
    return Sender(
        laboratory_id=upload.laboratory_id,
        key_id=None,
        zone=ZoneInfo(upload.laboratory.time_zone),
        brought_by=audit.name_of(upload.uploaded_by),
    )
