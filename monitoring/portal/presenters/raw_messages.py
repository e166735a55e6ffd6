"""The raw message that brought a draw, without what it says of others."""

import csv
import io
import json
import re

from patients.intake.fhir.writing import as_sent
from patients.intake.hl7v2 import charsets
from patients.intake.hl7v2.faults import Refused
from patients.intake.reports import DrawReport
from patients.intake.tables.faults import FileIsUnreadable
from patients.intake.tables.profiles import layout_of
from patients.intake.tables.reading import Kind, part_of_table
from patients.models import Inbound

_TABLES = frozenset(Kind)
_ORDER = re.compile(r"OBR(?:\[([0-9]{1,5})\])?")


def part_of_message(inbound: Inbound, report: DrawReport) -> tuple[str, bool]:
    """Give the raw message as it came; of several draws only the part that is meant.

    The other draws of a message may belong to patients of other teams. Say whether it is a part.
    """
    text = _text_of(inbound)
    find = {"json": _of_json, "fhir": _of_fhir, "hl7v2": _of_hl7v2}
    try:
        if inbound.dialect in _TABLES:
            return _of_table(inbound, report)
        return find[inbound.dialect](text, report)
    except (
        KeyError,
        IndexError,
        ValueError,
        FileIsUnreadable,
    ):  # a part that cannot be told from the others
        return json.dumps(report.model_dump(mode="json"), indent=2, ensure_ascii=False), True


def _text_of(inbound: Inbound) -> str:
    """Read the bytes as they were read when they came; of HL7 v2 the message names its letters."""
    body = bytes(inbound.body)
    if inbound.dialect == "hl7v2":
        try:
            return charsets.decode(body, charset=inbound.laboratory.charset)
        except Refused:
            return body.decode("latin-1")  # what HTTP said of it is not kept
    return body.decode("utf-8", errors="backslashreplace")


def _of_json(text: str, report: DrawReport) -> tuple[str, bool]:
    content = json.loads(text, parse_float=str)
    draws = content.get("draws") if isinstance(content, dict) else None
    if not isinstance(draws, list) or len(draws) < 2:
        return text, False
    mine = [
        draw
        for draw in draws
        if isinstance(draw, dict) and draw.get("accession") == report.accession
    ]
    return json.dumps(mine, indent=2, ensure_ascii=False), True


def _of_fhir(text: str, report: DrawReport) -> tuple[str, bool]:
    """Take out the resources themselves; a Bundle or a report may hold others."""
    content = json.loads(text, parse_float=str)
    if content.get("resourceType") == "Observation":
        return text, False
    mine = [as_sent(content, result.pointer) for result in report.results]
    return json.dumps(mine, indent=2, ensure_ascii=False), True


def _of_hl7v2(text: str, report: DrawReport) -> tuple[str, bool]:
    """Keep the header and the group of the patient in which the draw stands."""
    segments = [line for line in text.replace("\n", "\r").split("\r") if line.strip()]
    begins = [place for place, line in enumerate(segments) if line.startswith("PID")]
    orders = [place for place, line in enumerate(segments) if line.startswith("OBR")]
    if len(begins) < 2:
        return "\n".join(segments), False
    place = orders[_number_of_order(report.pointer) - 1]
    start = max(each for each in begins if each < place)
    end = min((each for each in begins if each > start), default=len(segments))
    return "\n".join([segments[0], *segments[start:end]]), True


def _number_of_order(pointer: str) -> int:
    """Read which order it is: OBR is the first, OBR[3] the third."""
    found = _ORDER.fullmatch(pointer)
    if found is None:
        message = "this is no place of an order"
        raise ValueError(message)
    return int(found[1] or 1)


def _of_table(inbound: Inbound, report: DrawReport) -> tuple[str, bool]:
    """Keep the head and the rows of the draw."""
    rows = part_of_table(
        bytes(inbound.body),
        report,
        kind=Kind(inbound.dialect),
        layout=layout_of(laboratory_id=inbound.laboratory_id),
    )
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue(), True
