"""From ORU^R01 to reports: an order is a draw, each of its OBX is a result."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from zoneinfo import ZoneInfo

from patients import units
from patients.intake.hl7v2.draws import merged, told_apart, without_repetitions
from patients.intake.hl7v2.er7 import Message, Segment, read_er7
from patients.intake.hl7v2.faults import ErrorCode, Fault, Place, Refused, refuse
from patients.intake.hl7v2.groups import Observation, Order, by_time, orders_of
from patients.intake.hl7v2.measuring import measured_by
from patients.intake.hl7v2.people import patients_of, person_of
from patients.intake.hl7v2.statuses import keeps_value, status_of
from patients.intake.hl7v2.times import read_time, seen_time
from patients.intake.hl7v2.values import Value, value_of
from patients.intake.order_names import RESULT_NAMES, of_whole_order
from patients.intake.reports import (
    Code,
    DrawReport,
    Fasting,
    Identifier,
    Precision,
    ResultReport,
    SeenTime,
    Specimen,
    TimeRole,
    is_within_memory,
)
from patients.intake.specimens import fasting_of_code, is_of_sample

RESULTS_AT_MOST = 2_000
# Names of code systems in HL7 table 0396, as FHIR calls the same
_CODE_SYSTEMS = {"LN": "http://loinc.org", "SCT": "http://snomed.info/sct"}
_CODED = frozenset({"CE", "CWE", "CNE", "CF"})
_NO_NUMBER = ""


@dataclass(frozen=True)
class ResultMessage:
    """A message of results: who sends it under which number, and what it reports."""

    control_id: str
    processing_id: str
    message: Message
    reports: tuple[DrawReport, ...]


def _knows_none(_codes: Sequence[Code]) -> bool:
    return False


def read_hl7v2(
    body: bytes,
    *,
    charset: str = "",
    zone: ZoneInfo | None = None,
    knows: Callable[[Sequence[Code]], bool] = _knows_none,
) -> ResultMessage:
    """Read one message of results, of a laboratory in this zone.

    `knows` tells the codes of analytes: what has one is a result, whatever else its name says and
    wherever it stands.

    Raises
    ------
    Refused
        When it is no ER7, of another kind than ORU^R01, or holds what cannot be read. Every fault
        is named with its place.
    """
    message = read_er7(body, charset=charset)
    check_header(message.header)

    def is_result(segment: Segment) -> bool:
        return any(segment.parts(3)[:2]) and knows(_codes(segment))

    found = orders_of(message, is_result=is_result)
    orders = [each for each in found if each.observations or each.is_cancelled]
    if sum(len(order.observations) for order in orders) > RESULTS_AT_MOST:
        raise refuse(
            ErrorCode.INTERNAL, Place("OBX"), f"a message holds at most {RESULTS_AT_MOST} results"
        )
    faults: list[Fault] = []
    reports: list[DrawReport] = []
    for order in orders:
        try:
            _set_apart(order, is_result=is_result)
            reports += [
                _report_of(each, header=message.header, knows=knows) for each in by_time(order)
            ]
        except Refused as found:
            faults += found.faults
    if faults:
        raise Refused(faults)
    header = message.header
    stated = _zone_of(header, zone)
    if stated is not None:
        reports = [report.in_zone(stated, days_too=False) for report in reports]
    return ResultMessage(
        control_id=header.whole(10),
        processing_id=(header.parts(11) or [""])[0],
        message=message,
        reports=tuple(told_apart(merged(reports))),
    )


def _zone_of(header: Segment, zone: ZoneInfo | None) -> tzinfo | None:
    """Give the offset of MSH-7, which is that of every hour in the message without one of its own.

    Where it is that of the laboratory's zone, the zone knows more: when summer time begins. A day
    is always one of the laboratory's.
    """
    read = read_time(_moment(header.whole(7)))
    if read is None or not is_within_memory(read[0]):
        return None
    sent_at = read[0]
    if zone is not None and sent_at.astimezone(zone).utcoffset() == sent_at.utcoffset():
        return None
    return sent_at.tzinfo


def check_processing_id(read: ResultMessage, *, taken: Sequence[str]) -> None:
    """Refuse what was sent for training or debugging, unless the laboratory's profile takes it."""
    if read.processing_id and read.processing_id not in taken:
        raise refuse(
            ErrorCode.UNSUPPORTED_PROCESSING,
            read.message.header.at(11),
            f"MSH-11 must be one of {', '.join(taken)} for this laboratory",
        )


def check_header(header: Segment) -> None:
    """Refuse what is no message of results, or cannot be answered by its number."""
    kind, event, *_ = [*header.parts(9), "", ""]
    version = (header.parts(12) or [""])[0]
    faults = []
    if not kind:
        faults.append(Fault(ErrorCode.REQUIRED_FIELD, header.at(9), "MSH-9 must be ORU^R01"))
    elif kind != "ORU":
        faults.append(
            Fault(ErrorCode.UNSUPPORTED_TYPE, header.at(9), "only results are taken: ORU^R01")
        )
    elif event not in {"R01", ""}:
        faults.append(
            Fault(ErrorCode.UNSUPPORTED_EVENT, header.at(9), "of ORU only the event R01 is taken")
        )
    if not header.whole(10):
        faults.append(
            Fault(ErrorCode.REQUIRED_FIELD, header.at(10), "MSH-10 must number the message")
        )
    if version and not version.startswith("2."):
        faults.append(
            Fault(ErrorCode.UNSUPPORTED_VERSION, header.at(12), "MSH-12 must be a version 2.x")
        )
    if faults:
        raise Refused(faults)


def _report_of(
    order: Order, *, header: Segment, knows: Callable[[Sequence[Code]], bool]
) -> DrawReport:
    faults: list[Fault] = []
    results = []
    number = _accession(order)
    if order.is_cancelled:
        results.append(_cancelled(order, header=header, number=number, knows=knows))
    for each in order.observations:
        try:
            results.append(_result(each, order, header=header, number=number))
        except Refused as found:
            faults += found.faults
    if faults:
        raise Refused(faults)
    return DrawReport(
        accession=number,
        patients=patients_of(order.patient),
        person=person_of(order.patient),
        times=tuple(_times(order, header)),
        specimen=_specimen(order),
        results=without_repetitions(results),
        pointer=str(order.place),
    )


def _set_apart(order: Order, *, is_result: Callable[[Segment], bool]) -> None:
    """Set apart what was seen of the sample and sent among the results, such as its indices."""
    results: list[Observation] = []
    of_sample: list[Observation] = []
    for each in order.observations:
        is_seen = is_of_sample(_words(each.segment, 3, 200)) and not is_result(each.segment)
        (of_sample if is_seen else results).append(each)
    if results:
        order.observations = results
        for each in of_sample:
            order.of_sample += [each.segment, *each.notes]


def _accession(order: Order) -> str:
    """Find the laboratory's own number: of the order that it fills, else of the sample."""
    numbers = [order.request.parts(3)]
    if order.control is not None:
        numbers.append(order.control.parts(3))
    for sample in order.samples:
        numbers.append(
            [sample.subcomponents(sample.raw(2), 2)[0]]
            if sample.subcomponents(sample.raw(2), 2)
            else []
        )
        numbers.append(sample.parts(2))
    number = next((parts[0] for parts in numbers if parts and parts[0]), _NO_NUMBER)
    if len(number) > 100:
        raise refuse(
            ErrorCode.DATA_TYPE, order.request.at(3), "the order's number has over 100 characters"
        )
    return " ".join(number.split())


def _times(order: Order, header: Segment) -> Iterable[SeenTime]:
    for sample in order.samples[:1]:
        yield from seen_time(TimeRole.COLLECTED, sample.parts(17)[0] if sample.parts(17) else "")
    observed = {each.segment.whole(14) for each in order.observations}
    if len(observed) == 1:  # results of one draw were observed at one time, or the time is another
        yield from seen_time(TimeRole.OBSERVED, _moment(observed.pop()))
    yield from seen_time(TimeRole.REQUESTED, _moment(order.request.whole(7)))
    yield from seen_time(TimeRole.ISSUED, _issued(order, header))


def _moment(raw: str) -> str:
    """Take the time out of a TS, whose second component once told its precision."""
    return raw.partition("^")[0].strip()


def _issued(order: Order, header: Segment) -> str:
    """Give OBR-22 where it is a time, else MSH-7."""
    said, sent = _moment(order.request.whole(22)), _moment(header.whole(7))
    read = read_time(said)
    return said if read is not None and is_within_memory(read[0]) else sent


def _result(each: Observation, order: Order, *, header: Segment, number: str) -> ResultReport:
    segment = each.segment
    codes = _codes(segment)
    status, remark = status_of(segment, order.request)
    value = value_of(segment) if status != "registered" else Value(None)
    issued = read_time(_issued(order, header))
    notes = [remark, *(note.whole(3) for note in each.notes)]
    kit, lot, measurement = measured_by(each.measuring)
    return ResultReport(
        names=_names(segment, number),
        codes=codes,
        value=value.text,
        comparator=value.comparator,
        unit=_unit(segment),
        status=status,
        keeps_value=keeps_value(segment),
        issued_at=None if issued is None else issued[0],
        issued_precision=Precision.MINUTE if issued is None else issued[1],
        absent_reason=value.absent_reason,
        method=_words(segment, 17, 200),
        kit=kit,
        lot=lot,
        measurement=measurement,
        notes=" / ".join(" ".join(note.split()) for note in notes if note)[:2000],
        pointer=str(segment.place),
    )


def _cancelled(
    order: Order, *, header: Segment, number: str, knows: Callable[[Sequence[Code]], bool]
) -> ResultReport:
    """Read an order that is cancelled as a whole: of one analyte, it is the result of that.

    Of a panel it is all that has come under its number.
    """
    issued = read_time(_issued(order, header))
    codes = _codes(order.request, 4)
    return ResultReport(
        names=() if knows(codes) or not number else (of_whole_order(number),),
        codes=codes,
        status="cancelled",
        issued_at=None if issued is None else issued[0],
        issued_precision=Precision.MINUTE if issued is None else issued[1],
        pointer=str(order.request.place),
    )


def _codes(segment: Segment, number: int = 3) -> tuple[Code, ...]:
    code, text, system, other, other_text, other_system, *_ = [*segment.parts(number), *[""] * 6]
    given = [(code, text, system), (other, other_text, other_system)]
    codes = tuple(
        Code(system=_CODE_SYSTEMS.get(system, system)[:200], code=code[:100], text=_line(text, 200))
        for code, text, system in given
        if code or text
    )
    if not codes:
        detail = f"{segment.name}-{number} must say what was measured"
        raise refuse(ErrorCode.REQUIRED_FIELD, segment.at(number), detail)
    return codes


def _names(segment: Segment, number: str) -> tuple[Identifier, ...]:
    """Give the names by which the laboratory knows this result."""
    names = []
    if number:
        code = segment.parts(3)[0] or segment.parts(3)[1]
        names.append(
            Identifier(system=RESULT_NAMES, value=_line(f"{number}|{code}|{segment.whole(4)}", 200))
        )
    instance, namespace, universal, *_ = [*segment.parts(21), "", "", ""]
    if instance:
        names.append(
            Identifier(
                system=_line(universal or namespace or "urn:hl7v2:instance", 200),
                value=_line(instance, 200),
            )
        )
    return tuple(names)


def _unit(segment: Segment) -> str:
    """Give the unit: its code, else its text; where they contradict, let nobody read either."""
    given = [segment.components(raw) for raw in segment.repetitions(6)]
    spellings = [parts[place] for parts in given for place in (0, 1, 3, 4) if place < len(parts)]
    known = [each for each in dict.fromkeys(spellings) if units.is_known(each)]
    for other in known[1:]:
        if units.power_between(known[0], other):
            return _line(f"{known[0]} ≠ {other}", 50)
    return _line(next((each for parts in given for each in parts[:2] if each), ""), 50)


def _specimen(order: Order) -> Specimen | None:
    seen = {
        "fasting": _fasting(order),
        "notes": _line(" / ".join(filter(None, map(_of_sample, order.of_sample))), 500),
    }
    for sample in order.samples:
        condition = [
            sample.components(raw) for raw in sample.repetitions(24) + sample.repetitions(21)
        ]
        additives = [sample.components(raw)[:2] for raw in sample.repetitions(6)]
        tube = [_words(sample, 27, 100), *(part for parts in additives for part in parts)]
        return Specimen(
            matrix=_words(sample, 4, 100),
            tube=_line(" ".join(filter(None, tube)), 100),
            conditions=tuple(
                _line(parts[0] or parts[1], 100) for parts in condition if any(parts[:2])
            )[:20],
            **seen,
        )
    source = order.request.parts(15)
    matrix = _line(source[0], 100) if source else ""
    return Specimen(matrix=matrix, **seen) if matrix or any(seen.values()) else None


def _of_sample(segment: Segment) -> str:
    """Put what OBX or NTE says of the sample into words."""
    if segment.name == "NTE":
        return segment.whole(3)
    unit = _unit(segment)
    value = _words(segment, 5, 100) if segment.raw(2) in _CODED else segment.whole(5)
    return f"{_words(segment, 3, 100)}: {value} {unit}".strip()


def _fasting(order: Order) -> Fasting:
    """Read OBR-13, where table 0916 stands since version 2.7, and words before."""
    return fasting_of_code((order.request.parts(13) or [""])[0])


def _words(segment: Segment, number: int, at_most: int) -> str:
    code, text, *_ = [*segment.parts(number), "", ""]
    return _line(text or code, at_most)


def _line(text: str, at_most: int) -> str:
    joined = " ".join(text.split()).replace("\x7f", "")
    return joined if len(joined) <= at_most else f"{joined[: at_most - 1]}…"
