"""Single results as laboratories push them by name, for tests of names and versions."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from monitoring import ingest
from patients.intake.receipts import Answer, Condition, Sender
from patients.intake.reports import (
    Code,
    Comparator,
    DrawReport,
    Identifier,
    PatientNumber,
    Precision,
    ResultReport,
    SeenTime,
    TimeRole,
)
from patients.models import Laboratory, Result
from tests.conftest import MONDAY

NUMBERING = "urn:north:result"
Take = Callable[..., Answer]


def observation(
    *,
    name: str | None = "r-1",
    mrn: str = "0042",
    drawn_at: datetime = MONDAY - timedelta(hours=10),
    precision: Precision = Precision.MINUTE,
    analyte: str = "sIL-6R",
    value: str | None = "37.50",
    unit: str = "ng/mL",
    comparator: Comparator = "",
    status: Any = "final",
    issued: int | None = None,
    accession: str = "",
    **more: Any,
) -> DrawReport:
    """Make a draw of one result; `issued` counts hours from the draw."""
    issued_at = None if issued is None else drawn_at + timedelta(hours=issued)
    names = more.pop("names", None)
    if names is None:
        names = () if name is None else (Identifier(system=NUMBERING, value=name),)
    return DrawReport(
        accession=accession,
        patients=(PatientNumber(system="urn:clinic:mrn", value=mrn),),
        times=(
            SeenTime(role=TimeRole.EFFECTIVE, text=str(drawn_at), at=drawn_at, precision=precision),
        ),
        results=(
            ResultReport(
                names=names,
                codes=(Code(code=analyte),),
                value=value,
                unit=unit,
                comparator=comparator,
                status=status,
                issued_at=issued_at,
                **more,
            ),
        ),
    )


def sender_of(laboratory: Laboratory) -> Sender:
    return Sender(laboratory_id=laboratory.pk, key_id=None, zone=ZoneInfo("Asia/Tokyo"))


def take(
    laboratory: Laboratory,
    report: DrawReport,
    *,
    at: datetime = MONDAY,
    asked: str = "",
    condition: Condition | None = None,
) -> Answer:
    """Push one report, in bytes of its own."""
    receipt = ingest.receive(
        [report],
        body=report.model_dump_json().encode(),
        dialect="json",
        sender=sender_of(laboratory),
        at=at,
        asked=asked,
        conditions=[condition] if condition else [],
    )
    return receipt.answers[0]


def versions(line: UUID) -> list[tuple[int, str, str, bool]]:
    """Say of each version its number, its value as sent, its status, and whether it is current."""
    return [
        (each.version, each.sent_value, each.status, each.superseded_at is None)
        for each in Result.objects.filter(public_id=line).order_by("version")
    ]
