"""Several informative markers in the front door: weighed together, never as if independent."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit, ndtr

from analytics import (
    CURRENT_RELEASE,
    Estimate,
    EvidenceKind,
    History,
    Release,
    ReleaseIsUnfit,
    estimate_cohort,
)
from analytics.releases import checksum, dump, load, parse
from tests.analytics.cohorts import patients_table, results_table, week
from tests.analytics.joint_release import (
    BETWEEN,
    DELTA,
    NAMES,
    RESIDUAL,
    joint_release,
    log_ratio,
    rows_of,
)

CERTAIN = replace(
    joint_release(mean_scale=1e-14, contrast_scale=1e-14),
    variance_covariance=tuple(map(tuple, np.zeros((12, 12)).tolist())),
)
WEEKS = {"sIL-6R": [0.0, 4.0, 8.0, 15.0], "IL-6": [1.0, 4.0, 20.0]}
LOGS = {"sIL-6R": [3.6, 3.5, 3.8, 3.7], "IL-6": [0.5, 0.8, 0.2]}
AT = week(24)


def results(
    weeks: dict[str, list[float]] = WEEKS, logs: dict[str, list[float]] = LOGS
) -> pd.DataFrame:
    tables = [
        results_table(np.exp(logs[name]).tolist(), weeks=weeks[name], analyte=name)
        for name in weeks
    ]
    return pd.concat(tables, ignore_index=True)


def estimate(table: pd.DataFrame, release: Release) -> Estimate:
    (found,) = estimate_cohort(
        History(patients=patients_table(), results=table), at=AT, release=release
    )
    return found


def pieces(found: Estimate) -> dict[str, float]:
    return {
        str(part.facts["analyte"]): part.log_odds
        for part in found.contributions
        if part.evidence is EvidenceKind.BIOMARKER
    }


Floats = npt.NDArray[np.float64]


def columns(names: tuple[str, ...] = NAMES) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    marker = np.concatenate([[NAMES.index(name)] * len(WEEKS[name]) for name in names])
    weeks = np.concatenate([WEEKS[name] for name in names])
    y = np.concatenate([LOGS[name] for name in names])
    return marker.astype(np.int64), weeks, y


def test_the_log_odds_of_two_markers_are_the_difference_of_two_full_densities() -> None:
    found = estimate(results(), CERTAIN)

    assert sum(pieces(found).values()) == pytest.approx(
        log_ratio(*columns(), release=CERTAIN), rel=1e-9
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_marker_that_was_never_drawn_is_missing_and_no_more(name: str) -> None:
    found = estimate(results({name: WEEKS[name]}, LOGS), CERTAIN)

    assert pieces(found) == {
        name: pytest.approx(log_ratio(*columns((name,)), release=CERTAIN), rel=1e-9)
    }


def test_each_piece_is_the_markers_results_times_their_weights_beside_the_others() -> None:
    marker, weeks, y = columns()
    X, Z = rows_of(marker, weeks, 12.0)
    mean = np.concatenate([CERTAIN.markers[name].mean for name in NAMES])
    weights = np.linalg.solve(X @ BETWEEN @ X.T + np.diag(np.array(RESIDUAL)[marker]), Z @ DELTA)
    parts = weights * (y - X @ mean - (0.5 - 0.35) * Z @ DELTA)

    found = pieces(estimate(results(), CERTAIN))

    for place, name in enumerate(NAMES):
        assert found[name] == pytest.approx(parts[marker == place].sum(), rel=1e-9)


def test_markers_that_go_together_say_less_than_as_if_independent() -> None:
    high = {"sIL-6R": [4.0] * 4, "IL-6": [1.2] * 3}
    apart = BETWEEN.copy()
    apart[:2, 2:] = apart[2:, :2] = 0
    marker, weeks, _ = columns()
    y = np.concatenate([high[name] for name in NAMES])

    together = sum(pieces(estimate(results(logs=high), CERTAIN)).values())

    alone = log_ratio(marker, weeks, y, release=CERTAIN, between=apart)
    assert together == pytest.approx(log_ratio(marker, weeks, y, release=CERTAIN), rel=1e-9)
    assert together < 0.8 * alone


def test_the_variance_is_the_delta_method_over_all_parameters_of_both_markers() -> None:
    release = joint_release(mean_scale=1e-14, contrast_scale=1e-7)
    data = columns()
    corners = list(zip(*np.tril_indices(4), strict=True))

    def ratio(at: Floats) -> float:
        between = np.zeros((4, 4))
        for (i, j), entry in zip(corners, at[:10], strict=True):
            between[i, j] = between[j, i] = entry
        return log_ratio(*data, release=release, between=between, residual=at[10:12], delta=at[12:])

    at = np.concatenate([[BETWEEN[i, j] for i, j in corners], RESIDUAL, DELTA])
    slopes = np.empty(16)
    for place in range(16):
        move = np.zeros(16)
        move[place] = 1e-5 * max(abs(at[place]), 1e-3)
        slopes[place] = (ratio(at + move) - ratio(at - move)) / (2 * move[place])
    law = release.law
    expected = slopes[:12] @ release.variance_matrix @ slopes[:12]
    expected += slopes[12:] @ np.array(law.delta_covariance) @ slopes[12:]

    found = estimate(results(), release).contributions[-1].facts["log_odds_sd"]

    assert isinstance(found, float)
    assert found**2 == pytest.approx(expected, rel=1e-5)


def test_an_uncertain_line_and_contrast_widen_by_as_much_as_simulation_says() -> None:
    # Patients drawn from the release's own uncertainty, weighed by who knows the truth.
    release = replace(
        joint_release(mean_scale=3e-3, contrast_scale=3e-3),
        variance_covariance=tuple(map(tuple, np.zeros((12, 12)).tolist())),
    )
    marker, weeks, _ = columns()
    X, Z = rows_of(marker, weeks, 12.0)
    law, rng, many = release.law, np.random.default_rng(4), 4000
    mean = np.concatenate([release.markers[name].mean for name in NAMES])
    line = rng.multivariate_normal(mean, np.array(law.mean_covariance), many)
    step = rng.multivariate_normal(DELTA, np.array(law.delta_covariance), many)
    resistant = rng.random(many) < law.share
    V = X @ BETWEEN @ X.T + np.diag(np.array(RESIDUAL)[marker])
    middle = line @ X.T + (0.5 - law.share) * step @ Z.T
    noise = rng.multivariate_normal(np.zeros(len(weeks)), V, many)
    y = middle + (resistant - 0.5)[:, None] * (step @ Z.T) + noise
    oracle = ((y - middle) @ np.linalg.inv(V) * (step @ Z.T)).sum(axis=1)
    table = pd.concat(
        results_table(np.exp(y[:, row]).tolist(), weeks=[w] * many, analyte=NAMES[m]).assign(
            patient_id=np.arange(1, many + 1), status="corrected"
        )
        for row, (m, w) in enumerate(zip(marker, weeks, strict=True))
    )
    history = History(patients=patients_table(range(1, many + 1)), results=table)

    risk = estimate_cohort(history, at=AT, release=release).risk

    z = (oracle - risk.pieces[0] - risk.pieces[1]) / risk.marker_sd
    assert np.sqrt((z**2).mean()) == pytest.approx(1.0, abs=0.12)


def joint_results(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(9)
    tables = []
    for patient in range(1, n + 1):
        for name, centre in (("sIL-6R", 3.5), ("IL-6", 0.4), ("hs-CRP", 0.2)):
            weeks = np.sort(rng.choice(24, int(rng.integers(0, 6)), replace=False)).tolist()
            logs = centre + rng.normal(0, 0.3) + rng.normal(0, 0.25, len(weeks))
            table = results_table(
                np.exp(logs).tolist(), weeks=weeks, patient_id=patient, analyte=name
            )
            below = rng.random(len(weeks)) < (0.3 if name == "IL-6" else 0.0)
            tables.append(table.assign(comparator=np.where(below, "<", "").astype(object)))
    return pd.concat(tables)


def joint_cohort(n: int) -> History:
    return History(patients=patients_table(range(1, n + 1)), results=joint_results(n))


def test_a_patient_alone_gets_the_same_numbers_bit_for_bit_from_a_joint_release() -> None:
    whole, rows = joint_cohort(60), joint_results(60)
    release = joint_release()
    together = {one.patient_id: one for one in estimate_cohort(whole, at=AT, release=release)}

    for patient in (1, 7, 23, 60):
        own = rows[rows["patient_id"] == patient]
        history = History(patients=patients_table([patient]), results=own)
        (alone,) = estimate_cohort(history, at=AT, release=release)
        assert alone == together[patient]


def test_the_pieces_of_a_joint_release_add_up_to_the_log_odds() -> None:
    release = replace(joint_release(), recalibration=(0.2, 0.8))

    found = estimate_cohort(joint_cohort(60), at=AT, release=release)

    for one in found:
        if one.probability is not None:
            total = 0.0
            for part in one.contributions:
                total += part.log_odds
            assert one.probability == expit(total)
    table = found.table
    names = ("prior", "local_prevalence", "symptoms", "sil6r", "il6", "tnf", "crp", "caution")
    sums = table[[f"{name}_log_odds" for name in names]].sum(axis=1)
    known = table["probability"].notna()
    assert known.any()
    assert np.allclose(logit(table["probability"][known]), sums[known], rtol=1e-12)
    assert (table["crp_log_odds"].dropna() == 0).all()


def test_the_local_prevalence_is_a_piece_of_its_own_and_the_slope_weighs_the_markers() -> None:
    release = replace(CERTAIN, recalibration=(0.2, 0.8))

    plain, found = estimate(results(), CERTAIN), estimate(results(), release)

    own = {name: 0.8 * piece for name, piece in pieces(plain).items()}
    assert pieces(found) == pytest.approx(own)
    kinds = [part.evidence for part in found.contributions]
    assert kinds[:2] == [EvidenceKind.PRIOR, EvidenceKind.LOCAL_PREVALENCE]
    assert found.contributions[1].log_odds == 0.2
    assert found.contributions[1].facts == {"prevalence": pytest.approx(expit(logit(0.3) + 0.2))}
    assert found.probability_without_biomarker == pytest.approx(expit(logit(0.3) + 0.2))


def test_without_any_marker_the_risk_is_that_without_biomarkers() -> None:
    found = estimate_cohort(joint_cohort(60), at=AT, release=joint_release())

    silent = found.risk.marker_sd == 0
    assert silent.any()
    assert np.array_equal(found.risk.probability[silent], found.risk.probability_without[silent])


def test_a_level_that_is_shown_learns_from_the_other_marker() -> None:
    low = estimate(results(logs={**LOGS, "IL-6": [-0.8, -0.9, -0.7]}), CERTAIN)
    high = estimate(results(logs={**LOGS, "IL-6": [1.8, 1.9, 1.7]}), CERTAIN)

    assert low.trajectories[0].analyte == high.trajectories[0].analyte == "sIL-6R"
    assert low.trajectories[0].level_now < high.trajectories[0].level_now


def test_a_limit_is_judged_by_the_other_markers_results_too() -> None:
    # One IL-6 below a limit beside three sIL-6R: the exact integral over what IL-6 could be.
    table = pd.concat(
        [
            results_table(np.exp([3.9, 4.0, 3.95]).tolist(), weeks=[0, 4, 8]),
            results_table([0.9], weeks=[8], analyte="IL-6", comparator="<"),
        ]
    )
    marker = np.array([0, 0, 0, 1])
    weeks = np.array([0.0, 4.0, 8.0, 8.0])
    X, Z = rows_of(marker, weeks, 12.0)
    V = X @ BETWEEN @ X.T + np.diag(np.array(RESIDUAL)[marker])
    mean = X @ np.concatenate([CERTAIN.markers[name].mean for name in NAMES])
    known, y = V[:3, :3], np.array([3.9, 4.0, 3.95])
    expected = log_ratio(marker[:3], weeks[:3], y, release=CERTAIN)
    chance = []
    for own in (0.65, -0.35):
        middle = mean + own * Z @ DELTA
        gain = np.linalg.solve(known, V[:3, 3])
        centre = middle[3] + gain @ (y - middle[:3])
        chance.append(ndtr((np.log(0.9) - centre) / np.sqrt(V[3, 3] - gain @ V[:3, 3])))

    found = sum(pieces(estimate(table, CERTAIN)).values())

    # One Gaussian stands in under both groups; the rest is what that costs.
    assert found == pytest.approx(expected + np.log(chance[0] / chance[1]), abs=0.03)


@settings(max_examples=30, deadline=None)
@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_the_units_of_a_marker_move_nothing_but_its_level(first: float, second: float) -> None:
    moves = dict(zip(NAMES, (first, second), strict=True))
    markers = {
        name: replace(marker, mean=(marker.mean[0] + moves.get(name, 0.0), marker.mean[1]))
        for name, marker in CERTAIN.markers.items()
    }
    moved = {name: [y + moves[name] for y in logs] for name, logs in LOGS.items()}

    found = estimate(results(logs=moved), replace(CERTAIN, markers=markers))

    assert pieces(found) == pytest.approx(pieces(estimate(results(), CERTAIN)), abs=1e-9)


TEXT = dump(joint_release())


def test_a_joint_release_survives_writing_and_reading() -> None:
    found = parse(TEXT)

    assert json.loads(TEXT)["format"] == "soundings-release/2"
    assert found == joint_release()
    assert found.informative == NAMES


def test_the_published_prior_is_still_of_the_first_format() -> None:
    assert json.loads(dump(CURRENT_RELEASE))["format"] == "soundings-release/1"
    assert CURRENT_RELEASE.informative == ("sIL-6R",)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"joint": None}, "joint; wanted: the law of sIL-6R, IL-6 together"),
        ({"joint": {"covariance": [1.0], "mean_covariance": [1.0]}}, "wanted: 10 numbers"),
        ({"contrast.markers": ["sIL-6R", "sIL-6R"]}, "once each"),
        ({"contrast.markers": ["sIL-6R", "QIDS-SR16"]}, "some of sIL-6R"),
        ({"contrast.markers": ["sIL-6R"]}, "4 x 4|2 numbers"),
        ({"contrast.delta": [0.1, 0.0, "0.3", 0.0]}, "wanted: a number"),
        ({"contrast.delta": [0.1, 0.0, True, 0.0]}, "wanted: a number"),
        ({"contrast.mixing": 1.0}, "between 0 and 1"),
        ({"contrast.ramp_weeks": 0}, "above zero"),
        ({"contrast.shrinkage": -1}, "from 0 to 1"),
        ({"markers.sIL-6R.residual": 0}, "above zero"),
        ({"markers.sIL-6R.covariance": [0.03, 0.0, 0.0001]}, "that of markers.sIL-6R"),
        ({"basis": "rumour"}, "basis 'rumour'"),
        ({"evidence.early_sd": -0.1}, "at least 0"),
    ],
)
def test_a_joint_release_that_cannot_be_is_refused(changes: dict[str, object], told: str) -> None:
    content = json.loads(TEXT)
    for path, value in changes.items():
        *parents, last = path.split(".") if "." in path else [path]
        part = content
        for parent in parents:
            part = part[parent]
        part[last] = value

    with pytest.raises(ReleaseIsUnfit, match=told):
        parse(json.dumps(content | {"checksum": checksum(content)}))


def test_a_covariance_that_no_markers_could_have_together_is_refused() -> None:
    content = json.loads(TEXT)
    content["joint"]["covariance"][3] = 10.0  # of the two levels

    with pytest.raises(ReleaseIsUnfit, match=r"joint\.covariance; wanted: symmetric"):
        parse(json.dumps(content | {"checksum": checksum(content)}))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(b"\x80\x04\x95\xff\xfe")

    with pytest.raises(ReleaseIsUnfit, match="not text"):
        load(path)
