"""What the web server calls."""

import os
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "monitoring.settings")

_django = get_wsgi_application()

import monitoring.urls  # noqa: E402, F401 - now, so that nobody's first page waits for it


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Let a body be read that comes in chunks, as many clients of laboratories send it.

    Such a request does not say its length, and Django takes that for an empty body. The server
    ends the stream where the body ends, so the most that is ever read serves as its length.
    """
    is_chunked = environ.get("HTTP_TRANSFER_ENCODING", "").strip().lower() == "chunked"
    if is_chunked and environ.get("wsgi.input_terminated"):
        environ["CONTENT_LENGTH"] = str(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    return _django(environ, start_response)
