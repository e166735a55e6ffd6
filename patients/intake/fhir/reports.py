"""DiagnosticReports: a wrapping around results, by whose names its results are known again.

A result that a report contains has no name of its own, so it is named after its report and its
code: the same report sent again, or put right, means the same results.
"""

import re
from collections.abc import Sequence

from patients.intake.fhir.datatypes import Identifier as Numbered
from patients.intake.fhir.datatypes import Reference
from patients.intake.fhir.faults import not_usable
from patients.intake.fhir.lines import line
from patients.intake.fhir.reading import Wrapping, names_of, report_of
from patients.intake.fhir.resources import DiagnosticReport, Observation
from patients.intake.fhir.subjects import patients_of
from patients.intake.fhir.surroundings import Surroundings, read_contained
from patients.intake.fhir.times import read_time
from patients.intake.report_names import after_report
from patients.intake.reports import ADDRESS, UNSTATED, Code, DrawReport, Identifier, ResultReport

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


def results_of(
    report: DiagnosticReport, names: tuple[Identifier, ...], *, root: str, around: Surroundings
) -> tuple[tuple[str, DrawReport], ...]:
    """Read the results that a report contains, by what they are called within it.

    Those that stand elsewhere are read there.

    `names` are those of the report: its address, its identifiers, the condition it is sent under.
    """
    contained = read_contained(report, root=root)
    within = around.within(contained)
    seen: dict[str, int] = {}
    draws = []
    for place, data in enumerate(report.contained):
        resource = contained.get(f"#{data.get('id')}")
        if not isinstance(resource, Observation) or resource.is_panel:
            continue
        here = f"{root}.contained[{place}]"
        code = part_of(resource, seen)
        draw = report_of(
            resource,
            root=here,
            around=within,
            wrapping=Wrapping(report),
            names=[name_within(name, code, root=root) for name in names],
        )
        draws.append((code, draw))
    return tuple(draws)


def part_of(resource: Observation, seen: dict[str, int]) -> str:
    """Say what a result is called within its report: by its code, the second one with a number."""
    code = _code_of(resource)
    seen[code] = seen.get(code, 0) + 1
    return f"{code}#{seen[code]}" if seen[code] > 1 else code


def taken_back_by(
    report: DiagnosticReport, *, root: str, around: Surroundings
) -> tuple[tuple[str, DrawReport], ...]:
    """Read which results a report takes back that it only refers to, and that stand elsewhere."""
    outside = [
        each
        for each in report.result
        if not (each.reference or "").startswith("#") and each.reference not in around.known
    ]
    return tuple(
        (words, taken_back(report, names, words=words, root=root, around=around))
        for each in outside
        for names, words in [_named_by(each, root=root)]
    )


def taken_back(
    report: DiagnosticReport,
    names: Sequence[Identifier],
    *,
    words: str,
    root: str,
    around: Surroundings,
) -> DrawReport:
    """Say of a result, by its names alone, that its report takes it back."""
    patients, person = patients_of(report.subject, around, root=root)
    return DrawReport(
        patients=patients,
        person=person,
        results=(
            ResultReport(
                names=tuple(names),
                codes=(Code(text=words),),
                status=report.status,
                issued_at=None if report.issued is None else read_time(report.issued).at,
                pointer=line(root, 200),
            ),
        ),
        pointer=line(root, 200),
    )


def _named_by(reference: Reference, *, root: str) -> tuple[list[Identifier], str]:
    """Give the names of a result that stands elsewhere, and words for it."""
    names = list(names_of([reference.identifier], root=root)) if reference.identifier else []
    address = (reference.reference or "").partition("/_history/")[0]
    before, _, last = address.rpartition("/")
    is_of_result = address.startswith("urn:uuid:") or before.rpartition("/")[2] == "Observation"
    client_id = last.removeprefix("urn:uuid:")
    if is_of_result and ID.fullmatch(client_id):
        names.append(Identifier(system=ADDRESS, value=client_id))
    words = address or (names[0].value if names else reference.display or "a result")
    return names, line(words, 100)


def _code_of(observation: Observation) -> str:
    coding = next((each for each in observation.code.coding if each.code is not None), None)
    words = [observation.code.text, *(each.display for each in observation.code.coding)]
    return (coding and coding.code) or next(filter(None, words), "")


def name_within(report: Identifier, code: str, *, root: str) -> Identifier:
    """Name a result after its report and its code."""
    system, value = after_report(report, code)
    if max(len(system), len(value)) > 200:
        raise not_usable(
            "too-long", f"{root}.identifier", "identifier and code together are over 200 characters"
        )
    return Identifier(system=system, value=" ".join(value.split()))


def names_of_report(
    identifiers: tuple[Numbered, ...], address: Identifier | None
) -> tuple[Identifier, ...]:
    """Give the names by which the laboratory knows a report."""
    names = [
        Identifier(system=each.system or UNSTATED, value=each.value)
        for each in identifiers
        if each.value is not None and len(each.value) <= 200 and len(each.system or "") <= 180
    ]
    return tuple([address] if address is not None else []) + tuple(names)
