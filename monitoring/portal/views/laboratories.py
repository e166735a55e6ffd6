"""Laboratories and their profiles, for operators: read, and changed part by part."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from monitoring import ingest, refusals, silences
from monitoring.portal.forms.laboratories import PARTS, ReadingForm
from monitoring.portal.presenters import laboratories as words
from monitoring.portal.presenters.refusals import Refusal
from monitoring.portal.views.access import reader_of, require_operator
from patients import audit
from patients.models import Laboratory
from patients.record.profile_document import FaultyProfile, read_profile
from patients.record.profiles import profile_of


@require_GET
def laboratories(request: HttpRequest) -> HttpResponse:
    """List the laboratories with when each was last heard from."""
    require_operator(request)
    silent, at = silences.open_silences(), timezone.now()
    refused = refusals.counts(since=at - timedelta(days=1))
    context = {
        "rows": words.rows_of(
            list(Laboratory.objects.order_by("name")), open_silences=silent, refused=refused, at=at
        ),
        "silences": [words.say_silence(each) for each in silent],
        "refused_of_nobody": refused.get(None, 0),
    }
    return render(request, "portal/laboratories.html", context)


@require_http_methods(["GET", "POST"])
def laboratory(request: HttpRequest, laboratory_id: int) -> HttpResponse:
    """Show one profile; change how its messages are read."""
    require_operator(request)
    found = get_object_or_404(Laboratory, pk=laboratory_id)
    if request.method == "GET":
        return _page(request, found)
    form = ReadingForm(request.POST)
    if form.is_valid() and _change(request, found, form.document(), form):
        return redirect("portal:laboratory", found.pk)
    return _page(request, found, form=form, status=422)


@require_POST
def add_to_profile(request: HttpRequest, laboratory_id: int, part: str) -> HttpResponse:
    """Add a code, a spelling, a numbering or a kit."""
    require_operator(request)
    found = get_object_or_404(Laboratory, pk=laboratory_id)
    if part not in PARTS:
        raise Http404
    form = PARTS[part][0](request.POST, prefix=part)
    if form.is_valid():
        before = profile_of(found).model_dump(mode="json")[part]
        if _change(request, found, {part: [*before, form.document()]}, form):
            return redirect("portal:laboratory", found.pk)
    return _page(request, found, adding={part: form}, status=422)


@require_POST
def remove_from_profile(request: HttpRequest, laboratory_id: int, part: str) -> HttpResponse:
    """Take one entry out, if the list is still the one that was shown."""
    require_operator(request)
    found = get_object_or_404(Laboratory, pk=laboratory_id)
    if part not in PARTS:
        raise Http404
    shown = next(each for each in words.parts_of(profile_of(found)) if each.name == part)
    wanted = request.POST.get("entry", "")
    positions = [each.position for each in shown.entries if each.words == wanted]
    if not positions:
        messages.warning(request, _("Somebody else has changed this list meanwhile."))
        return redirect("portal:laboratory", found.pk)
    left = profile_of(found).model_dump(mode="json")[part]
    del left[positions[0]]
    _change(request, found, {part: left})
    return redirect("portal:laboratory", found.pk)


def _change(
    request: HttpRequest, found: Laboratory, fields: dict[str, Any], form: Any = None
) -> bool:
    """Change the profile, or put what is wrong beside its field."""
    try:
        document = read_profile({"name": found.name, **fields})
    except FaultyProfile as fault:
        for where, what in fault.faults:
            field = where.split("/")[-1] if form is not None else ""
            top = where.split("/")[1] if where else ""
            name = next((each for each in (field, top) if form and each in form.fields), None)
            if form is not None:
                form.add_error(name, what)
        return False
    done = ingest.change_laboratory(
        document, by=audit.name_of(reader_of(request)), at=timezone.now()
    )
    if done.words:
        messages.success(request, _("The profile is changed."))
    if done.placed:
        messages.success(
            request, _("Draws that waited and are on record now: %(n)d.") % {"n": done.placed}
        )
    if done.waiting:
        messages.info(
            request,
            _("Draws that are tried again in the next minutes: %(n)d.") % {"n": done.waiting},
        )
    return True


def _page(
    request: HttpRequest,
    found: Laboratory,
    *,
    form: ReadingForm | None = None,
    adding: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    profile = profile_of(found)
    initial = profile.model_dump(mode="json") | {
        "draw_times": " ".join(found.draw_times),
        "processing_ids": " ".join(found.processing_ids),
    }
    given = adding or {}
    context = {
        "laboratory": found,
        "refusals": [Refusal.of(each) for each in refusals.lately(found.pk, at=timezone.now())],
        "form": form or ReadingForm(initial=initial),
        "wrong": next(iter(given.values()), None),
        "parts": [
            {"part": part, "form": given.get(part.name) or PARTS[part.name][0](prefix=part.name)}
            for part in words.parts_of(profile)
        ],
    }
    return render(request, "portal/laboratory.html", context, status=status)
