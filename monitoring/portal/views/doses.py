"""A site's least adequate doses: the default table, its own figures, and drugs of its own."""

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from analytics.doses import DOSE_TABLE
from monitoring import wake
from monitoring.portal.forms.doses import DoseTableForm, OtherDoseForm
from monitoring.portal.presenters.least_doses import DoseChange, table_version
from monitoring.portal.views.access import reader_of, site_or_404
from patients import audit
from patients.models import Site, SiteDose
from patients.record.least_doses import LeastDose, change_least_doses


@require_http_methods(["GET", "POST"])
def doses(request: HttpRequest, site_id: int) -> HttpResponse:
    """Change a site's own least adequate doses of the drugs that the default table knows."""
    site = site_or_404(request, site_id)
    own = {each.atc: each.least_mg for each in site.doses.all()}
    form = DoseTableForm(request.POST or None, own=own)
    if request.method == "POST" and form.is_valid():
        said = [
            LeastDose(atc, DOSE_TABLE[atc].drug, least_mg)
            for atc, least_mg in form.cleaned_data.items()
        ]
        return _change(request, site, said)
    context = {
        "form": form,
        "site": site,
        "others": _others(site),
        "version": table_version(site),
        "changes": [DoseChange.of(each) for each in site.dose_changes.order_by("-number")],
    }
    return render(request, "portal/doses.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def other_dose(request: HttpRequest, site_id: int, atc: str = "") -> HttpResponse:
    """Add a drug that the default table does not know, or change it."""
    site = site_or_404(request, site_id)
    known = _other_or_404(site, atc) if atc else None
    taken = {each.drug: each.atc for each in _others(site) if each != known}
    form = OtherDoseForm(request.POST or None, taken=taken, initial=_initial(known))
    if form.is_valid():
        said = [LeastDose(**form.cleaned_data)]
        if known is not None and known.atc != said[0].atc:
            said.append(LeastDose(known.atc, known.drug, None))
        return _change(request, site, said)
    context = {"form": form, "site": site, "known": known}
    return render(request, "portal/other_dose.html", context, status=422 if form.errors else 200)


@require_POST
def remove_dose(request: HttpRequest, site_id: int, atc: str) -> HttpResponse:
    """Take a drug of the site's own off its table."""
    site = site_or_404(request, site_id)
    known = _other_or_404(site, atc)
    return _change(request, site, [LeastDose(known.atc, known.drug, None)])


def _change(request: HttpRequest, site: Site, said: list[LeastDose]) -> HttpResponse:
    by = audit.name_of(reader_of(request))
    with transaction.atomic():
        change = change_least_doses(site=site, said=said, by=by, at=timezone.now())
        transaction.on_commit(wake.wake_workers)
    if change is None:
        messages.info(request, _("Nothing was changed."))
    else:
        messages.success(
            request,
            _("The table is now “%(version)s”; who takes these drugs is assessed anew.")
            % {"version": table_version(site)},
        )
    return redirect("portal:doses", site.pk)


def _others(site: Site) -> list[SiteDose]:
    return [each for each in site.doses.order_by("drug") if each.atc not in DOSE_TABLE]


def _other_or_404(site: Site, atc: str) -> SiteDose:
    for each in _others(site):
        if each.atc == atc:
            return each
    raise Http404


def _initial(known: SiteDose | None) -> dict[str, str]:
    if known is None:
        return {}
    return {
        "atc": known.atc,
        "drug": known.drug,
        "least_mg": f"{known.least_mg.normalize():f} mg",
        "source": known.source,
    }
