"""What is said when a parked draw is placed or set aside."""

from django import forms
from django.utils.translation import gettext_lazy


class SearchForm(forms.Form):
    """A name or a number; it travels in the body of the request, never in an address."""

    text = forms.CharField(
        label=gettext_lazy("Name or number"),
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )


class MatchForm(forms.Form):
    """The patient whom a person has named."""

    patient = forms.UUIDField(widget=forms.HiddenInput)


class RejectForm(forms.Form):
    """Why a draw is not placed, so that the laboratory can be answered."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("It is kept with the draw, which stays readable."),
    )
