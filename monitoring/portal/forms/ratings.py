"""A symptom scale as it is typed: item by item, or by its total."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from instruments import INSTRUMENTS, QIDS_SR16, Instrument
from monitoring.portal.forms.fields import NO_SUCH_HOUR, ClockField, DayField, SiteForm
from patients.clocks import is_left_out
from patients.models import Rating

REASON = gettext_lazy("It is kept beside what stood here before; both stay readable.")


class RatingForm(SiteForm):
    """One scale by its items or by its total; nothing is imputed."""

    rated_on = DayField(label=gettext_lazy("Date of the rating"))
    rated_time = ClockField(
        label=gettext_lazy("Time of the rating"),
        help_text=gettext_lazy("24-hour clock, in the zone of the site."),
    )

    def __init__(self, *args: Any, scale: Instrument, **options: Any) -> None:
        self.scale = scale
        super().__init__(*args, **options)
        self.initial.setdefault("rated_on", self.local.date())
        self.initial.setdefault("rated_time", self.local.time().replace(second=0, microsecond=0))
        for number, name in item_domains(scale):
            self.fields[f"item_{number}"] = _choice(
                _("Item %(number)d: %(domain)s") % {"number": number, "domain": name},
                highest=scale.highest_answers[number - 1],
            )
        self.fields["total"] = forms.IntegerField(
            label=_("Total alone"),
            required=False,
            min_value=0,
            max_value=scale.highest_total,
            help_text=_("Only where the items are not at hand."),
            error_messages=dict.fromkeys(
                ("invalid", "min_value", "max_value"),
                _("A total of %(scale)s is a whole number from 0 to %(highest)d.")
                % {"scale": scale.code, "highest": scale.highest_total},
            ),
        )
        self.fields["self_harm"] = _choice(
            _("Item %(number)d, on self-harm") % {"number": scale.self_harm_item},
            highest=scale.highest_answers[scale.self_harm_item - 1],
        )
        self.fields["self_harm"].help_text = _(
            "A total does not show it: give the answer where it is known."
        )

    @property
    def item_fields(self) -> Iterator[BoundField]:
        """Give the fields of the items, in the order of the scale."""
        return (self[f"item_{number}"] for number, _name in item_domains(self.scale))

    @property
    def is_refused_and_positive(self) -> bool:
        """Tell whether what was typed is not on record and answers self-harm above zero."""
        if not self.errors:
            return False
        names = (f"item_{self.scale.self_harm_item}", "self_harm")
        said = any(self.data.get(self.add_prefix(name), "").strip(" 0") for name in names)
        total = self.cleaned_data.get("total")
        return said or (total is not None and self.scale.least_self_harm(total) > 0)

    def clean(self) -> dict[str, Any]:
        """Take items or a total, and refuse what contradicts itself."""
        cleaned = super().clean() or self.cleaned_data
        items = [cleaned.get(f"item_{number}") for number, _name in item_domains(self.scale)]
        is_by_item = any(item is not None for item in items)
        total = cleaned.get("total")
        if not is_by_item and total is None and "total" not in self.errors:
            self.add_error(None, _("Answer the items, or give the total."))
        if is_by_item and total is not None:
            counted = self.scale.total(items)
            if counted != total:
                self.add_error("total", _disagreement(counted))
        if "rated_on" in cleaned and "rated_time" in cleaned:
            moment = datetime.combine(cleaned["rated_on"], cleaned["rated_time"], self.zone)
            if moment > self.now:
                self.add_error("rated_time", _("This time lies in the future."))
            elif is_left_out(moment):
                self.add_error("rated_time", NO_SUCH_HOUR)
            cleaned["rated_at"] = moment
        cleaned["items"] = items if is_by_item else None
        if is_by_item:
            cleaned["self_harm"] = None
        return cleaned


class RatingCorrectionForm(RatingForm):
    """What is right instead, and why."""

    def __init__(self, *args: Any, rating: Rating, **options: Any) -> None:
        super().__init__(*args, scale=INSTRUMENTS[rating.instrument], **options)
        local = rating.rated_at.astimezone(self.zone)
        self.initial["rated_on"], self.initial["rated_time"] = local.date(), local.time()
        for number, answer in enumerate(rating.items or [], start=1):
            self.initial[f"item_{number}"] = answer
        if rating.items is None:
            self.initial["total"] = rating.total
            proven = self.scale.least_self_harm(rating.total) if rating.total else 0
            if rating.self_harm_answer != (proven or None):
                self.initial["self_harm"] = rating.self_harm_answer
        self.fields["reason"] = forms.CharField(
            label=_("Why it is corrected"), max_length=500, help_text=REASON
        )


class ReasonForm(forms.Form):
    """Why something is withdrawn."""

    reason = forms.CharField(
        label=gettext_lazy("Why it is withdrawn"), max_length=500, help_text=REASON
    )


def _choice(label: str, *, highest: int) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label,
        choices=[(str(each), str(each)) for each in range(highest + 1)],
        coerce=int,
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
    )


def _disagreement(counted: int | None) -> str:
    if counted is None:
        return _("The items are incomplete and give no total; leave this empty, or complete them.")
    return _("The items add up to %(counted)d; correct them, or leave this empty.") % {
        "counted": counted
    }


def item_domains(scale: Instrument) -> list[tuple[int, str]]:
    """Name the items by number: by their wording where it may be shown, else by their domain."""
    texts = scale.item_texts or tuple(
        str(DOMAIN_NAMES.get(name, name)) for name in scale.names_of_items
    )
    return list(enumerate(texts, start=1))


def scale_or_default(code: str | None) -> Instrument | None:
    """Find the scale that an address names; none named is the QIDS-SR16."""
    return INSTRUMENTS.get(code or QIDS_SR16)


# The words of the declarations, translatable
DOMAIN_NAMES = {
    "sleep": gettext_lazy("sleep"),
    "sad mood": gettext_lazy("sad mood"),
    "appetite and weight": gettext_lazy("appetite and weight"),
    "concentration": gettext_lazy("concentration"),
    "view of self": gettext_lazy("view of self"),
    "thoughts of death or suicide": gettext_lazy("thoughts of death or suicide"),
    "general interest": gettext_lazy("general interest"),
    "energy": gettext_lazy("energy"),
    "psychomotor": gettext_lazy("psychomotor"),
}
