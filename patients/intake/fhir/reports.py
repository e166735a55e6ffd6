"""DiagnosticReports: a wrapping around results, by whose names its results are known again.

A result that a report contains has no name of its own, so it is named after its report and its
code: the same report sent again, or put right, means the same results.
"""

from patients.intake.fhir.conditions import UNSTATED
from patients.intake.fhir.datatypes import Identifier as Numbered
from patients.intake.fhir.faults import not_usable
from patients.intake.fhir.reading import Wrapping, report_of
from patients.intake.fhir.resources import DiagnosticReport, Observation
from patients.intake.fhir.surroundings import Surroundings, read_contained
from patients.intake.reports import ADDRESS, DrawReport, Identifier

KIND = "DiagnosticReport"


def results_of(
    report: DiagnosticReport, names: tuple[Identifier, ...], *, root: str, around: Surroundings
) -> tuple[DrawReport, ...]:
    """Read the results that a report contains; those that stand elsewhere are read there.

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
        code = _code_of(resource)
        seen[code] = seen.get(code, 0) + 1
        code += f"#{seen[code]}" if seen[code] > 1 else ""
        draws.append(
            report_of(
                resource,
                root=here,
                around=within,
                wrapping=Wrapping(report),
                names=[name_within(name, code, root=root) for name in names],
            )
        )
    return tuple(draws)


def _code_of(observation: Observation) -> str:
    coding = next((each for each in observation.code.coding if each.code is not None), None)
    return (coding.code if coding is not None else observation.code.text) or ""


def name_within(report: Identifier, code: str, *, root: str) -> Identifier:
    """Name a result after its report and its code."""
    system = KIND if report.system == ADDRESS else f"{KIND}?{report.system}"
    value = f"{report.value}#{code}"
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


def is_of_report(name: Identifier) -> bool:
    """Tell a name after a report from the result's own."""
    return name.system == KIND or name.system.startswith(f"{KIND}?")
