"""The tables of what we do about it: assessments, flags, alerts."""

from monitoring.models.alert import Alert, Delivery, DeliveryState, Urgency
from monitoring.models.assessment import Attempt, Outcome, RiskAssessment, Standing
from monitoring.models.door import DoorRequest
from monitoring.models.flag import (
    HANDED_OVER,
    LAPSED,
    OUTCOME_RECORDED,
    OVERTAKEN,
    REPEATED,
    SNOOZE_ENDED,
    WITH_OWN_PATH,
    AcknowledgeReason,
    Flag,
    FlagEvent,
    FlagKind,
    FlagLevel,
    FlagState,
    ResolveReason,
    SafetyUrgency,
)
from monitoring.models.safety import (
    Behaviour,
    Contact,
    CrisisPlan,
    Escalation,
    EscalationStep,
    Finding,
    Ideation,
    SafetyAction,
    SafetyOutcome,
)
from monitoring.models.silence import Silence
from monitoring.models.upload import Upload

__all__ = [
    "HANDED_OVER",
    "LAPSED",
    "OUTCOME_RECORDED",
    "OVERTAKEN",
    "REPEATED",
    "SNOOZE_ENDED",
    "WITH_OWN_PATH",
    "AcknowledgeReason",
    "Alert",
    "Attempt",
    "Behaviour",
    "Contact",
    "CrisisPlan",
    "Delivery",
    "DeliveryState",
    "DoorRequest",
    "Escalation",
    "EscalationStep",
    "Finding",
    "Flag",
    "FlagEvent",
    "FlagKind",
    "FlagLevel",
    "FlagState",
    "Ideation",
    "Outcome",
    "ResolveReason",
    "RiskAssessment",
    "SafetyAction",
    "SafetyOutcome",
    "SafetyUrgency",
    "Silence",
    "Standing",
    "Upload",
    "Urgency",
]
