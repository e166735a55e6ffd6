"""For whom a key is issued: a system of a care team, or a laboratory."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from patients.models import CareTeam, Laboratory


class TeamKeyForm(forms.Form):
    """A system of the clinic that will send ratings of a team's patients, or read of them."""

    team = forms.ModelChoiceField(label=gettext_lazy("Care team"), queryset=CareTeam.objects.none())
    name = forms.CharField(
        label=gettext_lazy("System"),
        max_length=100,
        help_text=gettext_lazy("Which system will show the key, such as “Tablet, ward 3”."),
    )
    may = forms.ChoiceField(
        label=gettext_lazy("It may"),
        choices=[
            ("send", gettext_lazy("send ratings")),
            ("read", gettext_lazy("read explanations of assessments")),
            ("both", gettext_lazy("send ratings and read explanations")),
        ],
        initial="send",
        required=False,
    )

    def clean_may(self) -> str:
        """Take what was not chosen for the least that a key may do."""
        return self.cleaned_data["may"] or "send"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        teams = CareTeam.objects.select_related("site").order_by("site__name", "name")
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]


class LaboratoryKeyForm(forms.Form):
    """A laboratory that will push results."""

    laboratory = forms.ModelChoiceField(
        label=gettext_lazy("Laboratory"), queryset=Laboratory.objects.none()
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        laboratories = Laboratory.objects.filter(is_active=True).order_by("name")
        self.fields["laboratory"].queryset = laboratories  # type: ignore[attr-defined]
