"""What FHIR asks of all JSON, whatever the resource: nothing null, nothing empty, no modifier.

What may stand everywhere and changes no meaning (extensions, ids of elements, the `_name` beside a
primitive) is checked and taken out, so that the models of the resources need not know it.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from patients.intake.fhir.faults import FAULTS_AT_MOST, Fault, name_of, path_of, shorten

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
ELEMENTS_AT_MOST = 300_000  # of one resource; no result has a hundredth of that
# The way back from a part to its resource; it is written out only where there is a fault
_Way = tuple[Any, int | str] | None
_Steps = tuple[int | str, ...]
_BLANK = ("", " ")
_SPECIAL = frozenset({"id", "extension", "modifierExtension", "implicitRules"})
MODIFIES = (
    "changes what the resource means, and this one is not known here; leave it out, or agree on it "
    "first"
)


def clean(tree: dict[str, Any], *, root: str) -> list[Fault]:
    """Take out of a resource what changes no meaning; give back what no FHIR may hold."""
    faults: list[Fault] = []
    waiting: list[tuple[dict[str, Any] | list[Any], _Way]] = [(tree, None)]
    local: list[tuple[str, _Way]] = []
    count = 0
    while waiting and len(faults) < FAULTS_AT_MOST:
        node, way = waiting.pop()
        count += len(node) + 1
        if count > ELEMENTS_AT_MOST:
            return [Fault("too-costly", root, f"{root} has more parts than any result needs")]
        parts: Iterable[tuple[int | str, Any]]
        if isinstance(node, dict):
            if not _is_plain(node):
                faults.extend(
                    Fault(code, path_of(root, (*_steps(way), *more)), detail)
                    for code, more, detail in _clean_object(node)
                )
            reference = node.get("reference")
            if isinstance(reference, str) and reference[:1] == "#":
                local.append((reference[1:], way))
            parts = node.items()
        else:
            if not node:
                faults.append(_fault(root, way, "must not be an empty list; leave it out"))
            parts = enumerate(node)
        for step, part in parts:
            if isinstance(part, dict | list):
                waiting.append((part, (way, step)))
            elif (fault := _fault_of_primitive(part)) is not None:
                faults.append(_fault(root, (way, step), fault))
    return faults or list(_faults_of_containing(tree, local, root=root))


def _faults_of_containing(
    tree: dict[str, Any], local: list[tuple[str, _Way]], *, root: str
) -> Iterator[Fault]:
    """Find what is referred to and not contained, and results that are contained and not meant."""
    found = tree.get("contained")
    contained = (
        [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    )
    if not (local or contained):
        return
    known = {each["id"] for each in contained if isinstance(each.get("id"), str)}
    for name, way in local[:FAULTS_AT_MOST]:
        if name and name not in known:  # "#" alone is the resource itself
            detail = f"refers to “#{shorten(name)}”, and nothing contained has that id (ref-1)"
            path = path_of(root, (*_steps(way), "reference"))
            yield Fault("invariant", path, f"{name_of(root, _steps(way))} {detail}")
    meant = {name for name, _way in local}
    for place, each in enumerate(contained):
        own = each.get("id")
        is_result = each.get("resourceType") == "Observation" and isinstance(own, str)
        if is_result and own not in meant:
            detail = "this result is contained, and nothing refers to it, not even result (dom-3)"
            yield Fault("invariant", f"{root}.contained[{place}]", detail)


def _is_plain(node: dict[str, Any]) -> bool:
    """Tell quickly that nothing is to be taken out of an object, as of nearly all."""
    # no name holds U+0000, so nothing but the beginning of one is found
    return bool(node) and _SPECIAL.isdisjoint(node) and "\0_" not in "\0" + "\0".join(node)


def _fault_of_primitive(part: object) -> str | None:
    if part is None:
        return "must not be null; leave it out"
    if isinstance(part, str):
        if part.isprintable() and part[:1] not in _BLANK:
            return None  # as nearly every text is
        if not part or part.isspace():
            return "must not be an empty text; leave it out"
        if _CONTROL.search(part):
            return "holds a control character"
    return None


def _steps(way: _Way) -> _Steps:
    steps: list[int | str] = []
    while way is not None:
        way, step = way
        steps.append(step)
    return tuple(reversed(steps))


def _fault(root: str, way: _Way, detail: str) -> Fault:
    steps = _steps(way)
    return Fault("structure", path_of(root, steps), f"{name_of(root, steps)} {detail}")


def _clean_object(node: dict[str, Any]) -> Iterator[tuple[str, _Steps, str]]:
    if not node:
        yield "structure", (), "an object must not be empty; leave it out"
    for name in [name for name in node if name.startswith("_")]:
        yield from _take_out_sibling(node, name)
    for name in ("modifierExtension", "implicitRules"):
        if name in node:
            del node[name]
            yield "extension", (name,), f"{name} {MODIFIES}"
    if "extension" in node:
        yield from _extension_faults(node.pop("extension"), "extension")
    if "id" in node and "resourceType" not in node and not _is_text(node.pop("id")):
        yield "structure", ("id",), "id must be a text"


def _take_out_sibling(node: dict[str, Any], name: str) -> Iterator[tuple[str, _Steps, str]]:
    """Take out the `_name` that carries the extensions of a primitive, or of a list of them."""
    sibling, plain = node.pop(name), name[1:]
    parts = sibling if isinstance(sibling, list) else [sibling]
    for part in parts:
        if part is None and isinstance(sibling, list):
            continue
        if not isinstance(part, dict) or not part or part.keys() - {"id", "extension"}:
            yield "structure", (name,), f"{name} must hold an id or extensions, and nothing else"
        elif "extension" in part:
            yield from _extension_faults(part["extension"], name)
    values = node.get(plain)
    if isinstance(sibling, list) and isinstance(values, list):
        # a null keeps the place of a value that has extensions only
        node[plain] = [value for value in values if value is not None]
        if not node[plain]:
            del node[plain]


def _extension_faults(extensions: Any, name: str) -> Iterator[tuple[str, _Steps, str]]:
    waiting = [extensions]
    while waiting:
        found = waiting.pop()
        if not isinstance(found, list) or not found:
            yield "structure", (name,), "extension must be a list, and not an empty one"
            continue
        for each in found:
            if not isinstance(each, dict) or not _is_text(each.get("url")):
                yield "structure", (name,), "each extension must have its url"
            elif "extension" in each:
                waiting.append(each["extension"])
            elif not any(part.startswith(("value", "_value")) for part in each):
                yield "structure", (name,), "each extension must have a value or extensions"


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
