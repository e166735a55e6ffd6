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


class SnoozeForm(StepForm):
    """Until when a flag may wait, and why; an end is compulsory."""

    weeks = forms.TypedChoiceField(
        label=gettext_lazy("Put aside for"),
        coerce=int,
        choices=[
            ("", "—"),
            ("1", gettext_lazy("1 week")),
            ("2", gettext_lazy("2 weeks")),
            ("4", gettext_lazy("4 weeks")),
            ("8", gettext_lazy("8 weeks")),
            ("12", gettext_lazy("12 weeks")),
        ],
        help_text=gettext_lazy("It comes back by itself then, or earlier when it becomes urgent."),
    )
    reason = forms.CharField(label=gettext_lazy("Why it may wait"), max_length=500)
    prefix = "snooze"


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
