"""The FHIR door as the OpenAPI document tells it; the resources are those of FHIR R4."""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from monitoring.fhir.forms import FHIR_JSON, JSON

View = TypeVar("View", bound=Callable[..., Any])
_REFUSALS = {
    400: "Not JSON, not FHIR R4, or a condition that is not understood.",
    401: "The key is missing, unknown or revoked.",
    403: "The key is good, but not for this: its scopes do not suffice.",
    404: "This laboratory has no such result.",
    405: "Nothing is patched or deleted here.",
    406: "The answer is JSON of FHIR R4.",
    412: "If-Match does not name the current version.",
    413: "The message is too large.",
    415: "The message is not JSON of FHIR R4 in UTF-8.",
    422: "FHIR R4, but nothing that can be used here.",
    429: "Too many messages in this minute; see Retry-After.",
    503: "The database is away and nothing was stored; see Retry-After.",
}
_ALWAYS = (401, 403, 406, 429, 503)
_OF_WRITES = (400, 412, 413, 415, 422)
_CONDITION = OpenApiParameter(
    "identifier", str, description="system|value: the one result that is meant"
)
_PREFER = OpenApiParameter(
    "Prefer",
    str,
    OpenApiParameter.HEADER,
    description="return=minimal, return=representation or return=OperationOutcome",
)
_IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description='the version to be replaced: W/"1"'
)
_IF_NONE_EXIST = OpenApiParameter(
    "If-None-Exist",
    str,
    OpenApiParameter.HEADER,
    description="identifier=system|value: make it only when there is none",
)


def _answers(*statuses: int, done: dict[int, str]) -> dict[Any, OpenApiResponse]:
    told = {status: (OpenApiTypes.OBJECT, text) for status, text in done.items()} | {
        status: (OpenApiTypes.OBJECT, _REFUSALS[status]) for status in statuses
    }
    return {
        (status, FHIR_JSON): OpenApiResponse(shape, description=text)
        for status, (shape, text) in told.items()
    }


def writes(name: str, summary: str, resource: Any, *, by: str) -> Callable[[View], View]:
    """Describe a write: `by` is create, condition, address or bundle."""
    parameters = {
        "create": [_IF_NONE_EXIST, _CONDITION, _PREFER],
        "condition": [_CONDITION, _IF_MATCH, _PREFER],
        "address": [_IF_MATCH, _PREFER],
        "bundle": [_PREFER],
    }[by]
    done = {200: "It was known, or is a new version of what was known."}
    if by != "bundle":
        done[201] = "It was new; a parked one has the tag parked."
    return _describe(
        operation_id=name,
        summary=summary,
        request={FHIR_JSON: resource, JSON: resource},
        parameters=parameters,
        responses=_answers(*_ALWAYS, *_OF_WRITES, done=done),
    )


def reads(name: str, summary: str, *, by: str) -> Callable[[View], View]:
    """Describe a read: `by` is id, identifier or nothing."""
    refusals = {"id": (404,), "identifier": (400,), "nothing": ()}[by]
    return _describe(
        operation_id=name,
        summary=summary,
        parameters=[_CONDITION] if by == "identifier" else [],
        responses=_answers(*_ALWAYS, *refusals, done={200: "Here it is."}),
    )


def _describe(**said: Any) -> Callable[[View], View]:
    described: Callable[[View], View] = extend_schema(tags=["FHIR R4"], **said)
    return described
