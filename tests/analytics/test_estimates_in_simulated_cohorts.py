"""What the marker adds to the estimate where the truth is known: nothing, or a little."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from analytics import History, Outcome, estimate_cohort
from analytics.evaluation import brier, compare_roc_areas, net_benefit_gain
from analytics.simulation import SimulatedCohort, simulate_cohort

FloatArray = npt.NDArray[np.float64]
FIRST_DOSE = datetime(2026, 3, 2, 8, tzinfo=UTC)


class Told(NamedTuple):
    """Outcome and what was told of it at one landmark, with and without the marker."""

    resistant: npt.NDArray[np.bool_]
    with_marker: FloatArray
    without_marker: FloatArray


def told(cohort: SimulatedCohort, *, week: int) -> Told:
    tables = cohort.history_tables(FIRST_DOSE)
    at = FIRST_DOSE + timedelta(weeks=week)
    table = estimate_cohort(History(**tables._asdict()), at=at).table
    known = (table["outcome"] == Outcome.ESTIMATED).to_numpy()
    return Told(
        cohort.truth["is_resistant"].to_numpy()[known],
        table["probability"].to_numpy(dtype=float)[known],
        table["probability_without_biomarker"].to_numpy(dtype=float)[known],
    )


@pytest.mark.slow
@pytest.mark.parametrize("week", [4, 12])
def test_where_the_marker_means_nothing_it_adds_no_net_benefit(week: int) -> None:
    cohort = simulate_cohort(n_patients=2000, seed=3, scenario="null")

    found = told(cohort, week=week)

    gain = net_benefit_gain(*found, seed=1, thresholds=[0.2, 0.3, 0.4, 0.5], n_bootstrap=300)
    areas = compare_roc_areas(*found)
    assert (gain["gain_low"] <= 0).all()
    assert gain["gain"].max() < 0.01
    assert areas.p_value > 0.01


@pytest.mark.slow
def test_where_the_published_gap_is_true_the_marker_ranks_better() -> None:
    cohort = simulate_cohort(n_patients=2000, seed=3, scenario="gap")

    areas = compare_roc_areas(*told(cohort, week=12))

    assert areas.low > 0


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["null", "trait", "falls", "gap"])
def test_in_forty_two_patients_the_estimate_is_not_worse_than_the_prevalence(
    scenario: str,
) -> None:
    scores, bare = [], []
    for seed in range(12):
        found = told(simulate_cohort(n_patients=42, seed=seed, scenario=scenario), week=12)
        scores.append(brier(found.resistant, found.with_marker))
        bare.append(brier(found.resistant, np.full(len(found.resistant), 0.30)))

    assert np.mean(scores) < np.mean(bare)
