"""What the web server calls."""

import gc
import os
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "monitoring.settings")

_site = get_wsgi_application()

import monitoring.urls  # noqa: E402, F401 - now, so that nobody's first page waits for it


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
# What is loaded by now stays for good: the collector need not walk it again and again
gc.freeze()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Let a body be read that comes in chunks, as many clients of laboratories send it.

    Such a request does not say its length, and Django takes that for an empty body. The server
    ends the stream where the body ends, so the most that is ever read serves as its length.
    """
    is_chunked = environ.get("HTTP_TRANSFER_ENCODING", "").strip().lower() == "chunked"
    if is_chunked and environ.get("wsgi.input_terminated"):
        environ["CONTENT_LENGTH"] = str(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    is_push = environ["PATH_INFO"].startswith(settings.DOOR_PATHS)
    return (_door if is_push else _site)(environ, start_response)
