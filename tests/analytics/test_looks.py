"""A limit for repeated looks: the published constants, and what is refused."""

import numpy as np
import pytest

from analytics.changes import ChangeIsUnfit
from analytics.looks import among_all, sequential_limit

# Pocock's constants, two-sided at 5 % and 1 % (Jennison and Turnbull 2000, table 2.1); passing both
# limits in one course is so rare that one-sided at half of it they are the same to three digits.
PUBLISHED = {
    0.025: {1: 1.960, 2: 2.178, 3: 2.289, 4: 2.361, 5: 2.413, 6: 2.453, 7: 2.485, 10: 2.555},
    0.005: {1: 2.576, 2: 2.772, 3: 2.873, 4: 2.939, 5: 2.986, 6: 3.023, 7: 3.053, 10: 3.117},
}


@pytest.mark.parametrize("alpha", PUBLISHED)
def test_the_limit_is_pococks(alpha: float) -> None:
    found = {looks: sequential_limit(looks=looks, alpha=alpha) for looks in PUBLISHED[alpha]}

    assert found == pytest.approx(PUBLISHED[alpha], abs=6e-4)


def test_the_limit_keeps_its_rate_in_simulated_courses() -> None:
    steps = np.random.default_rng(1).normal(size=(200_000, 7)).cumsum(axis=1)
    limit = sequential_limit(looks=7, alpha=0.075)

    passed = (steps / np.sqrt(np.arange(1, 8)) > limit).any(axis=1).mean()

    assert passed == pytest.approx(0.075, abs=0.002)


@pytest.mark.parametrize("looks", [0, 1.5, True, "7", None, 61])
def test_looks_that_are_none_are_refused(looks: int) -> None:
    with pytest.raises(ChangeIsUnfit, match=r"looks: .*; wanted: how many, whole, from 1 to 60"):
        sequential_limit(looks=looks, alpha=0.05)


@pytest.mark.parametrize("alpha", [0.0, 0.6, float("nan"), "5 %", None])
def test_a_rate_that_no_limit_keeps_is_refused(alpha: float) -> None:
    with pytest.raises(ChangeIsUnfit, match=r"alpha: .*; wanted: a rate from"):
        sequential_limit(looks=7, alpha=alpha)


@pytest.mark.parametrize("gap", [0.3, 2.0])
def test_what_a_marker_says_is_standard_among_all_patients_of_both_groups(gap: float) -> None:
    rng, share = np.random.default_rng(3), 0.3
    is_resistant = rng.random(100_000) < share
    y = rng.normal(size=100_000) + gap * (is_resistant - share)
    said = gap * (y - (0.5 - share) * gap)  # the log-odds of two normal laws of variance 1

    (z,) = among_all(share, said, np.full(100_000, gap**2))

    assert z.mean() == pytest.approx(0, abs=0.01)
    assert z.std() == pytest.approx(1, abs=0.01)


def test_where_no_information_is_told_nothing_holds_a_marker_back() -> None:
    (z,) = among_all(0.3, np.array([0.5, 0.5]), np.array([0.0, 1.0]))

    assert np.isinf(z).tolist() == [True, False]
