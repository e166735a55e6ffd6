"""Before any draw or label the model is the published prior."""

import pandas as pd

from analytics import CURRENT_RELEASE
from analytics.fitting import published_prior, train, training_set

PRIOR = published_prior(CURRENT_RELEASE)


def test_nobody_teaches_the_prior_nothing() -> None:
    draws = pd.DataFrame({"patient_id": [], "weeks": [], "level": [], "marker": []})
    labels = pd.DataFrame({"patient_id": [], "is_resistant": [], "resolved_weeks": []})

    model = train(
        training_set(draws, labels.astype({"is_resistant": bool}), landmark_weeks=12), prior=PRIOR
    ).model

    assert model.effects.tolist() == PRIOR.effects.tolist()
    assert model.basis == "prior only"


def test_markers_in_a_list_are_those_in_a_tuple() -> None:
    listed = published_prior(CURRENT_RELEASE, markers=["sIL-6R"])

    assert listed.markers == PRIOR.markers
    assert listed.variance_covariance.tolist() == PRIOR.variance_covariance.tolist()
