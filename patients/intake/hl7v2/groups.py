"""How the segments of ORU^R01 belong together: a patient, the orders, each order's results."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from patients.intake.hl7v2.er7 import Message, Segment
from patients.intake.hl7v2.faults import ErrorCode, Place, refuse
from patients.intake.hl7v2.times import read_time
from patients.intake.reports import Precision


@dataclass
class Observation:
    """One OBX, the notes that follow it, and what tells how it was measured (TCD, SID, INV)."""

    segment: Segment
    notes: list[Segment] = field(default_factory=list)
    measuring: list[Segment] = field(default_factory=list)


@dataclass
class Order:
    """One OBR with its ORC, its results and its samples."""

    request: Segment
    control: Segment | None
    patient: Segment | None
    observations: list[Observation] = field(default_factory=list)
    samples: list[Segment] = field(default_factory=list)
    # After results and a sample, OBX tells of the sample itself; some systems send the sample first
    tells_of_sample: bool = False
    of_sample: list[Segment] = field(default_factory=list)
    # The results of one time, of an order that has several
    is_part: bool = False

    @property
    def place(self) -> Place:
        """Where it begins; what was taken out of an order for its time, where that begins."""
        return self.observations[0].segment.place if self.is_part else self.request.place

    @property
    def is_cancelled(self) -> bool:
        """Tell whether the whole order is cancelled, with no result to say so."""
        return not self.observations and self.request.parts(25)[:1] == ["X"]

    def take(self, segment: Segment, *, is_result: Callable[[Segment], bool]) -> None:
        """Take in a result or a sample; what is certainly a result is one behind a sample too."""
        if segment.name == "SPM":
            self.samples.append(segment)
            self.tells_of_sample = bool(self.observations)
        elif self.tells_of_sample and not is_result(segment):
            self.of_sample.append(segment)
        else:
            self.observations.append(Observation(segment))
            self.tells_of_sample = False

    def note(self, segment: Segment) -> None:
        """Take in a note: of the result before it; of the sample, where none stands before it."""
        if self.tells_of_sample or not self.observations:
            self.of_sample.append(segment)
        else:
            self.observations[-1].notes.append(segment)

    def measure(self, segment: Segment) -> None:
        """Take in how the result before it was measured."""
        if self.observations and not self.tells_of_sample:
            self.observations[-1].measuring.append(segment)


def orders_of(message: Message, *, is_result: Callable[[Segment], bool]) -> list[Order]:
    """Put the segments into their groups; those that say nothing of a result are passed over.

    `is_result` tells an OBX that is a result wherever it stands, by its code.

    Raises
    ------
    Refused
        When an OBX or SPM stands before any OBR, or a message of results has none and cancels none.
    """
    orders: list[Order] = []
    patient: Segment | None = None
    control: Segment | None = None
    noted: Order | None = None  # a note behind PID or ORC is none of the order before
    for segment in message.segments[1:]:
        match segment.name:
            case "PID":
                patient, control, noted = segment, None, None
            case "ORC":
                control, noted = segment, None
            case "OBR":
                noted = Order(segment, control, patient)
                orders.append(noted)
                control = None
            case "OBX" | "SPM":
                noted = _open(orders, patient, segment)
                noted.take(segment, is_result=is_result)
            case "NTE" if noted is not None:
                noted.note(segment)
            case "TCD" | "SID" | "INV" if noted is not None:
                noted.measure(segment)
    if not any(order.observations or order.is_cancelled for order in orders):
        raise refuse(
            ErrorCode.SEGMENT_SEQUENCE,
            Place("OBX"),
            "a message of results must hold an OBR with an OBX",
        )
    return orders


def _open(orders: list[Order], patient: Segment | None, segment: Segment) -> Order:
    """Find the order that a segment belongs to: the last one, if it is of the same patient."""
    if not orders or orders[-1].patient is not patient:
        raise refuse(
            ErrorCode.SEGMENT_SEQUENCE, segment.place, f"{segment.name} must come after its OBR"
        )
    return orders[-1]


def by_time(order: Order) -> list[Order]:
    """Take an order apart whose results were taken at several times, by OBX-14.

    Many systems write there when a result was measured, which differs from result to result too. So
    it is believed only where the time of the order is among them, and no sample has a time.
    """
    if any(sample.whole(17) for sample in order.samples):
        return [order]
    own = _minute(order.request.whole(7))
    times: dict[object, list[Observation]] = {}
    for each in order.observations:
        times.setdefault(_minute(each.segment.whole(14)) or own, []).append(each)
    if len(times) == 1 or own is None or own not in times:
        return [order]
    stated = {_minute(each.segment.whole(14)) for each in order.observations}
    if own not in stated:
        return [order]
    return [replace(order, observations=found, is_part=at != own) for at, found in times.items()]


def _minute(text: str) -> datetime | None:
    """Read a time that is exact to the minute."""
    read = read_time(text.partition("^")[0].strip())
    return read[0] if read is not None and read[1] is Precision.MINUTE else None
