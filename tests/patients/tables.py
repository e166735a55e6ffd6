"""Tables of results, synthetic throughout, and the cases they are tried on.

A case changes cells of one plain row ("value": "<0.5"), or brings whole lines of its own; it says
what is read ("results.0.value"), or at which places the file is refused or a row is faulty.
"""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from patients.intake.tables.layout import Layout

HERE = Path(__file__).parent / "csv_cases"
BASE: dict[str, str | None] = {
    "accession": "A-17",
    "patient_system": "urn:clinic:mrn",
    "patient": "0042",
    "collected_at": "2026-11-02T08:10:00+01:00",
    "analyte": "sIL-6R",
    "value": "37.50",
    "unit": "ng/mL",
    "status": "final",
}
CASES: list[dict[str, Any]] = [
    case
    for file in sorted(HERE.glob("*.json"))
    for case in json.loads(file.read_text(encoding="utf-8"))
]


def table_of(*changes: Mapping[str, str | None], delimiter: str = ",", end: str = "\r\n") -> str:
    """Write a table of the plain row with some cells changed, one row for each change.

    None takes a column away, and another name adds one.
    """
    rows = [BASE | dict(change) for change in changes]
    names = [name for name in dict.fromkeys(n for row in rows for n in row) if _is_used(name, rows)]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerow(names)
    writer.writerows([row.get(name) or "" for name in names] for row in rows)
    return text.getvalue()


def _is_used(name: str, rows: list[dict[str, str | None]]) -> bool:
    return any(row.get(name) is not None for row in rows)


def body_of(case: dict[str, Any]) -> bytes:
    """Give the bytes of a case."""
    text = "\r\n".join(case["lines"]) if "lines" in case else table_of(*case.get("rows", [{}]))
    body = text.encode(case.get("encoding", "utf-8"))
    return bytes.fromhex(case.get("before", "")) + body + bytes.fromhex(case.get("after", ""))


def layout_of(case: dict[str, Any]) -> Layout:
    """Give the layout by which a case is read."""
    return Layout.model_validate(case.get("layout", {}))
