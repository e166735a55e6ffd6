"""What a site sets for itself: its crisis plan and who is told. All read, a team lead writes."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from monitoring import duties, overdue, safety, wake
from monitoring.actors import actor
from monitoring.portal.forms.episode import RulesForm, VisitsForm
from monitoring.portal.forms.safety import CrisisPlanForm, DutiesForm, NamedClinicianForm
from monitoring.portal.presenters.banner import Banner
from monitoring.portal.presenters.least_doses import table_version
from monitoring.portal.presenters.rules import rules_in_words
from monitoring.portal.presenters.safety import Crisis
from monitoring.portal.views.access import leads, patient_or_404, reader_of, site_or_404
from monitoring.recompute import mark_outdated
from monitoring.site_rules import rules_for, rules_of_site
from patients import audit
from patients.models import CareTeam, SafetyDuty, Site
from patients.record.duties import name_clinician, set_duty
from patients.record.verdicts import choose_rules, set_visit_interval


@require_GET
def site_settings(request: HttpRequest) -> HttpResponse:
    """Show what the reader's sites have set."""
    reader, at = reader_of(request), timezone.now()
    sites = Site.objects.filter(teams__members=reader).distinct().order_by("name")
    context = {
        "sites": [
            {
                "site": site,
                "crisis": Crisis.of(duties.plan_of(site)),
                "plan": duties.plan_of(site),
                "teams": [
                    {"team": team, "members": duties.team_of(team.pk).members}
                    for team in site.teams.filter(members=reader).order_by("name")
                ],
                "may_change": leads(reader, site),
                "doses": list(site.doses.order_by("drug")),
                "dose_table": table_version(site),
                "rules": rules,
                "rules_in_words": rules_in_words(rules),
                "chosen": chosen,
                "chosen_by": actor(chosen.changed_by) if chosen else "",
            }
            for site in sites
            for chosen in [site.rules.order_by("-pk").first()]
            for rules in [rules_of_site(site, at=at)]
        ]
    }
    return render(request, "portal/site_settings.html", context)


@require_http_methods(["GET", "POST"])
def crisis_plan(request: HttpRequest, site_id: int) -> HttpResponse:
    """Change a site's crisis text, numbers and timer."""
    reader, at = reader_of(request), timezone.now()
    site = site_or_404(request, site_id)
    form = CrisisPlanForm(request.POST or None, instance=duties.plan_of(site))
    if form.is_valid():
        plan = form.save(commit=False)
        moved = safety.change_plan(plan, by=audit.name_of(reader), at=at)
        messages.success(request, _("The crisis plan is saved."))
        if moved:
            messages.info(request, _("The timer of the flags that are open goes by it from now."))
        return redirect("portal:site_settings")
    context = {"form": form, "site": site}
    return render(request, "portal/crisis_plan.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def rules(request: HttpRequest, site_id: int) -> HttpResponse:
    """Choose the rules by which a site's patients are assessed."""
    reader, at = reader_of(request), timezone.now()
    site = site_or_404(request, site_id)
    now = rules_of_site(site, at=at)
    initial = {"name": now.name, "weeks": f"{now.adequate_weeks:g}"}
    form = RulesForm(request.POST or None, initial=initial)
    if form.is_valid():
        name, weeks = form.cleaned_data["name"], form.cleaned_data["weeks"]
        chosen = rules_for(at.astimezone(site.zone).date(), name, float(weeks))
        if chosen.version != now.version:
            with transaction.atomic():
                choose_rules(
                    site=site,
                    name=name,
                    adequate_weeks=weeks,
                    version=chosen.version,
                    by=audit.name_of(reader),
                    at=at,
                )
                mark_outdated(at=at)
                transaction.on_commit(wake.wake_workers)
        messages.success(
            request,
            _("The site is assessed by %(version)s from today on; earlier assessments stay.")
            % {"version": chosen.version},
        )
        return redirect("portal:site_settings")
    context = {"form": form, "site": site, "title": _("Rules of the site"), "lede": site.name}
    return render(request, "portal/site_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def visits(request: HttpRequest, site_id: int) -> HttpResponse:
    """Change how often draws and ratings are expected after week 12."""
    reader, at = reader_of(request), timezone.now()
    site = site_or_404(request, site_id)
    form = VisitsForm(request.POST or None, initial={"weeks": site.visits_every_weeks})
    if form.is_valid():
        weeks, by = form.cleaned_data["weeks"], audit.name_of(reader)
        with transaction.atomic():
            set_visit_interval(site=site, weeks=weeks, by=by, at=at)
            overdue.look_again(site)
        messages.success(request, _("The interval is saved."))
        return redirect("portal:site_settings")
    context = {
        "form": form,
        "site": site,
        "title": _("Expected draws and ratings"),
        "lede": site.name,
    }
    return render(request, "portal/site_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def team_duties(request: HttpRequest, team_id: int) -> HttpResponse:
    """Say who of a team is told first, as cover, as lead."""
    reader, at = reader_of(request), timezone.now()
    team = get_object_or_404(CareTeam.objects.select_related("site"), pk=team_id, members=reader)
    if not leads(reader, team.site):
        raise PermissionDenied
    members = list(duties.team_of(team.pk).members)
    form = DutiesForm(request.POST or None, members=members)
    if request.method == "POST" and form.is_valid():
        for each in members:
            duty = SafetyDuty(form.cleaned_data[f"duty_{each.pk}"])
            if duty != each.safety_duty:
                set_duty(membership=each, duty=duty, by=audit.name_of(reader), at=at)
        messages.success(request, _("The duties are saved."))
        return redirect("portal:site_settings")
    context = {"form": form, "team": team}
    return render(request, "portal/team_duties.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def named_clinician(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Name who of the team is told first of this patient."""
    patient, at = patient_or_404(request, public_id), timezone.now()
    people = duties.team_of(patient.team_id).everybody
    form = NamedClinicianForm(
        request.POST or None,
        people=people,
        initial={"clinician": patient.named_clinician_id or ""},
    )
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["clinician"]
        name_clinician(
            patient=patient,
            clinician=next((each for each in people if each.pk == chosen), None),
            by=audit.name_of(reader_of(request)),
            at=at,
        )
        messages.success(request, _("The named clinician is saved."))
        return redirect("portal:patient", public_id)
    numbers = [each.value for each in patient.identifiers.order_by("pk")]
    today = at.astimezone(patient.team.site.zone).date()
    context = {
        "form": form,
        "banner": Banner.of(patient, numbers=numbers, today=today),
        "public_id": public_id,
    }
    status = 422 if form.errors else 200
    return render(request, "portal/named_clinician.html", context, status=status)
