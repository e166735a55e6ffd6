"""Two markers learned together, from a record to a release that weighs them together."""

import warnings

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from analytics import CURRENT_RELEASE, History, Release, estimate_cohort
from analytics.fitting import (
    MarkersDiffer,
    ReleaseCannotCarry,
    SingularFitWarning,
    Training,
    TrainingSet,
    local_prior,
    published_prior,
    release_of,
    score_rows,
    summarise,
    train,
    training_set,
)
from analytics.fitting.scoring import SeveralMarkersWeigh
from analytics.learning import training_draws
from tests.analytics.cohorts import patients_table, results_table, week

CARD = CURRENT_RELEASE.card
Bools = npt.NDArray[np.bool_]
pytestmark = pytest.mark.slow
NAMES = ("sIL-6R", "IL-6")
BETWEEN = np.array([[0.03, 0.048], [0.048, 0.12]])
GAP = np.array([0.15, 0.35])
NOISE = np.array([0.12, 0.2])


def record(n: int, *, seed: int) -> tuple[History, Bools]:
    """Draw times differ between the markers, a fifth of the draws is missing, limits are met."""
    rng = np.random.default_rng(seed)
    is_resistant = rng.random(n) < 0.35
    level = rng.multivariate_normal([3.45, 0.3], BETWEEN, n) + np.outer(is_resistant, GAP)
    slope = rng.normal(0, [0.012, 0.02], (n, 2))
    tables = []
    for place, (name, weeks) in enumerate(zip(NAMES, ([0, 4, 8, 12], [1, 6, 11]), strict=True)):
        for number in weeks:
            drawn = rng.random(n) > 0.2
            logs = level[:, place] + slope[:, place] * number + rng.normal(0, NOISE[place], n)
            below = logs < -0.5 if name == "IL-6" else np.zeros(n, dtype=bool)
            table = results_table(
                np.exp(np.where(below, -0.5, logs))[drawn].tolist(),
                weeks=[number] * int(drawn.sum()),
                analyte=name,
            )
            tables.append(
                table.assign(
                    patient_id=np.flatnonzero(drawn) + 1,
                    comparator=np.where(below[drawn], "<", "").astype(object),
                    is_confirmed=True,
                )
            )
    results = pd.concat(tables, ignore_index=True)
    return History(patients=patients_table(range(1, n + 1)), results=results), is_resistant


def learned(
    history: History, is_resistant: Bools, names: tuple[str, ...]
) -> tuple[TrainingSet, Training]:
    labels = pd.DataFrame(
        {
            "patient_id": np.arange(1, len(is_resistant) + 1),
            "is_resistant": is_resistant,
            "resolved_weeks": 16.0,
        }
    )
    draws = training_draws(history, at=week(12), release=CURRENT_RELEASE, analytes=names)
    data = training_set(draws, labels, landmark_weeks=12.0, markers=names)
    return data, train(data, prior=published_prior(CURRENT_RELEASE, markers=names))


def made(training: Training) -> Release:
    return release_of(
        training.model,
        base=CURRENT_RELEASE,
        version="local-j",
        fingerprint="f",
        card=CARD,
    )


@pytest.fixture(scope="module")
def trained() -> tuple[History, Bools, TrainingSet, Training]:
    history, is_resistant = record(160, seed=1)
    return history, is_resistant, *learned(history, is_resistant, NAMES)


def test_the_front_door_says_what_the_trained_model_says(
    trained: tuple[History, Bools, TrainingSet, Training],
) -> None:
    history, _, data, training = trained

    release = made(training)

    risk = estimate_cohort(history, at=week(12), release=release).risk
    by_model = training.model.recalibrated_log_odds(data.statistics, data.censored)
    assert release.informative == NAMES
    assert release.joint is not None
    shown = risk.prior + risk.local + risk.marker + risk.caution
    assert np.abs(shown - by_model).max() < 1e-6


def test_what_the_markers_have_in_common_is_learned(
    trained: tuple[History, Bools, TrainingSet, Training],
) -> None:
    D = trained[3].model.covariances[0]

    # True is 0.8; the prior of twenty patients who have nothing in common draws it down.
    assert 0.5 < D[0, 2] / np.sqrt(D[0, 0] * D[2, 2]) < 0.95


def test_two_markers_predict_new_patients_better_than_one_and_are_calibrated(
    trained: tuple[History, Bools, TrainingSet, Training],
) -> None:
    history, is_resistant, _, both = trained
    _, alone = learned(history, is_resistant, ("sIL-6R",))
    new, outcome = record(2000, seed=2)

    found = {}
    for name, training in (("both", both), ("alone", alone)):
        risk = estimate_cohort(new, at=week(12), release=made(training)).risk
        found[name] = (
            roc_auc_score(outcome, risk.probability),
            brier_score_loss(outcome, risk.probability),
        )

    assert found["both"][0] > found["alone"][0] + 0.01
    assert found["both"][1] < found["alone"][1]
    assert found["both"][1] < outcome.mean() * (1 - outcome.mean())


def test_before_any_label_other_analytes_weigh_nothing() -> None:
    prior = published_prior(CURRENT_RELEASE, markers=NAMES)

    apart = prior.effects[1] - prior.effects[0]
    assert apart[:2] == pytest.approx(np.array(CURRENT_RELEASE.law.delta))
    assert apart[2:] == pytest.approx([0, 0], abs=1e-12)
    assert (prior.covariance[:2, 2:] == 0).all()


def test_the_prior_of_one_marker_is_that_of_the_release() -> None:
    # k = 20 patients' worth: 2 * 0.027889^2 / 20 is the published release's own figure.
    prior = published_prior(CURRENT_RELEASE, markers=NAMES)

    assert prior.variance_covariance[0, 0] == pytest.approx(
        CURRENT_RELEASE.variance_matrix[0, 0], rel=1e-9
    )
    assert len(prior.variance_covariance) == 12


def test_a_local_level_may_be_that_of_two_markers() -> None:
    history, _ = record(120, seed=3)
    draws = training_draws(history, at=week(12), release=CURRENT_RELEASE, analytes=NAMES)
    exact = draws[draws["comparator"] == ""]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularFitWarning)
        prior = local_prior(CURRENT_RELEASE, summarise(exact, markers=NAMES))

    assert prior.basis == "local level"
    assert prior.covariance[0, 2] > 0.02


def test_what_a_release_cannot_carry_is_refused_by_name(
    trained: tuple[History, Bools, TrainingSet, Training],
) -> None:
    nobody = training_set(
        pd.DataFrame({"patient_id": [], "weeks": [], "level": [], "marker": []}),
        pd.DataFrame(
            {"patient_id": [], "is_resistant": np.zeros(0, dtype=bool), "resolved_weeks": []}
        ),
        landmark_weeks=12.0,
        markers=NAMES,
    )
    unlabelled = train(nobody, prior=published_prior(CURRENT_RELEASE, markers=NAMES))
    joint = made(trained[3])
    patient, number = np.zeros(1, dtype=np.int64), np.zeros(1)

    with pytest.raises(MarkersDiffer, match="QIDS-SR16"):
        published_prior(CURRENT_RELEASE, markers=("QIDS-SR16",))
    with pytest.raises(ReleaseCannotCarry, match="wanted: the markers of published-prior-1"):
        made(unlabelled)
    with pytest.raises(SeveralMarkersWeigh, match="sIL-6R, IL-6"):
        score_rows(patient=patient, weeks=number, level=number, n_patients=1, release=joint)
