"""A release with two informative markers, and its log-odds by matrices written out, for tests."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.stats import multivariate_normal

from analytics import CURRENT_RELEASE, Release
from analytics.releases import Contrast, Groups, GroupSpread, Joint, dump, mark_of, parse
from analytics.releases.law import triangle_of

Floats = npt.NDArray[np.float64]
NAMES = ("sIL-6R", "IL-6")
BETWEEN = np.array(
    [
        [0.028, 0.0001, 0.045, 0.0],
        [0.0001, 0.0001, 0.0, 0.0002],
        [0.045, 0.0, 0.22, -0.001],
        [0.0, 0.0002, -0.001, 0.0009],
    ]
)
RESIDUAL = (0.027, 0.09)
DELTA = (0.12, 0.008, 0.3, -0.01)
VARIANCE_SCALE = 0.01
SHARE = 0.35
APART = (BETWEEN * 0.7, BETWEEN * 1.9)  # of the remitting, of the resistant
NOISE = (np.array(RESIDUAL) * 0.8, np.array(RESIDUAL) * 1.6)


def joint_release(*, mean_scale: float = 1e-3, contrast_scale: float = 1e-3) -> Release:
    """Make it as training on labels would."""
    rng = np.random.default_rng(3)
    scale = np.array([1, 0.05, 1, 0.05])[:, None]
    root, other = scale * rng.normal(0, 1, (4, 4)), scale * rng.normal(0, 1, (4, 4))
    mean_covariance = mean_scale * root @ root.T
    covariance = contrast_scale * other @ other.T
    sizes = np.append(np.abs(BETWEEN[np.tril_indices(4)]) + 1e-4, RESIDUAL)
    spread = rng.normal(0, VARIANCE_SCALE, (12, 12)) * sizes[:, None]
    markers = dict(CURRENT_RELEASE.markers)
    for place, name in enumerate(NAMES):
        own = slice(2 * place, 2 * place + 2)
        markers[name] = replace(
            markers[name],
            mean=(3.4, 0.001) if place == 0 else (0.4, -0.002),
            covariance=triangle_of(BETWEEN[own, own].tolist()),
            mean_covariance=triangle_of(mean_covariance[own, own].tolist()),
            residual=RESIDUAL[place],
        )
    made = replace(
        CURRENT_RELEASE,
        version="joint-1",
        basis="local labels",
        fingerprint="of invented data",
        learned_from=frozenset({mark_of(0, "joint-1")}),
        markers=markers,
        contrast=Contrast(
            delta=DELTA,
            covariance=triangle_of(covariance.tolist()),
            shrinkage=1.0,
            ramp_weeks=12.0,
            mixing=SHARE,
            cap=np.inf,
            markers=NAMES,
        ),
        variance_covariance=tuple(map(tuple, (spread @ spread.T).tolist())),
        joint=Joint(triangle_of(BETWEEN.tolist()), triangle_of(mean_covariance.tolist())),
    )
    return parse(dump(made))


def release_apart(*, mean_scale: float = 1e-14, contrast_scale: float = 1e-7) -> Release:
    """Make one whose groups vary differently."""
    joint = joint_release(mean_scale=mean_scale, contrast_scale=contrast_scale)
    assert joint.joint is not None
    rng = np.random.default_rng(8)
    both = (1 - SHARE) * APART[0] + SHARE * APART[1]
    noise = (1 - SHARE) * NOISE[0] + SHARE * NOISE[1]
    groups = []
    for D, s2 in zip(APART, NOISE, strict=True):
        root = (
            0.02 * rng.normal(0, 1, (12, 12)) * np.append(np.abs(BETWEEN[np.tril_indices(4)]), s2)
        )
        groups.append(
            GroupSpread(
                triangle_of(D.tolist()),
                tuple(s2.tolist()),
                tuple(map(tuple, (root.T @ root).tolist())),
            )
        )
    markers = dict(joint.markers)
    for place, name in enumerate(NAMES):
        own = slice(2 * place, 2 * place + 2)
        markers[name] = replace(
            markers[name], covariance=triangle_of(both[own, own].tolist()), residual=noise[place]
        )
    made = replace(
        joint,
        version="apart-1",
        markers=markers,
        joint=replace(joint.joint, covariance=triangle_of(both.tolist())),
        groups=Groups(*groups),
    )
    return parse(dump(made))


def rows_of(marker: npt.NDArray[np.int64], weeks: Floats, ramp: float) -> tuple[Floats, Floats]:
    """Write the designs X and Z of all results of one patient out."""
    X, Z = np.zeros((len(weeks), 4)), np.zeros((len(weeks), 4))
    rows = np.arange(len(weeks))
    X[rows, 2 * marker] = Z[rows, 2 * marker] = 1
    X[rows, 2 * marker + 1], Z[rows, 2 * marker + 1] = weeks, np.minimum(weeks, ramp)
    return X, Z


def log_ratio(
    marker: npt.NDArray[np.int64],
    weeks: Floats,
    y: Floats,
    *,
    release: Release,
    between: Floats = BETWEEN,
    residual: Floats | tuple[float, ...] = RESIDUAL,
    delta: Floats | tuple[float, ...] = DELTA,
    mean: Floats | None = None,
) -> float:
    """Take the difference of two full multivariate normal log densities of ln concentrations."""
    contrast = release.contrast
    X, Z = rows_of(marker, weeks, contrast.ramp_weeks)
    if mean is None:
        mean = np.concatenate([release.markers[name].mean for name in NAMES])
    V = X @ between @ X.T + np.diag(np.array(residual)[marker])
    step = Z @ np.array(delta)
    one = multivariate_normal(X @ mean + (1 - contrast.mixing) * step, V).logpdf(y)
    other = multivariate_normal(X @ mean - contrast.mixing * step, V).logpdf(y)
    return float(one - other)
