"""Where a draw belongs: whose it is, what it measures, and what it changes on the record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4

from patients import units
from patients.intake.finding import Finding, IfDuplicate, Terms
from patients.intake.naming import Claim
from patients.intake.numberings import in_force
from patients.intake.profiles import KnownAnalyte, Profile
from patients.intake.reasons import Reason, faults_of_draw, faults_of_result
from patients.intake.reports import DrawReport, Precision, ResultReport
from patients.intake.surroundings import Surroundings
from patients.models import WITHOUT_VALUE
from patients.record.draws import DrawOnRecord, Placed
from patients.record.results import RETRACTED, PlacedResult

_DISPUTES = frozenset(
    {
        Reason.NAMES_DISAGREE.value,
        Reason.OTHER_PATIENT.value,
        Reason.OTHER_ANALYTE.value,
        Reason.POSSIBLE_DUPLICATE.value,
        Reason.NUMBER_USED_AGAIN.value,
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


def whose(report: DrawReport, *, among: Surroundings) -> set[int]:
    """Say which patients the numbers of a draw name; more than one is a contradiction.

    A number that was nobody's on the day of the draw names nobody.
    """
    time = among.profile.draw_time(report)
    return set().union(*(among.patients_named(each) for each in in_force(report, time)))


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
    is_named = any(among.patients_named(each) for each in report.patients)
    reasons = [*faults_of_draw(drawn_at, patient_ids, is_named=is_named, at=terms.at)]
    taken_back = draw_taken_back(report, claims, among) if reasons else None
    if taken_back is not None and patient_ids <= {taken_back.patient_id}:
        patient_ids, reasons = {taken_back.patient_id}, []
        drawn_at, precision = taken_back.collected_at, taken_back.precision
    held = _held_by(report, claims, among)
    if is_of_another := _is_of_another(held, patient_ids, terms):
        held = []
    meant = [analyte for _, analytes in found for analyte in analytes]
    reasons += _faults_of_results(found, profile, has_others=bool(reasons))
    reasons += _disputes(claims, held, patient_ids)
    lines = tuple(claim.line for claim in claims)
    if reasons or drawn_at is None:
        return _unplaceable(report, reasons, lines)
    read = [
        _read_result(each, analyte, profile, drawn_at)
        for each, analyte in zip(report.results, meant, strict=True)
    ]
    [patient_id] = patient_ids
    finding = Finding(
        report,
        patient_id,
        among,
        terms,
        collected_at=drawn_at,
        precision=precision,
        held_by=next(iter(held), None),
        units={each.pk: each.unit for each in meant},
        is_another=is_of_another,
    )
    placed = finding.find(read, claims)
    if Reason.NUMBER_USED_AGAIN in finding.reasons:
        # It may not be what its names say, so it waits under names of its own
        lines = tuple(uuid4() if each in among.by_line else each for each in lines)
    return _unplaceable(report, finding.reasons, lines) if finding.reasons else placed


def _unplaceable(
    report: DrawReport, reasons: Sequence[str], lines: tuple[UUID, ...]
) -> Unplaceable:
    """Say why a draw waits, each reason once."""
    return Unplaceable(report, tuple(dict.fromkeys(reasons)), lines)


def _faults_of_results(
    found: Sequence[tuple[ResultReport, set[KnownAnalyte]]], profile: Profile, *, has_others: bool
) -> list[str]:
    reasons = [
        reason for each, analytes in found for reason in faults_of_result(each, analytes, profile)
    ]
    meant = [analyte for _, analytes in found for analyte in analytes]
    if not (reasons or has_others) and len(set(meant)) < len(meant):
        # Two codes of one laboratory for the same analyte in one draw: a person must say which
        reasons.append(f"{Reason.UNKNOWN_ANALYTE}: two codes for one analyte")
    return reasons


def _disputes(
    claims: Sequence[Claim], held: Sequence[DrawOnRecord], patient_ids: set[int]
) -> list[str]:
    """Say whether the names mean several draws, or one of somebody else."""
    if len(held) > 1 or any(claim.is_torn for claim in claims):
        return [Reason.NAMES_DISAGREE.value]
    if patient_ids and any(draw.patient_id not in patient_ids for draw in held):
        return [Reason.OTHER_PATIENT.value]
    return []


def _is_of_another(held: Sequence[DrawOnRecord], patient_ids: set[int], terms: Terms) -> bool:
    """Tell whether a person has said that it is another draw than those of other patients."""
    return (
        terms.if_duplicate is IfDuplicate.OTHER
        and bool(held)
        and all(draw.patient_id not in patient_ids for draw in held)
    )


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
    """Give the draws that the names of the results and the accession mean; one is right.

    A draw without an accession may be another sample under the same number.
    """
    held = {}
    for claim in claims:
        if claim.line in among.by_line:
            draw, _result = among.by_line[claim.line]
            held[draw.pk] = draw
    is_apart = bool(held) and not any(draw.accession for draw in held.values())
    if report.accession in among.by_accession and not is_apart:
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
