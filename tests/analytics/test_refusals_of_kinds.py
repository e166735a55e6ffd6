"""What training and the readers of releases refuse: another unit, and things of another kind."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from analytics import CURRENT_RELEASE
from analytics.fitting import (
    BadDraw,
    BadParameter,
    MarkersDiffer,
    learn,
    posterior,
    published_prior,
    summarise,
    train,
    training_set,
)
from analytics.learning import training_draws
from analytics.real_changes import Reading, ReadingIsUnfit, real_changes
from analytics.releases import ReleaseIsUnfit, load
from analytics.releases.approval import NotApproved, read_approval, refuse_unapproved
from tests.analytics.cohorts import week
from tests.analytics.test_refusals import cohort, drawn, labelled

ONE_WORD: Any = "sIL-6R"


def test_levels_of_another_unit_are_not_learned_from() -> None:
    draws, prior = drawn(), published_prior(CURRENT_RELEASE)
    draws["marker"] = "sIL-6R"
    concentrations = draws.assign(level=np.exp(draws["level"]))
    for wrong in (concentrations, draws.assign(level=draws["level"] + np.log(1000))):
        data = training_set(wrong, labelled(), landmark_weeks=12.0)
        with pytest.raises(BadDraw, match=r"marker 'sIL-6R': a mean level of .* near 3.4. are"):
            train(data, prior=prior)
    one_odd = draws.assign(level=draws["level"].where(draws["patient_id"] != 3, 9.0))
    assert train(training_set(one_odd, labelled(), landmark_weeks=12.0), prior=prior).model


def test_weeks_that_are_not_counted_from_the_first_dose_are_refused() -> None:
    shifted = drawn().assign(weeks=lambda of: of["weeks"] - 100)
    with pytest.raises(BadDraw, match=r"row 0, column 'weeks': -100.0 - .*28 days before it"):
        training_set(shifted, labelled(), landmark_weeks=12.0)


def test_what_is_no_training_set_and_no_prior_is_refused() -> None:
    prior, data = (
        published_prior(CURRENT_RELEASE),
        training_set(drawn().assign(marker="sIL-6R"), labelled(), landmark_weeks=12.0),
    )
    wrong: Any = 5
    for learned in (train, learn):
        with pytest.raises(TypeError, match="data: int; wanted: a TrainingSet, as training_set"):
            learned(wrong, prior=prior)
        with pytest.raises(TypeError, match="prior: int; wanted: a TrainingPrior, as published_"):
            learned(data, prior=wrong)


@pytest.mark.parametrize(
    ("refusal", "ask", "told"),
    [
        (ReadingIsUnfit, lambda: real_changes([], analyte="foo"), "analyte: 'foo'; wanted: 'sIL"),
        (ReadingIsUnfit, lambda: Reading(week(0), "x"), "value: 'x'; wanted: a concentration"),  # type: ignore[arg-type]
        (
            ReadingIsUnfit,
            lambda: Reading(week(0).replace(tzinfo=None), 3.0),
            "wanted: a datetime with a time zone",
        ),
        (NotApproved, lambda: read_approval(None), "NoneType; wanted: its text"),  # type: ignore[arg-type]
        (NotApproved, lambda: refuse_unapproved(CURRENT_RELEASE, None), "wanted: an Approval"),  # type: ignore[arg-type]
        (ReleaseIsUnfit, lambda: load("a\0b"), "wanted: the path of a release's file"),
        (
            MarkersDiffer,
            lambda: training_draws(
                cohort(),
                at=week(8),
                release=CURRENT_RELEASE,
                analytes="sIL-6R",  # type: ignore[arg-type]
            ),
            "analytes 'sIL-6R'; wanted: some of",
        ),
        (
            BadParameter,
            lambda: posterior(
                summarise(drawn()),
                effects=[[1.0], [1.0, 2.0]],
                covariance=np.eye(2),
                residual_variance=[0.1],
            ),
            "numbers are needed, in rows of a length",
        ),
    ],
)
def test_what_is_of_another_kind_is_refused_by_name(
    refusal: type[Exception], ask: Callable[[], object], told: str
) -> None:
    with pytest.raises(refusal, match=told):
        ask()
