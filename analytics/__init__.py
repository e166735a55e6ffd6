"""What it means: numbers in, numbers out. The front door of the statistical core.

Plain Python on numpy, scipy and pandas; it knows nothing of the site, the database or
the clock. ``estimate_cohort(History(...), at=...)`` is all that others call.
"""

from analytics.allocation import Allocation
from analytics.definitions import RULES, ClinicalState
from analytics.estimate import Estimate, Outcome
from analytics.estimates import CURRENT_RELEASE, Estimates, estimate_cohort
from analytics.findings import (
    Contribution,
    EvidenceKind,
    LeftOut,
    Trajectory,
    prediction_band,
)
from analytics.histories import History
from analytics.mixtures import Band
from analytics.moments import TimeIsNaive, TimeIsOffTheRecord
from analytics.policy import (
    CURRENT_POLICY,
    FlagKind,
    FlagLevel,
    FlagReason,
    Policy,
    WantedFlag,
)
from analytics.reasons import Reason, Validity
from analytics.releases import Release, ReleaseIsUnfit
from analytics.tables import NEVER, HistoryIsUnfit, Table

__all__ = [
    "CURRENT_POLICY",
    "CURRENT_RELEASE",
    "NEVER",
    "RULES",
    "Allocation",
    "Band",
    "ClinicalState",
    "Contribution",
    "Estimate",
    "Estimates",
    "EvidenceKind",
    "FlagKind",
    "FlagLevel",
    "FlagReason",
    "History",
    "HistoryIsUnfit",
    "LeftOut",
    "Outcome",
    "Policy",
    "Reason",
    "Release",
    "ReleaseIsUnfit",
    "Table",
    "TimeIsNaive",
    "TimeIsOffTheRecord",
    "Trajectory",
    "Validity",
    "WantedFlag",
    "estimate_cohort",
    "prediction_band",
]
