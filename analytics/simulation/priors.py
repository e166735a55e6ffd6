"""What the simulator believes about people, markers and laboratories, each figure with its source.

Grades follow the evidence file: V read in the source, V-sec read in a secondary page,
M general knowledge, D derived by arithmetic. Nothing here is fitted to real patients.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from math import log, sqrt
from typing import NamedTuple

from analytics import evidence
from analytics.changes import MOST_CV
from analytics.scalars import is_real

ANALYTE_UNITS: Mapping[str, str] = {
    "sIL-6R": "ng/mL",
    "IL-6": "pg/mL",
    "TNF-α": "pg/mL",
    "hs-CRP": "mg/L",
}
ALLELE_FREQUENCY = 0.40  # rs2228145 minor allele; Rafiq 2007 [V]
GENOTYPE_SHARE = 0.51  # of the variance of ln sIL-6R; van Dongen 2014 [V]
PUBLISHED_GAP_LN = evidence.CONTRAST_LN.value
FULL_CONTRAST_WEEK = evidence.CONTRAST_WEEKS.value


class Scenario(StrEnum):
    """What serial sIL-6R has to do with resistance, the known truth of a cohort."""

    NULL = "null"
    """Nothing: no difference between the groups, no change with treatment."""
    TRAIT = "trait"
    """A constant difference from the first dose on that treatment does not move (Maes 1995)."""
    FALLS = "falls"
    """Equal at the first dose; treatment lowers it in those who remit (Maes 1997)."""
    GAP = "gap"
    """Half the published difference at the first dose, all of it by week 12 (Yamasaki 2020)."""


class BadPriors(ValueError):
    """A prior lies outside what it can mean; the message names it and what would be right."""


@dataclass(frozen=True)
class SimulationPriors:
    """Every number the simulator draws from; `PROVENANCE` holds the source of each.

    Shares and coefficients of variation are fractions (0.15 is 15 %), slopes are in ln units
    per week, concentrations in the canonical unit of the analyte.

    Raises
    ------
    BadPriors
        A figure is no finite number or lies outside its limits: shares 0 to 1, coefficients of
        variation 0 to 1.5, the slope's spread 0 to 1 per week, medians, limits of quantification
        and factors 1e-6 to 1e6, weeks a day to 10,000, other spreads 0 to 10,000, scale, fraction
        and treatment effects -10 to 10. Within them figures may still contradict each other
        (early improvement in more than everybody); what they make is then for their giver to see.
    """

    resistant_share: float = evidence.TRD_PREVALENCE.value
    early_improver_share_resistant: float = 1 - evidence.EARLY_SPECIFICITY.value
    early_improver_share_remitting: float = evidence.EARLY_SENSITIVITY.value
    baseline_score_mean: float = 16.0
    baseline_score_sd: float = 3.0
    rating_noise_sd: float = 1.0
    missed_rating_share: float = 0.10
    intolerance_share: float = 0.08
    sil6r_median: float = 34.0
    sil6r_between_cv: float = 0.275
    sil6r_within_cv: float = evidence.CVI_SIL6R.value
    sil6r_slope_sd_per_week: float = 0.006
    assay_cv: float = evidence.CVA_SIL6R.value
    lot_cv: float = 0.05
    lot_weeks: float = 8.0
    noisy_share: float = 0.05
    noisy_within_cv: float = 0.30
    contrast_scale: float = 1.0
    contrast_baseline_fraction: float = evidence.CONTRAST_BASELINE_SHARE.value
    contrast_holds_after_week_12: bool = True
    responder_fall_share: float = 0.10
    il6_median: float = 1.65
    il6_between_cv: float = 0.50
    il6_within_cv: float = evidence.CVI_IL6.value
    il6_treatment_g: float = -0.454
    tnf_median: float = 2.0
    tnf_between_cv: float = 0.35
    tnf_within_cv: float = evidence.CVI_TNF.value
    tnf_treatment_g: float = -0.202
    crp_median: float = 1.5
    crp_between_cv: float = 1.00
    crp_within_cv: float = evidence.CVI_CRP.value
    il6_limit: float = 0.80
    tnf_limit: float = 1.00
    crp_limit: float = 0.20
    sil6r_upper_limit: float = 232.8
    missed_draw_share: float = 0.20
    draw_jitter_days: float = 3.5
    haemolysis_share: float = 0.03
    infection_share: float = 0.15
    infection_recorded_share: float = 0.70
    il6r_blocker_share: float = 0.01
    second_kit_share: float = 0.0
    second_kit_factor: float = 1.15

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type in (bool, "bool"):
                if not isinstance(value, bool):
                    raise BadPriors(f"{field.name} is {value!r}; it must be True or False")
            elif not is_real(value):
                raise BadPriors(f"{field.name} is {value!r}; it must be a finite number")
            else:
                _refuse_outside(field.name, value)

    @property
    def allele_effect_ln(self) -> float:
        """Effect of one C allele on ln sIL-6R that gives genotype its share of the variance."""
        between = ln_variance(self.sil6r_between_cv)
        return sqrt(GENOTYPE_SHARE * between / (2 * ALLELE_FREQUENCY * (1 - ALLELE_FREQUENCY)))


class _Bound(NamedTuple):
    endings: tuple[str, ...]
    low: float
    high: float
    wanted: str


# By the ending of the name; the first that fits holds
_BOUNDS = (
    _Bound(("_share",), 0.0, 1.0, "a share lies between 0 and 1"),
    _Bound(("_cv",), 0.0, MOST_CV, f"a spread is not negative; at most {MOST_CV}, 0.15 for 15 %"),
    _Bound(("_sd_per_week",), 0.0, 1.0, "a spread is not negative; at most 1 ln unit a week"),
    _Bound(("_sd", "_days"), 0.0, 1e4, "a spread is not negative; at most 10,000"),
    _Bound(("_median", "_limit", "_factor"), 1e-6, 1e6, "it must be greater than 0: 1e-6 to 1e6"),
    _Bound(("_weeks",), 1 / 7, 1e4, "it must be greater than 0: a day to 10,000 weeks"),
    _Bound(("_scale", "_fraction", "_g"), -10.0, 10.0, "it must lie from -10 to 10"),
    _Bound(("",), -1e4, 1e4, "it must lie from -10,000 to 10,000"),
)


def _refuse_outside(name: str, value: float) -> None:
    bound = next(one for one in _BOUNDS if name.endswith(one.endings))
    if not bound.low <= value <= bound.high:
        raise BadPriors(f"{name} is {value}; {bound.wanted}")


def ln_variance(cv: float) -> float:
    """Variance on the ln scale of a log-normal quantity with this coefficient of variation."""
    return log(1 + cv * cv)


PROVENANCE: Mapping[str, str] = {
    "resistant_share": "TRD prevalence 30 % (20-44 %): PCORI and STAR*D-like settings [M]",
    "early_improver_share_resistant": "1 - 0.54, pubmed 28697423 [V]",
    "early_improver_share_remitting": "0.85, pubmed 28697423 [V]; 62 % of all improve early there, "
    "where 59 % fail one trial; where 30 % meet the TRD rule it comes to 73 % [D]",
    "baseline_score_mean": "QIDS-SR16 at entry, moderate to severe, as in STAR*D [M]",
    "baseline_score_sd": "QIDS-SR16 at entry [M]",
    "rating_noise_sd": "within-person noise of a QIDS-SR16 total [M]",
    "missed_rating_share": "chosen for the simulator [M]",
    "intolerance_share": "trials stopped early for side effects [M]",
    "sil6r_median": "midpoint of 37.6 and 31.1 ng/mL, Yamasaki 2020 [D]",
    "sil6r_between_cv": "25-30 %, inside Aziz 2019 CVG 20-40 % [V for the band]",
    "sil6r_within_cv": "11-20 %, Aziz 2019, PMC6744707 [V for the band]",
    "sil6r_slope_sd_per_week": "no serial data were found; chosen for the simulator [M]",
    "assay_cv": "under 10 %, R&D Quantikine, Di Spigna 2023 [V-sec]; 5-10 % [M]",
    "lot_cv": "between-lot variation 5 % [M]",
    "lot_weeks": "a lot every 8 weeks, shorter than usual, so that changes of lot are met [M]",
    "noisy_share": "people whose marker varies twice as much; chosen for the simulator [M]",
    "noisy_within_cv": "variation in disease exceeds that in health (Westgard/Ricós) [V-sec]",
    "contrast_scale": "1 is the published gap ln 1.21; run 0, 0.5 and 1",
    "contrast_baseline_fraction": "the study sampled after therapy; baseline unknown [D]",
    "contrast_holds_after_week_12": "no data after week 12; the cautious choice [M]",
    "responder_fall_share": "Maes 1997 gives the direction [V], the size is chosen [M]",
    "il6_median": "baseline median 1.65 pg/mL, Choi 2022 [V]",
    "il6_between_cv": "CVG 22-53 %, Singulex [V]",
    "il6_within_cv": "CVI 26-31 %, Knudsen 2007 [V]",
    "il6_treatment_g": "antidepressants lower IL-6, g -0.454, Köhler 2018 [V]",
    "tnf_median": "1.90 and 2.23 pg/mL, Yamasaki 2020 [V-sec]",
    "tnf_between_cv": "CVG 22-53 %, Singulex [V]",
    "tnf_within_cv": "CVI 21 %, Singulex, low end [V]",
    "tnf_treatment_g": "antidepressants lower TNF-α, g -0.202, Köhler 2018 [V]",
    "crp_median": "hs-CRP in depression [M]",
    "crp_between_cv": "strongly skewed between people [M]",
    "crp_within_cv": "CVI 42 % [M]",
    "il6_limit": "limit of quantification, chosen so that about one in ten is below [M]",
    "tnf_limit": "limit of quantification, chosen for the simulator [M]",
    "crp_limit": "limit of quantification of a high-sensitivity assay [M]",
    "sil6r_upper_limit": "reported range 3.01-232.82 ng/mL, Di Spigna 2023 [V-sec]",
    "missed_draw_share": "missed draws 20 % [M]",
    "draw_jitter_days": "standard deviation half a week [M]",
    "haemolysis_share": "haemolysis 3 % [M]",
    "infection_share": "an infection within 24 weeks that a draw may meet [M]",
    "infection_recorded_share": "not every infection reaches the record [M]",
    "il6r_blocker_share": "tocilizumab and its kin among patients with depression [M]",
    "second_kit_share": "off unless a cohort with two assays is wanted",
    "second_kit_factor": "a level shift of 15 % between assays; levels are kit-specific [V]",
}

# Multipliers of the reading while an event lasts, drawn log-uniformly between the two ends.
EVENT_FACTORS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    # sIL-6R x1.0-1.3, IL-6 x5-20, CRP above 10 mg/L [M]
    "infection": {"sIL-6R": (1.0, 1.3), "IL-6": (5.0, 20.0), "hs-CRP": (10.0, 40.0)},
    # sIL-6R and IL-6 rise markedly: Nishimoto 2008 [V], the size x10 [M]; CRP is suppressed [M]
    "il6r_blocker": {"sIL-6R": (8.0, 14.0), "IL-6": (3.0, 10.0), "hs-CRP": (0.1, 0.3)},
    # transient rise of IL-6 and CRP: Kruse 2018 [V], the size [M]
    "ect": {"IL-6": (1.5, 3.0), "hs-CRP": (1.2, 2.0)},
    "vaccination": {"IL-6": (1.2, 2.0), "hs-CRP": (1.2, 3.0)},  # [M]
    "surgery": {"sIL-6R": (1.0, 1.2), "IL-6": (5.0, 15.0), "hs-CRP": (10.0, 40.0)},  # [M]
    "steroid": {"IL-6": (0.5, 0.8), "hs-CRP": (0.3, 0.7)},  # [M]
    # acute exercise raises sIL-6R, PMC3024071 [V], the size [M]
    "exercise": {"sIL-6R": (1.1, 1.3), "IL-6": (1.5, 5.0)},
}


@dataclass(frozen=True)
class DrugPlan:
    """One antidepressant: where a trial starts, where it goes, and what counts as adequate."""

    drug: str
    atc: str
    start_mg: float
    target_mg: float
    adequate_mg: float


# Usual doses; the adequate dose is the lower bound of the usual range [V-sec], ATC codes [V-sec].
DRUGS: tuple[DrugPlan, ...] = (
    DrugPlan("escitalopram", "N06AB10", 5, 10, 10),
    DrugPlan("sertraline", "N06AB06", 50, 100, 50),
    DrugPlan("venlafaxine", "N06AX16", 75, 150, 150),
    DrugPlan("mirtazapine", "N06AX11", 15, 30, 15),
    DrugPlan("duloxetine", "N06AX21", 30, 60, 60),
    DrugPlan("fluoxetine", "N06AB03", 20, 40, 20),
    DrugPlan("bupropion", "N06AX12", 150, 300, 300),
    DrugPlan("vortioxetine", "N06AX26", 10, 20, 20),
)
