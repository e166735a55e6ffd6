"""Reads a release's fields from JSON, each of its kind, and refuses by the name of the field."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from analytics.releases.checks import ReleaseIsUnfit
from analytics.releases.formats import ONE_MARKER, has_groups, has_law
from analytics.releases.model import (
    ANALYTES,
    Contrast,
    Evidence,
    Groups,
    GroupSpread,
    Joint,
    Marker,
    Release,
)
from analytics.scalars import is_real

MOST_FIGURE = 1_000_000


@dataclass(frozen=True, slots=True)
class Part:
    """An object of the JSON, and where it stands.

    Parameters
    ----------
    content : dict
    path : str
        As "markers.IL-6"; empty for the whole.
    """

    content: dict[str, Any]
    path: str

    @classmethod
    def of(cls, content: object, path: str, *, names: Iterable[str]) -> "Part":
        """Take an object, with these names and no others."""
        wanted = tuple(names)
        if not isinstance(content, dict):
            raise ReleaseIsUnfit(f"{path}: {content!r}; wanted: an object of {', '.join(wanted)}")
        strange = content.keys() - set(wanted)
        if strange:
            found = ", ".join(sorted(strange))
            raise ReleaseIsUnfit(f"{path}: {found}; wanted: only {', '.join(wanted)}")
        return cls(content, path)

    def where(self, name: str) -> str:
        """Give the path of one of its fields."""
        return f"{self.path}.{name}" if self.path else name

    def take(self, name: str) -> object:
        """Give what stands under a name."""
        if name not in self.content:
            raise ReleaseIsUnfit(f"{self.where(name)}; wanted: this field, it is missing")
        return self.content[name]

    def part(self, name: str, *, names: Iterable[str]) -> "Part":
        """Give an object under a name."""
        return Part.of(self.take(name), self.where(name), names=names)

    def dictionary(self, name: str) -> "Part":
        """Give an object under a name whose own names may be any."""
        found = self.take(name)
        return self.part(name, names=found if isinstance(found, dict) else ("names",))

    def text(self, name: str) -> str:
        """Give a text."""
        return _text(self.take(name), self.where(name))

    def texts(self, name: str) -> tuple[str, ...]:
        """Give a list of texts."""
        given = self.take(name)
        if not isinstance(given, list):
            raise ReleaseIsUnfit(f"{self.where(name)}: {given!r}; wanted: a list of texts")
        return tuple(_text(one, self.where(name)) for one in given)

    def number(self, name: str) -> float:
        """Give a number."""
        return _number(self.take(name), self.where(name))

    def or_infinite(self, name: str) -> float:
        """Give a number, or infinity for null."""
        return np.inf if self.take(name) is None else self.number(name)

    def numbers(self, name: str, count: int) -> tuple[float, ...]:
        """Give a list of so many numbers."""
        return _numbers(self.take(name), count, self.where(name))

    def two(self, name: str) -> tuple[float, float]:
        """Give two numbers."""
        first, second = self.numbers(name, 2)
        return first, second

    def table(self, name: str, size: int) -> tuple[tuple[float, ...], ...]:
        """Give a square table of numbers."""
        rows, where = self.take(name), self.where(name)
        if not isinstance(rows, list) or len(rows) != size:
            raise ReleaseIsUnfit(f"{where}; wanted: {size} x {size} numbers")
        return tuple(_numbers(row, size, f"{where}, row {place}") for place, row in enumerate(rows))


def build(content: dict[str, Any]) -> Release:
    """Make a release of its parsed JSON.

    Parameters
    ----------
    content : dict
        Of a known format, its checksum right.

    Returns
    -------
    Release

    Raises
    ------
    ReleaseIsUnfit
        A field is missing, of the wrong kind, or means nothing here.
    """
    said = content["format"]
    whole = Part.of(content, "", names=["format", *_names(Release)])
    contrast = whole.part("contrast", names=_names(Contrast))
    names = contrast.texts("markers") if has_law(said) else ONE_MARKER
    size = 2 * len(names)
    markers = whole.part("markers", names=ANALYTES)
    evidence = whole.part("evidence", names=_names(Evidence))
    card = whole.dictionary("card")
    return Release(
        version=whole.text("version"),
        basis=whole.text("basis"),
        markers={name: _marker(markers.part(name, names=_names(Marker))) for name in ANALYTES},
        contrast=_contrast(contrast, names),
        evidence=Evidence(**{name: evidence.number(name) for name in _names(Evidence)}),
        variance_covariance=whole.table("variance_covariance", _parameters(size)),
        recalibration=whole.two("recalibration"),
        recalibration_covariance=whole.numbers("recalibration_covariance", 3),
        fingerprint=whole.text("fingerprint"),
        code_version=whole.text("code_version"),
        card={name: card.text(name) for name in card.content},
        checksum=whole.text("checksum"),
        joint=_joint(whole, size) if has_law(said) else None,
        groups=_groups(whole, size) if has_groups(said) else None,
        learned_from=frozenset(whole.texts("learned_from"))
        if "learned_from" in content
        else frozenset(),
    )


def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _parameters(size: int) -> int:
    """Count the variances of so many levels and slopes: a triangle, and a residual a marker."""
    return size * (size + 1) // 2 + size // 2


def _text(given: object, where: str) -> str:
    if not isinstance(given, str):
        raise ReleaseIsUnfit(f"{where}: {given!r}; wanted: a text")
    return given


def _number(given: object, where: str) -> float:
    if not isinstance(given, int | float) or not is_real(given):
        raise ReleaseIsUnfit(f"{where}: {_shown(given)}; wanted: a number")
    if abs(given) > MOST_FIGURE:
        wanted = f"at most {MOST_FIGURE:,} either way, as logarithms, log-odds and weeks are"
        raise ReleaseIsUnfit(f"{where}: {given}; wanted: {wanted}")
    return float(given)


def _numbers(given: object, count: int, where: str) -> tuple[float, ...]:
    if not isinstance(given, list) or len(given) != count:
        raise ReleaseIsUnfit(f"{where}: {given!r}; wanted: {count} numbers")
    return tuple(_number(one, where) for one in given)


def _shown(given: object) -> str:
    """Write what is no number; a whole number too long for one by its length."""
    is_long = isinstance(given, int) and not isinstance(given, bool)
    return f"a whole number of {len(str(given))} digits" if is_long else repr(given)


def _contrast(part: Part, names: tuple[str, ...]) -> Contrast:
    size = 2 * len(names)
    return Contrast(
        delta=part.numbers("delta", size),
        covariance=part.numbers("covariance", size * (size + 1) // 2),
        shrinkage=part.number("shrinkage"),
        ramp_weeks=part.or_infinite("ramp_weeks"),
        mixing=part.number("mixing"),
        cap=part.or_infinite("cap"),
        markers=names,
    )


def _joint(whole: Part, size: int) -> Joint | None:
    if whole.take("joint") is None:
        return None
    part, count = whole.part("joint", names=_names(Joint)), size * (size + 1) // 2
    return Joint(
        covariance=part.numbers("covariance", count),
        mean_covariance=part.numbers("mean_covariance", count),
    )


def _groups(whole: Part, size: int) -> Groups | None:
    if whole.take("groups") is None:
        return None
    both = whole.part("groups", names=_names(Groups))
    remitting, resistant = (
        GroupSpread(
            covariance=part.numbers("covariance", size * (size + 1) // 2),
            residual=part.numbers("residual", size // 2),
            variance_covariance=part.table("variance_covariance", _parameters(size)),
        )
        for part in (both.part(name, names=_names(GroupSpread)) for name in _names(Groups))
    )
    return Groups(remitting, resistant)


def _marker(part: Part) -> Marker:
    levels = part.dictionary("levels")
    return Marker(
        mean=part.two("mean"),
        mean_covariance=part.numbers("mean_covariance", 3),
        covariance=part.numbers("covariance", 3),
        residual=part.number("residual"),
        within_cv=part.number("within_cv"),
        assay_cv=part.number("assay_cv"),
        levels={name: levels.number(name) for name in levels.content},
        level_sd=part.number("level_sd"),
    )
