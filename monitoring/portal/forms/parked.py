"""What is said when a parked draw is placed or set aside."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext_lazy

from monitoring.portal.forms.fields import DayField
from monitoring.portal.parked_words import REASONS_IN_SHORT
from monitoring.waiting import Waiting, laboratories
from patients.intake.finding import IfDuplicate
from patients.models import CareTeam, Clinician, Laboratory, Sex

_DAYS = {
    "1": gettext_lazy("a day"),
    "7": gettext_lazy("a week"),
    "30": gettext_lazy("a month"),
}


class SearchForm(forms.Form):
    """A name or a number; it travels in the body of the request, never in an address."""

    text = forms.CharField(
        label=gettext_lazy("Name or number"),
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )


class NumberForm(forms.Form):
    """The number of a sample; like a patient's it travels in the body of the request."""

    number = forms.CharField(
        label=gettext_lazy("Accession"),
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )


class NarrowForm(forms.Form):
    """Which part of what waits is shown; of an address it is no secret."""

    laboratory = forms.ModelChoiceField(
        label=gettext_lazy("Laboratory"),
        queryset=Laboratory.objects.none(),
        required=False,
        empty_label=gettext_lazy("any"),
    )
    reason = forms.ChoiceField(
        label=gettext_lazy("Why it waits"),
        choices=[("", gettext_lazy("any")), *REASONS_IN_SHORT.items()],
        required=False,
    )
    longer_than = forms.ChoiceField(
        label=gettext_lazy("Waits longer than"),
        choices=[("", gettext_lazy("any")), *_DAYS.items()],
        required=False,
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["laboratory"].queryset = laboratories()  # type: ignore[attr-defined]

    def narrow(self, waiting: Waiting, *, at: datetime) -> Waiting | None:
        """Give the part that is asked for; None where all is."""
        said = self.cleaned_data
        if not any(said.values()):
            return None
        if said["laboratory"] is not None:
            waiting = waiting.of(said["laboratory"])
        if said["reason"]:
            waiting = waiting.because_of(said["reason"])
        if said["longer_than"]:
            waiting = waiting.since_before(at - timedelta(days=int(said["longer_than"])))
        return waiting

    @property
    def query(self) -> str:
        """Say what is asked for as the next page's address does."""
        if not self.is_valid():
            return ""
        said = {name: self[name].data for name in self.fields if self[name].data}
        return f"&{urlencode(said)}" if said else ""


class MatchForm(forms.Form):
    """The patient whom a person has named, and what is to be made of it."""

    patient = forms.UUIDField(widget=forms.HiddenInput)
    remember = forms.BooleanField(required=False)
    if_duplicate = forms.TypedChoiceField(
        choices=[(each.value, each.value) for each in IfDuplicate],
        coerce=IfDuplicate,
        empty_value=IfDuplicate.ASK,
        required=False,
    )


class RejectForm(forms.Form):
    """Why a draw is not placed, so that the laboratory can be answered."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("It is kept with the draw, which stays readable."),
    )


class AskForm(forms.Form):
    """What the laboratory is asked; the words are kept here and sent by whoever asks."""

    question = forms.CharField(
        label=gettext_lazy("Question"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy(
            "Copy it into your message to the laboratory. Name the sample, never the patient."
        ),
    )


IGNORED = "-"
IGNORED_WORDS = gettext_lazy("nothing that is followed here: ignore it from now on")


class TeachForm(forms.Form):
    """What a code or a unit of the laboratory means, from now on."""

    def __init__(
        self, *args: Any, meanings: Sequence[str], may_ignore: bool, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        ignored = [(IGNORED, IGNORED_WORDS)] if may_ignore else []
        self.fields["means"] = forms.ChoiceField(
            label=gettext_lazy("It means"),
            choices=[("", gettext_lazy("Choose")), *((each, each) for each in meanings), *ignored],
        )


class EnrolForm(forms.Form):
    """A patient who is not followed yet, enrolled for the draw that waits."""

    team = forms.ModelChoiceField(label=gettext_lazy("Team"), queryset=CareTeam.objects.none())
    family_name = forms.CharField(label=gettext_lazy("Family name"), max_length=100)
    given_name = forms.CharField(label=gettext_lazy("Given name"), max_length=100)
    birth_date = DayField(label=gettext_lazy("Date of birth"), required=False)
    sex = forms.ChoiceField(label=gettext_lazy("Gender"), choices=Sex.choices)

    def __init__(self, *args: Any, reader: Clinician, **options: Any) -> None:
        super().__init__(*args, **options)
        teams = CareTeam.objects.filter(members=reader).select_related("site")
        self.fields["team"].queryset = teams.order_by("pk")  # type: ignore[attr-defined]
