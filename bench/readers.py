"""The readers of JSON, HL7 v2 and CSV alone, each beside the plain split of the same bytes."""

import csv
import io
import json
from collections.abc import Callable

from bench.fhir import messages_per_second
from patients.intake.hl7v2.er7 import read_er7
from patients.intake.hl7v2.reading import read_hl7v2
from patients.intake.json_dialect import read_json
from patients.intake.tables.reading import Kind, read_table

Row = tuple[str, ...]
_HEADER = "accession,patient_system,patient,collected_at,analyte,value,unit\r\n"


def draws(number: int) -> bytes:
    """Write draws as plain JSON."""
    many = [
        {
            "accession": f"A-{each}",
            "patient": {"system": "urn:clinic:mrn", "value": f"{each:04}"},
            "collected_at": "2026-11-02T08:10:00+01:00",
            "results": [{"analyte": "sIL-6R", "value": "37.50", "unit": "ng/mL"}],
        }
        for each in range(number)
    ]
    return json.dumps({"draws": many} if number > 1 else many[0]).encode()


def message(results: int) -> bytes:
    """Write one message of results in ER7."""
    segments = [
        r"MSH|^~\&|LIS|LAB|SOUNDINGS|CLINIC|20261102101500+0100||ORU^R01^ORU_R01|M-1|P|2.5.1",
        "PID|1||0042^^^urn:clinic:mrn^MR||SYNTHETIC^Kim||19700102|F",
        "OBR|1||A-17|CYT^Cytokines^L|||20261102081000+0100" + "|" * 15 + "20261102101000+0100|||F",
        *(
            f"OBX|{each}|NM|C{each}^Analyte {each}^L||37.50|ng/mL^^UCUM|15-46|N|||F"
            for each in range(1, 1 + results)
        ),
    ]
    return "".join(f"{segment}\r" for segment in segments).encode()


def rows_of_table(number: int) -> bytes:
    """Write a table of results."""
    row = "A-{},urn:clinic:mrn,{:04},2026-11-02T08:10:00+01:00,sIL-6R,37.50,ng/mL\r\n"
    return (_HEADER + "".join(row.format(each, each) for each in range(number))).encode()


def reader_rows() -> list[Row]:
    """Set each reader beside the least that anybody could do with the same bytes."""
    return [
        _row("one draw, JSON", draws(1), json.loads, read_json),
        _row("100 draws, JSON", draws(100), json.loads, read_json),
        _row("1 OBX, split into fields", message(1), _split, read_er7),
        _row("1 OBX, HL7 v2", message(1), _split, read_hl7v2),
        _row("28 OBX, HL7 v2", message(28), _split, read_hl7v2),
        _row("100 rows, CSV", rows_of_table(100), _rows, _read_csv),
    ]


def _row(
    name: str, body: bytes, plainly: Callable[[bytes], object], read: Callable[[bytes], object]
) -> Row:
    plain = messages_per_second(plainly, body, s=2)
    ours = messages_per_second(read, body, s=2)
    said = (f"{len(body):,} B", f"{plain:,.0f} /s", f"{ours:,.0f} /s", f"{ours / plain:.3f}")
    return name, *said


def _split(body: bytes) -> object:
    return [line.split("|") for line in body.decode().split("\r")]


def _rows(body: bytes) -> object:
    return list(csv.reader(io.StringIO(body.decode())))


def _read_csv(body: bytes) -> object:
    return read_table(body, kind=Kind.CSV)
