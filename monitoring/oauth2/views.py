"""The token endpoint, and what clients read to find it."""

import math
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import exceptions
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring.api import limits
from monitoring.api.authentication import AT_THE_DOOR
from monitoring.api.negotiation import AlwaysTheFirst
from monitoring.oauth2 import schema
from monitoring.oauth2.keysets import ALGORITHMS
from monitoring.oauth2.sign_in import Denied, prove, read_form
from patients import scopes
from patients.intake.receipts import Sender
from patients.record.clients import TOKEN_LIVES, AssertionIsSpent, issue_token

RETRY_AFTER_S = 5
_NEVER_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def token_address(request: Request) -> str:
    """Give the token endpoint's address as this client sees it."""
    return request.build_absolute_uri(reverse("oauth2:token"))


def handle_exception(fault: Exception, context: dict[str, Any]) -> Response | None:  # noqa: ARG001
    """Refuse in the words of RFC 6749; what nobody foresaw stays a 500."""
    if isinstance(fault, Denied):
        status = 401 if fault.error == "invalid_client" else 400
        answer = _refusal(status, fault.error, fault.description)
        if status == 401:
            answer["WWW-Authenticate"] = 'Basic realm="laboratory", charset="UTF-8"'
        return answer
    if isinstance(fault, OperationalError | InterfaceError):
        answer = _refusal(503, "temporarily_unavailable", _("the database is away"))
        answer["Retry-After"] = str(RETRY_AFTER_S)
        return answer
    if isinstance(fault, exceptions.Throttled):
        answer = _refusal(429, "slow_down", _("too many requests of this laboratory"))
        answer["Retry-After"] = str(max(1, math.ceil(getattr(fault, "wait", None) or 1)))
        return answer
    if isinstance(fault, SuspiciousOperation):  # more fields than any form has
        return _refusal(400, "invalid_request", _("the form cannot be read"))
    if isinstance(fault, exceptions.UnsupportedMediaType | exceptions.ParseError):
        kind = "application/x-www-form-urlencoded"
        return _refusal(400, "invalid_request", _("the form must be sent as %s") % kind)
    if isinstance(fault, exceptions.APIException):
        return _refusal(fault.status_code, "invalid_request", str(fault.detail))
    return None


def _refusal(status: int, error: str, description: str) -> Response:
    return Response(
        {"error": error, "error_description": description}, status=status, headers=_NEVER_KEPT
    )


class Token(APIView):
    """Give a client a token for some minutes, once it has proven who it is."""

    authentication_classes = ()
    permission_classes = ()
    parser_classes = (FormParser,)
    content_negotiation_class = AlwaysTheFirst

    def get_exception_handler(self) -> Any:
        return handle_exception

    @extend_schema(
        operation_id="token",
        summary="Sign a client in",
        description=schema.DESCRIPTION,
        request={"application/x-www-form-urlencoded": schema.TokenRequest},
        responses={
            200: OpenApiResponse(schema.TokenAnswer, description="A token."),
            400: OpenApiResponse(schema.TokenRefusal, description="The request is not right."),
            401: OpenApiResponse(schema.TokenRefusal, description="The client is not known so."),
            429: OpenApiResponse(schema.TokenRefusal, description="Too many requests."),
            503: OpenApiResponse(schema.TokenRefusal, description="The database is away."),
        },
        auth=[],
        tags=["sign-in"],
    )
    def post(self, request: Request) -> Response:
        data: object = request.data
        form = read_form(dict(data.lists()) if isinstance(data, QueryDict) else {})
        if "grant_type" not in form:
            raise Denied("invalid_request", _("grant_type is missing"))
        if form["grant_type"] != "client_credentials":
            raise Denied("unsupported_grant_type", _("grant_type must be client_credentials"))
        at = timezone.now()
        own = f"{settings.SITE_URL}{reverse('oauth2:token')}"
        proven = prove(
            form,
            authorization=request.META.get("HTTP_AUTHORIZATION", ""),
            audiences=[token_address(request), own],
            at=at,
        )
        laboratory = proven.client.laboratory
        request.META[AT_THE_DOOR] = Sender(
            laboratory.pk, None, ZoneInfo(laboratory.time_zone), client_id=proven.client.pk
        )
        if not limits.count_one(
            limits.laboratory(laboratory.pk), at_most=laboratory.pushes_per_minute
        ):
            raise exceptions.Throttled(math.ceil(limits.wait()))
        letters, words = scopes.grant(form.get("scope", ""), allowed=proven.client.scopes)
        if not letters:
            raise Denied("invalid_scope", _("this client may have none of these scopes"))
        try:
            token = issue_token(client=proven.client, scopes=letters, spent=proven.spent, at=at)
        except AssertionIsSpent as fault:
            raise Denied("invalid_client", _("this assertion (jti) was used before")) from fault
        said = {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": int(TOKEN_LIVES.total_seconds()),
            "scope": words,
        }
        return Response(said, headers=_NEVER_KEPT)


class SmartConfiguration(APIView):
    """Where and how a client signs in; for everybody to read."""

    authentication_classes = ()
    permission_classes = ()
    content_negotiation_class = AlwaysTheFirst
    ways: ClassVar = ["private_key_jwt", "client_secret_basic", "client_secret_post"]

    @extend_schema(
        operation_id="smart_configuration",
        summary="Where and how a client signs in",
        responses={200: OpenApiResponse(OpenApiTypes.OBJECT, description="SMART's own form.")},
        examples=[
            OpenApiExample("In part", value={"grant_types_supported": ["client_credentials"]})
        ],
        auth=[],
        tags=["sign-in"],
    )
    def get(self, request: Request) -> Response:
        return Response(
            {
                "token_endpoint": token_address(request),
                "token_endpoint_auth_methods_supported": self.ways,
                "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
                "grant_types_supported": ["client_credentials"],
                "scopes_supported": list(scopes.SUPPORTED),
                "response_types_supported": [],
                "code_challenge_methods_supported": [],
                "capabilities": [
                    "client-confidential-asymmetric",
                    "client-confidential-symmetric",
                    "permission-v1",
                    "permission-v2",
                ],
            }
        )
