"""The seed study, repeatable: its analysis for any cohort, and what its summary implies."""

from analytics.comparison.groups import (
    ComparisonIsUnfit,
    effect_interval,
    group_table,
    hedges_correction,
)
from analytics.comparison.published import (
    SEED_STUDY,
    BackCalculated,
    PublishedSummary,
    back_calculate,
    seed_study,
)
from analytics.comparison.regression import Regression, regress
from analytics.comparison.study import StudyAnalysis, analyse_study

__all__ = [
    "SEED_STUDY", "BackCalculated", "ComparisonIsUnfit", "PublishedSummary", "Regression",
    "StudyAnalysis", "analyse_study", "back_calculate", "effect_interval", "group_table",
    "hedges_correction", "regress", "seed_study",
]  # fmt: skip
