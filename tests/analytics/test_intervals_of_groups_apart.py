"""Whether the interval holds what it says where the groups vary differently, the truth known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from analytics import CURRENT_RELEASE
from analytics.fitting import learn, published_prior, release_of
from analytics.releases import Groups
from tests.analytics.test_intervals_in_simulated_cohorts import (
    AS_PROMISED,
    CARD,
    CONTRAST,
    EVIDENCE,
    WEEKS,
    Cohort,
    Floats,
    covered,
    labelled,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::analytics.fitting.SingularFitWarning"),
]
SLOPE_SD = 0.006
LEVEL_SD, NOISE_SD = (0.14, 0.21), (0.13, 0.18)  # of the remitting, of the resistant


def drawn_apart(n: int, *, rng: np.random.Generator) -> Cohort:
    """Draw patients of two groups with spreads of their own; the oracle weighs by both laws."""
    share, step = EVIDENCE.prevalence, np.array(CONTRAST.delta)
    X = np.column_stack([np.ones(len(WEEKS)), WEEKS])
    lines = [np.array([3.5, 0.0]) - share * step, np.array([3.5, 0.0]) + (1 - share) * step]
    resistant = rng.random(n) < share
    group = resistant.astype(int)
    sd = np.column_stack([np.array(LEVEL_SD)[group], np.full(n, SLOPE_SD)])
    line = np.array(lines)[group] + sd * rng.normal(size=(n, 2))
    noise = np.array(NOISE_SD)[group]
    level = line @ X.T + noise[:, None] * rng.normal(size=(n, len(WEEKS)))
    oracle = np.full(n, np.log(share / (1 - share)))
    for g, sign in ((0, -1), (1, 1)):
        V = X @ np.diag([LEVEL_SD[g] ** 2, SLOPE_SD**2]) @ X.T + NOISE_SD[g] ** 2 * np.eye(len(X))
        left: Floats = level - lines[g] @ X.T
        square = (left * np.linalg.solve(V, left.T).T).sum(axis=1)
        oracle = oracle - sign * 0.5 * (square + np.linalg.slogdet(V)[1])
    return Cohort(resistant, level, line, np.full(n, np.nan), oracle)


@pytest.mark.parametrize("n", [300, 1000])
def test_the_interval_by_both_laws_holds_the_answer_of_who_knows_the_truth(n: int) -> None:
    # The prevalence is told here, as it is to the oracle.
    rng = np.random.default_rng(n)
    base = replace(CURRENT_RELEASE, evidence=replace(EVIDENCE, prevalence_sd=0.0))
    prior = published_prior(CURRENT_RELEASE)
    test = drawn_apart(2000, rng=rng)

    inside, without = [], []
    for _ in range(20):
        model = learn(labelled(drawn_apart(n, rng=rng)), prior=prior, separate=True)
        release = release_of(
            model, base=base, version="x", fingerprint="f", card=CARD, segments=("a",)
        )
        assert release.groups is not None
        inside.append(covered(test, release))
        none = tuple((0.0,) * 4 for _ in range(4))
        as_known = Groups(
            replace(release.groups.remitting, variance_covariance=none),
            replace(release.groups.resistant, variance_covariance=none),
        )
        without.append(covered(test, replace(release, groups=as_known)))

    assert np.ptp(expit(test.oracle)) > 0.8
    assert np.mean(inside) == AS_PROMISED
    assert np.mean(without) < 0.92  # the variances must not be taken as known
