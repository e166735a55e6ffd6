"""Refusals in the shape of RFC 9457: what is wrong, where, and what would be right."""

import math
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import JsonResponse
from django.utils.translation import gettext as _
from psycopg.errors import (
    DeadlockDetected,
    LockNotAvailable,
    QueryCanceled,
    SerializationFailure,
)
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from patients.intake.json_dialect import Fault
from patients.intake.receipts import VERSIONS_AT_MOST, ToldTooOften

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 5


class ProblemRenderer(JSONRenderer):
    """JSON under the name that RFC 9457 gives it."""

    media_type = CONTENT_TYPE


def problem(status: int, title: str, *, detail: str = "", faults: Sequence[Fault] = ()) -> Response:
    """Make a refusal."""
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status}
    if detail:
        body["detail"] = detail
    if faults:
        body["errors"] = [{"pointer": each.pointer, "detail": each.detail} for each in faults]
    return Response(body, status=status, content_type=CONTENT_TYPE)


def handle_exception(fault: Exception, context: dict[str, Any]) -> Response | None:  # noqa: ARG001
    """Turn what a view raises into a refusal; what nobody foresaw stays a 500."""
    if isinstance(fault, OperationalError | InterfaceError):
        return _not_now(fault)
    if isinstance(fault, ToldTooOften):
        detail = _("One result stands more than %(count)d times in it. Nothing was stored.")
        return problem(
            422, _("Send this message in parts"), detail=detail % {"count": VERSIONS_AT_MOST}
        )
    if not isinstance(fault, exceptions.APIException):
        return None
    title = str(fault.default_detail)
    if "{" in title:  # a pattern that only the detail has filled in
        title = HTTPStatus(fault.status_code).phrase
    answer = problem(fault.status_code, title, detail=str(fault.detail))
    if isinstance(fault, exceptions.Throttled):
        answer = problem(429, _("Too many messages"), detail=_("Send it again later."))
        answer["Retry-After"] = str(max(1, math.ceil(getattr(fault, "wait", None) or 1)))
    if getattr(fault, "auth_header", None):
        answer["WWW-Authenticate"] = fault.auth_header  # type: ignore[attr-defined]
    return answer


def why_not_now(fault: Exception) -> str:
    """Say whether the database cannot be reached, or is there and busy with the same records."""
    is_busy = isinstance(
        fault.__cause__, LockNotAvailable | QueryCanceled | DeadlockDetected | SerializationFailure
    )
    return _("These records are busy") if is_busy else _("The database is away")


def _not_now(fault: Exception) -> Response:
    answer = problem(
        503,
        why_not_now(fault),
        detail=_("Nothing of this message was stored. Send it again later."),
    )
    answer["Retry-After"] = str(RETRY_AFTER_S)
    return answer


def plain_problem(status: int, title: str) -> JsonResponse:
    """Make a refusal where no view was reached that could make one."""
    return JsonResponse(
        {"type": "about:blank", "title": title, "status": status},
        status=status,
        content_type=CONTENT_TYPE,
    )
