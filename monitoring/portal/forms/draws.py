"""What a person decides about a draw, and why."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from patients.models import Verdict

_LABELS = {
    Verdict.SCORE: gettext_lazy("Score it in spite of the caution"),
    Verdict.RELEASE: gettext_lazy("Release it: it was checked and is right"),
    Verdict.KEEP_OUT: gettext_lazy("Keep it out: it is not to be used"),
}


class VerdictForm(forms.Form):
    """One decision with its reason."""

    verdict = forms.ChoiceField(label=gettext_lazy("Decision"), widget=forms.RadioSelect)
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("It stands beside the draw, with your name."),
    )

    def __init__(self, *args: Any, allowed: list[Verdict], **options: Any) -> None:
        super().__init__(*args, **options)
        choices = [(each.value, _LABELS[each]) for each in allowed]
        self.fields["verdict"].choices = choices  # type: ignore[attr-defined]
