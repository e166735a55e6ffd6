"""The answer to an HL7 v2 message: AA taken, AE faulty, AR of a kind that is not taken.

Its segments end with CR, its MSA-2 is the very MSH-10 of the message, and each fault has an ERR.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from patients.intake.hl7v2.er7 import Segment, Separators
from patients.intake.hl7v2.faults import NAMES, Fault, Refused

_OURS = Separators()
_SENT = re.compile(rb"MSH(.)([^\r\n]{0,2000})")


def acknowledge(header: Segment, *, at: datetime, words: str = "") -> bytes:
    """Say that a message was taken in."""
    fields = [header.raw(number) for number in range(13)]
    return _write(fields, header.separators, "AA", words, faults=(), at=at)


def refuse(body: bytes, refused: Refused, *, at: datetime) -> bytes:
    """Say why a message was not taken; of its header, whatever can be read is answered to."""
    fields, separators = _header_of(body)
    code = "AR" if refused.is_rejection else "AE"
    return _write(fields, separators, code, "", faults=refused.faults, at=at)


def _header_of(body: bytes) -> tuple[list[str], Separators]:
    found = _SENT.search(body[:8192])
    if found is None:
        return [], _OURS
    mark = found[1].decode("latin-1")
    fields = ["MSH", mark, *found[2].decode("utf-8", errors="replace").split(mark)]
    encoding = fields[2]
    if not 4 <= len(encoding) <= 5 or len(set(mark + encoding)) <= len(encoding):
        return fields, _OURS
    return fields, Separators(mark, *encoding)


def _write(
    sent: Sequence[str],
    separators: Separators,
    code: str,
    words: str,
    *,
    faults: Sequence[Fault],
    at: datetime,
) -> bytes:
    def field(number: int) -> str:
        """Give a field of the message as we may repeat it: in our separators, on one line."""
        raw = sent[number] if number < len(sent) else ""
        return "^".join(
            _OURS.escaped(separators.unescape(part)) for part in raw.split(separators.component)
        )

    control_id = _number_of(sent, separators)
    _kind, event, *_rest = [*field(9).split("^"), "", ""]
    number = f"{at:%Y%m%d%H%M%S%f}"
    written_at = f"{at:%Y%m%d%H%M%S%z}"
    kind = f"ACK^{event}^ACK" if event else "ACK"
    lines = [
        f"MSH|^~\\&|{field(5)}|{field(6)}|{field(3)}|{field(4)}|{written_at}||{kind}|{number}"
        f"|{field(11) or 'P'}|{field(12) or '2.5.1'}||||||UNICODE UTF-8",
        f"MSA|{code}|{control_id}" + (f"|{_OURS.escaped(words)}" if words else ""),
        *(_error(fault) for fault in faults),
    ]
    return "".join(f"{line}\r" for line in lines).encode()


def _number_of(sent: Sequence[str], separators: Separators) -> str:
    """Give MSH-10 back as it was sent, letter by letter, where the separators are ours too."""
    raw = sent[10] if len(sent) > 10 else ""
    if replace(separators, truncation=_OURS.truncation) == _OURS:
        return raw
    return _OURS.escaped(separators.unescape(raw))


def _error(fault: Fault) -> str:
    place = fault.place
    where = f"{place.segment}^{place.sequence}" + (f"^{place.field}" if place.field else "")
    code = f"{fault.code}^{NAMES[fault.code]}^HL70357"
    return f"ERR||{where}|{code}|E||||{_OURS.escaped(fault.detail)}"
