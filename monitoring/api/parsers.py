"""The body of a push, byte for byte: it is stored as it came before anything reads it."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from monitoring.api import idempotency
from monitoring.door_log import SENT, Sent

JSON = "application/json"
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class TooLarge(APIException):
    """The message is larger than the door takes."""

    status_code = 413
    default_detail = "The message is too large"


class UntouchedBytes(BaseParser):
    """Hand the bytes on, if there are not too many of them."""

    media_type = JSON

    def parse(  # type: ignore[override]
        self,
        stream: IO[bytes],
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        context = parser_context or {}
        _refuse_packed(context)
        at_most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(at_most + 1)
        if len(body) > at_most:
            raise TooLarge(
                _("A message holds at most %(megabytes)d MB; send fewer draws at once.")
                % {"megabytes": at_most // 1024**2}
            )
        if "request" in context:
            context["request"].META[SENT] = Sent.of(body)
            idempotency.claim(context["request"], body)
        return body


def body_of(request: Request) -> bytes:
    """Give what was sent; DRF's word for no body is no bytes."""
    data: object = request.data
    return data if isinstance(data, bytes) else b""


def _refuse_packed(context: Mapping[str, Any]) -> None:
    """A few kilobytes can unpack to gigabytes; no sender needs it for messages of this size."""
    request = context.get("request")
    coding = "" if request is None else request.META.get("HTTP_CONTENT_ENCODING", "")
    if coding.strip().lower() not in {"", "identity"}:
        detail = _("The message must come as it is, without Content-Encoding.")
        raise UnsupportedMediaType("", detail=detail)


class UntouchedCsv(UntouchedBytes):
    """The same for a table in CSV."""

    media_type = CSV


class UntouchedXlsx(UntouchedBytes):
    """The same for a workbook."""

    media_type = XLSX
