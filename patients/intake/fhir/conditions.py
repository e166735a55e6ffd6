"""Under which condition a result is to be written: identifier=system|value, and nothing else."""

import re
from collections.abc import Sequence
from urllib.parse import parse_qsl

from patients.intake.fhir.datatypes import Identifier as Numbered
from patients.intake.fhir.faults import not_fhir
from patients.intake.reports import UNSTATED, Identifier

# They say how the answer should look, and are no condition
CONTROLS = frozenset({"_format", "_pretty"})
_IN_TWO = re.compile(r"(?<!\\)\|")


def terms_of(query: str) -> list[tuple[str, str]]:
    """Give the terms of a query; how the answer should look is none of them."""
    try:
        pairs = parse_qsl(query.lstrip("?"), keep_blank_values=True, max_num_fields=20)
    except ValueError as fault:
        raise not_fhir("too-costly", "", "a query of more than twenty terms is not read") from fault
    return [(name, value) for name, value in pairs if name not in CONTROLS]


def without_address(condition: str, *, kind: str) -> str:
    """Take away what stands before a condition: clients send it as a search, or a whole address.

    `Observation?identifier=…` and `https://here/fhir/Observation?identifier=…` (as HAPI's client
    writes If-None-Exist) mean `identifier=…`. Where another type is named, it is left as it stands.
    """
    before, mark, rest = condition.partition("?")
    last = before.rstrip("/").rpartition("/")[2]
    is_address = bool(mark) and "=" not in before and (last == kind or not last[:1].isupper())
    return rest if is_address else condition


def read_condition(query: str, *, root: str, of: Sequence[Numbered] = ()) -> Identifier | None:
    """Read a search that must find one result at most; None when the query holds no condition.

    Anything but one identifier is refused: a condition that is half understood would find, and
    change, more than was meant. The system may be left out when the resource itself names it.
    """
    asked = terms_of(query)
    if not asked:
        return None
    for name, _ in asked:
        if name != "identifier":
            raise not_fhir(
                "not-supported",
                root,
                f"“{name[:60]}” is no condition here; the one there is: identifier=system|value",
            )
    if len(asked) > 1:
        raise not_fhir("invalid", root, "name one identifier, and only once")
    return read_token(asked[0][1], root=root, of=of)


def read_token(text: str, *, root: str, of: Sequence[Numbered] = ()) -> Identifier:
    """Read system|value."""
    if "," in text.replace("\\,", ""):
        raise not_fhir("invalid", root, "identifier must name one value, not several with commas")
    parts = [_unescape(part) for part in _IN_TWO.split(text)]
    if len(parts) > 2 or not parts[-1].strip():
        raise not_fhir("invalid", root, "identifier must be in the form system|value")
    value = parts[-1].strip()
    if len(parts) == 2:
        return _named(parts[0].strip() or UNSTATED, value, root=root)
    systems = {each.system or UNSTATED for each in of if each.value == value}
    if len(systems) == 1:
        return _named(systems.pop(), value, root=root)
    raise not_fhir("invalid", root, "identifier must name its system too: system|value")


def _unescape(text: str) -> str:
    return re.sub(r"\\([\\|,$])", r"\1", text)


def _named(system: str, value: str, *, root: str) -> Identifier:
    if max(len(system), len(value)) > 200 or not (system + value).isprintable():
        raise not_fhir("invalid", root, "identifier has at most 200 characters on each side")
    return Identifier(system=system, value=value)
