"""What the product is for, by its makers' own assessment (docs/explanation/regulatory.md)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from analytics import CURRENT_POLICY, evidence
from monitoring.charts import clinical_date
from monitoring.model_in_force import APPROVAL, RELEASE
from monitoring.portal.presenters.explanation import GRADES, sources_head, with_unit
from monitoring.portal.presenters.sections import Section

CRITERIA = (
    (
        gettext_lazy("No image, no signal of an in-vitro diagnostic, no pattern"),
        gettext_lazy(
            "Reported concentrations only, single draws weeks apart. A course of them could be "
            "called a pattern: open."
        ),
    ),
    (
        gettext_lazy("Displays or analyses medical information"),
        gettext_lazy("Met: results, ratings and trials with their sources."),
    ),
    (
        gettext_lazy("Supports a professional, who decides"),
        gettext_lazy(
            "Met in words: a review is suggested, never a treatment. A probability is shown, with "
            "its interval and beside the one without the marker: open."
        ),
    ),
    (
        gettext_lazy("The professional can review the basis"),
        gettext_lazy("Met: every assessment is explained, and every figure has source and grade."),
    ),
)


@require_GET
def about(request: HttpRequest) -> HttpResponse:
    """Say what the product is for, and what it is not."""
    context = {
        "criteria": CRITERIA,
        "status": RELEASE.card["status"],
        "model": RELEASE.version,
        "approval": APPROVAL,
        "events": RELEASE.card.get("events", ""),
        "policy": CURRENT_POLICY.version,
    }
    return render(request, "portal/about.html", context)


@require_GET
def constants(request: HttpRequest) -> HttpResponse:
    """Show every figure that the estimates rest on, with its source, its grade and its day."""
    rows = tuple(
        (
            each.name,
            with_unit(each.value, each.unit),
            each.grade.value,
            each.source,
            clinical_date(each.read_on),
        )
        for each in evidence.constants()
    )
    section = Section("", str(GRADES), sources_head(), rows)
    context = {"section": section, "version": evidence.VERSION}
    return render(request, "portal/constants.html", context)
