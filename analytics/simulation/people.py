"""Who is in a simulated cohort, and the truth about each: course, genotype, level and slope."""

import numpy as np
import pandas as pd
from numpy.random import Generator

from analytics.simulation.priors import (
    ALLELE_FREQUENCY,
    FULL_CONTRAST_WEEK,
    GENOTYPE_SHARE,
    PUBLISHED_GAP_LN,
    Scenario,
    SimulationPriors,
    ln_variance,
)
from analytics.simulation.tables import FloatArray

KNOT_WEEKS = np.array([0.0, 2.0, 4.0, 8.0, 12.0, 24.0])
KNOT_COLUMNS = ("improved_w2", "improved_w4", "improved_w8", "improved_w12", "improved_w24")
FAMILIES = (
    "Aalto", "Bergeron", "Castellan", "Dimitro", "Ezeani", "Fujimoto", "Gallego", "Haddadi",
    "Ivarsen", "Jankowi", "Kalani", "Lindqvi", "Moreau", "Nakagaw", "Okonjo", "Petrova",
    "Quispe", "Rahmani", "Sorensen", "Tanaka", "Ueland", "Varga", "Weiss", "Xavieri", "Yilmaz",
    "Zielins", "Achterb", "Bellani", "Cordeir", "Drozd",
)  # fmt: skip
GIVEN = (
    "Alva", "Bo", "Chidi", "Dana", "Eden", "Farah", "Gael", "Hana", "Ilse", "Jun", "Kai", "Lior",
    "Mika", "Noor", "Oriel", "Pilar", "Quinn", "Rei", "Sasha", "Tove", "Uma", "Vesna", "Wen",
    "Xochi", "Yael", "Zuri",
)  # fmt: skip


def sample_people(
    *, n_patients: int, scenario: Scenario, priors: SimulationPriors, days: float, rng: Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw people and their truth from the priors; two tables with one row per patient."""
    resistant = rng.random(n_patients) < priors.resistant_share
    improves = rng.random(n_patients) < np.where(
        resistant, priors.early_improver_share_resistant, priors.early_improver_share_remitting
    )
    course = np.where(resistant, "resistant", np.where(improves, "remitting", "slow"))
    truth = truth_of(course=course, improves_early=improves, priors=priors, rng=rng)
    noisy = rng.random(n_patients) < priors.noisy_share
    truth["within_cv"] = np.where(noisy, priors.noisy_within_cv, priors.sil6r_within_cv)
    truth["is_noisy"] = noisy
    set_scenario(truth, scenario=scenario, priors=priors)
    patients = describe(truth["patient"].to_numpy(), days=np.full(n_patients, days), rng=rng)
    patients.insert(1, "course", np.where(noisy, "noisy", course))
    second = rng.random(n_patients) < priors.second_kit_share
    patients["segment"] = np.where(second, "Synthetic Laboratory/kit B", SEGMENT)
    return patients, truth


SEGMENT = "Synthetic Laboratory/kit A"


def describe(keys: np.ndarray, *, days: FloatArray, rng: Generator) -> pd.DataFrame:
    """Give each key an invented name, a birth year, a sex and a day of entering the cohort."""
    n = len(keys)
    place = np.arange(n)
    family = rng.permutation(len(FAMILIES))[place % len(FAMILIES)]
    # One step further each round, so that a family name meets another given name.
    given = rng.permutation(len(GIVEN))[(place + place // len(FAMILIES)) % len(GIVEN)]
    return pd.DataFrame(
        {
            "patient": keys,
            "sex": np.where(rng.random(n) < 0.6, "female", "male"),
            "birth_year": rng.integers(1946, 2005, n),
            "family": [f"Synthetic-{FAMILIES[i]}" for i in family],
            "given": [GIVEN[i] for i in given],
            "enrolled_day": np.floor(rng.uniform(0, 182, n)),
            "followed_days": days,
        }
    )


def truth_of(
    *, course: np.ndarray, improves_early: np.ndarray, priors: SimulationPriors, rng: Generator
) -> pd.DataFrame:
    """Draw the latent symptom course and the latent sIL-6R line of each patient."""
    n = len(course)
    genotype = rng.binomial(2, ALLELE_FREQUENCY, n)
    rest = np.sqrt((1 - GENOTYPE_SHARE) * ln_variance(priors.sil6r_between_cv))
    level = (
        np.log(priors.sil6r_median)
        + priors.allele_effect_ln * (genotype - 2 * ALLELE_FREQUENCY)
        + rest * rng.standard_normal(n)
    )
    score = priors.baseline_score_mean + priors.baseline_score_sd * rng.standard_normal(n)
    truth = pd.DataFrame(
        {
            "patient": [f"SYN-{number:05d}" for number in range(1, n + 1)],
            "course": course,
            "is_resistant": course == "resistant",
            "improves_early": improves_early,
            "c_alleles": genotype,
            "baseline_score": np.clip(score, 11.0, 24.0),
            "person_ln": level,
            "slope_per_week": priors.sil6r_slope_sd_per_week * rng.standard_normal(n),
        }
    )
    for column, values in zip(KNOT_COLUMNS, _improvement(truth, rng).T, strict=True):
        truth[column] = values
    return truth


def _improvement(truth: pd.DataFrame, rng: Generator) -> FloatArray:
    """Fraction by which the score has fallen at each knot after week 0, by course."""
    n = len(truth)
    early = truth["improves_early"].to_numpy()
    resistant = truth["is_resistant"].to_numpy()
    floor = rng.uniform(1.0, 4.0, n)
    final = 1 - floor / truth["baseline_score"].to_numpy()
    week2 = np.where(early, rng.uniform(0.28, 0.45, n), rng.uniform(-0.08, 0.10, n))
    remits = np.column_stack(
        [
            np.where(early, rng.uniform(0.45, 0.65, n), rng.uniform(0.10, 0.30, n)),
            final * np.where(early, rng.uniform(0.85, 1.0, n), rng.uniform(0.45, 0.65, n)),
            final * np.where(early, 1.0, rng.uniform(0.70, 0.95, n)),
            final,
        ]
    )
    stays = np.column_stack(
        [
            np.where(early, rng.uniform(0.15, 0.30, n), rng.uniform(-0.05, 0.12, n)),
            rng.uniform(-0.05, 0.20, n),
            rng.uniform(-0.05, 0.20, n),
            rng.uniform(-0.05, 0.18, n),
        ]
    )
    return np.column_stack([week2, np.where(resistant[:, None], stays, remits)])


def set_scenario(truth: pd.DataFrame, *, scenario: Scenario, priors: SimulationPriors) -> None:
    """Write into the truth what the scenario does to ln sIL-6R at week 0 and at week 12."""
    gap = PUBLISHED_GAP_LN * priors.contrast_scale
    side = truth["is_resistant"].to_numpy(dtype=float) - 0.5
    zero = np.zeros(len(truth))
    fall = np.log1p(-priors.responder_fall_share) * (side < 0)
    ends: dict[Scenario, tuple[FloatArray, FloatArray]] = {
        Scenario.NULL: (zero, zero),
        Scenario.TRAIT: (side * gap, side * gap),
        Scenario.FALLS: (zero, fall),
        Scenario.GAP: (side * gap * priors.contrast_baseline_fraction, side * gap),
    }
    truth["effect_ln_week_0"], truth["effect_ln_week_12"] = ends[scenario]


def true_ln_level(
    truth: pd.DataFrame, weeks: FloatArray, *, priors: SimulationPriors
) -> FloatArray:
    """Give the undisturbed ln sIL-6R of each row of `truth` at the weeks of the same row."""
    ramp = weeks / FULL_CONTRAST_WEEK
    if priors.contrast_holds_after_week_12:
        ramp = np.minimum(ramp, 1.0)
    start = truth["effect_ln_week_0"].to_numpy()
    end = truth["effect_ln_week_12"].to_numpy()
    line = truth["person_ln"].to_numpy() + truth["slope_per_week"].to_numpy() * weeks
    return np.asarray(line + start + (end - start) * ramp, dtype=float)


def true_score(truth: pd.DataFrame, weeks: FloatArray) -> FloatArray:
    """Give the latent QIDS-SR16 total of each row of `truth` at the weeks of the same row."""
    knots = np.column_stack([np.zeros(len(truth)), *(truth[name] for name in KNOT_COLUMNS)])
    right = np.clip(np.searchsorted(KNOT_WEEKS, weeks, side="right"), 1, len(KNOT_WEEKS) - 1)
    rows = np.arange(len(truth))
    share = (weeks - KNOT_WEEKS[right - 1]) / (KNOT_WEEKS[right] - KNOT_WEEKS[right - 1])
    share = np.clip(share, 0.0, 1.0)
    fraction = knots[rows, right - 1] * (1 - share) + knots[rows, right] * share
    return np.asarray(truth["baseline_score"].to_numpy() * (1 - fraction), dtype=float)
