"""Many patients at once say what each says alone."""

from dataclasses import replace

import numpy as np
import pytest

from analytics import History, Release, estimate_cohort
from analytics.fitting import BadDraw, RowsAreUnsorted, score_rows
from analytics.releases import load_shipped
from analytics.risk import assess_risk
from analytics.trajectories import sum_rows
from analytics.weighing import Draws, LogOdds, sum_ramp, weigh
from tests.analytics.cohorts import patients_table, results_table, week
from tests.analytics.joint_release import NAMES, joint_release, release_apart

PUBLISHED = load_shipped("published-prior-1")
Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


def rows(patients: int, *, seed: int = 1) -> Rows:
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), rng.integers(0, 9, patients))
    return patient, rng.uniform(0, 20, len(patient)), rng.normal(3.5, 0.3, len(patient))


def test_log_odds_and_probabilities_are_those_of_the_risk_model() -> None:
    # 20 000 patients are three chunks; some have no draw, some draws lie beyond the ramp.
    patient, weeks, level = rows(20_000)
    marker, contrast = PUBLISHED.markers["sIL-6R"], PUBLISHED.contrast
    y = level - (marker.mean[0] + marker.mean[1] * weeks)
    draws = Draws(
        sum_rows(patient, weeks, y, n_tracks=20_000),
        sum_ramp(patient, weeks, y, ramp_weeks=contrast.ramp_weeks, n_tracks=20_000),
    )
    expected = weigh([draws], PUBLISHED.law).log_odds

    scores = score_rows(
        patient=patient, weeks=weeks, level=level, n_patients=20_000, release=PUBLISHED
    )

    risk = assess_risk(expected, np.full(20_000, -1), PUBLISHED)
    assert scores.log_odds == pytest.approx(expected.value, rel=1e-9, abs=1e-9)
    assert scores.probability == pytest.approx(risk.probability, rel=1e-9)
    assert scores.low == pytest.approx(risk.low, rel=1e-9)
    assert scores.high == pytest.approx(risk.high, rel=1e-9)


@pytest.mark.parametrize("recalibration", [(0.0, 1.0), (0.2, 0.8)])
def test_without_an_interval_the_parameters_are_taken_as_certain(
    recalibration: tuple[float, float],
) -> None:
    release = replace(PUBLISHED, recalibration=recalibration)
    patient, weeks, level = rows(500)

    lean = score_rows(
        patient=patient,
        weeks=weeks,
        level=level,
        n_patients=500,
        release=release,
        with_interval=False,
    )

    full = score_rows(patient=patient, weeks=weeks, level=level, n_patients=500, release=release)
    has_draw = np.bincount(patient, minlength=500) > 0
    certain = LogOdds((full.log_odds,), np.where(has_draw, 1e-30, 0.0), np.zeros(500), np.zeros(1))
    assert lean.low is None
    assert lean.log_odds == pytest.approx(full.log_odds, rel=1e-9, abs=1e-9)
    assert lean.probability == pytest.approx(
        assess_risk(certain, np.full(500, -1), release).probability, rel=1e-9
    )


def test_a_patient_alone_gets_the_same_log_odds_as_among_many() -> None:
    patient, weeks, level = rows(300)
    own = patient == 123

    many = score_rows(patient=patient, weeks=weeks, level=level, n_patients=300, release=PUBLISHED)
    one = score_rows(
        patient=np.zeros(own.sum(), dtype=np.int64),
        weeks=weeks[own],
        level=level[own],
        n_patients=1,
        release=PUBLISHED,
    )

    assert one.log_odds[0] == many.log_odds[123]
    assert one.probability[0] == many.probability[123]


def score_many_backwards() -> None:
    patient, weeks, level = rows(20_000)
    score_rows(
        patient=patient[::-1], weeks=weeks, level=level, n_patients=20_000, release=PUBLISHED
    )


def test_rows_that_cannot_be_scored_are_refused() -> None:
    patient, weeks, level = rows(10)
    broken = level.copy()
    broken[2] = np.nan
    common = {"n_patients": 10, "release": PUBLISHED}

    with pytest.raises(RowsAreUnsorted):
        score_many_backwards()
    with pytest.raises(RowsAreUnsorted, match="0 to 9"):
        score_rows(patient=patient + 9, weeks=weeks, level=level, **common)  # type: ignore[arg-type]
    with pytest.raises(BadDraw, match="row 2, column 'level': nan"):
        score_rows(patient=patient, weeks=weeks, level=broken, **common)  # type: ignore[arg-type]
    with pytest.raises(BadDraw, match=r"column 'weeks': shape .* is needed"):
        score_rows(patient=patient, weeks=weeks[1:], level=level, **common)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["weeks", "level"])
@pytest.mark.parametrize("n_patients", [2, 40])
def test_a_row_that_is_no_number_is_named_among_few_and_many(
    name: str, value: float, n_patients: int
) -> None:
    patient, weeks, level = rows(n_patients)
    columns = {"weeks": weeks, "level": level}
    columns[name] = np.where(np.arange(len(weeks)) == 1, value, columns[name])

    for with_interval in (False, True):
        with pytest.raises(BadDraw, match=f"row 1, column '{name}': {value}"):
            score_rows(
                patient=patient,
                n_patients=n_patients,
                release=PUBLISHED,
                with_interval=with_interval,
                **columns,
            )


@pytest.mark.parametrize("release", [joint_release(), release_apart(mean_scale=1e-3)])
def test_several_markers_are_scored_as_the_front_door_scores_them(release: Release) -> None:
    rng = np.random.default_rng(6)
    patient = np.sort(rng.integers(0, 40, 260))
    weeks, marker = rng.uniform(0, 20, 260), rng.integers(0, 2, 260)
    level = np.where(marker == 0, 3.4, 0.4) + rng.normal(0, 0.4, 260)
    table = results_table(np.exp(level).tolist(), weeks=weeks.tolist(), is_confirmed=True)
    table = table.assign(patient_id=patient + 1, analyte=np.array(NAMES, dtype=object)[marker])
    history = History(patients=patients_table(range(1, 41)), results=table)
    expected = estimate_cohort(history, at=week(20), release=release).table

    scores = score_rows(
        patient=patient, weeks=weeks, level=level, n_patients=40, release=release, marker=marker
    )
    lean = score_rows(
        patient=patient,
        weeks=weeks,
        level=level,
        n_patients=40,
        release=release,
        marker=marker,
        with_interval=False,
    )

    known = expected["outcome"] == "estimated"
    assert known.sum() > 35
    for name, found in (
        ("probability", scores.probability),
        ("probability_low", scores.low),
        ("probability_high", scores.high),
    ):
        assert found is not None
        assert found[known] == pytest.approx(expected.loc[known, name].to_numpy(), rel=1e-7)
    assert lean.log_odds == pytest.approx(scores.log_odds, rel=1e-12)
    with pytest.raises(BadDraw, match="2 - 0 to 1 are needed, the places of sIL-6R, IL-6"):
        score_rows(
            patient=patient,
            weeks=weeks,
            level=level,
            n_patients=40,
            release=release,
            marker=marker + 1,
        )
