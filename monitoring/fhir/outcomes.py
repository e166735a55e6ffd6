"""Refusals as FHIR says them: an OperationOutcome with a code, a place and what would be right."""

import math
from collections.abc import Sequence
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from monitoring import refusals
from monitoring.api.problems import RETRY_AFTER_S, why_not_now
from patients.intake.fhir import exact_json
from patients.intake.fhir.faults import Fault, Refused

CONTENT_TYPE = "application/fhir+json"
Tree = dict[str, Any]
# FHIR's required value set IssueType, by what DRF and the door refuse
_CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    412: "conflict",
    413: "too-long",
    415: "not-supported",
    429: "throttled",
}


def outcome(faults: Sequence[Fault], *, severity: str = "error") -> Tree:
    """Say what is wrong, or what is to be known."""
    issues: list[Tree] = []
    for fault in faults:
        issue: Tree = {
            "severity": severity,
            "code": fault.code,
            "details": {"text": fault.detail},
        }
        if fault.expression:
            issue["expression"] = [fault.expression]
        issues.append(issue)
    return {"resourceType": "OperationOutcome", "issue": issues}


def refusal(refused: Refused) -> Response:
    """Answer a message that is not taken."""
    return Response(outcome(refused.faults), status=refused.status)


def one(status: int, detail: str, *, code: str = "", expression: str = "") -> Response:
    """Answer with one fault."""
    fault = Fault(code or _CODES.get(status, "processing"), expression, detail)
    return Response(outcome([fault]), status=status)


def handle_exception(fault: Exception, context: Tree) -> Response | None:
    """Turn what a view raises into an OperationOutcome; what nobody foresaw stays a 500."""
    if isinstance(fault, Refused):
        faults = [(each.code, each.expression) for each in fault.faults]
        context["request"].META[refusals.WHY] = refusals.say(faults)
        return refusal(fault)
    if isinstance(fault, OperationalError | InterfaceError):
        answer = one(
            503,
            why_not_now(fault)
            + ". "
            + _("Nothing of this message was stored. Send it again later."),
            code="transient",
        )
        answer["Retry-After"] = str(RETRY_AFTER_S)
        return answer
    if isinstance(fault, Http404):
        return one(404, _("There is nothing at this address."))
    if not isinstance(fault, exceptions.APIException):
        return None
    answer = one(fault.status_code, str(fault.detail))
    if isinstance(fault, exceptions.Throttled):
        answer = one(429, _("Too many messages. Send it again later."))
        answer["Retry-After"] = str(max(1, math.ceil(getattr(fault, "wait", None) or 1)))
    if getattr(fault, "auth_header", None):
        answer["WWW-Authenticate"] = fault.auth_header  # type: ignore[attr-defined]
    return answer


def server_fault() -> HttpResponse:
    """Answer when something failed that nobody foresaw; nothing was stored."""
    return HttpResponse(
        exact_json.write(outcome([Fault("exception", "", _("A fault on our side"))])),
        status=500,
        content_type=CONTENT_TYPE,
    )
