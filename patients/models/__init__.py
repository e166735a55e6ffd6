"""The tables of the record. Facts only, nothing inferred."""

from patients.models.audit import Audit
from patients.models.clients import (
    AccessToken,
    ClientSecret,
    LaboratoryCertificate,
    LaboratoryClient,
    SpentAssertion,
)
from patients.models.facts import Fact
from patients.models.laboratory import (
    Analyte,
    AnalyteAlias,
    IfPreliminary,
    Kit,
    Laboratory,
    LaboratoryKey,
    NumberingAlias,
    UnitAlias,
)
from patients.models.patient import Episode, Identifier, Patient, PatientStatus, Sex
from patients.models.people import CareTeam, Clinician, Membership, Role, SafetyDuty, Site
from patients.models.rating import Rating
from patients.models.result import (
    WITHOUT_VALUE,
    Comparator,
    Draw,
    Inbound,
    Parked,
    ParkedResult,
    ParkedState,
    Precision,
    Result,
    ResultName,
    ResultStatus,
)
from patients.models.treatment import DoseStep, Event, EventKind, StopReason, Trial

__all__ = [
    "WITHOUT_VALUE",
    "AccessToken",
    "Analyte",
    "AnalyteAlias",
    "Audit",
    "CareTeam",
    "ClientSecret",
    "Clinician",
    "Comparator",
    "DoseStep",
    "Draw",
    "Episode",
    "Event",
    "EventKind",
    "Fact",
    "Identifier",
    "IfPreliminary",
    "Inbound",
    "Kit",
    "Laboratory",
    "LaboratoryCertificate",
    "LaboratoryClient",
    "LaboratoryKey",
    "Membership",
    "NumberingAlias",
    "Parked",
    "ParkedResult",
    "ParkedState",
    "Patient",
    "PatientStatus",
    "Precision",
    "Rating",
    "Result",
    "ResultName",
    "ResultStatus",
    "Role",
    "SafetyDuty",
    "Sex",
    "Site",
    "SpentAssertion",
    "StopReason",
    "Trial",
    "UnitAlias",
]
