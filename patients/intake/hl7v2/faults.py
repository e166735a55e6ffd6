"""What is wrong with an HL7 v2 message, in the codes of HL7 table 0357."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

FAULTS_AT_MOST = 50  # a message with more is beyond a list


class ErrorCode(StrEnum):
    """Codes of table 0357 that this reader gives."""

    SEGMENT_SEQUENCE = "100"
    REQUIRED_FIELD = "101"
    DATA_TYPE = "102"
    TABLE_VALUE = "103"
    UNSUPPORTED_TYPE = "200"
    UNSUPPORTED_EVENT = "201"
    UNSUPPORTED_PROCESSING = "202"
    UNSUPPORTED_VERSION = "203"
    INTERNAL = "207"


NAMES = {
    ErrorCode.SEGMENT_SEQUENCE: "Segment sequence error",
    ErrorCode.REQUIRED_FIELD: "Required field missing",
    ErrorCode.DATA_TYPE: "Data type error",
    ErrorCode.TABLE_VALUE: "Table value not found",
    ErrorCode.UNSUPPORTED_TYPE: "Unsupported message type",
    ErrorCode.UNSUPPORTED_EVENT: "Unsupported event code",
    ErrorCode.UNSUPPORTED_PROCESSING: "Unsupported processing id",
    ErrorCode.UNSUPPORTED_VERSION: "Unsupported version id",
    ErrorCode.INTERNAL: "Application internal error",
}
# A message that is of another kind altogether is rejected; one with a fault in it is in error
_REJECTING = frozenset(
    {
        ErrorCode.UNSUPPORTED_TYPE,
        ErrorCode.UNSUPPORTED_EVENT,
        ErrorCode.UNSUPPORTED_PROCESSING,
        ErrorCode.UNSUPPORTED_VERSION,
    }
)


@dataclass(frozen=True)
class Place:
    """Where something stands: the how-manieth segment of its name, and which field of it."""

    segment: str
    sequence: int = 1
    field: int | None = None

    def __str__(self) -> str:
        name = f"{self.segment}[{self.sequence}]" if self.sequence > 1 else self.segment
        return name if self.field is None else f"{name}-{self.field}"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong. The values themselves are never repeated."""

    code: ErrorCode
    place: Place
    detail: str


class Refused(Exception):
    """The message is not taken."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = tuple(faults[:FAULTS_AT_MOST])

    @property
    def is_rejection(self) -> bool:
        """Tell whether the message is of a kind that is not taken (AR), not merely faulty (AE)."""
        return any(fault.code in _REJECTING for fault in self.faults)


def refuse(code: ErrorCode, place: Place, detail: str) -> Refused:
    """Refuse a message for one fault."""
    return Refused([Fault(code, place, detail)])
