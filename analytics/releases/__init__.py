"""Model releases: coefficients, their uncertainty and a card, as JSON with a checksum.

A release says everything the risk model needs that is not a patient's own data.
It is data and never code; what is damaged or of another format is refused.
"""

import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FORMAT = "soundings-release/1"
ANALYTES = ("sIL-6R", "IL-6", "TNF-α", "hs-CRP")


class ReleaseIsUnfit(ValueError):
    """A release file is damaged, of another format, or says what cannot be."""


@dataclass(frozen=True, slots=True)
class Marker:
    """The law of one marker in the population: straight lines of ln concentration.

    Parameters
    ----------
    mean : tuple of float
        Level at the first dose and slope per week, ln units.
    mean_covariance : tuple of float
        Uncertainty of that mean: variance, covariance, variance.
    covariance : tuple of float
        Between persons within a group: variance of the level, covariance, of the slope.
    residual : float
        Variance of one result about the person's line.
    within_cv, assay_cv : float
        Biological and assay variation, for reference change values.
    levels : dict
        Level of a segment less ``mean[0]`` where a segment's own is known.
    level_sd : float
        Further uncertainty of the level in a segment that ``levels`` does not name.
    """

    mean: tuple[float, float]
    mean_covariance: tuple[float, float, float]
    covariance: tuple[float, float, float]
    residual: float
    within_cv: float
    assay_cv: float
    levels: dict[str, float]
    level_sd: float = 0.0


@dataclass(frozen=True, slots=True)
class Contrast:
    """How resistant and remitting patients differ in sIL-6R.

    Parameters
    ----------
    delta : tuple of float
        Difference of level at the first dose and of slope per week, as published.
    covariance : tuple of float
        Its uncertainty: variance, covariance, variance.
    shrinkage : float
        Factor on ``delta`` and on its covariance; 1 once local labels have spoken.
    ramp_weeks : float
        Week from which the difference stays as it is; infinite for never.
    mixing : float
        Share of resistant patients in the population that ``mean`` describes.
    cap : float
        Largest log-odds the marker may add or take; infinite for no cap.
    """

    delta: tuple[float, float]
    covariance: tuple[float, float, float]
    shrinkage: float
    ramp_weeks: float
    mixing: float
    cap: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """Log-odds known without a marker, and their uncertainty."""

    prevalence: float
    prevalence_sd: float
    early_non_improvement: float
    early_improvement: float
    early_sd: float


@dataclass(frozen=True, slots=True)
class Release:
    """One version of the model.

    Parameters
    ----------
    version : str
        Short name, printed with every estimate.
    basis : str
        "prior only", "local level" or "local labels": what it was made from.
    markers : dict
        One :class:`Marker` per analyte.
    contrast : Contrast
        Of sIL-6R.
    evidence : Evidence
        Prior and symptoms.
    variance_covariance : tuple of tuple of float
        4 x 4 covariance of the estimates (d00, d01, d11, residual) of sIL-6R.
    recalibration : tuple of float
        Intercept and slope on the log-odds; (0, 1) while there are under 100 labels.
    recalibration_covariance : tuple of float
        Their uncertainty: variance, covariance, variance; zeros while there are under 100 labels.
    fingerprint : str
        Of the data it was fitted to; empty for a published prior.
    code_version : str
        Version of the code that made it.
    card : dict
        What TRIPOD+AI asks for, in words.
    checksum : str
        SHA-256 of all the rest.
    """

    version: str
    basis: str
    markers: dict[str, Marker]
    contrast: Contrast
    evidence: Evidence
    variance_covariance: tuple[tuple[float, ...], ...]
    recalibration: tuple[float, float]
    recalibration_covariance: tuple[float, float, float]
    fingerprint: str
    code_version: str
    card: dict[str, str]
    checksum: str

    @property
    def variance_matrix(self) -> npt.NDArray[np.float64]:
        """Give the covariance of the variance parameters as a matrix."""
        return np.array(self.variance_covariance)


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
        The text is no JSON, of another format, damaged (the checksum differs),
        lacks a field, or holds a figure that cannot be.
    """
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise ReleaseIsUnfit(f"not JSON: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ReleaseIsUnfit(f"not a release; wanted: an object with format {FORMAT!r}")
    if content.get("checksum") != checksum(content):
        raise ReleaseIsUnfit("the checksum does not match the content; the file is damaged")
    try:
        release = _build(content)
    except (KeyError, TypeError, ValueError) as error:
        raise ReleaseIsUnfit(f"a field is missing or of the wrong kind: {error!r}") from error
    _refuse_the_impossible(release)
    return release


def load(path: Path) -> Release:
    """Read a release from a file.

    Parameters
    ----------
    path : Path
        The JSON file.

    Returns
    -------
    Release

    Raises
    ------
    ReleaseIsUnfit
        See :func:`parse`.
    """
    return parse(path.read_text(encoding="utf-8"))


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
    """
    contrast = release.contrast
    content: dict[str, Any] = {
        "format": FORMAT,
        "version": release.version,
        "basis": release.basis,
        "markers": {name: _fields(marker) for name, marker in release.markers.items()},
        "contrast": {
            **_fields(contrast),
            "ramp_weeks": None if np.isinf(contrast.ramp_weeks) else contrast.ramp_weeks,
            "cap": None if np.isinf(contrast.cap) else contrast.cap,
        },
        "evidence": _fields(release.evidence),
        "variance_covariance": [list(row) for row in release.variance_covariance],
        "recalibration": list(release.recalibration),
        "recalibration_covariance": list(release.recalibration_covariance),
        "fingerprint": release.fingerprint,
        "code_version": release.code_version,
        "card": release.card,
    }
    content["checksum"] = checksum(content)
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _fields(value: Marker | Contrast | Evidence) -> dict[str, Any]:
    return {name: getattr(value, name) for name in type(value).__slots__}


def _refuse_constant(name: str) -> float:
    raise ReleaseIsUnfit(f"{name} is no figure a release may hold")


def _numbers(values: list[float], count: int) -> tuple[float, ...]:
    if len(values) != count:
        raise ValueError(f"{values!r}; wanted: {count} numbers")
    return tuple(float(value) for value in values)


def _two(values: list[float]) -> tuple[float, float]:
    first, second = _numbers(values, 2)
    return first, second


def _three(values: list[float]) -> tuple[float, float, float]:
    first, second, third = _numbers(values, 3)
    return first, second, third


def _build(content: dict[str, Any]) -> Release:
    contrast = content["contrast"]
    return Release(
        version=str(content["version"]),
        basis=str(content["basis"]),
        markers={name: _marker(content["markers"][name]) for name in ANALYTES},
        contrast=Contrast(
            delta=_two(contrast["delta"]),
            covariance=_three(contrast["covariance"]),
            shrinkage=float(contrast["shrinkage"]),
            ramp_weeks=np.inf if contrast["ramp_weeks"] is None else float(contrast["ramp_weeks"]),
            mixing=float(contrast["mixing"]),
            cap=np.inf if contrast["cap"] is None else float(contrast["cap"]),
        ),
        evidence=Evidence(**{key: float(value) for key, value in content["evidence"].items()}),
        variance_covariance=tuple(_numbers(row, 4) for row in content["variance_covariance"]),
        recalibration=_two(content["recalibration"]),
        recalibration_covariance=_three(content["recalibration_covariance"]),
        fingerprint=str(content["fingerprint"]),
        code_version=str(content["code_version"]),
        card={str(key): str(value) for key, value in content["card"].items()},
        checksum=str(content["checksum"]),
    )


def _marker(content: dict[str, Any]) -> Marker:
    return Marker(
        mean=_two(content["mean"]),
        mean_covariance=_three(content["mean_covariance"]),
        covariance=_three(content["covariance"]),
        residual=float(content["residual"]),
        within_cv=float(content["within_cv"]),
        assay_cv=float(content["assay_cv"]),
        levels={str(key): float(value) for key, value in content["levels"].items()},
        level_sd=float(content["level_sd"]),
    )


def _refuse_the_impossible(release: Release) -> None:
    for name, marker in release.markers.items():
        if not marker.residual > 0:
            raise ReleaseIsUnfit(f"markers.{name}.residual {marker.residual}; wanted: above zero")
        for label in ("covariance", "mean_covariance"):
            _refuse_no_covariance(getattr(marker, label), f"markers.{name}.{label}")
    _refuse_no_covariance(release.recalibration_covariance, "recalibration_covariance")
    if not 0 < release.evidence.prevalence < 1:
        raise ReleaseIsUnfit("evidence.prevalence; wanted: between 0 and 1")
    if np.shape(release.variance_covariance) != (4, 4):
        raise ReleaseIsUnfit("variance_covariance; wanted: 4 x 4 numbers")


def _refuse_no_covariance(triangle: tuple[float, float, float], name: str) -> None:
    a, b, c = triangle
    if a < 0 or c < 0 or a * c - b * b < -1e-12 * max(a * c, 1e-300):
        raise ReleaseIsUnfit(f"{name}; wanted: positive semidefinite")
