"""What a laboratory may do: push draws."""

from typing import ClassVar, cast

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring import ingest
from monitoring.api import examples
from monitoring.api.authentication import LaboratoryAtTheDoor
from monitoring.api.limits import PushesPerMinute
from monitoring.api.negotiation import AlwaysTheFirst
from monitoring.api.parsers import UntouchedBytes
from monitoring.api.problems import CONTENT_TYPE, problem
from monitoring.api.schema import Problem, PushAnswer, PushRequest
from patients.intake.json_dialect import Faulty, Unreadable, read_json
from patients.intake.reception import Answer
from patients.scopes import CREATE, UPDATE


def _say(answer: Answer) -> dict[str, object]:
    return {
        "id": str(answer.id),
        "accession": answer.accession,
        "state": answer.state,
        "reasons": list(answer.reasons),
    }


class Results(APIView):
    """The laboratory's door in plain JSON."""

    needs: ClassVar = {"POST": CREATE + UPDATE}  # any message may correct
    parser_classes = (UntouchedBytes,)
    throttle_classes = (PushesPerMinute,)
    content_negotiation_class = AlwaysTheFirst

    @extend_schema(
        operation_id="push_results",
        summary="Push one draw, or up to 500",
        description=examples.PUSH,
        request={"application/json": PushRequest},
        responses={
            201: OpenApiResponse(PushAnswer, description="Something new was taken in."),
            200: OpenApiResponse(PushAnswer, description="All of it was known; nothing changed."),
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
        data: object = request.data
        body = data if isinstance(data, bytes) else b""  # DRF's word for no body is no bytes
        try:
            panels, is_list = read_json(body)
        except Unreadable as fault:
            return problem(400, _("This is not JSON"), detail=str(fault))
        except Faulty as fault:
            return problem(
                422,
                _("This cannot be read as a draw"),
                detail=_("Nothing of this message was stored."),
                faults=fault.faults,
            )
        receipt = ingest.receive(
            panels, body=body, dialect="json", sender=caller.sender, at=timezone.now()
        )
        answers = [_say(answer) for answer in receipt.answers]
        return Response(
            {"draws": answers} if is_list else answers[0], status=201 if receipt.is_new else 200
        )
