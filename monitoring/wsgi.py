"""What the web server calls."""

import gc
import os
import time
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application
from django.utils import timezone
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "monitoring.settings")

LEFT_AT_MOST = 20 * 1024 * 1024
CHUNK = 256 * 1024
UNREADABLE = "unreadable"
_site = get_wsgi_application()

import monitoring.urls  # noqa: E402, F401 - now, so that nobody's first page waits for it
from monitoring.api.authentication import AT_THE_DOOR  # noqa: E402 - after Django is set up
from monitoring.bodies import in_turn  # noqa: E402
from monitoring.door_log import NOTHING, OUTCOME, SENT, door_of, writer  # noqa: E402
from monitoring.models import DoorRequest  # noqa: E402
from monitoring.refusals import WHY  # noqa: E402


def _handler_with(middleware: Sequence[str]) -> WSGIHandler:
    """Make a handler that passes requests through these layers only."""
    of_the_site = settings.MIDDLEWARE
    settings.MIDDLEWARE = list(middleware)
    try:
        return WSGIHandler()
    finally:
        settings.MIDDLEWARE = of_the_site


# A push would pay more for the layers that serve people than for being stored
_door = _handler_with(settings.DOOR_MIDDLEWARE)
# What is loaded by now stays for good: the collector need not walk it again and again. A message of
# some thousand results is no rubbish either while it is read, and would be walked every 700 objects
gc.freeze()
gc.set_threshold(50_000, 20, 50)


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Let a body be read that comes in chunks, as many clients of laboratories send it.

    Such a request does not say its length, and Django takes that for an empty body. The server
    ends the stream where the body ends, so the most that is ever read serves as its length.
    """
    is_chunked = environ.get("HTTP_TRANSFER_ENCODING", "").strip().lower() == "chunked"
    if is_chunked and environ.get("wsgi.input_terminated"):
        environ["CONTENT_LENGTH"] = str(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    _let_charset_be_read(environ)
    is_at_door = environ["PATH_INFO"].startswith(settings.DOOR_PATHS)
    answer = _at_the_door if is_at_door else _site
    return in_turn(answer, environ, start_response, is_at_door=is_at_door)


def _let_charset_be_read(environ: dict[str, Any]) -> None:
    """Take for unknown a character set that is named so that Django would stumble over it.

    It reads the name before any view, and before anything is noted of the request.
    """
    stated = environ.get("CONTENT_TYPE", "")
    try:
        _kind, parameters = parse_header_parameters(stated)
        if charset := parameters.get("charset"):
            b"a\xff".decode(charset, errors="replace")
    except (LookupError, ValueError):
        kind = stated.partition(";")[0].strip()
        environ["CONTENT_TYPE"] = f"{kind}; charset={UNREADABLE}"


def _let_finish(body: Any) -> None:
    """Read what is left of a refused body, to a bound.

    A client that is cut off while it still writes never sees why it was refused.
    """
    for _chunk in range(LEFT_AT_MOST // CHUNK):
        if not body.read(CHUNK):
            return


def _at_the_door(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer a machine, and note that it came, with what outcome and how long it took."""
    at, began = timezone.now(), time.perf_counter()
    answer = _door(environ, start_response)
    took_ms = (time.perf_counter() - began) * 1000
    if getattr(answer, "status_code", 0) >= 400:
        _let_finish(environ["wsgi.input"])
    sender, sent = environ.get(AT_THE_DOOR), environ.get(SENT, NOTHING)
    writer.note(
        DoorRequest(
            at=at,
            laboratory_id=sender and sender.laboratory_id,
            key_id=sender and sender.key_id,
            client_id=sender and sender.client_id,
            method=environ["REQUEST_METHOD"][:10],
            door=door_of(environ["PATH_INFO"]),
            status=getattr(answer, "status_code", 0),
            outcome=environ.get(OUTCOME, ""),
            why=environ.get(WHY, ""),
            size=sent.size,
            sha256=sent.sha256,
            took_ms=round(took_ms, 2),
        )
    )
    return answer
