"""Figures about flags, in words: counts before shares, and no share of few."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from monitoring.flag_figures import KindFigures
from monitoring.portal.presenters.sections import Section

FEW = 10  # a share of fewer says more than is known


def rows_of(found: Sequence[KindFigures]) -> Section:
    """Lay the figures out, one kind a row."""
    head = (
        _("Kind of flag"),
        _("Raised"),
        _("Taken on"),
        _("Median time until then"),
        _("Overridden"),
        _("Patients who meet the rule now"),
    )
    return Section("", "", head, tuple(map(_row, found)))


def _row(each: KindFigures) -> tuple[str, ...]:
    return (
        str(each.kind.label),
        str(each.raised),
        _share(each.taken_on, each.raised),
        "–" if each.median_h is None else _hours(each.median_h),
        _share(each.overridden, each.taken_on),
        "–"
        if each.patients is None or each.borne_out is None
        else _share(each.borne_out, each.patients),
    )


def _share(n: int, of: int) -> str:
    counted = _("%(n)d of %(of)d") % {"n": n, "of": of}
    return counted if of < FEW else f"{counted} ({round(100 * n / of)} %)"


def _hours(hours: float) -> str:
    if hours < 1:
        return _("%(n)d min") % {"n": round(hours * 60)}
    return (
        _("%(n)d h") % {"n": round(hours)}
        if hours < 48
        else _("%(n)d days") % {"n": round(hours / 24)}
    )
