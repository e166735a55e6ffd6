"""What every signed-in page shares: the reader's own zone and language, and no copy left behind."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils import timezone, translation
from django.utils.translation import gettext as _


class SignInFirst(LoginRequiredMiddleware):
    """Lead whoever is not signed in to the sign-in, and say of what was sent that it is lost."""

    def handle_no_permission(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseRedirect:
        if request.method == "POST":
            messages.warning(
                request,
                _(
                    "You were signed out before this was saved: nothing of it is on record. If it "
                    "was a rating whose item on self-harm is answered above zero, see to this "
                    "person now, and do not wait until it is saved."
                ),
            )
        return super().handle_no_permission(request, view_func)


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
            if response.status_code == 405 and request.method == "GET":
                response = _say_where_the_form_is(request)
        response.headers.setdefault("Content-Language", reader.language)
        response.headers["Cache-Control"] = "no-store"
        return response


def _say_where_the_form_is(request: HttpRequest) -> HttpResponseBase:
    """Answer who comes to the address of a form's button, for one by a sign-in in between."""
    above = {"page_above": _page_above(request.path)}
    answer = render(request, "405.html", above, status=405)
    answer.headers["Allow"] = "POST"
    return answer


def _page_above(path: str) -> str:
    """Give the address of the nearest page that holds the form; the worklist is above all."""
    while path != "/":
        path = path.rstrip("/").rpartition("/")[0] + "/"
        for page in (path, path.rstrip("/")):
            try:
                resolve(page)
            except Resolver404:
                continue
            return page
    return path
