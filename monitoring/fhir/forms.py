"""In what form a message may come and an answer may go: JSON of FHIR R4, in UTF-8."""

from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

from django.utils.http import parse_header_parameters
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotAcceptable, UnsupportedMediaType
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from monitoring.api.parsers import UntouchedBytes
from patients.intake.fhir import exact_json

FHIR_JSON, JSON = "application/fhir+json", "application/json"
_VERSION = "fhirversion"  # names of parameters are read without regard to capitals
R4 = frozenset({"4.0", "4.0.0", "4.0.1"})
# What an Accept header may say for JSON to be the answer
_WELCOME = {
    FHIR_JSON: FHIR_JSON,
    JSON: JSON,
    "application/json+fhir": FHIR_JSON,
    "text/json": JSON,
    "application/*": FHIR_JSON,
    "*/*": FHIR_JSON,
    # the short names that _format may have
    "json": FHIR_JSON,
}


class FhirBytes(UntouchedBytes):
    """Hand the bytes on, if they say to be FHIR R4 in UTF-8."""

    media_type = FHIR_JSON

    def parse(  # type: ignore[override]
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        _kind, said = _read(media_type or self.media_type)
        if said.get("charset", "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
            raise _unsupported(_("The text must be UTF-8."))
        if said.get(_VERSION, "4.0") not in R4:
            raise _unsupported(_("Only FHIR R4 is spoken here: fhirVersion=4.0."))
        return super().parse(stream, media_type, parser_context)


class FhirBytesAsJson(FhirBytes):
    """The same under the plain name, which many clients use."""

    media_type = JSON


def _read(header: str) -> tuple[str, dict[str, str]]:
    """Take a media type and its parameters apart; what cannot be read is of no type."""
    try:
        kind, said = parse_header_parameters(header)
    except ValueError:
        return "", {}
    return kind, said


def _unsupported(detail: str) -> UnsupportedMediaType:
    return UnsupportedMediaType("", detail=detail)


class FhirRenderer(BaseRenderer):
    """JSON whose numbers keep their digits."""

    media_type = FHIR_JSON
    format = "json"
    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002
        renderer_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> bytes:
        return b"" if data is None else exact_json.write(data)


class PlainJsonRenderer(FhirRenderer):
    """The same for clients that ask for plain JSON."""

    media_type = JSON


class FhirNegotiation(BaseContentNegotiation):
    """Answer in JSON of R4, or say before anything is stored that it cannot be done."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        kind, _said = _read(request.content_type or "")
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(  # type: ignore[override]
        self,
        request: Request,
        renderers: Sequence[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002
    ) -> tuple[BaseRenderer, str]:
        asked = request.query_params.get("_format") or request.META.get("HTTP_ACCEPT") or "*/*"
        # A plus in a query is read as a space
        form = _best_of(asked.replace("fhir json", "fhir+json"))
        if form is None:
            raise NotAcceptable(
                _("The answer is JSON of FHIR R4: application/fhir+json; fhirVersion=4.0")
            )
        return next((each, form) for each in renderers if each.media_type == form)


def _best_of(accept: str) -> str | None:
    """Find the form that is wished for most among those there are."""
    wishes: list[tuple[float, str]] = []
    for part in accept.split(",")[:20]:
        kind, said = _read(part.strip())
        form = _WELCOME.get(kind)
        if form is None or said.get(_VERSION, "4.0") not in R4:
            continue
        try:
            weight = float(said.get("q", "1"))
        except ValueError:
            weight = 1.0
        if weight > 0:
            wishes.append((weight, form))
    return max(wishes, key=lambda wish: wish[0])[1] if wishes else None
