"""The cold start's second step: local draws give the level, the publication the contrast."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analytics import CURRENT_RELEASE, Estimate, History, estimate_cohort
from analytics.explanation import explain
from analytics.fitting.labels import training_set
from analytics.fitting.priors import TooFewLocalPatients, published_prior, release_of
from analytics.fitting.training import train
from analytics.learning import learn_level, training_draws
from analytics.releases import dump, mark_of, parse
from tests.analytics.cohorts import events_table, patients_table, results_table, week

WEEKS = np.array([0.0, 4.0, 8.0, 12.0])

CARD = CURRENT_RELEASE.card


def local_cohort(
    n: int, *, level: float, sd: float = 0.25, contrast: float = 0.0, seed: int = 3
) -> tuple[dict[str, pd.DataFrame], "np.typing.NDArray[np.bool_]"]:
    """Make patients of a laboratory whose kit reads differently from the published one."""
    rng = np.random.default_rng(seed)
    is_resistant = rng.random(n) < 0.3
    own = np.log(level) + contrast * is_resistant + rng.normal(0, sd, n)
    slope = rng.normal(0, 0.02, n)
    logs = own[:, None] + slope[:, None] * WEEKS + rng.normal(0, 0.16, (n, len(WEEKS)))
    results = results_table(np.exp(logs).ravel().tolist(), weeks=np.tile(WEEKS, n).tolist())
    results = results.assign(patient_id=np.repeat(np.arange(1, n + 1), len(WEEKS)))
    return {"patients": patients_table(range(1, n + 1)), "results": results}, is_resistant


def test_the_level_and_spread_become_the_local_ones() -> None:
    tables, _ = local_cohort(300, level=150, sd=0.3)

    found = learn_level(History(**tables), at=week(12), base=CURRENT_RELEASE, version="local-1")

    marker = found.markers["sIL-6R"]
    assert (found.basis, found.version) == ("local level", "local-1")
    assert np.exp(marker.mean[0]) == pytest.approx(150, rel=0.06)
    assert np.sqrt(marker.covariance[0]) == pytest.approx(0.3, rel=0.1)
    assert found.contrast == CURRENT_RELEASE.contrast
    assert found.fingerprint != ""


def test_the_other_analytes_get_their_local_law_where_enough_patients_have_them() -> None:
    tables, _ = local_cohort(120, level=33)
    il6, _ = local_cohort(90, level=4.0, sd=0.5, seed=4)
    tnf, _ = local_cohort(40, level=2.0, seed=5)
    crp, _ = local_cohort(90, level=2.0, seed=6)
    below = crp["results"]["value"] < 1.5
    results = pd.concat(
        [
            tables["results"],
            il6["results"].assign(analyte="IL-6"),
            tnf["results"].assign(analyte="TNF-α"),
            crp["results"].assign(
                analyte="hs-CRP",
                value=lambda f: f["value"].where(~below, 1.5),
                comparator=np.where(below, "<", "").astype(object),
            ),
        ],
        ignore_index=True,
    )
    history = History(patients=tables["patients"], results=results)

    found = learn_level(history, at=week(12), base=CURRENT_RELEASE, version="local-1")

    marker = found.markers["IL-6"]
    assert np.exp(marker.mean[0]) == pytest.approx(4.0, rel=0.15)
    assert np.sqrt(marker.covariance[0]) == pytest.approx(0.5, rel=0.2)
    assert set(marker.levels) == {"1/kit"}
    # Draws below a limit, without which the level would come out too high; and too few patients
    assert 30 < below.sum() < 120
    assert np.exp(found.markers["hs-CRP"].mean[0]) == pytest.approx(2.0, rel=0.08)
    assert np.sqrt(found.markers["hs-CRP"].covariance[0]) == pytest.approx(0.25, rel=0.2)
    assert found.markers["TNF-α"] == CURRENT_RELEASE.markers["TNF-α"]


@pytest.mark.filterwarnings("ignore::analytics.fitting.SingularFitWarning")
def test_draws_beyond_the_range_of_an_assay_count_as_what_they_are() -> None:
    tables, _ = local_cohort(300, level=33, sd=0.3)
    second = tables["results"]["patient_id"] > 220
    whole = tables["results"].assign(
        value=lambda f: f["value"] * np.where(second, 1.3, 1.0),
        segment=np.where(second, "kit-b", "kit-a").astype(object),
    )
    is_high = whole["value"] > 45
    cut = whole.assign(
        value=whole["value"].where(~is_high, 45.0),
        comparator=np.where(is_high, ">", "").astype(object),
    )

    learned = {}
    for name, results in {"whole": whole, "cut": cut, "dropped": whole[~is_high]}.items():
        history = History(patients=tables["patients"], results=results)
        release = learn_level(history, at=week(12), base=CURRENT_RELEASE, version="local-1")
        learned[name] = release.markers["sIL-6R"]

    assert 0.2 < is_high.mean() < 0.4
    for name, is_near in (("cut", True), ("dropped", False)):
        marker, best = learned[name], learned["whole"]
        assert (abs(marker.mean[0] - best.mean[0]) < 0.03) == is_near
        assert (abs(marker.covariance[0] ** 0.5 - best.covariance[0] ** 0.5) < 0.03) == is_near
        assert (abs(marker.levels["kit-b"] - best.levels["kit-b"]) < 0.04) == is_near
    # Which limits were met is part of the data: taken for values they are another cohort
    marks = [
        learn_level(
            History(patients=tables["patients"], results=results),
            at=week(12),
            base=CURRENT_RELEASE,
            version="local-1",
        ).fingerprint
        for results in (cut, cut.assign(comparator=""))
    ]
    assert marks[0] != marks[1]


def test_a_local_level_makes_the_scale_of_the_kit_immaterial() -> None:
    tables, _ = local_cohort(200, level=33)
    scaled = tables | {"results": tables["results"].assign(value=lambda f: f["value"] * 4.5)}

    found = []
    for each in (tables, scaled):
        history = History(**each)
        release = learn_level(history, at=week(12), base=CURRENT_RELEASE, version="local-1")
        found.append(estimate_cohort(history, at=week(12), release=release).risk.marker)

    assert np.allclose(found[0], found[1], atol=1e-6)


def test_a_local_level_makes_the_marker_more_certain() -> None:
    tables, _ = local_cohort(200, level=33, sd=0.17)
    history = History(**tables)

    release = learn_level(history, at=week(12), base=CURRENT_RELEASE, version="local-1")

    local = estimate_cohort(history, at=week(12), release=release).risk.marker_sd
    published = estimate_cohort(history, at=week(12)).risk.marker_sd
    assert np.median(local) < np.median(published)


def test_fewer_than_fifty_patients_do_not_give_a_level() -> None:
    tables, _ = local_cohort(49, level=33)

    with pytest.raises(TooFewLocalPatients, match="49"):
        learn_level(History(**tables), at=week(12), base=CURRENT_RELEASE, version="local-1")


def test_a_second_kit_gets_a_level_of_its_own_and_a_third_an_uncertain_one() -> None:
    tables, _ = local_cohort(200, level=33)
    patient = tables["results"]["patient_id"]
    second = patient.between(101, 140)
    third = patient > 195
    results = tables["results"].assign(
        value=lambda f: f["value"] * np.where(second, 2.0, np.where(third, 3.0, 1.0)),
        segment=np.where(second, "kit-b", np.where(third, "kit-c", "kit-a")).astype(object),
    )

    history = History(patients=tables["patients"], results=results)
    found = learn_level(history, at=week(12), base=CURRENT_RELEASE, version="local-1")

    levels = found.markers["sIL-6R"].levels
    assert set(levels) == {"kit-a", "kit-b"}
    assert levels["kit-a"] == 0
    assert levels["kit-b"] == pytest.approx(np.log(2), abs=0.12)
    sd = estimate_cohort(history, at=week(12), release=found).risk.marker_sd
    assert sd[-1] > sd[0]


def test_draws_that_are_not_scored_are_not_learned_from() -> None:
    tables, _ = local_cohort(60, level=33)
    history = History(**tables, events=events_table("infection", start=3.9, stop=3.9, patient_id=1))

    draws = training_draws(history, at=week(12), release=CURRENT_RELEASE)

    assert draws.query("patient_id == 1")["weeks"].tolist() == [0, 8, 12]
    assert len(draws) == 60 * 4 - 1


@pytest.mark.parametrize("share", [0.01, 0.15])
def test_implausible_draws_are_not_learned_from_as_they_are_not_scored(share: float) -> None:
    tables, _ = local_cohort(80, level=33)
    clean = learn_level(History(**tables), at=week(12), base=CURRENT_RELEASE, version="l-1")
    results = tables["results"].copy()
    wrong = np.random.default_rng(5).random(len(results)) < share
    results.loc[wrong, "value"] *= 1000  # another unit
    history = History(patients=tables["patients"], results=results)

    found = learn_level(history, at=week(12), base=CURRENT_RELEASE, version="l-1")
    draws = training_draws(history, at=week(12), release=CURRENT_RELEASE)

    one, other = clean.markers["sIL-6R"], found.markers["sIL-6R"]
    assert f"{wrong.sum()} implausible draw(s)" in found.card["data"]
    assert draws.attrs["held"] == wrong.sum()
    assert len(draws) == len(results) - wrong.sum()
    assert other.mean[0] == pytest.approx(one.mean[0], abs=0.03)
    assert other.residual == pytest.approx(one.residual, rel=0.2)
    confirmed = History(patients=tables["patients"], results=results.assign(is_confirmed=True))
    assert len(training_draws(confirmed, at=week(12), release=CURRENT_RELEASE)) == len(results)


def test_patients_who_vary_more_than_was_published_are_not_cut_off() -> None:
    rng, n = np.random.default_rng(6), 150
    logs = np.log(33) + rng.normal(0, 0.3, n)[:, None] + rng.normal(0, 0.45, (n, len(WEEKS)))
    results = results_table(np.exp(logs).ravel().tolist(), weeks=np.tile(WEEKS, n).tolist())
    results = results.assign(patient_id=np.repeat(np.arange(1, n + 1), len(WEEKS)))
    history = History(patients=patients_table(range(1, n + 1)), results=results)

    found = learn_level(history, at=week(12), base=CURRENT_RELEASE, version="local-1")

    assert np.sqrt(found.markers["sIL-6R"].residual) == pytest.approx(0.45, rel=0.06)


def test_labels_take_the_contrast_over_on_the_same_path() -> None:
    tables, is_resistant = local_cohort(400, level=33, contrast=0.4)
    history = History(**tables)
    labels = pd.DataFrame(
        {
            "patient_id": np.arange(1, 401),
            "is_resistant": is_resistant,
            "resolved_weeks": 16.0,
        }
    )
    draws = training_draws(history, at=week(12), release=CURRENT_RELEASE)

    trained = train(
        training_set(draws, labels, landmark_weeks=12.0), prior=published_prior(CURRENT_RELEASE)
    )
    release = release_of(
        trained.model,
        base=CURRENT_RELEASE,
        version="local-2",
        fingerprint="x",
        card=CARD,
    )

    risk = estimate_cohort(history, at=week(12), release=release).risk
    by_model = trained.model.recalibrated_log_odds(
        training_set(draws, labels, landmark_weeks=12.0).statistics
    )
    assert release.basis == "local labels"
    # All but the few whose implausible draws the front door holds back.
    apart = np.abs(risk.prior + risk.local + risk.marker + risk.caution - by_model)
    assert np.quantile(apart, 0.95) < 1e-9
    assert risk.probability[is_resistant].mean() > risk.probability[~is_resistant].mean() + 0.2


def test_a_patient_who_taught_the_model_is_marked_in_the_estimate_and_explained() -> None:
    tables, _ = local_cohort(3, level=33)
    marks = frozenset(mark_of(patient, "taught-1") for patient in (1, 3))
    made = replace(CURRENT_RELEASE, version="taught-1", learned_from=marks)

    release = parse(dump(made))

    found = list(estimate_cohort(History(**tables), at=week(12), release=release))
    assert [each.has_taught for each in found] == [True, False, True]
    assert [explain(each, made_at=week(12)).has_taught for each in found] == [True, False, True]
    assert Estimate.from_json(found[0].as_json()) == found[0]
    # Not by the number of the patient itself, and not by the same mark in another release
    assert mark_of(1, "taught-1") != mark_of(1, "taught-2")
    assert mark_of(1, "x") == mark_of(np.int64(1), "x") == mark_of(1.0, "x") == mark_of("1", "x")
    assert mark_of(np.float64(1), "x") == mark_of(1, "x")
    assert not any(each.has_taught for each in estimate_cohort(History(**tables), at=week(12)))
