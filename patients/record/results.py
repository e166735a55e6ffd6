"""What one result says, and which of its versions is current."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

# A retraction outranks what it retracts, a correction what it corrects
_RANKS = {
    "registered": 0,
    "preliminary": 1,
    "final": 2,
    "amended": 3,
    "corrected": 3,
    "cancelled": 4,
    "entered-in-error": 4,
}
_FINAL = frozenset({"final", "amended", "corrected"})
RETRACTED = frozenset({"cancelled", "entered-in-error"})


_EVER = datetime.min.replace(tzinfo=UTC)
# A month or a year is no shorter than any of its kind
_SPANS = {
    "minute": timedelta(),
    "day": timedelta(days=1),
    "month": timedelta(days=31),
    "year": timedelta(days=366),
}


class Word(NamedTuple):
    """How surely and when something was said of a result: by this the newer of two is told."""

    status: str
    issued_at: datetime | None
    received_at: datetime | None
    issued_precision: str = "minute"

    def is_older_than(self, other: "Word") -> bool:
        """Tell whether the other is the newer word.

        The time of issue decides. Where it is not stated twice, or is the same, the status does:
        an original comes after its correction only by delay, and so does anything after a
        retraction. Of two with the same standing the one received later counts. A day is the same
        as any hour of it.

        No word is issued after it was received: where one of the two says so, a clock was ahead,
        and it counts as issued when it came. Where both say so, it was the same clock. What came
        without a time of issue before the other was issued is the older.
        """
        standing = self._against(other)
        if standing:
            return standing < 0
        return (
            self.received_at is not None
            and other.received_at is not None
            and self.received_at < other.received_at
        )

    def says_more_than(self, other: "Word") -> bool:
        """Tell whether a repetition is more than one: not by its arrival alone the newer word."""
        standing = self._against(other)
        return standing > 0 or (standing == 0 and self._span < other._span)

    def _against(self, other: "Word") -> int:
        """Say which is newer, whenever they came: below zero the other, zero if neither is."""
        mine, others = self._issue, other._issue
        if self.is_ahead != other.is_ahead and None in (self.issued_at, other.issued_at):
            mine = None  # a wrong clock says nothing of what has none
        elif self.is_ahead != other.is_ahead:
            mine = self._arrival if self.is_ahead else mine
            others = other._arrival if other.is_ahead else others
        if mine is not None and others is not None and mine != others:
            if mine[1] <= others[0]:
                return -1
            if others[1] <= mine[0]:
                return 1
        return _rank(self.status) - _rank(other.status)

    @property
    def _span(self) -> timedelta:
        """Say within what it was issued; at any time, where that is not stated."""
        return timedelta.max if self.issued_at is None else _SPANS[self.issued_precision]

    @property
    def _issue(self) -> tuple[datetime, datetime] | None:
        if self.issued_at is not None:
            return self.issued_at, self.issued_at + self._span
        return None if self.received_at is None else (_EVER, self.received_at)

    @property
    def _arrival(self) -> tuple[datetime, datetime] | None:
        return None if self.received_at is None else (self.received_at, self.received_at)

    @property
    def is_ahead(self) -> bool:
        """Tell whether it says to be issued after it was received."""
        return (
            self.issued_at is not None
            and self.received_at is not None
            and self.issued_at > self.received_at
        )


def _rank(status: str) -> int:
    """What says nothing of how sure it is (unknown) counts less than all that does."""
    return _RANKS.get(status, -1)


class PlacedResult(NamedTuple):
    """One result as it goes on the record; the status is the laboratory's own word."""

    analyte_id: int
    status: str
    comparator: str
    value: Decimal | None
    sent_value: str
    sent_unit: str
    method: str
    lot: str
    kit: str = ""
    issued_at: datetime | None = None
    issued_precision: str = "minute"
    absent_reason: str = ""
    notes: str = ""
    measurement: dict[str, str] | None = None
    pointer: str = ""

    @property
    def reading(self) -> tuple[str, Decimal | None]:
        """What was measured: 37.50 ng/mL, 37.5 ng/mL and 37500 pg/mL are the same reading."""
        return ("", None) if self.value is None else (self.comparator, self.value)

    def says_the_same_as(self, other: "PlacedResult") -> bool:
        """Tell whether a message brings nothing new.

        A repeat that only calls a correction by its name is no second correction.
        """
        is_same_status = self.status == other.status or {self.status, other.status} <= _FINAL
        return (
            is_same_status
            and self.reading == other.reading
            and (self.method, self.kit, self.lot) == (other.method, other.kit, other.lot)
            and (self.absent_reason, self.notes) == (other.absent_reason, other.notes)
            and self.measurement == other.measurement
        )


@dataclass(frozen=True)
class ResultOnRecord:
    """The current version of a result, and the number of its last one.

    `status` is that of the record, which may be another than the laboratory's word in `placed`.
    `repeated` is the newest word by which the laboratory has said the same again; `names` are
    system and value of each of its names.
    """

    pk: int
    line: UUID
    version: int
    last_version: int
    received_at: datetime | None
    names: frozenset[tuple[str, str]]
    placed: PlacedResult
    status: str
    repeated: Word | None = None

    @property
    def word(self) -> Word:
        """How surely and when the laboratory has said last what is on record."""
        said = self.placed
        own = Word(said.status, said.issued_at, self.received_at, said.issued_precision)
        if self.repeated is None or self.repeated.is_older_than(own):
            return own
        return self.repeated


class Line(NamedTuple):
    """One result of a draw that is being placed: what is said now, and what was said before.

    `replaces` is the version that the sender has seen and means to replace, if it said so.
    """

    public_id: UUID
    now: PlacedResult
    before: ResultOnRecord | None = None
    replaces: int | None = None

    @property
    def is_known(self) -> bool:
        """Tell whether the current version says the same."""
        return self.before is not None and self.now.says_the_same_as(self.before.placed)

    def is_late(self, *, received_at: datetime) -> bool:
        """Tell whether the current version is the newer word.

        A sender who names the version that is to be replaced is never late.
        """
        if self.before is None or self.replaces is not None:
            return False
        return self._word(received_at).is_older_than(self.before.word)

    def repeats(self, *, received_at: datetime) -> bool:
        """Tell whether it says the same as the current version, as a newer word.

        Then that word is kept: what is older than it must not come after it.
        """
        return (
            self.before is not None
            and self.is_known
            and not self.is_late(received_at=received_at)
            and self._word(received_at).says_more_than(self.before.word)
        )

    def _word(self, received_at: datetime) -> Word:
        now = self.now
        return Word(now.status, now.issued_at, received_at, now.issued_precision)

    @property
    def corrects(self) -> bool:
        """A preliminary value that becomes final unchanged is news, but no correction."""
        return (
            self.before is not None
            and self.before.placed.status != "registered"
            and self.now.reading != self.before.placed.reading
        )

    @property
    def status(self) -> str:
        """The status on record: a value changed after a final one is a correction, however sent.

        What was corrected before stays so when it is sent as final once more, with another time.
        """
        before = None if self.before is None else self.before.status
        if self.now.status != "final" or before not in _FINAL:
            return self.now.status
        return "corrected" if self.corrects else before
