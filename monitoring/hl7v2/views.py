"""HL7 v2 over HTTP: a message is posted, its acknowledgement is the answer."""

from email.message import Message
from typing import ClassVar, cast

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.views import APIView

from monitoring.api import examples
from monitoring.api.authentication import LaboratoryAtTheDoor
from monitoring.api.limits import PushesPerMinute
from monitoring.api.negotiation import AlwaysTheFirst
from monitoring.api.parsers import UntouchedBytes, body_of
from monitoring.api.problems import CONTENT_TYPE
from monitoring.api.schema import Problem
from monitoring.door_log import OUTCOME
from monitoring.hl7v2.answering import NEEDS, answer, code_of
from monitoring.refusals import WHY, why_of_acknowledgement
from patients.intake.hl7v2.charsets import codec_of

EXAMPLE = (
    "MSH|^~\\&|LIS|LAB|SOUNDINGS|CLINIC|20261102101500+0100||ORU^R01^ORU_R01|M-1|P|2.5.1\r"
    "PID|1||0042^^^urn:clinic:mrn^MR\r"
    "OBR|1||A-17|CYT^Cytokines^L|||20261102081000+0100|||||||||||||||20261102101000+0100|||F\r"
    "OBX|1|NM|sIL-6R^sIL-6R^L||37.50|ng/mL|||||F|||20261102081000+0100\r"
)
ACKNOWLEDGED = (
    "MSH|^~\\&|SOUNDINGS|CLINIC|LIS|LAB|20261102091501+0000||ACK^R01^ACK|20261102091501000000|P"
    "|2.5.1||||||UNICODE UTF-8\rMSA|AA|M-1|1 recorded\r"
)
PUSH = (
    "One message of results (ORU^R01) in ER7. The answer is always 200 with an acknowledgement, as "
    "HL7 asks: AA after the message is stored, AE when something in it cannot be read (each fault "
    "has an ERR with its place), AR when it is of another kind. What cannot be placed is parked "
    "and answered AA. An HTTP error means that nothing was read: the key, the size or the type is "
    "wrong, or the database is away."
)


class _Er7(UntouchedBytes):
    """ER7 under its registered name."""

    media_type = "application/hl7-v2"


class _OldEr7(UntouchedBytes):
    """ER7 under an older name."""

    media_type = "x-application/hl7-v2+er7"


class _PlainText(UntouchedBytes):
    """ER7 as integration engines send it by default."""

    media_type = "text/plain"


PARSERS: tuple[type[BaseParser], ...] = (_Er7, _OldEr7, _PlainText)


class Messages(APIView):
    """The laboratory's door in HL7 v2."""

    needs: ClassVar = {"POST": NEEDS}
    parser_classes = PARSERS
    throttle_classes = (PushesPerMinute,)
    content_negotiation_class = AlwaysTheFirst

    @extend_schema(
        operation_id="push_hl7v2",
        summary="Push one HL7 v2 message of results",
        description=PUSH,
        request={parser.media_type: OpenApiTypes.STR for parser in PARSERS},
        responses={
            (200, _Er7.media_type): OpenApiResponse(
                OpenApiTypes.STR, description="The acknowledgement: AA, AE or AR."
            ),
            **{
                (status, CONTENT_TYPE): OpenApiResponse(Problem, description=text)
                for status, text in examples.REFUSALS.items()
                if status in {401, 403, 413, 415, 429, 503}
            },
        },
        examples=[
            OpenApiExample("A result", value=EXAMPLE, request_only=True),
            OpenApiExample("Taken in", value=ACKNOWLEDGED, response_only=True),
        ],
        tags=["results"],
    )
    def post(self, request: Request) -> HttpResponse:
        caller = cast(LaboratoryAtTheDoor, request.user)
        stated = Message()
        stated["Content-Type"] = request.content_type or _Er7.media_type
        body = body_of(request)
        acknowledged = answer(
            body,
            charset=_charset_in(stated),
            sender=caller.sender,
            at=timezone.now(),
        )
        # What HTTP calls 200 may be a refusal in HL7: the line about this request says which
        request.META[OUTCOME] = code_of(acknowledged)
        request.META[WHY] = why_of_acknowledgement(acknowledged)
        return HttpResponse(
            acknowledged, content_type=f"{stated.get_content_type()}; charset=utf-8"
        )


def _charset_in(stated: Message) -> str:
    """Take the character set of the content type, for messages that name none in MSH-18."""
    charset = str(stated.get_param("charset", ""))
    if charset and codec_of(charset) is None:
        raise UnsupportedMediaType(
            charset, detail=str(_("This character set is not read here; send UTF-8."))
        )
    return charset
