"""Lines of two groups, weighted: intervals and bands are quantiles of the mixture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import norm

from analytics.mixtures import MixedLines, StraightLine, band, interval, stand


def quantile(share: float, one: float, other: float, sd: float, p: float) -> float:
    """Find the quantile of the mixture by the root finder of another program."""

    def over(x: float) -> float:
        return float(share * norm.cdf(x, one, sd) + (1 - share) * norm.cdf(x, other, sd) - p)

    reach = 10 * sd
    return float(brentq(over, min(one, other) - reach, max(one, other) + reach, xtol=1e-14))


@given(st.floats(0.001, 0.999), st.floats(-40, 40), st.floats(0.01, 3))
def test_the_interval_is_that_of_the_mixture(share: float, apart: float, sd: float) -> None:
    low, high = interval(*(np.array([part]) for part in (share, apart * sd, 0.0, sd)))

    for found, p in ((low[0], 0.025), (high[0], 0.975)):
        # Where the two laws lie far apart the quantile is steep; the probability is what is owed.
        reached = share * norm.cdf(found, apart * sd, sd) + (1 - share) * norm.cdf(found, 0, sd)
        assert reached == pytest.approx(p, abs=1e-12)
        if abs(apart) < 5:
            assert found == pytest.approx(quantile(share, apart * sd, 0.0, sd, p), abs=1e-9)


def test_one_patient_and_many_have_the_same_interval_to_the_bit() -> None:
    rng = np.random.default_rng(1)
    parts = rng.random(500), rng.normal(0, 2, 500), rng.normal(0, 2, 500), rng.uniform(0.1, 2, 500)

    many = interval(*parts)

    alone = [interval(*(part[place : place + 1] for part in parts)) for place in range(500)]
    assert np.array_equal(many[0], np.concatenate([low for low, _ in alone]))
    assert np.array_equal(many[1], np.concatenate([high for _, high in alone]))


def lines(share: float) -> MixedLines:
    def array(value: float) -> np.ndarray:
        return np.array([value])

    return MixedLines(
        share=array(share),
        resistant=StraightLine(array(3.7), array(0.04), array(0.01)),
        remitting=StraightLine(array(3.4), array(-0.02), array(0.0)),
        v00=array(0.01),
        v01=array(-0.0004),
        v11=array(0.0002),
        residual=array(0.027),
        bend_weeks=12.0,
    )


def test_level_slope_and_rise_are_those_of_both_groups_weighted() -> None:
    found = stand(lines(0.3), np.array([16.0]))

    # By hand: the resistant line is at 3.7 + 12 * 0.04 + 4 * 0.01, the other at 3.4 - 12 * 0.02.
    assert found.level[0] == pytest.approx(0.3 * 4.22 + 0.7 * 3.16)
    sd = np.sqrt(0.01 - 32 * 0.0004 + 256 * 0.0002)
    assert found.level_low[0] == pytest.approx(quantile(0.3, 4.22, 3.16, sd, 0.025))
    assert found.slope[0] == pytest.approx(0.3 * 0.01)
    rising = 0.3 * norm.sf(0, 0.01, np.sqrt(0.0002)) + 0.7 * 0.5
    assert found.rising[0] == pytest.approx(rising)


def test_before_the_bend_the_slope_is_the_earlier_one() -> None:
    assert stand(lines(1.0), np.array([4.0])).slope[0] == pytest.approx(0.04)


def test_the_band_covers_new_results_of_both_groups_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    law = lines(0.3)
    weeks = np.array([2.0, 20.0])
    is_resistant = rng.random(200_000) < 0.3
    person = rng.multivariate_normal([0, 0], [[0.01, -0.0004], [-0.0004, 0.0002]], 200_000)

    drawn = band(law, weeks)

    for place, week in enumerate(weeks):
        middles = [line.at(np.array([week]), 12.0)[0] for line in (law.resistant, law.remitting)]
        level = np.where(is_resistant, *middles) + person @ [1, week]
        new = np.exp(level + rng.normal(0, np.sqrt(0.027), 200_000))
        within = (drawn.low[place] <= new) & (new <= drawn.high[place])
        assert within.mean() == pytest.approx(0.95, abs=0.002)
        assert (new < drawn.low[place]).mean() == pytest.approx(0.025, abs=0.0015)
