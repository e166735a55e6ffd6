"""What every answer says of itself, to people and machines alike."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

Answer = Callable[[HttpRequest], HttpResponseBase]


def kept_by_nobody(get_response: Answer) -> Answer:
    """Let no browser and no proxy keep an answer, unless a view has said otherwise."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


def without_devices(get_response: Answer) -> Answer:
    """Let no page, and nothing that might ever stand in one, ask for what no page of ours needs."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers["Permissions-Policy"] = settings.PERMISSIONS_POLICY
        return response

    return answer
