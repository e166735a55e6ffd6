"""The tables of what we do about it: assessments, flags, alerts."""

from monitoring.models.alert import Alert, Delivery, DeliveryState, Urgency
from monitoring.models.assessment import Attempt, Outcome, RiskAssessment, Standing
from monitoring.models.flag import (
    LAPSED,
    OVERTAKEN,
    AcknowledgeReason,
    Flag,
    FlagEvent,
    FlagKind,
    FlagLevel,
    FlagState,
    ResolveReason,
)

__all__ = [
    "LAPSED",
    "OVERTAKEN",
    "AcknowledgeReason",
    "Alert",
    "Attempt",
    "Delivery",
    "DeliveryState",
    "Flag",
    "FlagEvent",
    "FlagKind",
    "FlagLevel",
    "FlagState",
    "Outcome",
    "ResolveReason",
    "RiskAssessment",
    "Standing",
    "Urgency",
]
