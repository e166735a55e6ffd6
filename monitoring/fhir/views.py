"""The laboratory's door in FHIR R4: results come in, and a laboratory reads back its own."""

import re
from typing import Any, ClassVar, cast

from django.http import Http404
from django.utils import timezone
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring import refusals
from monitoring.api.authentication import LaboratoryAtTheDoor
from monitoring.api.limits import PushesPerMinute
from monitoring.api.parsers import body_of
from monitoring.api.permissions import require
from monitoring.door_log import OUTCOME
from monitoring.fhir import bundles, outcomes, reads, schema, writes
from monitoring.fhir.answers import ROOT, NotKept
from monitoring.fhir.capability import statement
from monitoring.fhir.forms import (
    FhirBytes,
    FhirBytesAsJson,
    FhirNegotiation,
    FhirRenderer,
    PlainJsonRenderer,
)
from monitoring.fhir.requests import asked_by, preference_of, scopes_for, told_apart_by
from monitoring.oauth2.views import token_address
from patients.intake.fhir import resources
from patients.intake.fhir.bundles import ReadBundle
from patients.intake.fhir.door import read_request
from patients.intake.fhir.faults import Refused, not_fhir
from patients.intake.fhir.interactions import Asked, Context, Write
from patients.intake.receipts import Sender
from patients.scopes import CREATE, READ, UPDATE


def _is_known(etag: str, request: Request) -> bool:
    """Tell whether the client has this version already, compared weakly as RFC 9110 has it."""
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return known == ["*"] or etag.removeprefix("W/") in {each.removeprefix("W/") for each in known}


_WITH_AN_ID = re.compile(r"/fhir/(Observation|DiagnosticReport)/[^/]+/?")


class FhirView(APIView):
    """What all addresses of the door share: how a message comes, and how it is refused."""

    # SMART lets an update make what is not there yet; a create that would correct is refused later
    needs: ClassVar[dict[str, str]] = {"POST": CREATE, "PUT": UPDATE, "GET": READ}
    parser_classes = (FhirBytes, FhirBytesAsJson)
    renderer_classes = (FhirRenderer, PlainJsonRenderer)
    throttle_classes = (PushesPerMinute,)
    content_negotiation_class = FhirNegotiation
    http_method_names = ["get", "head", "post", "put"]  # noqa: RUF012 - Django writes it so

    def get_exception_handler(self) -> Any:
        return outcomes.handle_exception

    @property
    def sender(self) -> Sender:
        return cast(LaboratoryAtTheDoor, self.request.user).sender

    def write(self, request: Request, asked: Asked) -> Response:
        """Take in one resource."""
        body = body_of(request)
        found = read_request(asked, body)
        if isinstance(found, Context):
            return Response(NotKept(asked.kind, _(found.detail)).outcome)
        if not isinstance(found, Write):
            raise TypeError
        require(self.sender, scopes_for(found))
        [done] = writes.take_in(
            [found], body=body, asked=told_apart_by(asked), sender=self.sender, at=timezone.now()
        )
        if isinstance(done, Refused):
            raise done
        if isinstance(done, NotKept):
            return Response(done.outcome)
        wish = preference_of(request).or_else("representation")
        return Response(done.body(wish), status=done.status, headers=done.headers)


class Root(FhirView):
    """The door itself: Bundles. Each entry needs what it would need by itself."""

    needs: ClassVar = {"POST": ""}

    @schema.writes("fhir_bundle", "Push a batch or a transaction", resources.Bundle, by="bundle")
    def post(self, request: Request) -> Response:
        body = body_of(request)
        found = read_request(Asked("POST", "", None, ""), body)
        if not isinstance(found, ReadBundle):
            raise TypeError
        told = bundles.answer(
            found,
            body=body,
            sender=self.sender,
            preference=preference_of(request),
            at=timezone.now(),
            base=request.build_absolute_uri(ROOT),
        )
        if refused := bundles.refused_in(told):
            request.META[OUTCOME] = refusals.PARTLY
            request.META[refusals.WHY] = refusals.say(refused)
        return Response(told)


class Observations(FhirView):
    """Results: made, put right under a condition, or searched for."""

    @schema.writes("fhir_create_observation", "Push a result", resources.Observation, by="create")
    def post(self, request: Request) -> Response:
        return self.write(request, asked_by(request, "Observation"))

    @schema.writes(
        "fhir_update_observation_by_identifier",
        "Push a result, or put right the one of this identifier",
        resources.Observation,
        by="condition",
    )
    def put(self, request: Request) -> Response:
        return self.write(request, asked_by(request, "Observation"))

    @schema.reads("fhir_search_observations", "Find own results by an identifier", by="identifier")
    def get(self, request: Request) -> Response:
        found = reads.search(
            self.sender.laboratory_id,
            asked_by(request, "Observation").terms,
            base=request.build_absolute_uri(ROOT),
            is_lenient=preference_of(request).is_lenient,
        )
        return Response(found.resource)


class Observation(FhirView):
    """One result, by the id that the laboratory chose or that we gave."""

    @schema.writes(
        "fhir_update_observation",
        "Push a result under an id of one's own, or put it right",
        resources.Observation,
        by="address",
    )
    def put(self, request: Request, resource_id: str) -> Response:
        return self.write(request, asked_by(request, "Observation", resource_id))

    @schema.reads("fhir_read_observation", "Read an own result", by="id")
    def get(self, request: Request, resource_id: str) -> Response:
        found = reads.read(self.sender.laboratory_id, resource_id)
        if _is_known(found.headers["ETag"], request):
            return Response(status=304, headers=found.headers)
        return Response(found.resource, headers=found.headers)


class ObservationHistory(FhirView):
    """Every version of one result."""

    @schema.reads("fhir_history_of_observation", "Read every version of an own result", by="id")
    def get(self, request: Request, resource_id: str) -> Response:
        base = request.build_absolute_uri(ROOT)
        found = reads.read_history(self.sender.laboratory_id, resource_id, base=base)
        return Response(found.resource)


class ObservationVersion(FhirView):
    """One version of one result."""

    @schema.reads("fhir_read_version_of_observation", "Read one version of a result", by="id")
    def get(self, request: Request, resource_id: str, version: str) -> Response:  # noqa: ARG002
        found = reads.read_version(self.sender.laboratory_id, resource_id, version)
        return Response(found.resource, headers=found.headers)


class DiagnosticReports(FhirView):
    """Reports that contain their results."""

    @schema.writes(
        "fhir_create_report",
        "Push a report that contains its results",
        resources.DiagnosticReport,
        by="create",
    )
    def post(self, request: Request) -> Response:
        return self.write(request, asked_by(request, "DiagnosticReport"))

    @schema.writes(
        "fhir_update_report_by_identifier",
        "Push a report, or put right the results of the one of this identifier",
        resources.DiagnosticReport,
        by="condition",
    )
    def put(self, request: Request) -> Response:
        return self.write(request, asked_by(request, "DiagnosticReport"))


class DiagnosticReport(FhirView):
    """One report, by the id that the laboratory chose or that we gave."""

    @schema.writes(
        "fhir_update_report",
        "Push a report under an id of one's own, or put its results right",
        resources.DiagnosticReport,
        by="address",
    )
    def put(self, request: Request, resource_id: str) -> Response:
        return self.write(request, asked_by(request, "DiagnosticReport", resource_id))

    @schema.reads("fhir_read_report", "Read an own report", by="id")
    def get(self, request: Request, resource_id: str) -> Response:  # noqa: ARG002
        found = reads.read_report(self.sender.laboratory_id, resource_id)
        return Response(found.resource, headers=found.headers)


class Metadata(FhirView):
    """What this door can do; for everybody to read."""

    authentication_classes = ()
    permission_classes = ()

    @schema.reads("fhir_capabilities", "What this door can do", by="nothing")
    def get(self, request: Request) -> Response:
        address = request.build_absolute_uri(ROOT)
        return Response(statement(address=address, token_endpoint=token_address(request)))


class Elsewhere(FhirView):
    """Whatever else is asked for under /fhir: there is no such thing, and that is said in FHIR."""

    authentication_classes = ()
    permission_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method == "PUT" and _WITH_AN_ID.fullmatch(request.path):
            raise not_fhir("invalid", "", "an id has at most 64 letters, digits, dashes and dots")
        raise Http404(_("There is nothing at this address."))
