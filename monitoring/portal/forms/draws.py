"""What a person decides about a draw, and why."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.portal.presenters.draws import Stand
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
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, allowed: list[Verdict], stand: Stand, **options: Any) -> None:
        super().__init__(*args, **options)
        self.stand = " ".join((stand.value, *stand.against))
        self.initial["seen"] = self.stand
        choices = [(each.value, _LABELS[each]) for each in allowed]
        self.fields["verdict"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Refuse a decision about a draw that is another by now than the one that was shown."""
        given: dict[str, Any] = super().clean() or {}
        if given.get("seen", "").strip() != self.stand.strip():
            self.data = {**self.data, "seen": self.stand}  # so that the next look is of this one
            raise forms.ValidationError(
                _(
                    "Since you opened this page the value has changed, or more has come to light "
                    "about the draw. Read it once more, then save."
                )
            )
        return given
