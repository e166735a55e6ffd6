"""How results are named after the order in HL7 v2: number, code and sub-id, as they were sent.

Where one order has a code at several times, as a series of samples, the time is part of the name.
Of such a result the plain name alone, in a later message, means the one of that time.
"""

from patients.intake.reports import DrawReport, Identifier, TimeRole

RESULT_NAMES = "urn:hl7v2:order-code-sub"
END_OF_NUMBER = "|"
_LETTERS_AT_MOST = 200


def of_whole_order(number: str) -> Identifier:
    """Name all that comes under an order by its number alone; this begins the name of each."""
    return Identifier(system=RESULT_NAMES, value=f"{number}{END_OF_NUMBER}")


def drawn_at(report: DrawReport) -> str:
    """Give the time of the draw as it was sent."""
    return next((time.text for time in report.times if time.role is not TimeRole.ISSUED), "")


def named_at(name: Identifier, at: str) -> Identifier:
    """Add the time to a name after an order; any other name is left as it is."""
    if name.system != RESULT_NAMES or name.value.count(END_OF_NUMBER) < 2:
        return name
    text = f"{name.value}|{at}"
    value = text if len(text) <= _LETTERS_AT_MOST else f"{text[: _LETTERS_AT_MOST - 1]}…"
    return Identifier(system=name.system, value=value)


def without_time(name: Identifier) -> tuple[str, str] | None:
    """Give the plain name within one that holds the time; None of any other."""
    plain, bar, _at = name.value.rpartition("|")
    return (name.system, plain) if name.system == RESULT_NAMES and bar else None
