"""What a sender may ask of a message, and what it is answered."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from patients.intake.reports import Identifier
from patients.scopes import EVERYTHING, READ, UPDATE


@dataclass(frozen=True)
class Sender:
    """The laboratory at the door, by which key or client, or whose file a person brings."""

    laboratory_id: int
    key_id: int | None
    zone: ZoneInfo
    client_id: int | None = None
    scopes: str = EVERYTHING
    brought_by: str = ""

    @property
    def may_update(self) -> bool:
        return UPDATE in self.scopes

    @property
    def may_read(self) -> bool:
        return READ in self.scopes

    @property
    def may_only_create(self) -> bool:
        """Tell whether nothing may be corrected, and nobody told what there is to be corrected."""
        return not (self.may_update or self.may_read)

    @property
    def name(self) -> str:
        """Name who puts the results on record."""
        return self.brought_by or f"laboratory:{self.laboratory_id}"


@dataclass(frozen=True, eq=False)
class WholeReport:
    """The report whose results are taken in as one, by how their names begin.

    Attributes
    ----------
    named_by_us
        The system of the names that its results get after the id that we give it; empty where its
        sender has chosen the id.
    """

    names: tuple[Identifier, ...]
    named_by_us: str = ""


@dataclass(frozen=True)
class Condition:
    """Under which condition the sender wants one draw taken in.

    Attributes
    ----------
    if_none_exists
        Take it in only when no result of these names is on record or waits; else say which.
    if_versions
        Take it in only when one of these is the current version of its result; when there are
        none of these, only when there is any version.
    of_report
        The report that it stands in; the versions are those of it and not of the single result.
    part
        What it is called within the report.
    listed_as
        What its results are called after a report that lists them and is not kept itself.
    """

    if_none_exists: bool = False
    if_versions: frozenset[int] | None = None
    of_report: WholeReport | None = None
    part: str = ""
    listed_as: tuple[Identifier, ...] = ()


ALWAYS = Condition()


class OtherVersion(Exception):
    """The current version of a result is not the one that the sender has seen."""

    def __init__(self, place: int) -> None:
        super().__init__(f"draw {place} of the message")
        self.place = place


class OverlappingIdentities(Exception):
    """Two draws of one message, of which all or nothing is to be taken in, are the same result."""

    def __init__(self, place: int) -> None:
        super().__init__(f"draw {place} of the message")
        self.place = place


# One result, or one draw, with its versions in one message; each is placed after the one before
VERSIONS_AT_MOST = 20


class ToldTooOften(Exception):
    """One draw or result stands more than VERSIONS_AT_MOST times in a message."""

    def __init__(self, place: int) -> None:
        super().__init__(f"draw {place} of the message")
        self.place = place


class CorrectionNotAllowed(Exception):
    """A draw of the message would correct a result, and its sender may only create some."""

    def __init__(self, place: int) -> None:
        super().__init__(f"draw {place} of the message")
        self.place = place


LATE = "late"


class ResultAnswer(NamedTuple):
    """What became of one result: its public name and its current version.

    The state is recorded, corrected, known, late (stored as an older version) or parked.
    """

    line: UUID
    version: int
    state: str


class Answer(NamedTuple):
    """What became of one draw.

    The state is recorded, corrected, known or parked, or ignored when the profile of the laboratory
    ignores all of its codes; for a sender that may not read it is received and no more is said, so
    that nobody learns from it which patients there are. `reasons` say why it is parked, or which of
    its results came late (“late: sIL-6R”). `ignored` are the places of results that
    are not kept, and of which `results` says nothing.
    """

    id: UUID
    accession: str
    state: str
    reasons: tuple[str, ...] = ()
    results: tuple[ResultAnswer, ...] = ()
    ignored: tuple[int, ...] = ()


@dataclass(frozen=True)
class Receipt:
    """What became of a message, draw by draw, and whether it changed anything.

    Attributes
    ----------
    at
        As of when it is on record: of messages that were taken in together, the last one's moment.
    """

    answers: tuple[Answer, ...]
    at: datetime
    is_new: bool
    changes_record: bool
