"""Draws and their results as they go on the record: new ones, corrected ones, retracted ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from patients.record import writing
from patients.record.results import Line, ResultOnRecord

MOVED = "the laboratory sent another time of collection"
SAID_MORE = "the laboratory said something else of the sample"
_ALL_OF_A_DAY = timedelta(days=1) - timedelta(microseconds=1)
_LATE = "a newer version was on record when this one came"


class Moment(NamedTuple):
    """When a sample was taken: a minute, or some hour of a day that begins at this time."""

    at: datetime
    precision: str

    @property
    def until(self) -> datetime:
        """Give the last time that may be meant."""
        return self.at if self.precision == "minute" else self.at + _ALL_OF_A_DAY

    def may_be(self, other: "Moment") -> bool:
        """Tell whether both may be one time."""
        return self.at <= other.until and other.at <= self.until


@dataclass
class DrawOnRecord:
    """A draw that the laboratory has reported before, with the current version of each result."""

    pk: int
    public_id: UUID
    patient_id: int
    accession: str
    collected_at: datetime
    precision: str
    specimen: dict[str, Any] | None = None
    results: dict[int, ResultOnRecord] = field(default_factory=dict)

    @property
    def moment(self) -> Moment:
        return Moment(self.collected_at, self.precision)


class Placed(NamedTuple):
    """A draw whose patient, time, analytes and units are known, ready for the record.

    `on_record` is the draw that these results belong to; without one, a draw is new. `leaves` is
    the draw without an accession that some of them belonged to until their time was put right.
    """

    accession: str
    collected_at: datetime
    precision: str
    patient_id: int
    lines: tuple[Line, ...]
    on_record: DrawOnRecord | None = None
    leaves: DrawOnRecord | None = None
    specimen: dict[str, Any] | None = None

    def moves(self, *, received_at: datetime) -> bool:
        """Tell whether this puts the time of a draw on record right; a late message does not."""
        draw = self.on_record
        return (
            draw is not None
            and (draw.collected_at, draw.precision) != (self.collected_at, self.precision)
            and not self._is_late(received_at=received_at)
        )

    def changes_what_is_known(self, *, received_at: datetime) -> bool:
        """Tell whether any result on record gets another version by this, be it an older one."""
        draw = self.on_record
        specimen = self.all_of_specimen(received_at=received_at)
        moves = (
            self.leaves is not None
            or self.moves(received_at=received_at)
            or (draw is not None and specimen != draw.specimen)
        )
        return any(
            line.before is not None
            and (moves or not line.is_known or line.is_late(received_at=received_at))
            for line in self.lines
        )

    def all_of_specimen(self, *, received_at: datetime) -> dict[str, Any] | None:
        """Say what is known of the sample now: the newer word counts, the older fills gaps."""
        before = (self.on_record.specimen if self.on_record else None) or {}
        now = self.specimen or {}
        if self.on_record is not None and self._is_late(received_at=received_at):
            before, now = now, before
        return {**before, **now} or None

    def _is_late(self, *, received_at: datetime) -> bool:
        # what tells of the sample alone has no line by which it could be late
        return bool(self.lines) and all(
            line.is_late(received_at=received_at) for line in self.lines
        )


class WrittenLine(NamedTuple):
    """What became of one result: its public name, its current version, and what was done."""

    public_id: UUID
    version: int
    state: str  # recorded, corrected, known, late


class Written(NamedTuple):
    """What became of one draw: its public name, and whether the record changed."""

    public_id: UUID
    state: str  # recorded, corrected, known
    lines: tuple[WrittenLine, ...]


def write_draws(
    placed: Sequence[Placed],
    *,
    laboratory_id: int,
    inbound_ids: Sequence[int],
    received_at: datetime,
    by: str,
    at: datetime,
) -> list[Written]:
    """Bring the record to what the laboratory says of these draws; what it said before stays.

    Each has come by the message of its place in `inbound_ids`. No two of them may be one draw. What
    a message does not mention is left as it is. Any number of draws costs the same number of round
    trips.
    """
    rows = writing.Rows()
    written = [
        _plan(each, rows, inbound_id=inbound_id, received_at=received_at)
        for each, inbound_id in zip(placed, inbound_ids, strict=True)
    ]
    writing.write(rows, laboratory_id=laboratory_id, by=by, at=at)
    return written


def _plan(placed: Placed, rows: writing.Rows, *, inbound_id: int, received_at: datetime) -> Written:
    """Turn one placed draw into rows to write."""
    draw, moves = placed.on_record, placed.moves(received_at=received_at)
    reason = MOVED if moves else SAID_MORE
    taken = placed if draw is None or moves else draw
    specimen = placed.all_of_specimen(received_at=received_at)
    moves = moves or (draw is not None and specimen != draw.specimen)
    public_id = uuid4() if draw is None else draw.public_id
    target: int | UUID = public_id if draw is None or moves else draw.pk
    if isinstance(target, UUID):
        rows.draws.append(
            {
                "public_id": public_id,
                "patient_id": placed.patient_id,
                "accession": placed.accession or (draw.accession if draw else ""),
                "collected_at": taken.collected_at,
                "collected_precision": taken.precision,
                "specimen": specimen,
                "inbound_id": inbound_id,
            }
        )
    if draw is not None and moves:
        rows.replaced_draws.append(_replaced(draw.pk, target, reason))
    lines = tuple(
        _plan_line(
            line,
            rows,
            target=target,
            moves=moves or placed.leaves is not None,
            reason=reason,
            # what stands beside the draw says by which message it came
            inbound_id=None if draw is None else inbound_id,
            received_at=received_at,
        )
        for line in placed.lines
    )
    if draw is not None and moves:
        mentioned = {line.public_id for line in placed.lines}
        others = [each for each in draw.results.values() if each.line not in mentioned]
        _take_along(others, rows, target, reason=reason)
    if placed.leaves is not None:
        left = {each.line for each in placed.leaves.results.values()}
        if left <= {line.public_id for line in placed.lines}:
            rows.replaced_draws.append(_replaced(placed.leaves.pk, target, MOVED))
    moved = moves or placed.leaves is not None
    if draw is None and placed.leaves is None:
        rows.new_draws.append({"inbound_id": inbound_id, "patient_id": placed.patient_id})
    return _sum_up(placed, rows, public_id, lines, moved=moved)


def _replaced(pk: int, target: int | UUID, reason: str) -> dict[str, Any]:
    return {
        "id": pk,
        "reason": reason,
        "draw": target if isinstance(target, UUID) else None,
        "by_id": None if isinstance(target, UUID) else target,
    }


def _sum_up(
    placed: Placed,
    rows: writing.Rows,
    public_id: UUID,
    lines: tuple[WrittenLine, ...],
    *,
    moved: bool,
) -> Written:
    states = {line.state for line in lines}
    state = "known"
    if moved or "corrected" in states:
        state = "corrected"
    elif "recorded" in states:
        state = "recorded"
    if state != "known":
        rows.patients.add(placed.patient_id)
    is_new = placed.on_record is None and placed.leaves is None
    if not is_new and (state != "known" or "late" in states):
        verb = {"corrected": "correct_draw", "recorded": "add_results"}.get(
            state, "add_late_result"
        )
        rows.audit.append(
            {"verb": verb, "subject": f"draw:{public_id}", "patient_id": placed.patient_id}
        )
    return Written(public_id, state, lines)


def _plan_line(
    line: Line,
    rows: writing.Rows,
    *,
    target: int | UUID,
    moves: bool,
    reason: str,
    inbound_id: int | None,
    received_at: datetime,
) -> WrittenLine:
    before = line.before
    if before is None:
        rows.results.append(_row(line, 1, target, inbound_id))
        return WrittenLine(line.public_id, 1, "recorded")
    if line.is_late(received_at=received_at):
        late = _superseded(line, before, target, inbound_id)
        rows.late.append(late)
        if moves:
            _take_along([before], rows, target, reason=reason, after=late["version"])
        return WrittenLine(line.public_id, before.version, "late")
    if line.is_known and not moves:
        if line.repeats(received_at=received_at):
            rows.repetitions.append(_repetition(line, inbound_id))
        return WrittenLine(line.public_id, before.version, "known")
    version = before.last_version + 1
    row = _row(line, version, target, inbound_id)
    if line.is_known and row["issued_at"] is None:  # the reading was issued all the same
        said = before.placed
        row |= {"issued_at": said.issued_at, "issued_precision": said.issued_precision}
    rows.results.append(row)
    rows.replaced_results.append(
        {
            "id": before.pk,
            "reason": reason if line.is_known else f"the laboratory sent it as {line.now.status}",
            "line": line.public_id,
            "version": version,
        }
    )
    state = "corrected" if line.corrects or line.is_known else "recorded"
    return WrittenLine(line.public_id, version, state)


def _repetition(line: Line, inbound_id: int | None) -> dict[str, Any]:
    return {
        "line": line.public_id,
        "status": line.now.status,
        "issued_at": line.now.issued_at,
        "issued_precision": line.now.issued_precision,
        "inbound_id": inbound_id,
    }


def _superseded(
    line: Line, before: ResultOnRecord, target: int | UUID, inbound_id: int | None
) -> dict[str, Any]:
    """Make a version that is superseded from the start: it corrects nothing."""
    return _row(line, before.last_version + 1, target, inbound_id) | {
        "status": line.now.status,
        "superseded_by_id": before.pk,
        "superseded_reason": _LATE,
    }


def _row(line: Line, version: int, target: int | UUID, inbound_id: int | None) -> dict[str, Any]:
    return line.now._asdict() | {
        "public_id": line.public_id,
        "version": version,
        "status": line.status,
        "sent_status": line.now.status,
        "inbound_id": inbound_id,
        "draw": target if isinstance(target, UUID) else None,
        "draw_id": None if isinstance(target, UUID) else target,
    }


def _take_along(
    results: Iterable[ResultOnRecord],
    rows: writing.Rows,
    target: int | UUID,
    *,
    reason: str = MOVED,
    after: int = 0,
) -> None:
    """Let results follow their draw, whose facts were put right, as versions of their own."""
    for each in results:
        version = max(each.last_version, after) + 1
        rows.followers.append(
            {
                "id": each.pk,
                "version": version,
                "draw": target if isinstance(target, UUID) else None,
                "draw_id": None if isinstance(target, UUID) else target,
            }
        )
        rows.replaced_results.append(
            {"id": each.pk, "reason": reason, "line": each.line, "version": version}
        )
