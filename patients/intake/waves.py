"""Which draws of one message can be written together."""

from collections.abc import Hashable
from dataclasses import dataclass, field

from patients.intake.placing import Reason, Unplaceable, tells_samples_apart
from patients.intake.reports import DrawReport
from patients.record.draws import Placed
from patients.record.results import RETRACTED

_Keys = set[Hashable]


@dataclass
class Wave:
    """Draws that do not touch each other; `later` are those that touch one of them.

    `overlaps` are later because they are the very same result as one before.
    """

    placed: dict[int, Placed] = field(default_factory=dict)
    unplaceable: dict[int, Unplaceable] = field(default_factory=dict)
    later: list[int] = field(default_factory=list)
    overlaps: list[int] = field(default_factory=list)
    _lines: _Keys = field(default_factory=set)
    _draws: _Keys = field(default_factory=set)
    _new: _Keys = field(default_factory=set)

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
        new = set() if tells_samples_apart(report) else _new_in(found)
        if not self._lines.isdisjoint(lines):
            self.overlaps.append(place)
            self.later.append(place)
        elif not self._new.isdisjoint(new) and (
            self._draws.isdisjoint(draws) or any(result.names for result in report.results)
        ):
            # Told twice of one analyte of one moment, under two names, in one message
            reasons = (Reason.POSSIBLE_DUPLICATE.value,)
            self.unplaceable[place] = Unplaceable(report, reasons, tuple(lines))
        elif not self._draws.isdisjoint(draws):
            self.later.append(place)
        else:
            self.placed[place] = found
        if place in self.placed:
            self._lines |= lines
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
