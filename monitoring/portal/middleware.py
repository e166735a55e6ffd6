"""What every signed-in page shares: the reader's own zone and language, and no copy left behind."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation


class ReadersOwnWays:
    """Answer in the clinician's time zone and language; let nobody keep a signed-in page.

    A request without a session cookie comes from a laboratory or from somebody not signed in; it
    passes untouched and costs no look at the session.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return self.get_response(request)
        reader = request.user
        if not reader.is_authenticated:
            return self.get_response(request)
        with timezone.override(reader.zone), translation.override(reader.language):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", reader.language)
        response.headers["Cache-Control"] = "no-store"
        return response
