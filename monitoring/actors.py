"""Who did something, from the name in the record to that of a person."""

import re

from monitoring import queries

_CLINICIAN = re.compile(r"^clinician:(\d+)$")


def actor(by: str) -> str:
    """Give a clinician's own name; an operator or a system keeps the name in the record."""
    found = _CLINICIAN.match(by)
    if found is None:
        return by
    number = int(found[1])
    return queries.name_of([number]).get(number, by)
