"""What is said when a flag is taken on or ended."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from monitoring.models import AcknowledgeReason, Flag, FlagKind, ResolveReason


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
    """How a flag ends; a safety flag with a sentence on what was found and done."""

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

    def __init__(self, *args: Any, flag: Flag, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["plan"].required = flag.kind == FlagKind.SAFETY
