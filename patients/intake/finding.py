"""What a draw changes: which of its results are on record already, under which draw."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import uuid4

from patients import units
from patients.intake.naming import Claim
from patients.intake.order_names import without_time
from patients.intake.reasons import Reason, is_a_concentration
from patients.intake.reports import ADDRESS, DrawReport, Identifier, ResultReport
from patients.intake.specimens import specimen_of
from patients.intake.surroundings import Surroundings
from patients.record.draws import DrawOnRecord, Moment, Placed
from patients.record.results import RETRACTED, Line, PlacedResult, ResultOnRecord

# By more than this no time of a draw is put right unasked: laboratories give their numbers anew,
# each year or each day, and then the number of an old draw is that of another one
PUT_RIGHT_WITHIN = timedelta(days=7)
# By more than this not together with the value: a slip of the pen is in the one or in the other,
# while a number that is given anew each day or week brings both. What calls itself a correction
# is believed
PUT_RIGHT_WITH_VALUE_WITHIN = timedelta(days=1)
_CORRECTIONS = frozenset({"corrected", "amended"})
_NEVER_GIVEN_TWICE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class IfDuplicate(StrEnum):
    """What is done with a result that may be on record already under another name."""

    ASK = "ask"
    SAME = "same"  # a person says: it is the one on record
    OTHER = "other"  # a person says: it is another one


class Terms(NamedTuple):
    """Under which conditions a draw is placed.

    Attributes
    ----------
    received_at
        When its message came; of what waited for a person, long before `at`.
    replaces
        The version that the sender has seen and means to replace, if it said so.
    """

    at: datetime
    received_at: datetime
    replaces: int | None = None
    if_duplicate: IfDuplicate = IfDuplicate.ASK


class Finding:
    """Finds, result by result, what is on record already, for a draw without any fault."""

    def __init__(
        self,
        report: DrawReport,
        patient_id: int,
        among: Surroundings,
        terms: Terms,
        *,
        collected_at: datetime,
        precision: str,
        held_by: DrawOnRecord | None,
        units: dict[int, str],
        is_another: bool = False,
    ) -> None:
        self.report, self.terms, self.patient_id = report, terms, patient_id
        self.among, self.reasons = among, list[str]()
        self.collected_at, self.precision = collected_at, precision
        self.accession = "" if is_another else report.accession
        self.same_time = among.at(patient_id, collected_at)
        self.draw, self.units = held_by, units
        self.is_apart = False  # from the draw that bears its accession
        self.is_another = is_another  # though its names are on record: they were given anew

    def find(self, read: Sequence[PlacedResult], claims: Sequence[Claim]) -> Placed:
        self._look_at_times(read, claims)
        if self.draw is None and not self.accession:
            self.draw = self._without_accession([each.analyte_id for each in read])
        lines = tuple(
            self._line(now, claim, sent)
            for now, claim, sent in zip(read, claims, self.report.results, strict=True)
        )
        if self.draw is not None and not self.draw.accession:
            # Set apart from the draw that bears its number, it does not get that by being put right
            bearer = self.among.by_accession.get(self.accession)
            self.accession = self.accession if bearer is None else ""
        placed = Placed(
            accession=self.accession,
            collected_at=self.collected_at,
            precision=self.precision,
            patient_id=self.patient_id,
            lines=lines,
            on_record=self.draw,
            specimen=specimen_of(self.report),
        )
        if placed.moves(received_at=self.terms.received_at):
            for line in lines:
                self._look_for_double(line.now, line.before)
            return self._apart(placed)
        return placed

    def _look_at_times(self, read: Sequence[PlacedResult], claims: Sequence[Claim]) -> None:
        """Tell another sample of one number from a time that is put right.

        Only who says something of a result that is on record puts the time of its draw right. A
        day that holds the hour on record says nothing new.
        """
        draw, moment = self.draw, Moment(self.collected_at, self.precision)
        if draw is None or draw.moment == moment:
            return
        if draw.moment.may_be(moment):
            if draw.precision == "minute":
                self.collected_at, self.precision = draw.moment
            return
        is_meant = any(
            claim.line in self.among.by_line or (not sent.names and now.analyte_id in draw.results)
            for now, claim, sent in zip(read, claims, self.report.results, strict=True)
        )
        if not is_meant:
            self.draw, self.accession, self.is_apart = None, "", True
        elif self._may_be_another(draw, read, claims):
            self._look_at_number(read)

    def _may_be_another(
        self, draw: DrawOnRecord, read: Sequence[PlacedResult], claims: Sequence[Claim]
    ) -> bool:
        """Tell whether time, or time and value, are too far from what is on record."""
        apart = abs(draw.collected_at - self.collected_at)
        if apart <= PUT_RIGHT_WITH_VALUE_WITHIN or apart > PUT_RIGHT_WITHIN:
            return apart > PUT_RIGHT_WITHIN
        for now, claim in zip(read, claims, strict=True):
            named = self.among.by_line.get(claim.line)
            before = draw.results.get(now.analyte_id) if named is None else named[1]
            if before is None or now.status in _CORRECTIONS:
                continue
            line = Line(claim.line, now, before, self.terms.replaces)
            is_late = line.is_late(received_at=self.terms.received_at)  # which moves nothing
            if not is_late and _differ(now, before.placed):
                return True
        return False

    def _look_at_number(self, read: Sequence[PlacedResult]) -> None:
        """Ask whether a number of long before or after means the same draw."""
        names = [name for sent in self.report.results for name in sent.names]
        if self.terms.replaces is not None or any(map(_is_given_once, names)):
            return
        is_set_apart = any(
            not draw.accession and not draw.results.keys().isdisjoint(r.analyte_id for r in read)
            for draw in self.same_time
        )
        if is_set_apart or self.terms.if_duplicate is IfDuplicate.OTHER:
            self.draw, self.accession = None, ""
            self.is_apart = self.is_another = True
        elif self.terms.if_duplicate is IfDuplicate.ASK:
            self.reasons.append(Reason.NUMBER_USED_AGAIN.value)

    def _without_accession(self, analyte_ids: Sequence[int]) -> DrawOnRecord | None:
        """Give the draw of this time that lacks an accession too, best one without these results.

        A person may have said that two results of one time are two; then there are two such draws.
        """
        draws = [
            draw
            for draw in self.same_time
            if not draw.accession and not _has_retracted(draw, analyte_ids)
        ]
        free = [draw for draw in draws if not draw.results.keys() & set(analyte_ids)]
        if self.terms.if_duplicate is IfDuplicate.OTHER:
            draws = free
        return next(iter(free or draws), None)

    def _line(self, now: PlacedResult, claim: Claim, sent: ResultReport) -> Line:
        before, is_on_record = None, claim.line in self.among.by_line
        if self.is_another and is_on_record:
            before, claim = self._look_for_double(now, None), Claim(uuid4())
        elif is_on_record:
            _draw, before = self.among.by_line[claim.line]
            if before.placed.analyte_id != now.analyte_id:
                self.reasons.append(Reason.OTHER_ANALYTE.value)
        elif self.draw is not None and now.analyte_id in self.draw.results:
            before = self._same_or_double(self.draw, now, claim, sent)
        else:
            before = self._look_for_double(now, None)
        line = claim.line if before is None else before.line
        if sent.keeps_value:
            now = self._with_value_of(before, now)
        return Line(line, now, before, self.terms.replaces)

    def _with_value_of(self, before: ResultOnRecord | None, now: PlacedResult) -> PlacedResult:
        """Let a result become final with the value that was sent before, perhaps as pending."""
        said = None if before is None else before.placed
        unit = None if said is None else self.among.profile.unit(said.sent_unit)
        is_there = said is not None and said.status not in RETRACTED
        if said is None or unit is None or not (is_there and is_a_concentration(said.sent_value)):
            self.reasons.append(Reason.VALUE_MISSING.value)
            return now
        value = units.convert(Decimal(said.sent_value), unit, into=self.units[now.analyte_id])
        return said._replace(
            status=now.status,
            value=value,
            issued_at=now.issued_at,
            issued_precision=now.issued_precision,
            pointer=now.pointer,
        )

    def _same_or_double(
        self, draw: DrawOnRecord, now: PlacedResult, claim: Claim, sent: ResultReport
    ) -> ResultOnRecord | None:
        """Say whether this is the result that its draw holds already.

        With the accession it is, unless it comes with another name in a numbering that has named
        the one on record. Without one, only a bare repetition is, or what was set apart before from
        the draw of the same accession.
        """
        before = draw.results[now.analyte_id]
        if draw.accession and draw.accession == self.report.accession:
            systems = {system for system, _value in before.names}
            is_same = claim.is_known or systems.isdisjoint(name.system for name in sent.names)
            # A series names the result after its time too, which was named alone before
            is_same = is_same or any(without_time(name) in before.names for name in sent.names)
        else:
            is_bare = not (sent.names or before.names)
            is_same = not sent.names and now.says_the_same_as(before.placed)
            is_same = is_same or (is_bare and self.is_apart)
        if is_same:
            return before
        if before.placed.status in RETRACTED and len(self.report.results) == 1:
            # What replaces a retracted result under another name is no version of it
            self.draw, self.accession = None, ""
            return self._look_for_double(now, before)
        return self._doubt(draw, before)

    def _look_for_double(
        self, now: PlacedResult, mine: ResultOnRecord | None
    ) -> ResultOnRecord | None:
        """Look whether the same patient has this analyte of the same moment under another name."""
        moment = Moment(self.collected_at, self.precision)
        for draw in self.among.about(self.patient_id, moment):
            other = draw.results.get(now.analyte_id)
            if (
                other is not None
                and (mine is None or other.pk != mine.pk)
                and other.placed.status not in RETRACTED
                and (self.draw is None or draw.pk != self.draw.pk)
            ):
                return self._doubt(draw, other)
        return None

    def _doubt(self, draw: DrawOnRecord, other: ResultOnRecord) -> ResultOnRecord | None:
        is_here = self.draw is not None and self.draw.pk == draw.pk
        match self.terms.if_duplicate:
            case IfDuplicate.SAME if self.draw is None or is_here:
                self.draw = draw
                return other
            case IfDuplicate.OTHER if not is_here:
                return None
            case IfDuplicate.OTHER if len(self.report.results) == 1:
                # A draw holds an analyte once, so the other result gets a draw of its own
                self.draw, self.accession = None, ""
                return None
            case _:
                self.reasons.append(Reason.POSSIBLE_DUPLICATE.value)
                return None

    def _apart(self, placed: Placed) -> Placed:
        """Let results without an accession leave their draw alone, when others stay in it."""
        draw = placed.on_record
        if draw is None or draw.accession:
            return placed
        target = self._without_accession([line.now.analyte_id for line in placed.lines])
        stay = {each.line for each in draw.results.values()} - {
            line.public_id for line in placed.lines
        }
        if target is None and not stay:
            return placed
        return placed._replace(on_record=target, leaves=draw)


def _differ(one: PlacedResult, other: PlacedResult) -> bool:
    """Tell whether both have a value, and not the same."""
    are_values = one.value is not None and other.value is not None
    return are_values and (one.value, one.comparator) != (other.value, other.comparator)


def _is_given_once(name: Identifier) -> bool:
    """Tell whether no second result can bear this name: an address, or a UUID."""
    return name.system == ADDRESS or _NEVER_GIVEN_TWICE.search(name.value) is not None


def _has_retracted(draw: DrawOnRecord, analyte_ids: Sequence[int]) -> bool:
    held = (draw.results[each] for each in analyte_ids if each in draw.results)
    return any(each.placed.status in RETRACTED for each in held)
