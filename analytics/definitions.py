"""What the clinic's words mean, as versioned data: states, scales, least doses, the rules.

No risk enters here, and nothing is applied here; that is done in ``courses``.
"""

from dataclasses import dataclass
from enum import StrEnum

from analytics.evidence import EARLY_IMPROVEMENT_SHARE


class ClinicalState(StrEnum):
    """Where a patient stands in therapy, by :data:`RULES`."""

    NO_EPISODE = "no episode"
    NO_TRIAL = "no trial running"
    ON_TRIAL_1 = "on trial 1"
    ON_TRIAL_2 = "on trial 2"
    ON_TRIAL_3 = "on trial 3"
    ON_TRIAL_4 = "on trial 4"
    ON_LATER_TRIAL = "on trial 5 or later"
    EARLY_NON_IMPROVEMENT = "early non-improvement"
    TRIAL_1_FAILED = "trial 1 failed (adequate)"
    TRIAL_2_FAILED = "trial 2 failed (adequate)"
    TRIAL_3_FAILED = "trial 3 failed (adequate)"
    TRIAL_4_FAILED = "trial 4 failed (adequate)"
    LATER_TRIAL_FAILED = "trial 5 or later failed (adequate)"
    MEETS_TRD_RULE = "meets TRD rule eu-pearl-1"
    RESPONSE = "response"
    REMISSION = "remission"


STATES = tuple(ClinicalState)


@dataclass(frozen=True, slots=True)
class Instrument:
    """One symptom scale: its place in the choice of a primary scale, and its remission."""

    name: str
    highest: int
    remission_at_most: int


# QIDS and HAM-D17: ids-qids.org, Trivedi 2006 (V); MADRS and PHQ-9 remission: usual (M).
INSTRUMENTS = (
    Instrument("QIDS-SR16", 27, 5),
    Instrument("QIDS-C16", 27, 5),
    Instrument("HAM-D17", 52, 7),
    Instrument("MADRS", 60, 10),
    Instrument("PHQ-9", 27, 4),
)


# Least adequate daily dose in mg: lower bound of the usual range (UpToDate mirror and McMaster
# textbook, V-sec); venlafaxine 150 because the MGH-ATRQ takes 75 for too low. Not an ATHF table.
LEAST_ADEQUATE_MG: dict[str, float] = {
    "N06AA01": 150,  # desipramine
    "N06AA02": 150,  # imipramine
    "N06AA04": 100,  # clomipramine
    "N06AA09": 150,  # amitriptyline
    "N06AA10": 50,  # nortriptyline
    "N06AB03": 20,  # fluoxetine
    "N06AB04": 20,  # citalopram
    "N06AB05": 20,  # paroxetine
    "N06AB06": 50,  # sertraline
    "N06AB08": 50,  # fluvoxamine
    "N06AB10": 10,  # escitalopram
    "N06AF03": 15,  # phenelzine
    "N06AF04": 30,  # tranylcypromine
    "N06AX05": 200,  # trazodone
    "N06AX11": 15,  # mirtazapine
    "N06AX12": 300,  # bupropion
    "N06AX16": 150,  # venlafaxine
    "N06AX17": 100,  # milnacipran
    "N06AX21": 60,  # duloxetine
    "N06AX22": 25,  # agomelatine
    "N06AX23": 50,  # desvenlafaxine
    "N06AX24": 40,  # vilazodone
    "N06AX26": 5,  # vortioxetine
}


@dataclass(frozen=True, slots=True)
class Rules:
    """The figures behind the words; a change of any is a new version.

    Default after the EU-PEARL consensus (Sforzini 2022, PMC9095475, table 1): two
    adequate treatments with less than 25 % improvement in the episode; a drug that
    was stopped before the end of week 4, or for intolerance, has not failed.
    Adequate duration is 6 weeks as in the MGH-ATRQ.
    """

    version: str = "eu-pearl-1"
    failed_trials: int = 2
    failure_improvement: float = 0.25
    adequate_weeks: float = 6.0
    decision_weeks: float = 4.0
    response_improvement: float = 0.50
    early_improvement: float = EARLY_IMPROVEMENT_SHARE.value
    early_from_days: int = 11
    early_to_days: int = 32
    baseline_before_days: int = 28
    baseline_after_days: int = 4
    grace_days: int = 3
    after_stop_days: int = 7
    augmentation_atc: tuple[str, ...] = ("N05",)
    never_failed_reasons: tuple[str, ...] = (
        "intolerance",
        "intolerable",
        "side effects",
        "side_effects",
        "adverse_event",
        "adverse effects",
        "non_adherence",
        "non-adherence",
    )


RULES = Rules()
