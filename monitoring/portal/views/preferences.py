"""The reader's own settings, and that they are still there."""

from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from monitoring import alerts
from monitoring.portal import dates
from monitoring.portal.forms.preferences import PreferencesForm
from monitoring.portal.middleware import session_of
from monitoring.portal.views.access import reader_of
from monitoring.sessions import asked_by_itself
from patients.record import people


@require_http_methods(["GET", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """Show and change digest hour and time zone; say when the next digest comes."""
    reader, at = reader_of(request), timezone.now()
    now = {"time_zone": reader.time_zone, "digest_hour": reader.digest_hour}
    form = PreferencesForm(request.POST or None, initial=now)
    if form.is_valid():
        people.set_preferences(
            clinician=reader,
            time_zone=ZoneInfo(form.cleaned_data["time_zone"]),
            digest_hour=form.cleaned_data["digest_hour"],
            at=at,
        )
        alerts.follow_preferences(reader, at=at)
        messages.success(request, _("Preferences saved."))
        return redirect("portal:preferences")
    next_at = alerts.next_digest_at(reader, at=at)
    context = {
        "form": form,
        "next_digest": dates.moment(next_at.astimezone(reader.zone), with_zone=True),
    }
    status = 422 if form.errors else 200
    return render(request, "portal/preferences.html", context, status=status)


@asked_by_itself
@require_POST
def stay(request: HttpRequest) -> HttpResponse:
    """Let the sign-in last on: the reader types into an open page, or has said so by a button."""
    session_of(request).put_off_end(at=timezone.now())
    if "HX-Request" not in request.headers:
        return redirect("portal:worklist")
    return render(request, "portal/parts/alarm.html")
