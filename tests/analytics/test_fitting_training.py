"""From no label to many: what is learned, what is refused, and what stays as it was."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit
from sklearn.metrics import brier_score_loss, roc_auc_score

from analytics import History, estimate_cohort
from analytics.evidence import PRIOR_PATIENTS
from analytics.fitting import (
    BadDraw,
    BadLabel,
    LabelLeakage,
    MarkersDiffer,
    ReleaseCannotCarry,
    ReleaseKnowsLabels,
    SingularFitWarning,
    TooFewLocalPatients,
    Training,
    TrainingSet,
    cut_at_landmark,
    fit_growth,
    learn,
    local_prior,
    published_prior,
    recalibrate,
    recalibration_covariance,
    release_of,
    summarise,
    train,
    training_set,
    variance_information,
)
from analytics.releases import Release, ReleaseIsUnfit, dump, load_shipped, mark_of, parse
from tests.analytics.cohorts import patients_table, results_table, week

PUBLISHED = load_shipped("published-prior-1")
PRIOR = published_prior(PUBLISHED)
LANDMARK = 12.5
OUTCOME = 16.0


def cohort(
    patients: int, *, seed: int, effect: float = 1.0, spread: float = 1.0, share: float = 0.33
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Synthetic draws at weeks 0, 2, 4, 8, 12 with the published contrast times `effect`.

    Resistant patients vary `spread` times as much as the others.
    """
    rng = np.random.default_rng(seed)
    is_resistant = rng.random(patients) < share
    rows = []
    for patient, resistant in enumerate(is_resistant):
        weeks = np.array([0.0, 2, 4, 8, 12]) + rng.uniform(0, 0.5, 5)
        weeks = weeks[rng.random(5) > 0.15]
        sd = spread if resistant else 1.0
        line = 3.5 + rng.normal(0, 0.28 * sd) + weeks * rng.normal(0, 0.006 * sd)
        shift = effect * resistant * (0.057 + 0.0111 * weeks)
        for drawn, level in zip(
            weeks, line + shift + rng.normal(0, 0.11 * sd, len(weeks)), strict=True
        ):
            rows.append((patient, "sIL-6R", drawn, level))
    draws = pd.DataFrame(rows, columns=["patient_id", "marker", "weeks", "level"])
    labels = pd.DataFrame(
        {
            "patient_id": np.arange(patients),
            "is_resistant": is_resistant,
            "resolved_weeks": OUTCOME,
        }
    )
    return draws, labels


def labelled(patients: int, **options: float) -> TrainingSet:
    return training_set(
        *cohort(patients, **options),  # type: ignore[arg-type]
        landmark_weeks=LANDMARK,
        markers=("sIL-6R",),
    )


def trained(patients: int, **options: float) -> Training:
    return train(labelled(patients, **options), prior=PRIOR)


def test_without_a_label_the_model_is_the_prior() -> None:
    model = trained(0, seed=1).model

    assert model.basis == "prior only"
    assert model.effects == pytest.approx(PRIOR.effects)
    assert model.covariances[1] == pytest.approx(PRIOR.covariance)
    assert model.effects_covariance == pytest.approx(PRIOR.effects_covariance)
    assert model.variance_covariance == pytest.approx(PRIOR.variance_covariance)
    assert model.recalibration == (0.0, 1.0)


def test_the_published_prior_lies_apart_by_the_shrunk_contrast() -> None:
    # 0.7 * 0.095 at the first dose and 0.7 * 0.190 at week 12; mixed at 30 % they give the mean.
    apart = PRIOR.effects[1] - PRIOR.effects[0]

    assert apart @ [1, 0] == pytest.approx(0.7 * 0.095)
    assert apart @ [1, 12] == pytest.approx(0.7 * 0.190)
    assert 0.7 * PRIOR.effects[0] + 0.3 * PRIOR.effects[1] == pytest.approx(
        np.array(PUBLISHED.markers["sIL-6R"].mean)
    )
    # Each group's end is uncertain by 0.12 on its own, and by what is common to both.
    end = np.array([1.0, 12, -1, -12])
    assert end @ PRIOR.effects_covariance @ end == pytest.approx(2 * 0.12**2)


def with_strangers(patients: int, *, seed: int, others: int) -> TrainingSet:
    """Labelled patients, and others of whom the outcome is known and no draw."""
    draws, labels = cohort(patients, seed=seed)
    more = pd.DataFrame(
        {
            "patient_id": np.arange(10_000, 10_000 + others),
            "is_resistant": np.arange(others) % 2 == 0,
            "resolved_weeks": OUTCOME,
        }
    )
    return training_set(
        draws.assign(comparator=""),
        pd.concat([labels, more]),
        landmark_weeks=LANDMARK,
        markers=("sIL-6R",),
    )


def test_a_label_without_a_draw_teaches_nothing_and_is_told() -> None:
    plain, found = trained(120, seed=2), train(with_strangers(120, seed=2, others=80), prior=PRIOR)

    assert found.model.effects == pytest.approx(plain.model.effects, rel=1e-9)
    assert found.model.covariances == pytest.approx(plain.model.covariances, rel=1e-6)
    assert found.model.recalibration == pytest.approx(plain.model.recalibration, rel=1e-6)
    assert found.model.group_sizes == plain.model.group_sizes
    pd.testing.assert_frame_equal(found.cross_fitted, plain.cross_fitted)
    assert any(note.startswith("80 labelled patient(s) without a draw") for note in found.notes)


@pytest.mark.parametrize("patients", [0, 2, 49])
def test_until_fifty_patients_with_a_draw_the_model_is_the_prior_only_and_keeps_its_cap(
    patients: int,
) -> None:
    training = train(with_strangers(patients, seed=5, others=60), prior=PRIOR)
    release = release_of(
        training.model, base=PUBLISHED, version="few", fingerprint="f", card=PUBLISHED.card
    )

    assert training.model.basis == release.basis == "prior only"
    assert release.contrast.cap == PUBLISHED.contrast.cap
    assert len(release.learned_from) == patients
    if patients == 0:
        assert release.contrast == PUBLISHED.contrast
    else:
        with pytest.raises(ReleaseKnowsLabels):
            published_prior(release)


def test_from_fifty_patients_with_a_draw_the_labels_speak() -> None:
    model = trained(50, seed=5).model
    release = release_of(model, base=PUBLISHED, version="x", fingerprint="f", card=PUBLISHED.card)

    assert release.basis == "local labels"
    assert np.isinf(release.contrast.cap)
    assert len(release.learned_from) == 50


def test_a_release_must_know_all_whom_it_has_learned_from() -> None:
    model = trained(60, seed=5).model
    make: Callable[..., Release] = partial(
        release_of, model, base=PUBLISHED, version="x", fingerprint="f", card=PUBLISHED.card
    )

    renamed = make(patient_ids=range(500, 560))

    assert mark_of(500, "x") in renamed.learned_from
    with pytest.raises(ReleaseCannotCarry, match="patient_ids: 3 patients; wanted: a list of"):
        make(patient_ids=[1, 2, 3])
    with pytest.raises(ReleaseCannotCarry, match="patient_ids: 5; wanted: a list of the 60"):
        make(patient_ids=5)
    with pytest.raises(ReleaseCannotCarry, match="patient_ids, place 1: None; wanted: a number"):
        make(patient_ids=[1, None, 3])
    with pytest.raises(ReleaseCannotCarry, match="segments: 'labA' - a list of different words"):
        make(segments="labA")
    with pytest.raises(ReleaseCannotCarry, match="segments: None - a list"):
        make(segments=None)
    with pytest.raises(TypeError, match="base: 'x'; wanted: a Release"):
        make(base="x")
    with pytest.raises(ReleaseIsUnfit, match="fingerprint: None; wanted: a text"):
        make(fingerprint=None)
    with pytest.raises(ReleaseIsUnfit, match=r"learned_from .*; wanted: a digest of every"):
        parse(dump(replace(renamed, learned_from=frozenset())))


@pytest.mark.filterwarnings("ignore::analytics.fitting.SingularFitWarning")
def test_variances_are_the_weighted_mean_of_the_fitted_and_the_prior_ones() -> None:
    data = labelled(60, seed=3)

    model = learn(data, prior=PRIOR)

    fit = fit_growth(data.statistics, group=data.is_resistant)
    k, n = PRIOR_PATIENTS.value, data.statistics.n.sum()
    assert model.covariances[0] == pytest.approx((60 * fit.covariance + k * PRIOR.covariance) / 80)
    assert model.residual_variances[0] == pytest.approx(
        (n * fit.residual_variance + 5 * k * PRIOR.residual_variance) / (n + 5 * k)
    )


@pytest.mark.filterwarnings("ignore::analytics.fitting.SingularFitWarning")
def test_lines_are_weighted_with_the_prior_by_precision() -> None:
    # Generalised least squares on the matrices written out, the prior as four more observations.
    draws, labels = cohort(25, seed=4)
    data = training_set(draws, labels, landmark_weeks=LANDMARK)

    model = learn(data, prior=PRIOR)

    precision = np.linalg.inv(PRIOR.effects_covariance)
    right = precision @ PRIOR.effects.ravel()
    for patient, own in draws.groupby("patient_id"):
        X = np.column_stack([np.ones(len(own)), own["weeks"]])
        V = X @ model.covariances[0] @ X.T + model.residual_variances[0] * np.eye(len(own))
        g = 2 * int(labels["is_resistant"][patient])
        precision[g : g + 2, g : g + 2] += X.T @ np.linalg.solve(V, X)
        right[g : g + 2] += X.T @ np.linalg.solve(V, own["level"])
    assert model.effects.ravel() == pytest.approx(np.linalg.solve(precision, right), rel=1e-8)
    assert model.effects_covariance == pytest.approx(np.linalg.inv(precision), rel=1e-6)


def test_with_many_labels_the_prior_is_outvoted() -> None:
    data = labelled(3000, seed=5)

    model = learn(data, prior=PRIOR)

    fit = fit_growth(data.statistics, group=data.is_resistant)
    assert model.effects == pytest.approx(fit.effects, abs=0.02)
    assert model.covariances[0] == pytest.approx(fit.covariance, abs=0.002)
    information = variance_information(
        data.statistics, covariance=fit.covariance, residual_variance=fit.residual_variance
    )
    assert np.diag(model.variance_covariance)[0] <= np.linalg.inv(information)[0, 0] * 1.1


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_labels_of_one_kind_only_are_learned_from_too(share: float) -> None:
    model = trained(60, seed=6, share=share).model

    assert model.basis == "local labels"
    assert 0 in model.group_sizes
    assert np.isfinite(model.effects).all()


def test_the_markers_add_the_ratio_of_the_two_densities() -> None:
    learned = trained(200, seed=7).model
    model = replace(learned, effects_covariance=0 * learned.effects_covariance)
    model = replace(model, variance_covariance=0 * learned.variance_covariance)
    draws, _ = cohort(20, seed=8)

    found = model.marker_log_odds(summarise(draws, patient_ids=range(21)))

    Delta = model.effects[1] - model.effects[0]
    middle = model.effects.mean(axis=0)
    for patient in range(20):
        own = draws[draws["patient_id"] == patient]
        X = np.column_stack([np.ones(len(own)), own["weeks"]])
        V = X @ model.covariances[0] @ X.T + model.residual_variances[0] * np.eye(len(own))
        weight = np.linalg.solve(V, X @ Delta)
        expected = weight @ (own["level"].to_numpy() - X @ middle)
        assert found[patient] == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert found[20] == 0


def test_a_draw_after_the_outcome_is_refused() -> None:
    draws, labels = cohort(10, seed=9)
    draws.loc[3, "weeks"] = OUTCOME

    with pytest.raises(LabelLeakage, match=r"row 3, column 'weeks': 16\.0 - the outcome of pat"):
        training_set(draws, labels, landmark_weeks=20.0)


def test_a_draw_after_the_landmark_is_refused() -> None:
    draws, labels = cohort(10, seed=9)
    draws.loc[3, "weeks"] = 14.0

    with pytest.raises(LabelLeakage, match="later than the landmark"):
        training_set(draws, labels, landmark_weeks=LANDMARK)


def test_a_patient_resolved_at_the_landmark_is_refused() -> None:
    draws, labels = cohort(10, seed=9)
    labels.loc[4, "resolved_weeks"] = LANDMARK

    with pytest.raises(LabelLeakage, match=r"patient 4.*resolved by the landmark"):
        training_set(draws[draws["patient_id"] != 4], labels, landmark_weeks=LANDMARK)


def test_cutting_at_the_landmark_leaves_what_may_be_learned_from_and_counts_the_rest() -> None:
    draws, labels = cohort(10, seed=9)
    labels.loc[4, "resolved_weeks"] = 6.0

    cut = cut_at_landmark(draws, labels, landmark_weeks=8.0)

    data = training_set(cut.draws, cut.labels, landmark_weeks=8.0)
    assert cut.n_patients_resolved == 1
    assert cut.n_draws_later == ((draws["weeks"] > 8) & (draws["patient_id"] != 4)).sum()
    assert len(data) == 9


def test_labels_and_draws_that_cannot_be_used_are_refused() -> None:
    draws, labels = cohort(5, seed=9)

    with pytest.raises(BadLabel, match="stands twice"):
        training_set(draws, pd.concat([labels, labels[:1]]), landmark_weeks=LANDMARK)
    with pytest.raises(BadLabel, match="row 0, column 'is_resistant': 0 - True or False"):
        training_set(draws, labels.assign(is_resistant=[0, 1, 2, 0, 1]), landmark_weeks=LANDMARK)
    with pytest.raises(BadLabel, match="row 0, column 'resolved_weeks'"):
        training_set(draws, labels.assign(resolved_weeks=np.nan), landmark_weeks=LANDMARK)
    with pytest.raises(BadLabel, match="missing"):
        training_set(draws, labels[["patient_id"]], landmark_weeks=LANDMARK)
    with pytest.raises(BadLabel, match="missing"):
        cut_at_landmark(draws, labels[["patient_id"]], landmark_weeks=LANDMARK)
    with pytest.raises(BadDraw, match="row 0, column 'weeks': 'two' - a finite number"):
        cut_at_landmark(draws.assign(weeks="two"), labels, landmark_weeks=LANDMARK)
    with pytest.raises(BadDraw, match="row 0, column 'level': 'high' - a finite number"):
        training_set(draws.assign(level="high"), labels, landmark_weeks=LANDMARK)
    with pytest.raises(BadDraw, match="row 0, column 'patient_id': None - a value"):
        training_set(draws.assign(patient_id=None), labels, landmark_weeks=LANDMARK)
    with pytest.raises(BadDraw, match="row 0, column 'marker': 'sIL-6R' - one of IL-6"):
        training_set(draws, labels, landmark_weeks=LANDMARK, markers=("IL-6",))
    with pytest.raises(BadLabel, match="landmark_weeks nan"):
        training_set(draws, labels, landmark_weeks=np.nan)
    with pytest.raises(BadDraw, match="no label"):
        training_set(draws, labels[1:], landmark_weeks=LANDMARK)
    with pytest.raises(BadDraw, match="row 0, column 'comparator': '~'"):
        training_set(draws.assign(comparator="~"), labels, landmark_weeks=LANDMARK)
    with pytest.raises(MarkersDiffer):
        train(
            training_set(draws.assign(marker="IL-6"), labels, landmark_weeks=LANDMARK), prior=PRIOR
        )


def test_a_refusal_names_the_row_of_the_table_that_was_given() -> None:
    draws, labels = cohort(5, seed=9)
    draws = draws.assign(comparator=["<"] * 3 + [""] * (len(draws) - 3))
    draws.loc[4, "level"] = np.nan

    with pytest.raises(BadDraw, match="row 4, column 'level': nan - a finite number"):
        training_set(draws, labels, landmark_weeks=LANDMARK)


def test_the_order_of_rows_changes_not_one_bit_of_a_model() -> None:
    draws, labels = cohort(120, seed=10)

    one = train(training_set(draws, labels, landmark_weeks=LANDMARK), prior=PRIOR)
    other = train(training_set(draws[::-1], labels[::-1], landmark_weeks=LANDMARK), prior=PRIOR)

    assert np.array_equal(one.model.effects, other.model.effects)
    assert one.model.recalibration == other.model.recalibration
    pd.testing.assert_frame_equal(one.cross_fitted, other.cross_fitted, check_exact=True)


def test_cross_fitted_log_odds_come_from_models_that_did_not_see_the_patient() -> None:
    data = labelled(150, seed=11)

    found = train(data, prior=PRIOR).cross_fitted

    fold = found["fold"].to_numpy()
    rest = learn(data.take(np.flatnonzero(fold != 3)), prior=PRIOR)
    held = np.flatnonzero(fold == 3)
    assert found["marker_log_odds"].to_numpy()[held] == pytest.approx(
        rest.marker_log_odds(data.statistics.take(held))
    )
    others = found[fold != 3]
    intercept, slope = recalibrate(
        others["marker_log_odds"].to_numpy(), others["is_resistant"].to_numpy(), offset=logit(0.3)
    )
    assert found["recalibrated_log_odds"].to_numpy()[held] == pytest.approx(
        logit(0.3) + intercept + slope * found["marker_log_odds"].to_numpy()[held]
    )


def test_below_a_hundred_labels_nothing_is_recalibrated() -> None:
    assert trained(99, seed=12).model.recalibration == (0.0, 1.0)
    lopsided = trained(140, seed=12, share=0.1)
    assert lopsided.model.recalibration == (0.0, 1.0)
    assert any(note.endswith("fewer than 30: not recalibrated") for note in lopsided.notes)
    assert trained(140, seed=12).model.recalibration != (0.0, 1.0)


def test_recalibration_sets_right_what_is_wrong_and_leaves_the_rest() -> None:
    rng = np.random.default_rng(13)
    known, marker = rng.normal(-0.8, 1.0, 20_000), rng.normal(0, 0.8, 20_000)
    outcome = rng.random(20_000) < expit(known + marker)

    right = recalibrate(marker, outcome, offset=known)
    wrong = recalibrate(2 * marker, outcome, offset=known + 1)
    none = recalibrate(np.zeros(0), np.zeros(0, dtype=bool), offset=-1.0)

    assert right == pytest.approx((0, 1), abs=0.06)
    assert wrong == pytest.approx((-1, 0.5), abs=0.06)
    assert none == (0.0, 1.0)


def test_recalibration_is_the_logistic_regression_that_statsmodels_fits() -> None:
    rng = np.random.default_rng(17)
    known, marker = rng.normal(-0.4, 1.0, 4000), rng.normal(0, 0.9, 4000)
    outcome = rng.random(4000) < expit(known + 0.7 + 0.4 * marker)

    found = recalibrate(marker, outcome, offset=known)
    spread = recalibration_covariance(marker, found, offset=known)

    # Normal priors of SD 0.5 on a and b - 1 tell little beside 4,000 outcomes.
    expected = sm.GLM(
        outcome.astype(float),
        sm.add_constant(marker),
        family=sm.families.Binomial(),
        offset=known,
    ).fit()
    assert found == pytest.approx(tuple(expected.params), abs=0.01)
    assert spread == pytest.approx(expected.cov_params(), rel=0.02, abs=1e-6)


def test_a_marker_that_points_the_wrong_way_gets_no_weight_and_never_a_negative_one() -> None:
    rng = np.random.default_rng(18)
    marker = rng.normal(0, 1.0, 2000)
    outcome = rng.random(2000) < expit(-0.5 - marker)

    intercept, slope = recalibrate(marker, outcome, offset=0.0)

    assert slope == 0
    assert intercept == pytest.approx(logit(outcome.mean()), abs=0.01)


def test_groups_of_equal_spread_keep_one_covariance() -> None:
    result = trained(900, seed=14)

    assert result.model.shares_covariance
    assert np.isfinite(result.score_gain)


def test_groups_of_unequal_spread_get_their_own_when_labels_are_enough() -> None:
    # Standard deviations 1.5 times as large among the resistant.
    result = trained(900, seed=15, spread=1.5)

    assert not result.model.shares_covariance
    assert result.score_gain > 2 * result.score_gain_se
    assert result.model.covariances[1, 0, 0] > 1.5 * result.model.covariances[0, 0, 0]


def test_a_release_carries_covariances_of_their_own_to_the_front_door() -> None:
    result = trained(900, seed=15, spread=1.5)
    model = result.model

    release = release_of(model, base=PUBLISHED, version="x", fingerprint="f", card=PUBLISHED.card)

    draws, _ = cohort(60, seed=16, spread=1.5)
    results = results_table(np.exp(draws["level"]).tolist(), weeks=draws["weeks"].tolist())
    results = results.assign(patient_id=draws["patient_id"].to_numpy() + 1, is_confirmed=True)
    history = History(patients=patients_table(range(1, 61)), results=results)
    found = estimate_cohort(history, at=week(16), release=release).table
    known = found[found["sil6r_draws_scored"] > 0]
    shown = ["prior", "local_prevalence", "biomarker", "caution"]
    log_odds = known[[f"{name}_log_odds" for name in shown]].sum(axis=1)
    expected = model.recalibrated_log_odds(summarise(draws))
    assert log_odds.to_numpy() == pytest.approx(expected, abs=1e-9)


def test_a_handful_of_labels_never_get_covariances_of_their_own() -> None:
    result = trained(120, seed=15, spread=1.5)

    assert result.model.shares_covariance
    assert np.isnan(result.score_gain)


def test_the_local_level_replaces_the_published_one_without_any_label() -> None:
    draws, _ = cohort(400, seed=16)
    draws["level"] += 0.3

    prior = local_prior(PUBLISHED, summarise(draws, markers=["sIL-6R"]))

    total = fit_growth(summarise(draws, markers=["sIL-6R"]))
    delta = prior.effects[1] - prior.effects[0]
    assert prior.basis == "local level"
    assert 0.7 * prior.effects[0] + 0.3 * prior.effects[1] == pytest.approx(total.effects[0])
    assert delta == pytest.approx(PRIOR.effects[1] - PRIOR.effects[0])
    assert prior.covariance + 0.21 * np.outer(delta, delta) == pytest.approx(
        total.covariance, abs=2e-5
    )


def test_the_local_level_needs_fifty_patients() -> None:
    draws, _ = cohort(49, seed=16)

    with pytest.raises(TooFewLocalPatients, match="49"):
        local_prior(PUBLISHED, summarise(draws, markers=["sIL-6R"]))


def test_a_trained_model_becomes_a_release_that_says_the_same() -> None:
    model = trained(300, seed=17).model

    release = release_of(
        model,
        base=PUBLISHED,
        version="local-1",
        fingerprint="f",
        card=PUBLISHED.card,
        segments=("laboratory A, kit 1",),
    )

    marker, contrast = release.markers["sIL-6R"], release.contrast
    resistant = np.array(marker.mean) + (1 - contrast.mixing) * np.array(contrast.delta)
    assert release.basis == "local labels"
    assert resistant == pytest.approx(model.effects[1])
    assert contrast.shrinkage == 1
    assert contrast.ramp_weeks == LANDMARK
    assert release.recalibration == model.recalibration
    assert release.markers["IL-6"] == PUBLISHED.markers["IL-6"]
    assert marker.levels == {"laboratory A, kit 1": 0.0}
    assert len(release.checksum) == 64
    with pytest.raises(ReleaseKnowsLabels, match="local-1"):
        published_prior(release)


def test_censored_draws_are_learned_from_as_what_they_are() -> None:
    draws, labels = cohort(80, seed=18)
    limit = float(draws["level"].quantile(0.3))
    hidden = draws["level"] < limit
    draws["comparator"] = np.where(hidden, "<", "")
    draws.loc[hidden, "level"] = limit
    whole, _ = cohort(80, seed=18)

    censored = learn(training_set(draws, labels, landmark_weeks=LANDMARK), prior=PRIOR)

    full = learn(training_set(whole, labels, landmark_weeks=LANDMARK), prior=PRIOR)
    naive = learn(
        training_set(draws.drop(columns="comparator"), labels, landmark_weeks=LANDMARK),
        prior=PRIOR,
    )
    here = np.abs(censored.effects[:, 0] - full.effects[:, 0]).max()
    there = np.abs(naive.effects[:, 0] - full.effects[:, 0]).max()
    assert here < there / 2


@pytest.mark.filterwarnings("ignore::analytics.fitting.SingularFitWarning")
def test_one_draw_beyond_a_limit_leaves_the_method_of_the_fit_and_is_told() -> None:
    draws, labels = cohort(12, seed=18)
    draws["comparator"] = ""
    without = training_set(draws[1:], labels, landmark_weeks=LANDMARK)
    exact = train(without, prior=PRIOR)
    draws.loc[0, "comparator"], draws.loc[0, "level"] = "<", 6.0  # which says nothing

    found = train(training_set(draws, labels, landmark_weeks=LANDMARK), prior=PRIOR)

    assert found.model.covariances == pytest.approx(exact.model.covariances, abs=1e-4)
    assert any(note.startswith("1 draw(s) beyond a limit") for note in found.notes)
    assert not any("beyond a limit" in note for note in exact.notes)


@pytest.mark.slow
def test_more_labels_predict_better_and_few_do_no_harm() -> None:
    # The synthetic truth: AUC about 0.72 to 0.73 at week 12 when all parameters are known.
    test = labelled(6000, seed=20)
    outcome = test.is_resistant
    bare = outcome.mean() * (1 - outcome.mean())

    scores = {}
    for patients in (42, 1000):
        briers, areas = [], []
        for seed in range(30, 36):
            model = trained(patients, seed=seed).model
            log_odds = model.recalibrated_log_odds(test.statistics)
            briers.append(brier_score_loss(outcome, expit(log_odds)))
            areas.append(roc_auc_score(outcome, log_odds))
        scores[patients] = np.mean(briers), np.mean(areas)

    assert scores[42][0] < bare
    assert scores[1000][0] < scores[42][0]
    assert scores[1000][1] == pytest.approx(0.725, abs=0.02)


def test_what_the_fits_warned_of_is_noted() -> None:
    draws, labels = cohort(6, seed=21)
    data = training_set(draws, labels, landmark_weeks=LANDMARK)

    with pytest.warns(SingularFitWarning):
        fit_growth(data.statistics, group=data.is_resistant)

    assert any("singular" in note for note in train(data, prior=PRIOR).notes)
