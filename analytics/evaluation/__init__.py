"""How good the estimates are: ranking, cut-offs, calibration, net benefit, and what flags cost."""

from analytics.evaluation.calibration import (
    Calibration,
    CalibrationIsUndefined,
    brier,
    calibrate,
    calibration_curve,
)
from analytics.evaluation.cutoffs import (
    Criterion,
    CutOff,
    HonestMethod,
    best_cut_off,
    leave_pair_out_auc,
)
from analytics.evaluation.decision import decision_curve, net_benefit_gain
from analytics.evaluation.flags import FlagRecord, judge_flags
from analytics.evaluation.inputs import EvaluationIsUnfit
from analytics.evaluation.landmarks import evaluate_at_landmarks, evaluate_by
from analytics.evaluation.replay import Replay, replay
from analytics.evaluation.roc import (
    RocArea,
    RocComparison,
    compare_roc_areas,
    hanley_mcneil_standard_error,
    roc_area,
    roc_points,
)

__all__ = [
    "Calibration", "CalibrationIsUndefined", "Criterion", "CutOff", "EvaluationIsUnfit",
    "FlagRecord", "HonestMethod", "Replay", "RocArea", "RocComparison", "best_cut_off", "brier",
    "calibrate", "calibration_curve", "compare_roc_areas", "decision_curve",
    "evaluate_at_landmarks", "evaluate_by", "hanley_mcneil_standard_error", "judge_flags",
    "leave_pair_out_auc", "net_benefit_gain", "replay", "roc_area", "roc_points",
]  # fmt: skip
