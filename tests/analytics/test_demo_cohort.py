"""The demo cohort: sixty synthetic people, and the stories a first look should meet."""

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from analytics import History, Outcome, estimate_cohort
from analytics.simulation import STORIES, BadSimulation, SimulatedCohort, simulate_demo_cohort

FloatArray = npt.NDArray[np.float64]
FIRST_DOSE = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def demo() -> SimulatedCohort:
    return simulate_demo_cohort(seed=7)


def test_the_demo_has_sixty_people_of_every_course(demo: SimulatedCohort) -> None:
    counts = demo.patients["course"].value_counts()

    assert len(demo.patients) == 60
    assert set(counts.index) == {"remitting", "slow", "resistant", "noisy", "interfered"}
    assert counts.min() >= 5
    assert demo.patients["followed_days"].max() == 168


def test_most_draws_are_not_the_first_of_a_new_lot(demo: SimulatedCohort) -> None:
    marker = demo.results[demo.results["analyte"] == "sIL-6R"].sort_values(["patient", "day"])
    before = marker.groupby("patient")["lot"].shift()
    is_first = before.notna() & (before != marker["lot"])

    assert is_first.any()
    assert is_first.mean() < 0.20
    assert is_first.groupby(marker["patient"]).sum().max() <= 1


def test_every_name_in_the_demo_says_that_it_is_synthetic(demo: SimulatedCohort) -> None:
    assert demo.patients["family"].str.startswith("Synthetic-").all()
    assert not demo.patients.duplicated(["family", "given"]).any()


@pytest.mark.parametrize("seed", [0, 1, 5, 42, 2026])
def test_every_story_is_told_whatever_the_seed(seed: int) -> None:
    demo = simulate_demo_cohort(seed=seed)

    key = demo.patients[demo.patients["story"] != ""].set_index("story")["patient"]
    results = {name: demo.results[demo.results["patient"] == key[name]] for name in STORIES}
    draws = demo.draws["patient"].value_counts()

    def printed(story: str, analyte: str) -> list[str]:
        rows = results[story][results[story]["analyte"] == analyte]
        return [f"{row.comparator}{row.value_text}" for row in rows.itertuples()]

    def sil6r(story: str) -> FloatArray:
        rows = results[story][results[story]["analyte"] == "sIL-6R"]
        return np.asarray(rows["value"], dtype=float)

    assert "48.0" in printed("infection", "hs-CRP")
    assert "22.5" in printed("unexplained_crp", "hs-CRP")
    assert key["unexplained_crp"] not in set(demo.events["patient"])
    assert "<0.80" in printed("censored_il6", "IL-6")
    assert sil6r("il6r_blocker").max() > 3 * sil6r("il6r_blocker")[0]
    assert sil6r("drifting_non_improver")[-1] > 1.3 * sil6r("drifting_non_improver")[0]
    assert "151.0" in printed("implausible_result", "sIL-6R")
    assert draws[key["one_draw"]] == 1
    assert key["no_draw"] not in draws.index
    assert (results["preliminary_result"]["status"] == "preliminary").any()
    suicidal = demo.ratings[demo.ratings["patient"] == key["suicidal_item"]]
    assert suicidal["q12"].iloc[-1] == 2
    relapse = demo.ratings[demo.ratings["patient"] == key["relapse"]]
    assert relapse.loc[relapse["day"].between(40, 90), "total"].min() <= 5
    assert relapse["total"].iloc[-1] >= 11


def test_the_corrected_result_is_two_reports_of_one_draw(demo: SimulatedCohort) -> None:
    key = demo.patients.set_index("story")["patient"]["corrected_result"]
    mine = demo.results[(demo.results["patient"] == key) & (demo.results["analyte"] == "sIL-6R")]
    twice = mine[mine.duplicated("accession", keep=False)]

    assert twice["status"].tolist() == ["final", "corrected"]
    assert twice["value"].iloc[0] == pytest.approx(10 * twice["value"].iloc[1])
    assert twice["reported_day"].is_monotonic_increasing
    kept = demo.history_tables(FIRST_DOSE).results
    assert twice["value"].iloc[0] not in set(kept["value"])


def test_the_demo_knows_nothing_of_the_future(demo: SimulatedCohort) -> None:
    last = demo.patients.set_index("patient")["followed_days"]

    assert (demo.results["reported_day"] <= demo.results["patient"].map(last)).all()
    assert (demo.ratings["day"] <= demo.ratings["patient"].map(last)).all()
    assert not demo.draws["accession"].duplicated().any()
    assert demo.results["accession"].isin(demo.draws["accession"]).all()


def test_the_front_door_takes_the_demo_as_it_is(demo: SimulatedCohort) -> None:
    at = datetime(2026, 11, 23, 9, tzinfo=UTC)
    days = demo.patients.set_index("patient")["followed_days"]
    tables = demo.history_tables(pd.Timestamp(at) - pd.to_timedelta(days, unit="D"))

    estimates = estimate_cohort(History(**tables._asdict()), at=at)

    outcomes = dict(zip(demo.patients["story"], (each.outcome for each in estimates), strict=True))
    assert len(estimates.table) == 60
    assert outcomes["il6r_blocker"] == Outcome.NOT_ASSESSABLE
    assert outcomes["drifting_non_improver"] == Outcome.ESTIMATED


def test_a_demo_from_a_negative_seed_is_refused() -> None:
    with pytest.raises(BadSimulation, match="seed is -3"):
        simulate_demo_cohort(seed=-3)
