"""Why a message was refused, in words that are ours; and what was refused of whom.

Of a refused message nothing is kept. The line about its request says what was wrong by codes and
places, and a place names elements of FHIR, of our JSON or of HL7, and nothing that was sent.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache

from django.db.models import Count
from pydantic import BaseModel

from monitoring.models import DoorRequest
from monitoring.models.door import IS_REFUSED
from patients.intake import panels
from patients.intake.fhir import datatypes, resources

WHY = "soundings.why"
PARTLY = "partly"  # a batch, some of whose entries were refused
SHOWN_FOR = timedelta(days=30)
FAULTS_AT_MOST = 5
LETTERS_AT_MOST = 300
_WORD = re.compile(r"[^./\[\]]+")
_DIGITS_OF_A_PLACE = 4  # a longer number may be a patient's
_ERROR = re.compile(rb"\rERR\|\|([A-Z0-9]{3})\^(\d+)(?:\^(\d+))?\|(\d{3})")
# What stands for value[x] and its like in a place, and the names that no model has
_MORE = frozenset({"Bundle", "resource", "contained", "value", "effective", "collected", "rows"})


@cache
def _words() -> frozenset[str]:
    """Give every word that a place may hold: the names of elements and of resources."""
    found = set(_MORE) | resources_by_name()
    for module in (panels, resources, datatypes):
        for model in vars(module).values():
            if isinstance(model, type) and issubclass(model, BaseModel):
                for name, field in model.model_fields.items():
                    found |= {name, field.alias or name}
    return frozenset(found)


def resources_by_name() -> set[str]:
    """Give the names of the resources that are read."""
    return {name for name in vars(resources) if name[:1].isupper()}


def say(faults: Iterable[tuple[str, str]]) -> str:
    """Put codes and places into one line; of a word that is not ours an asterisk is left."""
    said = dict.fromkeys(f"{code} {place_of(place)}".strip() for code, place in faults)
    more = len(said) - FAULTS_AT_MOST
    shown = [*said][:FAULTS_AT_MOST] + ([f"and {more} more"] if more > 0 else [])
    return "; ".join(shown)[:LETTERS_AT_MOST]


def place_of(pointer: str) -> str:
    """Give a place without what a laboratory has put into it."""
    return _WORD.sub(lambda found: found[0] if _is_ours(found[0]) else "*", pointer)


def _is_ours(word: str) -> bool:
    is_number = word.isdecimal() and len(word) <= _DIGITS_OF_A_PLACE
    return is_number or word in _words()


def why_of_acknowledgement(acknowledgement: bytes) -> str:
    """Read the codes and places of an acknowledgement's ERR segments."""
    errors = _ERROR.findall(acknowledgement)
    said = [
        f"{code.decode()} {segment.decode()}{'' if number == b'1' else f'[{number.decode()}]'}"
        + (f"-{field.decode()}" if field else "")
        for segment, number, field, code in errors[:FAULTS_AT_MOST]
    ]
    more = len(errors) - len(said)
    return "; ".join(said + ([f"and {more} more"] if more > 0 else []))[:LETTERS_AT_MOST]


def lately(laboratory_id: int, *, at: datetime, at_most: int = 50) -> Sequence[DoorRequest]:
    """Give what was refused of a laboratory, the latest first."""
    of_it = DoorRequest.objects.filter(
        IS_REFUSED, laboratory_id=laboratory_id, at__gt=at - SHOWN_FOR
    )
    return list(of_it.order_by("-at")[:at_most])


def counts(*, since: datetime) -> dict[int | None, int]:
    """Say how many requests were refused since, by laboratory; None are those of nobody known."""
    refused = DoorRequest.objects.filter(IS_REFUSED, at__gt=since).values_list("laboratory_id")
    return dict(refused.annotate(number=Count("id")).order_by())
