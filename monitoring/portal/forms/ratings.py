"""The QIDS-SR16 as it is typed: item by item, or by its total."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from instruments import INSTRUMENTS, QIDS_SR16
from monitoring.portal.forms.fields import ClockField, DayField, SiteForm


class RatingForm(SiteForm):
    """The QIDS-SR16 by its items or by its total; nothing is imputed."""

    rated_on = DayField(label=gettext_lazy("Date of the rating"))
    rated_time = ClockField(
        label=gettext_lazy("Time of the rating"),
        help_text=gettext_lazy("24-hour clock, in the zone of the site."),
    )
    total = forms.IntegerField(
        label=gettext_lazy("Total alone"),
        required=False,
        min_value=0,
        max_value=INSTRUMENTS[QIDS_SR16].highest_total,
        help_text=gettext_lazy(
            "Only where the items are not at hand. A total does not show how item 12 was answered."
        ),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        scale = INSTRUMENTS[QIDS_SR16]
        self.initial.setdefault("rated_on", self.local.date())
        self.initial.setdefault("rated_time", self.local.time().replace(second=0, microsecond=0))
        for number, domain in item_domains():
            highest = scale.highest_answers[number - 1]
            self.fields[f"item_{number}"] = forms.TypedChoiceField(
                label=_("Item %(number)d: %(domain)s") % {"number": number, "domain": domain},
                choices=[(str(each), str(each)) for each in range(highest + 1)],
                coerce=int,
                empty_value=None,
                required=False,
                widget=forms.RadioSelect,
            )

    @property
    def item_fields(self) -> Iterator[BoundField]:
        """Give the fields of the items, in the order of the scale."""
        return (self[f"item_{number}"] for number, _domain in item_domains())

    def clean(self) -> dict[str, Any]:
        """Take items or a total, and refuse what contradicts itself."""
        cleaned = super().clean() or self.cleaned_data
        items = [cleaned.get(f"item_{number}") for number, _domain in item_domains()]
        is_by_item = any(item is not None for item in items)
        total = cleaned.get("total")
        if not is_by_item and total is None and "total" not in self.errors:
            self.add_error(None, _("Answer the items, or give the total."))
        if is_by_item and total is not None:
            counted = INSTRUMENTS[QIDS_SR16].total(items)
            if counted != total:
                self.add_error("total", _disagreement(counted))
        if "rated_on" in cleaned and "rated_time" in cleaned:
            moment = datetime.combine(cleaned["rated_on"], cleaned["rated_time"], self.zone)
            if moment > self.now:
                self.add_error("rated_time", _("This time lies in the future."))
            cleaned["rated_at"] = moment
        cleaned["items"] = items if is_by_item else None
        return cleaned


def _disagreement(counted: int | None) -> str:
    if counted is None:
        return _("The items are incomplete and give no total; leave this empty, or complete them.")
    return _("The items add up to %(counted)d; correct them, or leave this empty.") % {
        "counted": counted
    }


def item_domains() -> list[tuple[int, str]]:
    """Name the items of the QIDS-SR16 by number and domain; its wording is not ours to show."""
    scale = INSTRUMENTS[QIDS_SR16]
    named = {
        number: name
        for numbers, name in zip(scale.domains, DOMAIN_NAMES, strict=True)
        for number in numbers
    }
    return [(number, str(named[number])) for number in sorted(named)]


# In the order of instruments, translatable
DOMAIN_NAMES = (
    gettext_lazy("sleep"),
    gettext_lazy("sad mood"),
    gettext_lazy("appetite and weight"),
    gettext_lazy("concentration"),
    gettext_lazy("view of self"),
    gettext_lazy("thoughts of death or suicide"),
    gettext_lazy("general interest"),
    gettext_lazy("energy"),
    gettext_lazy("psychomotor"),
)
