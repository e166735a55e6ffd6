"""Reads vectors from a directory; the format is docs/reference/vectors.md."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMAT = 1
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
    paths = sorted(folder.glob("*.json"))
    if not paths:
        message = f"{folder}: no file that ends in .json; wanted: a directory of vectors"
        raise VectorsAreUnfit(message)
    return tuple(case for path in paths for case in _read_file(path, kinds))


def _read_file(path: Path, kinds: Collection[str]) -> Iterator[Case]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as fault:
        message = f"{path.name}: not JSON in UTF-8 ({fault})"
        raise VectorsAreUnfit(message) from None
    if not isinstance(content, dict) or not content.keys() >= _FILE:
        message = f"{path.name}: wanted: an object with {', '.join(sorted(_FILE))}"
        raise VectorsAreUnfit(message)
    if content["format"] != FORMAT:
        message = f"{path.name}: format {content['format']!r}; wanted: {FORMAT}"
        raise VectorsAreUnfit(message)
    if content["kind"] not in kinds:
        message = f"{path.name}: kind {content['kind']!r}; wanted: {', '.join(sorted(kinds))}"
        raise VectorsAreUnfit(message)
    names = set()
    for case in content["cases"]:
        if not isinstance(case, dict) or not case.keys() >= _CASE or case["name"] in names:
            message = (
                f"{path.name}: {case!r:.80}; wanted: name (once), given and expected in every case"
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
            tolerance=float(content.get("tolerance", 1e-6)),
        )
