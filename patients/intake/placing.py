"""Where a draw belongs: whose it is, what it measures, and what it changes on the record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from patients import units
from patients.intake.naming import Claim
from patients.intake.profiles import KnownAnalyte, Profile
from patients.intake.reasons import Reason, faults_of_draw, faults_of_result, is_a_concentration
from patients.intake.reports import DrawReport, Precision, ResultReport
from patients.intake.specimens import specimen_of
from patients.intake.surroundings import Surroundings
from patients.models import WITHOUT_VALUE
from patients.record.draws import DrawOnRecord, Placed
from patients.record.results import RETRACTED, Line, PlacedResult, ResultOnRecord


class IfDuplicate(StrEnum):
    """What is done with a result that may be on record already under another name."""

    ASK = "ask"
    SAME = "same"  # a person says: it is the one on record
    OTHER = "other"  # a person says: it is another one


_DISPUTES = frozenset(
    {
        Reason.NAMES_DISAGREE.value,
        Reason.OTHER_PATIENT.value,
        Reason.OTHER_ANALYTE.value,
        Reason.POSSIBLE_DUPLICATE.value,
    }
)


@dataclass(frozen=True)
class Unplaceable:
    """A draw that waits for a person, and why; `lines` are the public names of its results."""

    report: DrawReport
    reasons: tuple[str, ...]
    lines: tuple[UUID, ...]

    @property
    def is_disputed(self) -> bool:
        """Tell whether it is not even clear which results its names mean."""
        return not _DISPUTES.isdisjoint(self.reasons)


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


def whose(report: DrawReport, *, among: Surroundings) -> set[int]:
    """Say which patients the numbers of a draw name; more than one is a contradiction."""
    return {
        patient_id
        for each in report.patients
        if (patient_id := among.patients.get((each.system, each.value))) is not None
    }


def _read_result(
    report: ResultReport, analyte: KnownAnalyte, profile: Profile, drawn_at: datetime
) -> PlacedResult:
    value = None
    status = "registered" if profile.waits_for_final(report) else report.status
    unit = profile.unit(report.unit)
    if report.value is not None and unit is not None and status not in WITHOUT_VALUE:
        value = units.convert(Decimal(report.value), unit, into=analyte.unit)
    return PlacedResult(
        analyte_id=analyte.pk,
        status=status,
        comparator=report.comparator,
        value=value,
        sent_value=(report.value or "")[:50],
        sent_unit=report.unit,
        method=report.method,
        lot=report.lot,
        kit=profile.kit(report, analyte_id=analyte.pk, drawn_at=drawn_at),
        issued_at=report.issued_at,
        issued_precision=report.issued_precision.value,
        absent_reason="" if value is not None else report.absent_reason,
        notes=report.notes,
        measurement=report.measurement.in_words() if report.measurement else None,
        pointer=report.pointer,
    )


def place(
    report: DrawReport,
    *,
    claims: Sequence[Claim],
    among: Surroundings,
    patient_ids: set[int],
    terms: Terms,
) -> Placed | Unplaceable:
    """Say where one draw belongs, or everything that keeps it from being placed."""
    profile, time = among.profile, among.profile.draw_time(report)
    drawn_at = None if time is None else time.at
    precision = Precision.MINUTE.value if time is None else time.precision.value
    found = [
        (each, _analytes_of(each, claim, among))
        for each, claim in zip(report.results, claims, strict=True)
    ]
    reasons = [*faults_of_draw(drawn_at, patient_ids, at=terms.at)]
    taken_back = draw_taken_back(report, claims, among) if reasons else None
    if taken_back is not None and patient_ids <= {taken_back.patient_id}:
        patient_ids, reasons = {taken_back.patient_id}, []
        drawn_at, precision = taken_back.collected_at, taken_back.precision
    for each, analytes in found:
        reasons.extend(faults_of_result(each, analytes, profile))
    meant = [analyte for _, analytes in found for analyte in analytes]
    if not reasons and len(set(meant)) < len(meant):
        # Two codes of one laboratory for the same analyte in one draw: a person must say which
        reasons.append(f"{Reason.UNKNOWN_ANALYTE}: two codes for one analyte")
    held = _held_by(report, claims, among)
    if len(held) > 1 or any(claim.is_torn for claim in claims):
        reasons.append(Reason.NAMES_DISAGREE.value)
    elif patient_ids and any(draw.patient_id not in patient_ids for draw in held):
        reasons.append(Reason.OTHER_PATIENT.value)
    lines = tuple(claim.line for claim in claims)
    if reasons or drawn_at is None:
        return Unplaceable(report, tuple(dict.fromkeys(reasons)), lines)
    read = [
        _read_result(each, analyte, profile, drawn_at)
        for each, analyte in zip(report.results, meant, strict=True)
    ]
    [patient_id] = patient_ids
    finding = _Finding(
        report,
        patient_id,
        among,
        terms,
        collected_at=drawn_at,
        precision=precision,
        held_by=next(iter(held), None),
        units={each.pk: each.unit for each in meant},
    )
    placed = finding.find(read, claims)
    if finding.reasons:
        return Unplaceable(report, tuple(dict.fromkeys(finding.reasons)), lines)
    return placed


def _analytes_of(report: ResultReport, claim: Claim, among: Surroundings) -> set[KnownAnalyte]:
    """Say what was measured; what is taken back by its name need not say it once more."""
    known = among.profile.analytes(report.codes)
    if known or report.status not in RETRACTED or claim.line not in among.by_line:
        return known
    _draw, result = among.by_line[claim.line]
    return {KnownAnalyte(result.placed.analyte_id, code="", unit="")}


def _held_by(
    report: DrawReport, claims: Sequence[Claim], among: Surroundings
) -> list[DrawOnRecord]:
    """Give the draws that the names of the results and the accession mean; one is right."""
    held = {}
    for claim in claims:
        if claim.line in among.by_line:
            draw, _result = among.by_line[claim.line]
            held[draw.pk] = draw
    if report.accession in among.by_accession:
        draw = among.by_accession[report.accession]
        held[draw.pk] = draw
    return list(held.values())


def draw_taken_back(
    report: DrawReport, claims: Sequence[Claim], among: Surroundings
) -> DrawOnRecord | None:
    """Give the draw all of whose results here are on record and are taken back.

    Their names say which they are, so the patient and the time need not be said once more: what
    was wrong must not stay because the message that takes it back says little.
    """
    if any(each.status not in RETRACTED for each in report.results):
        return None
    held = _held_by(report, claims, among)
    if len(held) != 1:
        return None
    [draw] = held
    profile = among.profile
    for claim, result in zip(claims, report.results, strict=True):
        codes = {each.pk for each in profile.analytes(result.codes)}
        if claim.line not in among.by_line and not codes & draw.results.keys():
            return None
    return draw


class _Finding:
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
    ) -> None:
        self.report, self.terms, self.patient_id = report, terms, patient_id
        self.among, self.reasons = among, list[str]()
        self.collected_at, self.precision = collected_at, precision
        self.accession = report.accession
        self.same_time = among.at_time.get((patient_id, collected_at), [])
        self.draw, self.units = held_by, units

    def find(self, read: Sequence[PlacedResult], claims: Sequence[Claim]) -> Placed:
        if self.draw is None and not self.report.accession:
            self.draw = self._without_accession([each.analyte_id for each in read])
        lines = tuple(
            self._line(now, claim, sent)
            for now, claim, sent in zip(read, claims, self.report.results, strict=True)
        )
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
        before = None
        if claim.line in self.among.by_line:
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
        the one on record. Without one, only a bare repetition is.
        """
        before = draw.results[now.analyte_id]
        if draw.accession and draw.accession == self.report.accession:
            is_same = claim.is_known or not (
                before.name_systems & {name.system for name in sent.names}
            )
        else:
            is_same = not sent.names and now.says_the_same_as(before.placed)
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
        for draw in self.same_time:
            other = draw.results.get(now.analyte_id)
            if (
                other is not None
                and (mine is None or other.pk != mine.pk)
                and other.placed.status not in RETRACTED
                and (self.draw is None or draw.pk != self.draw.pk)
                and not self._are_two_samples(draw)
            ):
                return self._doubt(draw, other)
        return None

    def _are_two_samples(self, draw: DrawOnRecord) -> bool:
        """Tell whether the laboratory itself numbers two samples, and says nothing of results.

        Where its results have names, another name for the same moment is what is to be asked about.
        """
        mine = self.report.accession
        return tells_samples_apart(self.report) and draw.accession not in {"", mine}

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


def tells_samples_apart(report: DrawReport) -> bool:
    """Tell whether accessions are all by which this laboratory tells its results apart."""
    return bool(report.accession) and not any(result.names for result in report.results)


def _has_retracted(draw: DrawOnRecord, analyte_ids: Sequence[int]) -> bool:
    held = (draw.results[each] for each in analyte_ids if each in draw.results)
    return any(each.placed.status in RETRACTED for each in held)
