"""Every constant the core rests on, with its source, its grade and the day it was read.

Grades: V, read in the source named; V-sec, read in a secondary page; M, general
knowledge, not verified; D, derived here by arithmetic that is shown. A change of any is a new
:data:`VERSION`; the tests hold what is here against the digest of the version.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum


class Grade(StrEnum):
    """How well a figure is founded."""

    VERIFIED = "V"
    SECONDARY = "V-sec"
    UNVERIFIED = "M"
    DERIVED = "D"


@dataclass(frozen=True, slots=True)
class Constant:
    """One figure and what it rests on.

    Parameters
    ----------
    name : str
        What the figure is, in words.
    value : float
        The figure, in ``unit``.
    unit : str
        Its unit; "1" for a pure number.
    grade : Grade
        How well it is founded.
    source : str
        Where it was read, or the arithmetic that gives it.
    read_on : date
        The day it was read or derived.
    """

    name: str
    value: float
    unit: str
    grade: Grade
    source: str
    read_on: date = date(2026, 11, 23)


VERSION = "evidence-1"
DIGESTS = {"evidence-1": "663d6b0ce07a23598e5dfce50e63bfbbe5a5d58c8714dc0385cd1f784d4366a5"}

_V, _S, _M, _D = Grade.VERIFIED, Grade.SECONDARY, Grade.UNVERIFIED, Grade.DERIVED
_SEED = "Yamasaki, Hasegawa, Takeda 2020, doi 10.1002/npr2.12100, by psychiatryadvisor.com"

# The seed study: two groups of patients, sampled once, after therapy.
SEED_N_RESISTANT = Constant("treatment-resistant patients in the seed study", 25, "1", _S, _SEED)
SEED_N_REMITTED = Constant("remitted patients in the seed study", 17, "1", _S, _SEED)
SEED_SIL6R_RESISTANT = Constant("mean sIL-6R, treatment-resistant", 37.6, "ng/mL", _S, _SEED)
SEED_SIL6R_REMITTED = Constant("mean sIL-6R, remitted", 31.1, "ng/mL", _S, _SEED)
SEED_SIL6R_P = Constant("P of the difference in sIL-6R", 0.015, "1", _S, _SEED)
SEED_SD_LN = Constant(
    "standard deviation of ln sIL-6R within a group, implied by n, means and P",
    0.230,
    "1",
    _D,
    "t(40)=2.542 from P; pooled SD 8.13 ng/mL, CV 23 %; sqrt(ln(1+.23^2))",
)
CONTRAST_LN = Constant(
    "ln sIL-6R, resistant minus remitted, about week 12",
    0.190,
    "1",
    _D,
    "ln(37.6/31.1) at a common CV; back-calculated from the seed study",
)
CONTRAST_SE = Constant(
    "standard error of the contrast at week 12",
    0.075,
    "1",
    _D,
    "0.230*sqrt(1/25+1/17)=0.072, widened a little for the rounding of P",
)
CONTRAST_BASELINE_SHARE = Constant(
    "share of the week-12 contrast that is there at the first dose",
    0.5,
    "1",
    _M,
    "unknown: the seed study sampled after therapy; hence half, with a wide uncertainty",
)
CONTRAST_BASELINE_SHARE_SD = Constant(
    "standard deviation of that share", 0.5, "1", _M, "judgement: from none to all of it"
)
CONTRAST_SHRINKAGE = Constant(
    "factor on the published contrast against the winner's curse",
    0.7,
    "1",
    _D,
    "simulation: at 1 the model is over-confident if the publication is wrong",
)
CONTRAST_WEEKS = Constant(
    "week at which the published contrast is taken to be reached, constant afterwards",
    12,
    "wk",
    _M,
    "the seed study sampled after therapy; one to three months is usual",
)
BIOMARKER_CAP = Constant(
    "largest log-odds the published contrast may move an estimate by",
    0.8,
    "1",
    _D,
    "0.40 per standard deviation of sIL-6R (derived 0.80, halved for shrinkage), capped at 2 SD",
)

# What is known without any biomarker.
TRD_PREVALENCE = Constant(
    "share who will meet the rule for treatment resistance",
    0.30,
    "1",
    _M,
    "20 to 44 % by definition; STAR*D: not remitted after two steps 0.632*0.694=44 % (Rush 2006)",
)
TRD_PREVALENCE_LOW = Constant("its lower end", 0.20, "1", _M, "same")
TRD_PREVALENCE_HIGH = Constant("its upper end", 0.44, "1", _D, "0.632*0.694, Rush 2006")
EARLY_SENSITIVITY = Constant(
    "early improvement as a test for response: sensitivity",
    0.85,
    "1",
    _V,
    "meta-analysis of 17 trials, n=14779, pubmed 28697423",
)
EARLY_SPECIFICITY = Constant(
    "early improvement as a test for response: specificity", 0.54, "1", _V, "pubmed 28697423"
)
EARLY_NON_IMPROVEMENT_LOG_ODDS = Constant(
    "log-odds added by less than 20 % improvement at weeks 2 to 4",
    1.28,
    "1",
    _D,
    "ln(0.54/0.15); it is for non-response to one trial, which is more common than resistance",
)
EARLY_IMPROVEMENT_LOG_ODDS = Constant(
    "log-odds added by at least 20 % improvement at weeks 2 to 4", -0.61, "1", _D, "ln(0.46/0.85)"
)
EARLY_LOG_ODDS_SD = Constant(
    "uncertainty of either, mostly from carrying it over to another outcome",
    0.30,
    "1",
    _M,
    "judgement; the sampling error alone is near 0.1",
)
EARLY_IMPROVEMENT_SHARE = Constant(
    "fall of the symptom total that counts as early improvement",
    0.20,
    "1",
    _V,
    "Szegedi 2009; pubmed 28697423: under 20 % on HAM-D17 at day 14",
)

# Variation of sIL-6R and of the others, as coefficients of variation.
CVI_SIL6R = Constant(
    "within-person biological variation of sIL-6R",
    0.15,
    "1",
    _V,
    "band 11 to 20 %: Aziz 2019, BMC Immunol 20:33, PMC6744707; exact value not seen",
)
CVA_SIL6R = Constant(
    "assay variation of sIL-6R",
    0.07,
    "1",
    _S,
    "below 10 %: Quantikine, Di Spigna 2023 by pubcompare; 7 % where the laboratory gives none",
)
CVI_IL6 = Constant("within-person variation of IL-6", 0.30, "1", _V, "26 to 31 %, Knudsen 2007")
CVI_TNF = Constant("within-person variation of TNF-α", 0.21, "1", _V, "21 to 57 %, Singulex")
CVI_CRP = Constant("within-person variation of hs-CRP", 0.42, "1", _M, "usual textbook figure")
CVA_OTHERS = Constant(
    "assay variation of IL-6, TNF-α and hs-CRP", 0.08, "1", _M, "typical of immunoassays"
)
BETWEEN_SD_SIL6R = Constant(
    "between-person SD of ln sIL-6R within a group",
    0.167,
    "1",
    _D,
    "sqrt(0.230^2 - 0.15^2 - 0.05^2): what the seed study's spread leaves for persons",
)
SLOPE_SD_SIL6R = Constant(
    "between-person SD of the slope of ln sIL-6R",
    0.006,
    "1/wk",
    _M,
    "no serial study exists; the figure of our simulations",
)
LEVEL_SIL6R = Constant(
    "typical sIL-6R, both groups mixed at 30 %",
    32.5,
    "ng/mL",
    _D,
    "exp(midpoint 3.506 - 0.2*0.7*0.190); specific to the assay of the seed study",
)
LEVEL_SD = Constant(
    "uncertainty of the common ln level in another laboratory",
    0.25,
    "1",
    _M,
    "assays differ: 17 to 38 ng/mL in published healthy and depressed groups",
)
LEVEL_SD_PER_END = Constant(
    "uncertainty of the mean ln level at week 0 and at week 12, each",
    0.12,
    "1",
    _M,
    "whether treatment lowers sIL-6R is contradictory: Maes 1995 no, Maes 1997 yes",
)
LEVEL_IL6 = Constant("typical IL-6", 1.4, "pg/mL", _V, "median serum, Knudsen 2007")
LEVEL_TNF = Constant("typical TNF-α", 2.0, "pg/mL", _S, "1.90 and 2.23 in the seed study's groups")
LEVEL_CRP = Constant("typical hs-CRP", 1.5, "mg/L", _M, "general adult population")
BETWEEN_CV_IL6 = Constant("between-person CV of IL-6", 0.50, "1", _V, "22 to 53 %, Singulex")
BETWEEN_CV_TNF = Constant("between-person CV of TNF-α", 0.35, "1", _V, "22 to 53 %, Singulex")
BETWEEN_CV_CRP = Constant("between-person CV of hs-CRP", 0.90, "1", _M, "strongly skewed")
SLOPE_SD_OTHERS = Constant("between-person SD of their slopes", 0.02, "1/wk", _M, "judgement")
LEVEL_SD_OTHERS = Constant(
    "uncertainty of their common ln level", 0.5, "1", _M, "assay heterogeneity, Said 2021"
)
GENOTYPE_SHARE = Constant(
    "share of the variance of sIL-6R between persons that rs2228145 explains",
    0.51,
    "1",
    _V,
    "van Dongen 2014, n about 5000; 20 % in Rafiq 2007",
)
GENOTYPE_EFFECT_LN = Constant(
    "ln sIL-6R per C allele of rs2228145",
    0.25,
    "1",
    _D,
    "sqrt(0.51*0.0606/0.48); Marinou 0.07 to 0.17, Rafiq 0.34",
)
ALLELE_FREQUENCY = Constant("frequency of the C allele", 0.40, "1", _V, "Rafiq 2007, n=1273")
BETWEEN_VARIANCE_SIL6R = Constant(
    "variance of ln sIL-6R between persons, all genotypes",
    0.0606,
    "1",
    _D,
    "ln(1+0.25^2): between-person CV 20 to 40 % (Aziz 2019), 25 % taken",
)
PRIOR_PATIENTS = Constant(
    "patients the published variances are worth",
    20,
    "1",
    _D,
    "k=20 was best in simulation; five times as much for the residual variance",
)
ENOUGH_LOCAL_PATIENTS = Constant(
    "patients with local draws before the level is taken from them",
    50,
    "1",
    _D,
    "simulation: below, the published spread is used and the estimate is labelled prior only",
)
FIRST_IMPLAUSIBLE_Z = Constant(
    "standard deviations of the population at which a first draw waits for a check",
    6.0,
    "1",
    _D,
    "sIL-6R: ninefold from the usual; another unit or a lost decimal point lies further, a kit not",
)
IMPLAUSIBLE_Z = Constant(
    "standard deviations from its prediction at which a new draw waits for a check",
    3.3,
    "1",
    _D,
    "one in a thousand under the normal law",
)


def constants() -> tuple[Constant, ...]:
    """Give every constant.

    Returns
    -------
    tuple of Constant
        In the order in which they stand here.
    """
    return tuple(each for each in globals().values() if isinstance(each, Constant))


def digest() -> str:
    """Give the digest of all constants with their sources, grades and days.

    Returns
    -------
    str
        SHA-256, in hexadecimal; what :data:`DIGESTS` must say of :data:`VERSION`.
    """
    text = json.dumps([asdict(each) for each in constants()], default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
