"""Which format of a release says what, and what an older one said with another meaning.

Before format 4 a recalibration was of the whole log-odds; in it, it is of the prior and of the
marker apart. So one in an older format is refused, and not read by a meaning it was not made for.
"""

from typing import Any

from analytics.releases.checks import ReleaseIsUnfit
from analytics.releases.model import Release

FORMATS = tuple(f"soundings-release/{number}" for number in (1, 2, 3, 4))
ONE_MARKER = ("sIL-6R",)
_ONE, _SEVERAL, _APART, _RECALIBRATED = FORMATS


def format_of(release: Release) -> str:
    """Give the oldest format that says all of a release, by the meaning that it has now."""
    if release.is_recalibrated:
        return _RECALIBRATED
    if release.groups is not None:
        return _APART
    is_one = release.informative == ONE_MARKER and release.joint is None
    return _ONE if is_one else _SEVERAL


def has_law(said: str) -> bool:
    """Tell whether a format names its informative markers, with their law together."""
    return said != _ONE


def has_groups(said: str) -> bool:
    """Tell whether a format says how each group varies, or that they share it."""
    return said in (_APART, _RECALIBRATED)


def refuse_fields_of_a_later_format(content: dict[str, Any]) -> None:
    """Refuse a field that the format does not have, which nobody would read.

    Parameters
    ----------
    content : dict
        The parsed JSON.

    Raises
    ------
    ReleaseIsUnfit
    """
    said = content["format"]
    has = {"joint": has_law(said), "groups": has_groups(said)}
    strange = [name for name, is_read in has.items() if name in content and not is_read]
    contrast = content.get("contrast")
    if isinstance(contrast, dict) and "markers" in contrast and not has_law(said):
        strange.append("contrast.markers")
    if strange:
        raise ReleaseIsUnfit(f"{', '.join(strange)} in format {said!r}; wanted: a later format")


def refuse_an_older_meaning(release: Release, said: str) -> None:
    """Refuse a recalibration of the whole log-odds.

    Parameters
    ----------
    release : Release
        As read.
    said : str
        Its format.

    Raises
    ------
    ReleaseIsUnfit
    """
    if said != _RECALIBRATED and release.is_recalibrated:
        raise ReleaseIsUnfit(
            f"recalibration {list(release.recalibration)} in format {said!r}: of the whole "
            f"log-odds, as older versions wrote it; wanted: format {_RECALIBRATED!r}, of prior and "
            "marker apart - train this release anew with this version"
        )
