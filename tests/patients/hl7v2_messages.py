"""Messages of results in HL7 v2, synthetic throughout, and the cases they are tried on.

A case changes some fields of one plain message ("OBX-5": "<0.5"), adds lines to it, or brings lines
of its own; it says what is read ("results.0.value") or the code and place of every fault.
"""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "hl7v2_cases"
BASE = [
    r"MSH|^~\&|LIS|LAB|SOUNDINGS|CLINIC|20261102101500+0100||ORU^R01^ORU_R01|M-1|P|2.5.1",
    "PID|1||0042^^^urn:clinic:mrn^MR||SYNTHETIC^Kim||19700102|F",
    "ORC|RE||A-17",
    "OBR|1||A-17|CYT^Cytokines^L|||20261102081000+0100|||||||||||||||20261102101000+0100|||F",
    "OBX|1|NM|SIL6R^sIL-6R^L||37.50|ng/mL^^UCUM|15-46|N|||F|||20261102080500+0100",
]
CASES: list[dict[str, Any]] = [
    case
    for file in sorted(HERE.glob("*.json"))
    for case in json.loads(file.read_text(encoding="utf-8"))
]


def lines_of(case: dict[str, Any]) -> list[str]:
    """Give the segments of a case."""
    if "lines" in case:
        return list(case["lines"])
    lines = [_changed(line, case.get("change", {})) for line in BASE]
    left_out = set(case.get("without", []))
    added: list[str] = case.get("add", [])
    return [line for line in lines if line[:3] not in left_out] + added


def body_of(case: dict[str, Any]) -> bytes:
    """Give the bytes of a case, in its own character set and with its own ends of lines."""
    end: str = case.get("end", "\r")
    text = end.join(lines_of(case)) + end
    body = text.encode(str(case.get("encoding", "utf-8")))
    return bytes.fromhex(case.get("before", "")) + body + bytes.fromhex(case.get("after", ""))


def message(**case: Any) -> bytes:
    """Make the bytes of one message as a case would."""
    return body_of(case)


def _changed(line: str, change: dict[str, str]) -> str:
    """Set fields by their names; MSH counts its separator as the first."""
    fields = line.split("|")
    shift = 1 if line.startswith("MSH") else 0
    for name, value in change.items():
        segment, _, number = name.partition("-")
        if segment != line[:3]:
            continue
        place = int(number) - shift
        fields += [""] * (place + 1 - len(fields))
        fields[place] = value
    return "|".join(fields)
