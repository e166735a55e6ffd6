"""How a result was measured: the segments that HL7 puts behind an OBX for it.

TCD tells the dilution, SID and INV the substances: the kit with its lot, and the calibrator. For
the run and for the CV of replicates HL7 v2 has no place.
"""

from typing import NamedTuple

from patients.intake.hl7v2.er7 import Segment
from patients.intake.reports import Measurement

# HL7 table 0384, types of substances
_CALIBRATORS = frozenset({"RC"})
_REAGENTS = frozenset({"MR", "SR", "LI", ""})


class Measured(NamedTuple):
    """With what a result was measured, and how."""

    kit: str = ""
    lot: str = ""
    measurement: Measurement | None = None


def measured_by(segments: list[Segment]) -> Measured:
    """Read the segments behind an OBX; of two that say the same thing the first counts."""
    kit = lot = calibrator = dilution = ""
    for each in segments:
        match each.name:
            case "TCD":
                # automatic dilution, else the one before the sample came to the analyser
                dilution = dilution or _factor(each, 2) or _factor(each, 4)
            case "SID":
                kit, lot = kit or _words(each, 1), lot or _line(each.whole(2))
            case "INV" if _code(each, 3) in _CALIBRATORS:
                calibrator = calibrator or _line(each.whole(16)) or _words(each, 1)
            case "INV" if _code(each, 3) in _REAGENTS:
                kit, lot = kit or _words(each, 1), lot or _line(each.whole(16))
    is_told = bool(calibrator or dilution)
    told = Measurement(calibrator=calibrator, dilution=dilution) if is_told else None
    return Measured(kit, lot, told)


def _factor(segment: Segment, number: int) -> str:
    """Read a dilution as SN writes it: ^1^:^100 is 1:100."""
    return _line("".join(segment.parts(number)))[:50]


def _code(segment: Segment, number: int) -> str:
    return (segment.parts(number) or [""])[0].strip()


def _words(segment: Segment, number: int) -> str:
    code, text, *_ = [*segment.parts(number), "", ""]
    return _line(text or code)


def _line(text: str) -> str:
    joined = " ".join(text.split()).replace("\x7f", "")
    return joined if len(joined) <= 100 else f"{joined[:99]}…"
