"""Refuses a release that says what cannot be, naming the field and what would be right."""

from collections.abc import Sequence

import numpy as np

from analytics.releases.law import Square, square
from analytics.releases.model import ANALYTES, BASES, Contrast, Joint, Marker, Release

ROUNDING = 1e-9
LEAST_RESIDUAL = 1e-12  # a CV of a millionth; what is smaller is a fit that has broken down
# What a reader must be told, with the item of TRIPOD+AI (Collins 2024, BMJ 385:e078378) it answers
CARD = {
    "title": "item 1, what is predicted, in whom",
    "data": "item 5, where the data come from",
    "outcome": "item 8, what counts as the outcome and when it is known",
    "predictors": "item 9, what goes in",
    "method": "item 12, how it was made",
    "performance": "item 23, discrimination and calibration, or that none were measured",
    "limits": "item 26, what it cannot say",
    "status": "item 27, what it may be used for",
}
# What a card may say besides, and the published one does
CARD_BESIDES = {
    "population": "item 6, in whom it is meant to be used",
    "sample_size": "item 10, on how many it rests",
    "missing_data": "item 11, what becomes of what is missing",
    "fairness": "item 14, whether it holds alike in groups of people",
    "output": "item 15, what comes out",
    "code": "item 18f, where the code is",
    "specification": "item 22, where the coefficients are",
    "replaced_when": "item 24, when it is to be renewed",
}


class ReleaseIsUnfit(ValueError):
    """A release file is damaged, of another format, or says what cannot be."""


def need_release(given: object, *, name: str = "release") -> None:
    """Refuse what is no release: its name, or the text of its file.

    Parameters
    ----------
    given : object
    name : str
        Of the argument.

    Raises
    ------
    TypeError
    """
    if not isinstance(given, Release):
        shown = repr(given) if isinstance(given, str) and len(given) < 80 else type(given).__name__
        wanted = "a Release, as load(path) or load_shipped(name) gives it"
        raise TypeError(f"{name}: {shown}; wanted: {wanted}")


def refuse_the_impossible(release: Release) -> None:
    """Refuse figures that cannot be.

    Parameters
    ----------
    release : Release
        As read.

    Raises
    ------
    ReleaseIsUnfit
    """
    _refuse_card(release.card)
    if not release.version.strip():
        raise ReleaseIsUnfit(f"version {release.version!r}; wanted: a name to print")
    if release.basis not in BASES:
        raise ReleaseIsUnfit(f"basis {release.basis!r}; wanted: {' or '.join(map(repr, BASES))}")
    for name, marker in release.markers.items():
        _refuse_marker(name, marker)
    _refuse_contrast(release.contrast)
    _refuse_joint(release)
    _refuse_groups(release)
    _refuse_no_covariance(square(release.recalibration_covariance), "recalibration_covariance")
    _refuse_no_covariance(release.variance_covariance, "variance_covariance")
    _refuse_unreal(release.recalibration, "recalibration")
    if not release.recalibration[1] >= 0:
        raise ReleaseIsUnfit(
            f"recalibration {list(release.recalibration)}; wanted: a slope of at least zero, so "
            "that what speaks for resistance is not turned round"
        )
    if not release.code_version.strip():
        raise ReleaseIsUnfit("code_version ''; wanted: the version of the code that made it")
    if release.basis != "prior only" and not release.fingerprint.strip():
        raise ReleaseIsUnfit(
            f"fingerprint ''; wanted: that of the data, as the basis is {release.basis!r}"
        )
    if release.basis == "local labels" and not release.learned_from:
        raise ReleaseIsUnfit(
            "learned_from []; wanted: a digest of every patient whose outcome it was trained on"
        )
    if not 0 < release.evidence.prevalence < 1:
        raise ReleaseIsUnfit(
            f"evidence.prevalence {release.evidence.prevalence}; wanted: between 0 and 1"
        )
    for field in ("prevalence_sd", "early_sd"):
        _refuse_below(getattr(release.evidence, field), 0, f"evidence.{field}")
    weights = release.evidence.early_improvement, release.evidence.early_non_improvement
    _refuse_unreal(weights, "evidence.early_improvement, early_non_improvement")


def _refuse_card(card: dict[str, str]) -> None:
    missing = [f"{name} ({what})" for name, what in CARD.items() if not card.get(name, "").strip()]
    if missing:
        raise ReleaseIsUnfit(f"card; wanted: the items of TRIPOD+AI {'; '.join(missing)}")


def _refuse_marker(name: str, marker: Marker) -> None:
    where = f"markers.{name}"
    if not LEAST_RESIDUAL <= marker.residual < np.inf:
        raise ReleaseIsUnfit(
            f"{where}.residual {marker.residual}; wanted: above zero, at least {LEAST_RESIDUAL}"
        )
    for label in ("covariance", "mean_covariance"):
        _refuse_no_covariance(square(getattr(marker, label)), f"{where}.{label}")
    for label in ("within_cv", "assay_cv", "level_sd"):
        _refuse_below(getattr(marker, label), 0, f"{where}.{label}")
    for label in ("within_cv", "assay_cv"):
        if getattr(marker, label) > 1:
            raise ReleaseIsUnfit(
                f"{where}.{label} {getattr(marker, label)}; wanted: a share of at most 1, "
                "0.07 for 7 %"
            )
    _refuse_unreal(marker.mean, f"{where}.mean")
    _refuse_unreal(tuple(marker.levels.values()), f"{where}.levels")


def _refuse_contrast(contrast: Contrast) -> None:
    names = contrast.markers
    if not names or len(set(names)) != len(names) or not set(names) <= set(ANALYTES):
        raise ReleaseIsUnfit(
            f"contrast.markers {list(names)}; wanted: some of {', '.join(ANALYTES)}, once each"
        )
    _refuse_unreal(contrast.delta, "contrast.delta")
    _refuse_no_covariance(square(contrast.covariance), "contrast.covariance")
    if not 0 <= contrast.shrinkage <= 1:
        raise ReleaseIsUnfit(f"contrast.shrinkage {contrast.shrinkage}; wanted: from 0 to 1")
    if not 0 < contrast.mixing < 1:
        raise ReleaseIsUnfit(f"contrast.mixing {contrast.mixing}; wanted: between 0 and 1")
    for field in ("ramp_weeks", "cap"):
        if not getattr(contrast, field) > 0:
            raise ReleaseIsUnfit(f"contrast.{field} {getattr(contrast, field)}; wanted: above zero")


def _refuse_joint(release: Release) -> None:
    """Refuse a joint law that is missing, not one, or not that of the markers it joins."""
    names, joint = release.informative, release.joint
    if joint is None:
        if len(names) > 1:
            raise ReleaseIsUnfit(f"joint; wanted: the law of {', '.join(names)} together")
        return
    for label in Joint.__slots__:
        whole = square(getattr(joint, label))
        _refuse_no_covariance(whole, f"joint.{label}")
        for place, name in enumerate(names):
            own = square(getattr(release.markers[name], label))
            block = [row[2 * place : 2 * place + 2] for row in whole[2 * place : 2 * place + 2]]
            if not np.allclose(block, own, rtol=ROUNDING, atol=0):
                raise ReleaseIsUnfit(f"joint.{label}; wanted: for {name} that of markers.{name}")


def _refuse_groups(release: Release) -> None:
    """Refuse groups that cannot be, or that are not what the markers' own laws are the mean of."""
    groups, share = release.groups, release.contrast.mixing
    if groups is None:
        return
    for name, group in (("remitting", groups.remitting), ("resistant", groups.resistant)):
        where = f"groups.{name}"
        _refuse_no_covariance(square(group.covariance), f"{where}.covariance")
        _refuse_no_covariance(group.variance_covariance, f"{where}.variance_covariance")
        if not all(LEAST_RESIDUAL <= each < np.inf for each in group.residual):
            raise ReleaseIsUnfit(
                f"{where}.residual {list(group.residual)}; wanted: above zero, at least "
                f"{LEAST_RESIDUAL}"
            )
    both = (1 - share) * np.array(square(groups.remitting.covariance))
    both = both + share * np.array(square(groups.resistant.covariance))
    noise = (1 - share) * np.array(groups.remitting.residual)
    noise = noise + share * np.array(groups.resistant.residual)
    for place, name in enumerate(release.informative):
        marker, own = release.markers[name], slice(2 * place, 2 * place + 2)
        for label, mean, stated in (
            ("covariance", both[own, own], square(marker.covariance)),
            ("residual", noise[place], marker.residual),
        ):
            if not np.allclose(mean, stated, rtol=ROUNDING, atol=1e-15):
                raise ReleaseIsUnfit(
                    f"markers.{name}.{label}; wanted: the mean of both groups by their shares"
                )


def _refuse_unreal(values: Sequence[float], name: str) -> None:
    if not np.isfinite(values).all():
        raise ReleaseIsUnfit(f"{name} {list(values)}; wanted: finite numbers")


def _refuse_below(value: float, least: float, name: str) -> None:
    if not least <= value < np.inf:
        raise ReleaseIsUnfit(f"{name} {value}; wanted: a finite number of at least {least}")


def _refuse_no_covariance(matrix: Square, name: str) -> None:
    values = np.array(matrix)
    wanted = f"{name}; wanted: symmetric and positive semidefinite"
    if not np.isfinite(values).all() or not np.allclose(values, values.T, rtol=ROUNDING, atol=0):
        raise ReleaseIsUnfit(wanted)
    unit = np.sqrt(np.maximum(np.diag(values), np.finfo(float).tiny))
    if np.any(np.diag(values) < 0) or np.linalg.eigvalsh(values / np.outer(unit, unit))[0] < -1e-7:
        raise ReleaseIsUnfit(wanted)
