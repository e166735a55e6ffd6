"""What a clinic's own system may read: why a patient's current assessment says what it says.

It is the structure of the page, its JSON and its PDF, of patients of the key's own team only; each
reading is on the trail.
"""

from typing import Any, ClassVar, cast
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.explanation import Explanation
from monitoring.api import examples
from monitoring.api.limits import PushesPerMinute
from monitoring.api.negotiation import AlwaysTheFirst
from monitoring.api.problems import CONTENT_TYPE, problem
from monitoring.api.schema import Problem
from monitoring.api.teams import IsACareTeam, TeamAtTheDoor, TeamAuthentication
from monitoring.explained import explanation_of
from monitoring.models import RiskAssessment, Standing
from patients import audit
from patients.models import Patient
from patients.scopes import READ


class PatientExplanation(BaseModel):
    """Why the current assessment of one patient says what it says."""

    patient: UUID = Field(description="The opaque name of the patient, as in the address.")
    assessment: int
    is_outdated: bool = Field(
        description="Something of the record is not assessed yet; it will be within seconds."
    )
    is_synthetic: bool = Field(description="The patient and every value are invented.")
    explanation: Explanation


_NOT_THERE = (
    "No patient of this care team has this name, or nothing was assessed yet that can be explained."
)


class CurrentExplanation(APIView):
    """The clinic's door for explanations."""

    needs: ClassVar = {"GET": READ}
    authentication_classes = (TeamAuthentication,)
    permission_classes = (IsACareTeam,)
    throttle_classes = (PushesPerMinute,)
    content_negotiation_class = AlwaysTheFirst

    @extend_schema(
        operation_id="read_explanation",
        summary="Read why a patient's current assessment says what it says",
        description="For systems of a clinic, by a key of the care team that may read "
        "(`issue_team_key --may read`). Inputs with values and dates, what was left out and why, "
        "the course by the rules, the staging, versions, sources with their grade, and what would "
        "change it: the same structure as the page in the portal. Decision support for "
        "professionals, not to be shown to patients. Every reading is on the trail.",
        responses={
            200: OpenApiResponse(PatientExplanation, description="The current assessment."),
            **{
                (status, CONTENT_TYPE): OpenApiResponse(Problem, description=text)
                for status, text in {
                    **{key: examples.REFUSALS[key] for key in (401, 403, 429, 503)},
                    404: _NOT_THERE,
                }.items()
            },
        },
        tags=["explanations"],
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        caller = cast(TeamAtTheDoor, request.user)
        with transaction.atomic():
            answer = _answer(caller, public_id)
        if answer is None:
            return problem(404, _("There is nothing to read here"), detail=_(_NOT_THERE))
        return Response(answer, headers={"Cache-Control": "no-store"})


def _answer(caller: TeamAtTheDoor, public_id: UUID) -> dict[str, Any] | None:
    """Read what stands now of a patient of the caller's own team, and put that on the trail."""
    mine = Patient.objects.filter(team=caller.team_id).select_related("team__site")
    patient = mine.filter(public_id=public_id).first()
    if patient is None:
        return None
    assessment = _current(patient)
    found = explanation_of(assessment, zone=patient.team.site.zone)
    if assessment is None or found is None:
        return None
    audit.write(
        verb="view_explanation",
        subject=f"assessment:{assessment.pk}",
        by=caller.name,
        at=timezone.now(),
        patient_id=patient.pk,
    )
    return {
        "patient": str(patient.public_id),
        "assessment": assessment.pk,
        "is_outdated": assessment.history_version != patient.history_version,
        "is_synthetic": patient.is_synthetic,
        "explanation": found.as_json(),
    }


def _current(patient: Patient) -> RiskAssessment | None:
    standing = Standing.objects.filter(patient=patient).select_related("assessment").first()
    return None if standing is None else standing.assessment
