"""What is said when a flag is taken on or ended."""

from django import forms
from django.utils.translation import gettext_lazy

from monitoring.models import AcknowledgeReason, ResolveReason


class StepForm(forms.Form):
    """The state of the flag that the reader saw when deciding."""

    version = forms.IntegerField(widget=forms.HiddenInput)


class AcknowledgeForm(StepForm):
    """Why a flag is taken on, and perhaps what is planned."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Reason"), choices=AcknowledgeReason.choices, widget=forms.RadioSelect
    )
    plan = forms.CharField(
        label=gettext_lazy("Plan"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    prefix = "acknowledge"


class ResolveForm(StepForm):
    """How a flag ends by a person's word."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Outcome"), choices=ResolveReason.choices, widget=forms.RadioSelect
    )
    plan = forms.CharField(
        label=gettext_lazy("What was found, and what follows"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    prefix = "resolve"
