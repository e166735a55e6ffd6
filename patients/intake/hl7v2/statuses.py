"""How sure a result is: OBX-11, else OBR-25, in the words of the shared form."""

from patients.intake.hl7v2.er7 import Segment
from patients.intake.hl7v2.faults import ErrorCode, refuse
from patients.intake.reports import ResultStatus

# HL7 table 0085, read as HL7's own mapping to FHIR does where it has one. The letters without one:
# I, O, N, S are no result yet; R was not verified; V and B are final with a remark; U makes the
# stored result final without sending it again.
_BY_LETTER: dict[str, tuple[ResultStatus, str]] = {
    "P": ("preliminary", ""),
    "R": ("preliminary", "entered and not verified"),
    "F": ("final", ""),
    "V": ("final", "verified"),
    "B": ("final", "appended"),
    "U": ("final", ""),
    "C": ("corrected", ""),
    "A": ("amended", ""),
    "D": ("entered-in-error", ""),
    "W": ("entered-in-error", ""),
    "X": ("cancelled", ""),
    "I": ("registered", ""),
    "O": ("registered", ""),
    "N": ("registered", ""),
    "S": ("registered", ""),
}
# HL7 table 0123, for an OBX that does not say: only where it speaks of all results of the order
_BY_ORDER: dict[str, ResultStatus] = {
    "P": "preliminary",
    "R": "preliminary",
    "F": "final",
    "C": "corrected",
    "X": "cancelled",
    "I": "registered",
    "O": "registered",
    "S": "registered",
}


def keeps_value(observation: Segment) -> bool:
    """Tell whether a result becomes final by its letter alone, without being sent again."""
    return _letter(observation, 11) == "U" and not observation.filled(5)


def status_of(observation: Segment, request: Segment) -> tuple[ResultStatus, str]:
    """Give the status, and a remark where the letter says more than it.

    Where neither OBX-11 nor OBR-25 says anything, nothing is assumed: a person will look.
    """
    letter = _letter(observation, 11)
    if letter and letter != '""':
        known = _BY_LETTER.get(letter)
        if known is None:
            raise refuse(
                ErrorCode.TABLE_VALUE,
                observation.at(11),
                f"OBX-11 must be one of {' '.join(sorted(_BY_LETTER))}",
            )
        return known
    return _BY_ORDER.get(_letter(request, 25), "unknown"), ""


def _letter(segment: Segment, number: int) -> str:
    """Read a letter; some systems write its meaning behind it, in a second component."""
    return (segment.parts(number) or [""])[0]
