"""What a laboratory may do: push draws."""

from collections.abc import Sequence
from typing import ClassVar, cast

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring import ingest, refusals
from monitoring.api import examples
from monitoring.api.authentication import LaboratoryAtTheDoor
from monitoring.api.limits import PushesPerMinute
from monitoring.api.messages import MessageIsRefused, read_message
from monitoring.api.negotiation import AlwaysTheFirst
from monitoring.api.parsers import (
    CSV,
    JSON,
    XLSX,
    UntouchedBytes,
    UntouchedCsv,
    UntouchedXlsx,
    body_of,
)
from monitoring.api.problems import CONTENT_TYPE
from monitoring.api.schema import KnownOrDryRun, Problem, PushAnswer, PushRequest
from patients.intake.receipts import Answer
from patients.intake.reports import DrawReport
from patients.intake.verdicts import Verdict, counts_of
from patients.scopes import CREATE, UPDATE


def _say(answer: Answer, report: DrawReport) -> dict[str, object]:
    ignored = [report.results[place].codes[0].code for place in answer.ignored]
    return ({"ignored": ignored} if ignored else {}) | {
        "id": str(answer.id),
        "accession": answer.accession,
        "state": answer.state,
        "reasons": list(answer.reasons),
    }


def _say_what_would_be(verdicts: Sequence[Verdict]) -> dict[str, object]:
    return {
        "dry_run": True,
        "counts": counts_of(verdicts),
        "verdicts": [
            {
                "pointer": each.pointer,
                "row": each.row or None,
                "accession": each.accession,
                "analyte": each.analyte,
                "state": each.state.value,
                "reasons": list(each.reasons),
            }
            for each in verdicts
        ],
    }


def asks_for_dry_run(query: QueryDict) -> bool:
    """Tell whether nothing is to be stored. A misspelt or doubtful wish must not store either."""
    for name, values in query.lists():
        if name.replace("-", "").replace("_", "").lower() == "dryrun" and (
            name != "dry_run" or values not in (["true"], ["false"])
        ):
            raise ParseError(_("Ask for a dry run as ?dry_run=true; nothing was stored."))
    return query.get("dry_run") == "true"


class Results(APIView):
    """The laboratory's door in plain JSON, and in tables."""

    needs: ClassVar = {"POST": CREATE + UPDATE}  # any message may correct
    parser_classes = (UntouchedBytes, UntouchedCsv, UntouchedXlsx)
    throttle_classes = (PushesPerMinute,)
    content_negotiation_class = AlwaysTheFirst

    @extend_schema(
        operation_id="push_results",
        summary="Push one draw, up to 500, or a table of results",
        description=examples.PUSH,
        request={JSON: PushRequest, CSV: OpenApiTypes.STR, XLSX: OpenApiTypes.BINARY},
        parameters=[
            OpenApiParameter(
                "dry_run", bool, description=examples.DRY_RUN, required=False, default=False
            )
        ],
        responses={
            201: OpenApiResponse(PushAnswer, description="Something new was taken in."),
            200: OpenApiResponse(KnownOrDryRun, description=examples.KNOWN),
            **{
                (status, CONTENT_TYPE): OpenApiResponse(Problem, description=text)
                for status, text in examples.REFUSALS.items()
            },
        },
        examples=examples.EXAMPLES,
        tags=["results"],
    )
    def post(self, request: Request) -> Response:
        caller = cast(LaboratoryAtTheDoor, request.user)
        body = body_of(request)
        is_dry_run = asks_for_dry_run(request.query_params)
        try:
            message = read_message(
                body,
                content_type=request.content_type,
                laboratory_id=caller.sender.laboratory_id,
                is_dry_run=is_dry_run,
            )
        except MessageIsRefused as refused:
            request.META[refusals.WHY] = refused.why
            return refused.answer
        take = ingest.rehearse if is_dry_run else ingest.receive
        receipt = take(
            message.reports,
            body=body,
            dialect=message.dialect,
            sender=caller.sender,
            at=timezone.now(),
            asked=message.asked,
        )
        if is_dry_run:
            return Response(_say_what_would_be(message.verdicts(receipt.answers)))
        answers = [
            _say(answer, report)
            for answer, report in zip(receipt.answers, message.reports, strict=True)
        ]
        return Response(
            {"draws": answers} if message.is_list else answers[0],
            status=201 if receipt.is_new else 200,
        )
