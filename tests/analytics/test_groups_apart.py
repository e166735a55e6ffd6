"""Groups that vary differently: a release carries both laws, and the front door weighs by them."""

import json
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy.stats import multivariate_normal
from sklearn.metrics import roc_auc_score

from analytics import Estimate, EvidenceKind, History, Release, ReleaseIsUnfit, estimate_cohort
from analytics.releases import Groups, GroupSpread, checksum, dump, parse
from analytics.releases.law import square, triangle_of
from tests.analytics.cohorts import patients_table, results_table, week
from tests.analytics.joint_release import (
    APART,
    BETWEEN,
    DELTA,
    NAMES,
    NOISE,
    RESIDUAL,
    SHARE,
    joint_release,
    release_apart,
    rows_of,
)

Floats = npt.NDArray[np.float64]
WEEKS = {"sIL-6R": [0.0, 4.0, 8.0, 15.0], "IL-6": [1.0, 4.0, 20.0]}
LOGS = {"sIL-6R": [3.6, 3.5, 3.8, 3.7], "IL-6": [0.5, 0.8, 0.2]}
CORNERS = list(zip(*np.tril_indices(4), strict=True))


def results(
    weeks: dict[str, list[float]] = WEEKS, logs: dict[str, list[float]] = LOGS
) -> pd.DataFrame:
    tables = [
        results_table(np.exp(logs[name]).tolist(), weeks=weeks[name], analyte=name)
        for name in weeks
    ]
    return pd.concat(tables, ignore_index=True)


def estimate(table: pd.DataFrame, release: Release) -> Estimate:
    history = History(patients=patients_table(), results=table)
    (found,) = estimate_cohort(history, at=week(24), release=release)
    return found


def said(found: Estimate) -> float:
    return sum(
        part.log_odds for part in found.contributions if part.evidence is EvidenceKind.BIOMARKER
    )


def log_ratio(
    release: Release,
    *,
    apart: tuple[Floats, Floats] = APART,
    noise: tuple[Floats, Floats] = NOISE,
    delta: Floats | tuple[float, ...] = DELTA,
    names: tuple[str, ...] = NAMES,
) -> float:
    """Take the difference of two full multivariate normal log densities, written out."""
    marker = np.concatenate([[NAMES.index(name)] * len(WEEKS[name]) for name in names])
    X, Z = rows_of(marker, np.concatenate([WEEKS[name] for name in names]), 12.0)
    y = np.concatenate([LOGS[name] for name in names])
    mean = X @ np.concatenate([release.markers[name].mean for name in NAMES])
    assert release.joint is not None
    M = np.array(square(release.joint.mean_covariance))
    density = []
    for g in (0, 1):
        V = X @ (apart[g] + M) @ X.T + np.diag(noise[g][marker])
        centre = mean + (g - SHARE) * (Z @ np.array(delta))
        density.append(multivariate_normal(centre, V).logpdf(y))
    return float(density[1] - density[0])


@pytest.mark.parametrize("names", [NAMES, NAMES[:1], NAMES[1:]])
def test_the_log_odds_are_the_difference_of_two_full_densities(names: tuple[str, ...]) -> None:
    release = release_apart(mean_scale=1e-3)

    found = estimate(results({name: WEEKS[name] for name in names}), release)

    assert said(found) == pytest.approx(log_ratio(release, names=names), rel=1e-9)


def test_the_interval_is_the_delta_method_over_the_parameters_of_both_groups() -> None:
    release = release_apart()

    def ratio(at: Floats) -> float:
        apart, noise = [], []
        for own in (at[:12], at[12:24]):
            D = np.zeros((4, 4))
            for (i, j), entry in zip(CORNERS, own[:10], strict=True):
                D[i, j] = D[j, i] = entry
            apart.append(D)
            noise.append(own[10:])
        return log_ratio(
            release, apart=(apart[0], apart[1]), noise=(noise[0], noise[1]), delta=at[24:]
        )

    at = np.concatenate(
        [
            *[
                part
                for D, s2 in zip(APART, NOISE, strict=True)
                for part in (D[np.tril_indices(4)], s2)
            ],
            DELTA,
        ]
    )
    slopes = np.empty(28)
    for place in range(28):
        move = np.zeros(28)
        move[place] = 1e-5 * max(abs(at[place]), 1e-3)
        slopes[place] = (ratio(at + move) - ratio(at - move)) / (2 * move[place])
    groups, law = release.groups, release.law
    assert groups is not None
    expected = slopes[24:] @ np.array(law.delta_covariance) @ slopes[24:]
    for own, group in ((slopes[:12], groups.remitting), (slopes[12:24], groups.resistant)):
        expected += own @ np.array(group.variance_covariance) @ own

    found = estimate(results(), release).contributions[-1].facts["log_odds_sd"]

    assert isinstance(found, float)
    assert found**2 == pytest.approx(expected, rel=1e-4)


def test_groups_that_vary_alike_say_what_one_covariance_says() -> None:
    joint = joint_release()
    spread = GroupSpread(triangle_of(BETWEEN.tolist()), RESIDUAL, joint.variance_covariance)
    alike = parse(dump(replace(joint, groups=Groups(spread, spread))))

    one, two = estimate(results(), joint), estimate(results(), alike)

    assert said(two) == pytest.approx(said(one), rel=1e-9)
    for a, b in zip(one.trajectories, two.trajectories, strict=True):
        assert b.level_low == pytest.approx(a.level_low, rel=1e-9)
        assert b.slope_per_week == pytest.approx(a.slope_per_week, rel=1e-9)


def test_a_wide_spread_itself_speaks_for_the_group_that_varies_more() -> None:
    release = release_apart()
    still = {"sIL-6R": [3.4, 3.4, 3.4, 3.4], "IL-6": [0.4, 0.4, 0.4]}
    wild = {"sIL-6R": [3.0, 3.8, 2.9, 3.9], "IL-6": [0.0, 1.2, -0.4]}

    assert said(estimate(results(logs=still), release)) < 0
    assert said(estimate(results(logs=wild), release)) > 2


def test_a_patient_among_many_has_the_same_numbers_to_the_bit() -> None:
    release, rng = release_apart(mean_scale=1e-3), np.random.default_rng(2)
    tables = []
    for patient in range(1, 31):
        logs = {name: rng.normal(LOGS[name], 0.4).tolist() for name in NAMES}
        table = results(logs=logs).assign(patient_id=patient, is_confirmed=True)
        table.loc[rng.random(len(table)) < 0.2, "comparator"] = "<"
        tables.append(table)
    ids = range(1, 31)
    many = estimate_cohort(
        History(patients=patients_table(ids), results=pd.concat(tables, ignore_index=True)),
        at=week(24),
        release=release,
    )

    for patient, found in zip(ids, many, strict=True):
        alone = History(patients=patients_table([patient]), results=tables[patient - 1])
        (one,) = estimate_cohort(alone, at=week(24), release=release)
        assert one == found
        assert found.probability is not None
        assert found.probability_low is not None
        assert found.probability_high is not None
        assert 0 <= found.probability_low <= found.probability <= found.probability_high <= 1


def test_it_is_written_and_read_and_a_spread_that_does_not_fit_is_refused() -> None:
    release = release_apart()

    text = dump(release)

    assert json.loads(text)["format"] == "soundings-release/3"
    assert dump(parse(text)) == text
    content = json.loads(text)
    content["groups"]["resistant"]["residual"][0] *= 1.01
    content["checksum"] = checksum(content)
    with pytest.raises(ReleaseIsUnfit, match=r"markers.sIL-6R.residual; wanted: the mean of both"):
        parse(json.dumps(content))
    content["groups"]["resistant"]["covariance"][0] = -1.0
    content["checksum"] = checksum(content)
    with pytest.raises(ReleaseIsUnfit, match=r"groups.resistant.covariance; wanted"):
        parse(json.dumps(content))


def test_where_the_resistant_vary_more_both_laws_tell_the_groups_better_apart() -> None:
    release, rng = release_apart(), np.random.default_rng(4)
    pooled = replace(release, groups=None)
    outcome = rng.random(1500) < SHARE
    tables = []
    for patient, resistant in enumerate(outcome.tolist()):
        D, s2 = APART[int(resistant)], NOISE[int(resistant)]
        line = rng.multivariate_normal(np.zeros(4), D)
        for place, name in enumerate(NAMES):
            weeks, own = np.array(WEEKS[name]), slice(2 * place, 2 * place + 2)
            X, Z = (
                np.column_stack([np.ones(len(weeks)), w]) for w in (weeks, np.minimum(weeks, 12))
            )
            gap = (resistant - SHARE) * (Z @ np.array(DELTA)[own])
            logs = X @ (line[own] + release.markers[name].mean) + gap
            logs = logs + rng.normal(0, np.sqrt(s2[place]), len(weeks))
            table = results_table(np.exp(logs).tolist(), weeks=WEEKS[name], analyte=name)
            tables.append(table.assign(patient_id=patient + 1, is_confirmed=True))
    history = History(
        patients=patients_table(range(1, 1501)), results=pd.concat(tables, ignore_index=True)
    )

    area = {
        which.version if which.groups else "pooled": roc_auc_score(
            outcome,
            estimate_cohort(history, at=week(24), release=which).table["probability"],
        )
        for which in (release, pooled)
    }

    assert area["apart-1"] > area["pooled"] + 0.02
