"""Reads vectors from a directory; the format is docs/reference/vectors.md."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

FORMAT = 1
TOLERANCE_AT_MOST = 0.01  # with more, a wrong share or coefficient would agree
_FILE = {"format", "kind", "about", "source", "cases"}
_CASE = {"name", "given", "expected"}


class VectorsAreUnfit(Exception):
    """A directory or a file that holds no vectors; says which, and what would be right."""


@dataclass(frozen=True)
class Case:
    """One vector: what is given, what is expected, and where that comes from."""

    file: str
    name: str
    kind: str
    given: dict[str, Any]
    expected: Any
    source: str
    tolerance: float


def read_vectors(folder: Path, *, kinds: Collection[str]) -> tuple[Case, ...]:
    """Read every case of every file of a directory, by the names of the files."""
    if not folder.exists():
        message = f"{folder}: there is no such directory; wanted: a directory of vectors"
        raise VectorsAreUnfit(message)
    paths = [folder] if folder.is_file() else sorted(folder.glob("*.json"))
    if not paths:
        message = f"{folder}: no file that ends in .json; wanted: a directory of vectors"
        raise VectorsAreUnfit(message)
    found = tuple(case for path in paths for case in _read_file(path, kinds))
    if not found:
        message = f"{folder}: no case in any file; wanted: at least one"
        raise VectorsAreUnfit(message)
    return found


def _read_file(path: Path, kinds: Collection[str]) -> Iterator[Case]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = json.loads(
            text, object_pairs_hook=_once_each, parse_constant=_finite, parse_float=_finite
        )
    except OSError as fault:
        message = f"{path.name}: cannot be read ({fault.strerror})"
        raise VectorsAreUnfit(message) from None
    except (ValueError, RecursionError) as fault:
        message = f"{path.name}: not JSON in UTF-8 ({fault})"
        raise VectorsAreUnfit(message) from None
    tolerance = _check_head(path, content, kinds)
    names: set[str] = set()
    for case in content["cases"]:
        if not _is_a_case(case) or case["name"] in names:
            message = (
                f"{path.name}: {case!r:.80}; wanted: in every case a name (once), an object given, "
                "and what is expected"
            )
            raise VectorsAreUnfit(message)
        names.add(case["name"])
        yield Case(
            file=path.name,
            name=case["name"],
            kind=content["kind"],
            given=case["given"],
            expected=case["expected"],
            source=str(case.get("source", content["source"])),
            tolerance=tolerance,
        )


def _check_head(path: Path, content: Any, kinds: Collection[str]) -> float:
    """Check what stands before the cases; give the tolerance."""
    if not isinstance(content, dict) or not content.keys() >= _FILE:
        message = f"{path.name}: wanted: an object with {', '.join(sorted(_FILE))}"
        raise VectorsAreUnfit(message)
    if content["format"] != FORMAT:
        message = f"{path.name}: format {content['format']!r}; wanted: {FORMAT}"
        raise VectorsAreUnfit(message)
    if not (isinstance(content["kind"], str) and content["kind"] in kinds):
        message = f"{path.name}: kind {content['kind']!r}; wanted: {', '.join(sorted(kinds))}"
        raise VectorsAreUnfit(message)
    tolerance: Any = content.get("tolerance", 1e-6)
    is_number = isinstance(tolerance, int | float) and not isinstance(tolerance, bool)
    if not (is_number and 0 <= tolerance <= TOLERANCE_AT_MOST):
        message = (
            f"{path.name}: tolerance {tolerance!r}; wanted: a number from 0 to {TOLERANCE_AT_MOST}"
        )
        raise VectorsAreUnfit(message)
    if not (isinstance(content["source"], str) and content["source"].strip()):
        message = f"{path.name}: source {content['source']!r}; wanted: where the values come from"
        raise VectorsAreUnfit(message)
    if not isinstance(content["cases"], list):
        message = f"{path.name}: cases {content['cases']!r:.80}; wanted: a list of cases"
        raise VectorsAreUnfit(message)
    return float(tolerance)


def _finite(text: str) -> float:
    """Refuse what is no number of JSON, or none that a computer can hold: all would agree."""
    number = float(text)
    if not isfinite(number):
        message = f"{text} is no number of JSON"
        raise ValueError(message)
    return number


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that stands twice in one object: the earlier value would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        message = f"{twice!r} stands twice in one object"
        raise ValueError(message)
    return found


def _is_a_case(case: object) -> bool:
    return (
        isinstance(case, dict)
        and case.keys() >= _CASE
        and isinstance(case.get("source", "none"), str)
        and bool(case.get("source", "none").strip())
        and isinstance(case["name"], str)
        and isinstance(case["given"], dict)
    )
