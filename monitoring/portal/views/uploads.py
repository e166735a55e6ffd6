"""A file of results: brought, looked at row by row, then confirmed or discarded."""

from uuid import UUID

from django.contrib import messages
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from monitoring import uploads
from monitoring.models import Upload
from monitoring.portal.forms.uploads import UploadForm
from monitoring.portal.presenters.uploads import Verdicts, say_counts, verdicts_as_csv
from monitoring.portal.views.access import reader_of
from patients.intake.receipts import VERSIONS_AT_MOST, ToldTooOften
from patients.intake.tables.faults import FileIsUnreadable
from patients.intake.tables.profiles import layout_of
from patients.intake.tables.template import template_of
from patients.models import Laboratory


def _require_right(request: HttpRequest) -> None:
    if not uploads.may_upload(reader_of(request)):
        raise Http404


def _upload_or_404(request: HttpRequest, public_id: UUID) -> Upload:
    """Find a file that the reader has brought within the hour."""
    _require_right(request)
    uploads.forget_old(at=timezone.now())
    mine = Upload.objects.filter(uploaded_by=reader_of(request))
    return get_object_or_404(mine.select_related("laboratory", "uploaded_by"), public_id=public_id)


@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Ask for a file; keep one that can be read, or say what is wrong with it."""
    _require_right(request)
    if request.method == "GET":
        return render(request, "portal/upload.html", {"form": UploadForm()})
    form = UploadForm(request.POST, request.FILES)
    faults: list[str] = []
    if form.is_valid():
        kind, body = form.content()
        try:
            kept = uploads.keep(
                laboratory=form.cleaned_data["laboratory"],
                kind=kind,
                body=body,
                by=reader_of(request),
                at=timezone.now(),
            )
            return redirect("portal:upload_verdicts", kept.public_id)
        except FileIsUnreadable as fault:
            faults = [str(each) for each in fault.faults]
            form.add_error("file", _("This file cannot be read as a table of results."))
    return render(request, "portal/upload.html", {"form": form, "faults": faults}, status=422)


@require_GET
def upload_verdicts(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show what would become of every row, problems first."""
    kept = _upload_or_404(request, public_id)
    try:
        looked = uploads.look_at(kept, at=timezone.now())
    except (uploads.UploadHasChanged, ToldTooOften) as fault:
        return _begin_anew(request, kept, fault)
    context = {
        "upload": kept,
        "verdicts": Verdicts.of(looked.verdicts),
        "can_be_confirmed": looked.can_be_confirmed,
    }
    return render(request, "portal/upload_verdicts.html", context)


@require_GET
def download_verdicts(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Give all verdicts as a table."""
    kept = _upload_or_404(request, public_id)
    try:
        looked = uploads.look_at(kept, at=timezone.now())
    except (uploads.UploadHasChanged, ToldTooOften) as fault:
        return _begin_anew(request, kept, fault)
    return _table(verdicts_as_csv(looked.verdicts), name="verdicts.csv")


@require_POST
def confirm_upload(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take in the very bytes that were looked at."""
    kept = _upload_or_404(request, public_id)
    try:
        counts = uploads.confirm(kept, by=reader_of(request), at=timezone.now())
    except (uploads.UploadHasChanged, ToldTooOften) as fault:
        return _begin_anew(request, kept, fault)
    except uploads.RowsAreRefused:
        return redirect("portal:upload_verdicts", public_id)
    except Upload.DoesNotExist:
        messages.warning(request, _("This file was confirmed or discarded meanwhile."))
        return redirect("portal:upload")
    except OperationalError:
        messages.error(request, _("These records are busy. Nothing was stored; try again."))
        return redirect("portal:upload_verdicts", public_id)
    messages.success(request, say_counts(counts))
    return redirect("portal:upload")


@require_POST
def discard_upload(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Let a file go without taking it in."""
    _upload_or_404(request, public_id).delete()
    messages.success(request, _("The file is discarded; nothing of it was stored."))
    return redirect("portal:upload")


@require_GET
def upload_template(request: HttpRequest) -> HttpResponse:
    """Give the empty table of a laboratory."""
    _require_right(request)
    wanted = request.GET.get("laboratory", "")
    if not wanted.isdecimal():
        messages.warning(request, _("Choose the laboratory whose template you want."))
        return redirect("portal:upload")
    laboratory = get_object_or_404(Laboratory, pk=int(wanted), is_active=True)
    return _table(template_of(layout_of(laboratory_id=laboratory.pk)), name="results.csv")


def _begin_anew(request: HttpRequest, kept: Upload, fault: Exception) -> HttpResponse:
    kept.delete()
    why = _("The laboratory’s profile has changed meanwhile. Choose the file once more.")
    if isinstance(fault, ToldTooOften):
        why = _("One result stands more than %(count)d times in this file. Give it in parts.")
        why %= {"count": VERSIONS_AT_MOST}
    messages.warning(request, why)
    return redirect("portal:upload")


def _table(body: bytes, *, name: str) -> HttpResponse:
    answer = HttpResponse(body, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
