"""How results are named after their report, so that the report means them again: `A-17#IL-6`.

The name of the report itself begins all of them (`A-17#`). A report that is taken back before any
of its results came waits under it. In HL7 v2 an order is such a report (`A-17|`).
"""

from patients.intake.order_names import END_OF_NUMBER, RESULT_NAMES, of_whole_order
from patients.intake.reports import ADDRESS, Identifier

REPORT = "DiagnosticReport"
_END = "#"


def after_report(report: Identifier, part: str) -> tuple[str, str]:
    """Give system and value of the name of a part of a report; without a part, of the report.

    The first sharp ends the report's own name, so that A means nothing of A#1.
    """
    system = REPORT if report.system == ADDRESS else f"{REPORT}?{report.system}"
    value = report.value.replace("%", "%25").replace(_END, "%23")
    return system, f"{value}{_END}{part}"


def is_of_report(name: Identifier) -> bool:
    """Tell a name after a report from the result's own."""
    return name.system == REPORT or name.system.startswith(f"{REPORT}?")


def of_whole_report(name: Identifier) -> Identifier | None:
    """Give the name of the report, of a name after it; None of any other name."""
    if name.system == RESULT_NAMES:
        return of_whole_order(name.value.partition(END_OF_NUMBER)[0])
    before, sharp, _part = name.value.partition(_END)
    if not (sharp and is_of_report(name)):
        return None
    return Identifier(system=name.system, value=f"{before}{sharp}")
