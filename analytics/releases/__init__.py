"""Model releases: coefficients, their uncertainty and a card, as JSON with a checksum.

A release says everything the risk model needs that is not a patient's own data.
It is data and never code; what is damaged or of another format is refused. Format 1 is of one
informative marker, sIL-6R; format 2 of any, with the law that they have together; format 3 of
groups that vary differently; format 4 of any of these, recalibrated (:mod:`.formats`).
"""

import hashlib
import json
from dataclasses import asdict, fields
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from analytics.releases.checks import ReleaseIsUnfit, need_release, refuse_the_impossible
from analytics.releases.formats import (
    FORMATS,
    format_of,
    has_groups,
    has_law,
    refuse_an_older_meaning,
    refuse_fields_of_a_later_format,
)
from analytics.releases.model import (
    ANALYTES,
    BASES,
    Contrast,
    Evidence,
    Groups,
    GroupSpread,
    Joint,
    Marker,
    Release,
    mark_of,
)
from analytics.releases.reading import build


def checksum(content: dict[str, Any]) -> str:
    """Give the SHA-256 of a release's content, without its checksum.

    Parameters
    ----------
    content : dict
        The parsed JSON.

    Returns
    -------
    str
        In hexadecimal, over the JSON with sorted keys.
    """
    bare = {key: value for key, value in content.items() if key != "checksum"}
    text = json.dumps(bare, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def parse(text: str) -> Release:
    """Read a release from its JSON.

    Parameters
    ----------
    text : str
        The JSON text.

    Returns
    -------
    Release

    Raises
    ------
    ReleaseIsUnfit
        The text is no JSON, of another format, damaged (the checksum differs), lacks a field,
        has one too many, twice or of the wrong kind, holds a figure that cannot be, or was
        recalibrated before format 4.
    """
    if not isinstance(text, str):
        raise ReleaseIsUnfit(f"{type(text).__name__}; wanted: the text of a release, in JSON")
    try:
        content = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_refuse_twice)
    except ReleaseIsUnfit:
        raise
    except (ValueError, RecursionError) as error:  # a ValueError: a number of too many digits
        raise ReleaseIsUnfit(f"not JSON: {error}") from error
    if not isinstance(content, dict) or content.get("format") not in FORMATS:
        wanted = " or ".join(map(repr, FORMATS))
        raise ReleaseIsUnfit(f"not a release; wanted: an object with format {wanted}")
    if content.get("checksum") != _checksum_or_none(content):
        raise ReleaseIsUnfit("the checksum does not match the content; the file is damaged")
    strange = content.keys() - {"format", *(field.name for field in fields(Release))}
    if strange:
        raise ReleaseIsUnfit(f"{', '.join(sorted(strange))}; wanted: only the fields of a release")
    refuse_fields_of_a_later_format(content)
    release = build(content)
    refuse_the_impossible(release)
    refuse_an_older_meaning(release, content["format"])
    return release


def load(path: Path | str) -> Release:
    """Read a release from a file.

    Parameters
    ----------
    path : Path or str
        The JSON file.

    Returns
    -------
    Release

    Raises
    ------
    ReleaseIsUnfit
        See :func:`parse`.
    OSError
        The file cannot be read; FileNotFoundError where there is none.
    """
    if not isinstance(path, str | Path):
        raise ReleaseIsUnfit(f"path: {path!r}; wanted: the path of a release's file")
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ReleaseIsUnfit(f"not text: {error}; wanted: JSON in UTF-8") from error
    except ValueError as error:  # a name that no file has
        raise ReleaseIsUnfit(f"path: {path!r}; wanted: the path of a release's file") from error
    return parse(text)


def load_shipped(version: str) -> Release:
    """Read a release that comes with the package.

    Parameters
    ----------
    version : str
        For example "published-prior-1".

    Returns
    -------
    Release

    Raises
    ------
    ReleaseIsUnfit
        There is no such release, or see :func:`parse`.
    """
    file = resources.files(__name__) / f"{version}.json"
    if not file.is_file():
        raise ReleaseIsUnfit(f"no release {version!r} comes with this package")
    release = parse(file.read_text(encoding="utf-8"))
    if release.version != version:
        raise ReleaseIsUnfit(f"{version}.json holds the release {release.version!r}")
    return release


def dump(release: Release) -> str:
    """Write a release as JSON, with its checksum.

    Parameters
    ----------
    release : Release
        Its own ``checksum`` is not used; it is worked out anew.

    Returns
    -------
    str
        What :func:`parse` reads.

    Raises
    ------
    ReleaseIsUnfit
        It is no Release, or a field holds what JSON does not: what is not finite, or an object.
    """
    if not isinstance(release, Release):
        raise ReleaseIsUnfit(f"{type(release).__name__}; wanted: a Release")
    contrast = asdict(release.contrast)
    names = contrast.pop("markers")
    for open_ended in ("ramp_weeks", "cap"):
        if np.isinf(contrast[open_ended]):
            contrast[open_ended] = None
    content: dict[str, Any] = {
        "format": format_of(release),
        "version": release.version,
        "basis": release.basis,
        "markers": {name: asdict(marker) for name, marker in release.markers.items()},
        "contrast": contrast,
        "evidence": asdict(release.evidence),
        "variance_covariance": [list(row) for row in release.variance_covariance],
        "recalibration": list(release.recalibration),
        "recalibration_covariance": list(release.recalibration_covariance),
        "fingerprint": release.fingerprint,
        "code_version": release.code_version,
        "card": release.card,
    }
    if has_law(content["format"]):
        content["contrast"]["markers"] = list(names)
        content["joint"] = None if release.joint is None else asdict(release.joint)
    if release.learned_from:
        content["learned_from"] = sorted(release.learned_from)
    if has_groups(content["format"]):
        content["groups"] = None if release.groups is None else _written(asdict(release.groups))
    try:
        content["checksum"] = checksum(content)
    except (TypeError, ValueError) as error:
        raise ReleaseIsUnfit(f"{release.version}: {error}; wanted: texts and numbers") from error
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _written(value: Any) -> Any:
    """Turn tuples into the lists that JSON has, at any depth."""
    if isinstance(value, dict):
        return {key: _written(one) for key, one in value.items()}
    return [_written(one) for one in value] if isinstance(value, tuple) else value


def _checksum_or_none(content: dict[str, Any]) -> str | None:
    try:
        return checksum(content)
    except ValueError:  # a figure too large for a float is none
        return None


def _refuse_constant(name: str) -> float:
    raise ReleaseIsUnfit(f"{name} is no figure a release may hold")


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that says a key twice, of which JSON readers silently take the last."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ReleaseIsUnfit(f"{twice!r} stands twice in one object; wanted: each key once")
    return found


__all__ = [
    "ANALYTES",
    "BASES",
    "FORMATS",
    "Contrast",
    "Evidence",
    "GroupSpread",
    "Groups",
    "Joint",
    "Marker",
    "Release",
    "ReleaseIsUnfit",
    "checksum",
    "dump",
    "load",
    "load_shipped",
    "mark_of",
    "need_release",
    "parse",
]
