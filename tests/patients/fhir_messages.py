"""FHIR messages for tests: bases, changed as the cases ask (JSON merge patch, RFC 7396)."""

from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from patients.intake import strict_json
from patients.intake.fhir import exact_json

FOLDER = Path(__file__).with_name("fhir_cases")
Tree = dict[str, Any]


def load_file(name: str) -> Any:
    """Read a file of cases with every digit."""
    return strict_json.load((FOLDER / name).read_bytes())


BASES: dict[str, Tree] = load_file("bases.json")
CASES: list[Tree] = [
    case
    for name in ("valid.json", "states.json", "defective.json", "published.json")
    for case in load_file(name)
]


def merge(tree: Any, change: Any) -> Any:
    """Lay a change over a tree: null takes away, a list replaces, except first among objects."""
    if not isinstance(change, dict):
        return change
    merged = dict(tree) if isinstance(tree, dict) else {}
    for name, part in change.items():
        if part is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), part)
    return merged


def observation(base: str = "observation", **change: Any) -> Tree:
    """Make a resource that differs from its base in what the test is about."""
    return cast(Tree, merge(BASES[base], change))


def body_of(case: Tree) -> bytes:
    """Write the message of a case."""
    base = case.get("resource") or BASES[case.get("base", "observation")]
    body = exact_json.write(merge(base, case.get("change", {})))
    if "text" in case:
        before, after = case["text"]
        changed = _change_text(body.decode(), before, after)
        return changed.encode()
    return body


def _change_text(text: str, before: str, after: str) -> str:
    assert before in text, before
    return text.replace(before, after, 1)


def named(value: str, *, system: str = "urn:north:result") -> list[Tree]:
    """Make the identifiers of a result with this one name."""
    return [{"system": system, "value": value}]


def quantity(value: str, unit: str = "ng/mL") -> Tree:
    return {"value": Decimal(value), "unit": unit, "code": unit}
