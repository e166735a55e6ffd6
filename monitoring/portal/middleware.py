"""What every signed-in page shares: the reader's own zone and language, and no copy left behind."""

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponseBase
from django.http.response import HttpResponseRedirectBase
from django.shortcuts import render, resolve_url
from django.urls import Resolver404, resolve
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from monitoring.sessions import Ended, SessionStore, is_asked_by_itself

View = Callable[..., HttpResponseBase]


class SignInFirst(LoginRequiredMiddleware):
    """Lead whoever is not signed in to the sign-in, and say of what was sent that it is lost."""

    def process_view(
        self, request: HttpRequest, view_func: View, view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        """Let a sign-in last on by being used."""
        if request.user.is_authenticated and not is_asked_by_itself(view_func):
            session_of(request).put_off_end(at=timezone.now())
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(  # type: ignore[override]  # one for htmx is no HttpResponseRedirect
        self, request: HttpRequest, view_func: View
    ) -> HttpResponseRedirectBase:
        """Say why the sign-in is over and what is lost; lead to the sign-in, and then back."""
        ended, is_by_itself = session_of(request).ended, is_asked_by_itself(view_func)
        if ended is not None:
            messages.warning(request, _why(ended))
        if request.method == "POST" and not is_by_itself:
            messages.warning(
                request,
                _(
                    "You were signed out before this was saved: nothing of it is on record. If it "
                    "was a rating whose item on self-harm is answered above zero, see to this "
                    "person now, and do not wait until it is saved."
                ),
            )
        if is_by_itself and "HX-Request" in request.headers:
            # Not into the page that was left open: what stands on it is for nobody else to read
            return _leave_page(HtmxDetails(request).current_url_abs_path)
        return super().handle_no_permission(request, view_func)


def _leave_page(address: str | None) -> HttpResponseRedirectBase:
    """Let a page that asked by itself give way to the sign-in, which leads back to it."""
    query = urlencode({"next": address or resolve_url(settings.LOGIN_REDIRECT_URL)})
    return HttpResponseClientRedirect(f"{resolve_url(settings.LOGIN_URL)}?{query}")


def session_of(request: HttpRequest) -> SessionStore:
    """Name the session as what it is here."""
    return cast(SessionStore, request.session)


def _why(ended: Ended) -> str:
    """Say in a sentence why the sign-in is over."""
    hours = settings.SIGN_OUT_AFTER_HOURS
    match ended:
        case Ended.UNUSED:
            why = _("You were signed out after %(minutes)d minutes without use.") % {
                "minutes": settings.SESSION_COOKIE_AGE // 60
            }
        case Ended.LASTED:
            why = ngettext(
                "You were signed out %(n)d hour after you had signed in.",
                "You were signed out %(n)d hours after you had signed in.",
                hours,
            ) % {"n": hours}
        case Ended.CALLED_OFF:
            why = _("Your sign-in had ended.")
    lost = _("What was typed and not saved is not on record.")
    back = _("Sign in, and you come back to the page that you asked for.")
    return f"{why} {lost} {back}"


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
