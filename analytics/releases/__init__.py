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
    ONE_MARKER,
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
        has one too many or twice, holds a figure that cannot be, or was recalibrated before
        format 4.
    """
    if not isinstance(text, str):
        raise ReleaseIsUnfit(f"{type(text).__name__}; wanted: the text of a release, in JSON")
    try:
        content = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_refuse_twice)
    except (json.JSONDecodeError, RecursionError) as error:
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
    try:
        release = _build(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReleaseIsUnfit(f"a field is missing or of the wrong kind: {error!r}") from error
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
        It is no Release.
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
    content["checksum"] = checksum(content)
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


def _refuse_strange(content: dict[str, Any], kind: type[Any], where: str) -> None:
    """Refuse keys that mean nothing here, such as a name that is misspelt."""
    strange = content.keys() - {field.name for field in fields(kind)}
    if strange:
        wanted = f"only {', '.join(field.name for field in fields(kind))}"
        raise ReleaseIsUnfit(f"{where}: {', '.join(sorted(strange))}; wanted: {wanted}")


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r}; wanted: a number")
    return float(value)


def _numbers(values: object, count: int) -> tuple[float, ...]:
    if not isinstance(values, list) or len(values) != count:
        raise ValueError(f"{values!r}; wanted: {count} numbers")
    return tuple(map(_number, values))


def _two(values: object) -> tuple[float, float]:
    first, second = _numbers(values, 2)
    return first, second


def _build(content: dict[str, Any]) -> Release:
    is_first = not has_law(content["format"])
    names = ONE_MARKER if is_first else tuple(map(str, content["contrast"]["markers"]))
    strangers = content["markers"].keys() - set(ANALYTES)
    if strangers:
        wanted = f"only {', '.join(ANALYTES)}"
        raise ReleaseIsUnfit(f"markers: {', '.join(sorted(strangers))}; wanted: {wanted}")
    for name in ANALYTES:
        _refuse_strange(content["markers"][name], Marker, f"markers.{name}")
    _refuse_strange(content["contrast"], Contrast, "contrast")
    size = 2 * len(names)
    joint = None if is_first else content["joint"]
    parameters = size * (size + 1) // 2 + len(names)
    rows = content["variance_covariance"]
    if len(rows) != parameters:
        raise ValueError(f"variance_covariance; wanted: {parameters} x {parameters} numbers")
    return Release(
        version=str(content["version"]),
        basis=str(content["basis"]),
        markers={name: _marker(content["markers"][name]) for name in ANALYTES},
        contrast=_contrast(content["contrast"], names),
        evidence=Evidence(**{key: _number(value) for key, value in content["evidence"].items()}),
        variance_covariance=tuple(_numbers(row, parameters) for row in rows),
        recalibration=_two(content["recalibration"]),
        recalibration_covariance=_numbers(content["recalibration_covariance"], 3),
        fingerprint=str(content["fingerprint"]),
        code_version=str(content["code_version"]),
        card={str(key): str(value) for key, value in content["card"].items()},
        checksum=str(content["checksum"]),
        joint=None if joint is None else _joint(joint, size),
        groups=_groups(content["groups"], size) if has_groups(content["format"]) else None,
        learned_from=frozenset(map(str, content.get("learned_from", ()))),
    )


def _contrast(content: dict[str, Any], names: tuple[str, ...]) -> Contrast:
    def or_infinite(value: object) -> float:
        return np.inf if value is None else _number(value)

    size = 2 * len(names)
    return Contrast(
        delta=_numbers(content["delta"], size),
        covariance=_numbers(content["covariance"], size * (size + 1) // 2),
        shrinkage=_number(content["shrinkage"]),
        ramp_weeks=or_infinite(content["ramp_weeks"]),
        mixing=_number(content["mixing"]),
        cap=or_infinite(content["cap"]),
        markers=names,
    )


def _joint(content: dict[str, Any], size: int) -> Joint:
    count = size * (size + 1) // 2
    return Joint(
        covariance=_numbers(content["covariance"], count),
        mean_covariance=_numbers(content["mean_covariance"], count),
    )


def _groups(content: dict[str, Any] | None, size: int) -> Groups | None:
    return (
        None
        if content is None
        else Groups(
            remitting=_group(content["remitting"], size),
            resistant=_group(content["resistant"], size),
        )
    )


def _group(content: dict[str, Any], size: int) -> GroupSpread:
    count = size * (size + 1) // 2
    rows, parameters = content["variance_covariance"], count + size // 2
    if len(rows) != parameters:
        raise ValueError(f"variance_covariance; wanted: {parameters} x {parameters} numbers")
    return GroupSpread(
        covariance=_numbers(content["covariance"], count),
        residual=_numbers(content["residual"], size // 2),
        variance_covariance=tuple(_numbers(row, parameters) for row in rows),
    )


def _marker(content: dict[str, Any]) -> Marker:
    return Marker(
        mean=_two(content["mean"]),
        mean_covariance=_numbers(content["mean_covariance"], 3),
        covariance=_numbers(content["covariance"], 3),
        residual=_number(content["residual"]),
        within_cv=_number(content["within_cv"]),
        assay_cv=_number(content["assay_cv"]),
        levels={str(key): _number(value) for key, value in content["levels"].items()},
        level_sd=_number(content["level_sd"]),
    )


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
