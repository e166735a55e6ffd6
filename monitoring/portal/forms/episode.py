"""What is known of an episode and of the genotype, and what a site chooses, as they are typed."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.definitions import CONSENSUS, NON_REMISSION
from instruments import INSTRUMENTS
from monitoring.portal.forms.fields import DayField, SiteForm
from patients.models import EpisodeSeverity, Genotype, PatientStatus

_YES_NO = (
    ("", gettext_lazy("Not known")),
    ("no", gettext_lazy("No")),
    ("yes", gettext_lazy("Yes")),
)


class EpisodeForm(SiteForm):
    """Facts of the episode; what is left empty is not known, and is never taken for a no."""

    started_on = DayField(label=gettext_lazy("First dose on"))
    ill_since = DayField(label=gettext_lazy("Ill since"), required=False)
    severity = forms.ChoiceField(
        label=gettext_lazy("Severity"),
        required=False,
        choices=[("", gettext_lazy("Not known")), *EpisodeSeverity.choices],
    )
    diagnosis = forms.CharField(
        label=gettext_lazy("Diagnosis, ICD-10"),
        required=False,
        max_length=7,
        validators=[
            RegexValidator(
                r"^[A-Z][0-9]{2}(\.[0-9]{1,2})?$", gettext_lazy("An ICD-10 code, such as F33.1.")
            )
        ],
        help_text=gettext_lazy(
            "Such as F32.1 or F33.2. The rule for treatment resistance does not apply to F20 to "
            "F31."
        ),
    )
    is_bipolar = forms.ChoiceField(
        label=gettext_lazy("Bipolar disorder"),
        required=False,
        choices=_YES_NO,
        help_text=gettext_lazy(
            "The rule for treatment resistance does not apply to it. It comes along into later "
            "episodes, as F20 to F29 do, until you say otherwise."
        ),
    )
    primary_instrument = forms.ChoiceField(
        label=gettext_lazy("Primary scale"),
        required=False,
        choices=[("", gettext_lazy("Not chosen")), *((code, code) for code in INSTRUMENTS)],
        help_text=gettext_lazy("One per episode; totals of two scales are never mixed."),
    )
    earlier_failures = forms.IntegerField(
        label=gettext_lazy(
            "Adequate trials of this episode that failed before the first dose here"
        ),
        required=False,
        help_text=gettext_lazy("Different drugs; each counts as a failure by the TRD rule."),
        min_value=0,
        max_value=30,
    )
    ended_on = DayField(
        label=gettext_lazy("Episode ended on"),
        required=False,
        help_text=gettext_lazy(
            "Such as 05-Oct-2026. Leave empty while it lasts. Nothing is due afterwards; the next "
            "trial begins a new episode, with a baseline of its own."
        ),
    )

    def clean_is_bipolar(self) -> bool | None:
        """Tell no from not known."""
        return {"yes": True, "no": False}.get(self.cleaned_data["is_bipolar"])

    def clean(self) -> dict[str, Any]:
        """Refuse a diagnosis that says the one and a tick that says the other."""
        cleaned = super().clean() or self.cleaned_data
        is_coded = cleaned.get("diagnosis", "")[:3] in {"F30", "F31"}
        if is_coded and cleaned.get("is_bipolar") is None:
            cleaned["is_bipolar"] = True  # the code has said it
        if is_coded and cleaned.get("is_bipolar") is False:
            self.add_error(
                "is_bipolar", _("F30 and F31 are bipolar disorder; correct one of the two.")
            )
        return cleaned


class GenotypeForm(SiteForm):
    """A consent of its own, and the genotype if it is known."""

    consented_on = DayField(label=gettext_lazy("Consent given on"))
    rs2228145 = forms.ChoiceField(
        label=gettext_lazy("rs2228145"),
        required=False,
        choices=[("", gettext_lazy("Not known yet")), *Genotype.choices],
    )


class RulesForm(forms.Form):
    """Which rules a site is assessed by, and its weeks at an adequate dose."""

    name = forms.ChoiceField(
        label=gettext_lazy("What meets the rule for treatment resistance"),
        choices=[
            (CONSENSUS, gettext_lazy("Two treatments with less than 25 % improvement (consensus)")),
            (NON_REMISSION, gettext_lazy("Two treatments without remission (variant)")),
        ],
        widget=forms.RadioSelect,
    )
    weeks = forms.DecimalField(
        label=gettext_lazy("Weeks at an adequate dose that make a trial adequate"),
        min_value=4,
        max_value=26,
        max_digits=3,
        decimal_places=1,
        help_text=gettext_lazy("Six is the default; no definition takes fewer than four."),
    )


class VisitsForm(forms.Form):
    """How often draws and ratings are expected after week 12."""

    weeks = forms.IntegerField(
        label=gettext_lazy("After week 12, every (weeks)"),
        min_value=2,
        max_value=52,
        help_text=gettext_lazy("Before: weeks 0, 2, 4, 6, 9 and 12."),
    )


class StatusForm(forms.Form):
    """Whether a patient is followed."""

    status = forms.ChoiceField(
        label=gettext_lazy("The patient is"),
        choices=PatientStatus.choices,
        widget=forms.RadioSelect,
        help_text=gettext_lazy(
            "All but active stop mails and reminders; of a transferred or withdrawn patient a "
            "positive answer on self-harm is told all the same. The record stays readable."
        ),
    )
