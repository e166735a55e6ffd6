"""Which draws of one message can be written together."""

from collections import Counter
from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from uuid import UUID

from patients.intake.placing import Unplaceable
from patients.intake.reasons import Reason
from patients.intake.receipts import VERSIONS_AT_MOST
from patients.intake.reports import DrawReport
from patients.record.draws import Placed
from patients.record.results import RETRACTED

_Keys = set[Hashable]


@dataclass
class Wave:
    """Draws that do not touch each other; `later` are those that touch one of them.

    `overlaps` are later because they are the very same result as one before. `surplus` are those
    that stand behind more than can be placed in turn.
    """

    placed: dict[int, Placed] = field(default_factory=dict)
    unplaceable: dict[int, Unplaceable] = field(default_factory=dict)
    later: list[int] = field(default_factory=list)
    overlaps: list[int] = field(default_factory=list)
    surplus: list[int] = field(default_factory=list)
    _lines: _Keys = field(default_factory=set)
    _taken: _Keys = field(default_factory=set)  # lines that are written by this wave, or later
    _behind: Counter[Hashable] = field(default_factory=Counter)  # how many wait for what
    _draws: _Keys = field(default_factory=set)
    _new: _Keys = field(default_factory=set)

    def must_wait(self, place: int, lines: Collection[UUID]) -> bool:
        """Tell whether a draw waits in any case: one before it is the same result, by its names.

        It need not be placed to know that.
        """
        if self._taken.isdisjoint(lines):
            return False
        self._wait(place, lines, behind=lines)
        self.overlaps.append(place)
        return True

    def _wait(self, place: int, lines: Collection[UUID], *, behind: Collection[Hashable]) -> None:
        self._taken.update(lines)
        self._behind.update(behind)
        are_many = any(self._behind[each] >= VERSIONS_AT_MOST for each in behind)
        (self.surplus if are_many else self.later).append(place)

    def add(self, place: int, found: Placed | Unplaceable, report: DrawReport) -> None:
        """Let a draw join the wave, or wait for the next one."""
        if isinstance(found, Unplaceable):
            if not self._lines.isdisjoint(found.lines):
                self.overlaps.append(place)
            self.unplaceable[place] = found
            self._lines.update(found.lines)
            return
        lines = {line.public_id for line in found.lines}
        draws = _draws_of(found)
        new = _new_in(found)
        if not self._lines.isdisjoint(lines):
            self.overlaps.append(place)
            self._wait(place, lines, behind=lines)
        elif not self._new.isdisjoint(new) and (
            self._draws.isdisjoint(draws) or any(result.names for result in report.results)
        ):
            # Told twice of one analyte of one moment, under two names, in one message
            reasons = (Reason.POSSIBLE_DUPLICATE.value,)
            self.unplaceable[place] = Unplaceable(report, reasons, tuple(lines))
        elif not self._draws.isdisjoint(draws):
            self._wait(place, lines, behind=draws)
        else:
            self.placed[place] = found
        if place in self.placed:
            self._lines |= lines
            self._taken |= lines
            self._draws |= draws
            self._new |= new


def _draws_of(placed: Placed) -> _Keys:
    """Name the draws that are touched: by number, or by patient and time where there is none."""
    keys: _Keys = {each.pk for each in (placed.on_record, placed.leaves) if each is not None}
    return keys | {placed.accession or (placed.patient_id, placed.collected_at)}


def _new_in(placed: Placed) -> _Keys:
    """Name what is new and could be meant twice."""
    return {
        (placed.patient_id, placed.collected_at, line.now.analyte_id)
        for line in placed.lines
        if line.before is None and line.now.status not in RETRACTED
    }
