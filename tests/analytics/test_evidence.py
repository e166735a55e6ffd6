"""The constants carry their source, and the derived ones can be derived again."""

from dataclasses import fields
from math import log, sqrt

import pytest
from scipy.stats import t as student

from analytics import evidence
from analytics.evidence import Constant, Grade

CONSTANTS = evidence.constants()


@pytest.mark.parametrize("constant", CONSTANTS, ids=lambda one: one.name)
def test_every_constant_has_a_source_and_a_unit(constant: Constant) -> None:
    assert all(getattr(constant, field.name) is not None for field in fields(constant))
    assert constant.source
    assert constant.unit
    assert constant.grade in Grade


def test_no_two_constants_have_one_name() -> None:
    assert len({constant.name for constant in CONSTANTS}) == len(CONSTANTS)


def test_no_constant_changes_without_a_new_version() -> None:
    wanted = evidence.DIGESTS[evidence.VERSION]

    assert evidence.digest() == wanted, "a new figure, source or grade is a new evidence.VERSION"
    assert len(set(evidence.DIGESTS.values())) == len(evidence.DIGESTS)


def test_the_spread_follows_from_the_published_means_and_p() -> None:
    n = evidence.SEED_N_RESISTANT.value, evidence.SEED_N_REMITTED.value
    means = evidence.SEED_SIL6R_RESISTANT.value, evidence.SEED_SIL6R_REMITTED.value
    statistic = student.isf(evidence.SEED_SIL6R_P.value / 2, n[0] + n[1] - 2)

    sd = (means[0] - means[1]) / statistic / sqrt(1 / n[0] + 1 / n[1])

    # statistics reference, section 4: t = 2.542, pooled SD 8.134
    assert statistic == pytest.approx(2.542, abs=0.001)
    assert sd == pytest.approx(8.134, abs=0.002)
    cv = sd / ((means[0] * n[0] + means[1] * n[1]) / (n[0] + n[1]))
    assert sqrt(log(1 + cv**2)) == pytest.approx(evidence.SEED_SD_LN.value, abs=0.003)
    assert log(means[0] / means[1]) == pytest.approx(evidence.CONTRAST_LN.value, abs=0.001)


def test_the_log_odds_of_early_improvement_follow_from_sensitivity_and_specificity() -> None:
    sensitivity, specificity = evidence.EARLY_SENSITIVITY.value, evidence.EARLY_SPECIFICITY.value

    assert log(specificity / (1 - sensitivity)) == pytest.approx(
        evidence.EARLY_NON_IMPROVEMENT_LOG_ODDS.value, abs=0.005
    )
    assert log((1 - specificity) / sensitivity) == pytest.approx(
        evidence.EARLY_IMPROVEMENT_LOG_ODDS.value, abs=0.006
    )
