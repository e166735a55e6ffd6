"""From resources to reports: one Observation is one result of one draw."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from patients.intake.fhir.datatypes import Identifier as Numbered
from patients.intake.fhir.datatypes import Period, Reference
from patients.intake.fhir.faults import not_usable
from patients.intake.fhir.lines import code_of, line, words_of
from patients.intake.fhir.measuring import measurement_of
from patients.intake.fhir.resources import (
    Collection,
    Container,
    Device,
    DiagnosticReport,
    Observation,
)
from patients.intake.fhir.resources import Specimen as SampleSent
from patients.intake.fhir.subjects import patients_of
from patients.intake.fhir.surroundings import Surroundings, read_contained
from patients.intake.fhir.times import read_time
from patients.intake.fhir.values import value_of
from patients.intake.reports import (
    ADDRESS,
    UNSTATED,
    Code,
    DrawReport,
    Fasting,
    Identifier,
    Precision,
    ResultReport,
    SeenTime,
    Specimen,
    TimeRole,
)
from patients.intake.specimens import fasting_of_code

NAME_AT_MOST = 200
NAMES_AT_MOST = 20
LONGEST_PERIOD = timedelta(days=1)
RETRACTED = frozenset({"cancelled", "entered-in-error"})


@dataclass(frozen=True)
class Wrapping:
    """What a DiagnosticReport says of each of its results, where they do not say it themselves.

    listed_as
        What a result that stands elsewhere is called after the report, so that the report means it.
    """

    report: DiagnosticReport | None = None
    listed_as: tuple[Identifier, ...] = ()

    @property
    def specimen(self) -> Reference | None:
        return self.report.specimen[0] if self.report and len(self.report.specimen) == 1 else None


BARE = Wrapping()


def report_of(
    observation: Observation,
    *,
    root: str,
    around: Surroundings,
    wrapping: Wrapping = BARE,
    names: Sequence[Identifier] = (),
) -> DrawReport:
    """Read one Observation as a draw with one result.

    `names` are those that it has by its address or by the condition under which it is sent.
    """
    around = around.within(read_contained(observation, root=root))
    report = wrapping.report
    subject = observation.subject or (report.subject if report else None)
    patients, person = patients_of(subject, around, root=root)
    sample_reference = observation.specimen or wrapping.specimen
    sample = around.find(sample_reference, SampleSent)
    return DrawReport(
        accession=_accession(sample, sample_reference, root=root),
        patients=patients,
        person=person,
        times=_times(observation, sample, report),
        specimen=_specimen(sample),
        results=(_result(observation, root=root, around=around, report=report, names=names),),
        pointer=line(root, 200),
    )


def _result(
    observation: Observation,
    *,
    root: str,
    around: Surroundings,
    report: DiagnosticReport | None,
    names: Sequence[Identifier],
) -> ResultReport:
    value = value_of(observation, root=root)
    issued = observation.issued or (report.issued if report else None)
    device = around.find(observation.device, Device)
    kit, lot = _kit(device, observation)
    return ResultReport(
        names=tuple(dict.fromkeys([*names, *names_of(observation.identifier, root=root)])),
        codes=_codes(observation, root=root),
        value=value.text,
        comparator=value.comparator,
        unit=value.unit,
        # A report that is taken back takes its results back, whatever each still says of itself
        status=report.status
        if report is not None and report.status in RETRACTED
        else observation.status,
        issued_at=None if issued is None else read_time(issued).at,
        absent_reason=value.absent_reason,
        method=words_of(observation.method, 200),
        kit=kit,
        lot=lot,
        measurement=measurement_of(observation, root=root),
        notes=line(" / ".join(note.text for note in observation.note), 2000),
        pointer=line(root, 200),
    )


def names_of(identifiers: Sequence[Numbered], *, root: str) -> tuple[Identifier, ...]:
    """Give the names by which the laboratory will correct this result."""
    if len(identifiers) > NAMES_AT_MOST:
        raise not_usable(
            "too-costly",
            f"{root}.identifier",
            f"identifier has at most {NAMES_AT_MOST} items here",
        )
    for place, each in enumerate(identifiers):
        if max(len(each.system or ""), len(each.value or "")) > NAME_AT_MOST:
            raise not_usable(
                "too-long",
                f"{root}.identifier[{place}]",
                f"identifier has at most {NAME_AT_MOST} characters in its system and its value",
            )
    return tuple(
        Identifier(system=line(each.system or UNSTATED, 200), value=line(each.value, 200))
        for each in identifiers
        if each.value is not None
    )


def address(client_id: str) -> Identifier:
    """Give the name that a client chose by putting a result to an address of its own."""
    return Identifier(system=ADDRESS, value=client_id)


def _codes(observation: Observation, *, root: str) -> tuple[Code, ...]:
    concept = observation.code
    codes = tuple(
        Code(
            system=line(coding.system, 200),
            code=coding.code,
            text=line(coding.display or concept.text, 200),
        )
        for coding in concept.coding
        if coding.code is not None and len(coding.code) <= 100
    )
    if codes:
        return codes
    text = concept.text or next((each.display for each in concept.coding if each.display), None)
    if text is not None:
        return (Code(text=line(text, 200)),)
    raise not_usable(
        "required", f"{root}.code", "code must hold a coding with a code, or at least words for one"
    )


def _accession(
    sample: SampleSent | None,
    reference: Reference | None,
    *,
    root: str,
) -> str:
    """Find the laboratory's number of the sample; that of a report may mean several samples."""
    candidates: list[Numbered | None] = []
    if sample is not None:
        candidates += [sample.accession_identifier, *sample.identifier]
    if reference is not None:
        candidates.append(reference.identifier)
    for each in candidates:
        if each is not None and each.value is not None:
            if len(each.value) > 100:
                raise not_usable(
                    "too-long", f"{root}.specimen", "the sample's number has over 100 characters"
                )
            return line(each.value, 100)
    return ""


def _times(
    observation: Observation, sample: SampleSent | None, report: DiagnosticReport | None
) -> tuple[SeenTime, ...]:
    times = []
    if sample is not None and sample.collection is not None:
        collection = sample.collection
        times += _seen(
            TimeRole.COLLECTED, collection.collected_date_time, collection.collected_period
        )
    effective = _seen(
        TimeRole.EFFECTIVE,
        observation.effective_date_time or observation.effective_instant,
        observation.effective_period,
    )
    if observation.effective_timing is not None:
        effective = [SeenTime(role=TimeRole.EFFECTIVE, text="a Timing")]
    if not effective and report is not None:
        effective = _seen(TimeRole.EFFECTIVE, report.effective_date_time, report.effective_period)
    issued = observation.issued or (report.issued if report else None)
    return (*times, *effective, *_seen(TimeRole.ISSUED, issued, None))


def _seen(role: TimeRole, text: str | None, period: Period | None) -> list[SeenTime]:
    """A sample is taken in minutes: of a period, its beginning is the time.

    A period of days says of no day that it was that one.
    """
    if period is not None:
        text = period.start or period.end
    if text is None:
        return []
    read = read_time(text)
    precision = Precision(read.precision)
    if period is not None and _is_of_days(period):
        text, precision = f"{period.start}/{period.end}", Precision.MONTH
    return [SeenTime(role=role, text=text, at=read.at, precision=precision)]


def _is_of_days(period: Period) -> bool:
    if period.start is None or period.end is None:
        return False
    start, end = read_time(period.start).at, read_time(period.end).at
    # a day without an hour has no zone; against an hour it is compared by what the clock showed
    return end.replace(tzinfo=None) - start.replace(tzinfo=None) > LONGEST_PERIOD


def _specimen(sample: SampleSent | None) -> Specimen | None:
    if sample is None:
        return None
    conditions = [code_of(each, 100) for each in sample.condition]
    if sample.status == "unsatisfactory":
        conditions.append(sample.status)
    steps = [each.description for each in sample.processing if each.description]
    return Specimen(
        matrix=words_of(sample.type, 100),
        tube=line(" / ".join(filter(None, map(_tube, sample.container))), 100),
        conditions=tuple(conditions),
        fasting=_fasting(sample.collection),
        processed_at=next((each.time_date_time or "" for each in sample.processing), "")[:50],
        notes=line(" / ".join([*steps, *(note.text for note in sample.note)]), 500),
    )


def _tube(container: Container) -> str:
    """Say what the tube is, and what was in it."""
    concepts = (container.type, container.additive_codeable_concept)
    return " ".join(filter(None, (words_of(each, 100) for each in concepts)))


def _fasting(collection: Collection | None) -> Fasting:
    if collection is None:
        return ""
    if collection.fasting_status_duration is not None:
        return "yes"
    codes = collection.fasting_status_codeable_concept
    return "" if codes is None else fasting_of_code(code_of(codes, 20))


def _kit(device: Device | None, observation: Observation) -> tuple[str, str]:
    if device is None:
        return line(observation.device.display if observation.device else None, 100), ""
    name = next((each.name for each in device.device_name), None)
    return (
        line(name or device.model_number or words_of(device.type, 100), 100),
        line(device.lot_number, 100),
    )
