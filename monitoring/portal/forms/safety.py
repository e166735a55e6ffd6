"""What is said on the safety path: who takes it on, the outcome, and the site's own plan."""

from datetime import date, datetime
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.models import Behaviour, Contact, CrisisPlan, Finding, Ideation, SafetyAction
from monitoring.outcomes import is_nothing, is_sentence
from monitoring.portal.forms.fields import (
    CLINICAL_DAY,
    DAY_FORMATS,
    NO_SUCH_HOUR,
    ClockField,
    DayField,
    SiteForm,
)
from monitoring.portal.forms.flags import StepForm
from patients.clocks import is_left_out
from patients.models import Clinician, Membership, SafetyDuty

AREA = forms.Textarea(attrs={"rows": 3})


class TakeOnForm(StepForm):
    """A safety flag is taken on by the reader's own name."""

    plan = forms.CharField(
        label=gettext_lazy("What you are going to do"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    prefix = "take"


class HandOverForm(StepForm):
    """Who of the team sees to it instead."""

    to = forms.TypedChoiceField(label=gettext_lazy("Hand over to"), coerce=int)
    note = forms.CharField(
        label=gettext_lazy("What they must know"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    prefix = "hand"

    def __init__(self, *args: Any, people: list[Clinician], **options: Any) -> None:
        super().__init__(*args, **options)
        choices = [("", "—"), *((str(each.pk), str(each)) for each in people)]
        self.fields["to"].choices = choices  # type: ignore[attr-defined]


class OutcomeForm(SiteForm):
    """The recorded outcome of a structured assessment; "not assessed" is always an answer.

    Where the person was not reached it is an attempt, and only the note is asked for.
    """

    version = forms.IntegerField(widget=forms.HiddenInput)
    assessed_on = DayField(label=gettext_lazy("Day of the assessment"))
    assessed_time = ClockField(
        label=gettext_lazy("Time of the assessment"),
        help_text=gettext_lazy("24-hour clock, in the zone of the site."),
    )
    assessed_by = forms.CharField(label=gettext_lazy("Assessed by"), max_length=150)
    contact = forms.ChoiceField(
        label=gettext_lazy("How"),
        choices=Contact.choices,
        widget=forms.RadioSelect,
        help_text=gettext_lazy(
            "Where the person was not reached, or thoughts or behaviour were not assessed, an "
            "attempt is recorded: the flag stays up and its timer goes on. Where thoughts were "
            "found, a plan belongs to it; where the flag is urgent or immediate, a plan and access "
            "to means, whatever was found. Of a person who has died, as their status says, what is "
            "known of it ends the flag."
        ),
    )
    instrument = forms.CharField(
        label=gettext_lazy("By means of"),
        max_length=100,
        help_text=gettext_lazy("Such as C-SSRS, or clinical interview."),
    )
    ideation = forms.ChoiceField(
        label=gettext_lazy("Thoughts of suicide"),
        choices=Ideation.choices,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("The level as your instrument numbers it, such as 1 to 5."),
    )
    behaviour = forms.ChoiceField(
        label=gettext_lazy("Behaviour"), choices=Behaviour.choices, widget=forms.RadioSelect
    )
    plan = forms.ChoiceField(
        label=gettext_lazy("A plan"), choices=Finding.choices, widget=forms.RadioSelect
    )
    means = forms.ChoiceField(
        label=gettext_lazy("Access to means"), choices=Finding.choices, widget=forms.RadioSelect
    )
    actions = forms.MultipleChoiceField(
        label=gettext_lazy("What was done"),
        choices=SafetyAction.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Say what was done; choose at least one.")},
    )
    note = forms.CharField(
        label=gettext_lazy("What was found and done, in a sentence"), max_length=2000, widget=AREA
    )
    next_contact_on = forms.DateField(
        label=gettext_lazy("Next contact on"),
        required=False,
        input_formats=DAY_FORMATS,
        widget=forms.DateInput(format=CLINICAL_DAY, attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Such as 05-Oct-2026."),
        error_messages={"invalid": gettext_lazy("Write the day as 05-Oct-2026.")},
    )

    def __init__(self, *args: Any, answered_at: datetime | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.answered_at = answered_at
        if self.data.get("contact") == Contact.NOT_REACHED:
            for name in ("instrument", *self.NOT_ASKED, "actions"):
                self.fields[name].required = False
        self.initial.setdefault("assessed_on", self.local.date())
        self.initial.setdefault("assessed_time", self.local.time().replace(second=0, microsecond=0))

    NOT_ASKED: ClassVar = ("ideation", "behaviour", "plan", "means")

    def clean_note(self) -> str:
        """Refuse a sign that stands for a sentence."""
        note: str = self.cleaned_data["note"]
        if not is_sentence(note):
            raise forms.ValidationError(_("Say in a sentence what was found and done."))
        return note

    def clean_assessed_by(self) -> str:
        """Refuse a sign that stands for a name."""
        name: str = self.cleaned_data["assessed_by"]
        if is_nothing(name):
            raise forms.ValidationError(_("Say by name who made the assessment."))
        return name

    def clean_instrument(self) -> str:
        """Refuse an assessment by means of nothing; nobody reached needs none."""
        means: str = self.cleaned_data["instrument"]
        if is_nothing(means) and self.fields["instrument"].required:
            raise forms.ValidationError(
                _("Say by means of what: an instrument, or a clinical interview.")
            )
        return means

    def clean_next_contact_on(self) -> date | None:
        """Refuse a next contact that lies behind."""
        day: date | None = self.cleaned_data["next_contact_on"]
        if day is not None and day < self.local.date():
            raise forms.ValidationError(_("The next contact lies in the past."))
        return day

    def clean(self) -> dict[str, Any]:
        """Put day and time together, by the calendar of the site."""
        cleaned = super().clean() or self.cleaned_data
        if "assessed_on" in cleaned and "assessed_time" in cleaned:
            moment = datetime.combine(cleaned["assessed_on"], cleaned["assessed_time"], self.zone)
            if moment > self.now:
                self.add_error("assessed_time", _("This time lies in the future."))
            elif is_left_out(moment):
                self.add_error("assessed_time", NO_SUCH_HOUR)
            elif self.answered_at is not None and moment < self.answered_at:
                self._refuse_before_the_answer(self.answered_at)
            cleaned["assessed_at"] = moment
        if cleaned.get("contact") == Contact.NOT_REACHED:
            self._leave_unassessed(cleaned)
        return cleaned

    def _refuse_before_the_answer(self, answered: datetime) -> None:
        said = _("The answer was given on %(when)s; an assessment of it comes after.")
        local = answered.astimezone(self.zone)
        self.add_error("assessed_on", said % {"when": f"{local:%d-%b-%Y %H:%M}"})

    def _leave_unassessed(self, cleaned: dict[str, Any]) -> None:
        for name in self.NOT_ASKED:
            if cleaned.get(name) not in ("", None, Finding.NOT_ASSESSED.value):
                self.add_error(
                    name, _("The person was not reached; nothing can have been found here.")
                )
            cleaned[name] = Finding.NOT_ASSESSED.value


class CrisisPlanForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """What a site tells its people in a crisis, and the times of its timer."""

    class Meta:
        model = CrisisPlan
        fields = (
            "text",
            "numbers",
            "out_of_hours",
            "cover_after_minutes",
            "lead_after_minutes",
            "remind_every_minutes",
            "outcome_within_hours",
        )
        widgets: ClassVar = {
            "text": forms.Textarea(attrs={"rows": 6}),
            "numbers": forms.Textarea(attrs={"rows": 4}),
            "out_of_hours": forms.Textarea(attrs={"rows": 3}),
        }
        labels: ClassVar = {
            "text": gettext_lazy("What to do"),
            "numbers": gettext_lazy("Numbers to call"),
            "out_of_hours": gettext_lazy("Out of hours"),
            "cover_after_minutes": gettext_lazy("Cover is told after (minutes)"),
            "lead_after_minutes": gettext_lazy("Lead is told after (minutes)"),
            "remind_every_minutes": gettext_lazy("All are told again every (minutes)"),
            "outcome_within_hours": gettext_lazy("Outcome is expected within (hours)"),
        }
        help_texts: ClassVar = {
            "text": gettext_lazy(
                "Shown to whoever has just entered a positive answer on self-harm. "
                "Empty: a plain default."
            ),
            "numbers": gettext_lazy("One a line, with whose number it is. None is shipped."),
            "out_of_hours": gettext_lazy(
                "Who looks after an answer at night and at weekends. If nobody does, say so here; "
                "it stands on the page where ratings are entered."
            ),
            "remind_every_minutes": gettext_lazy(
                "After the lead was told, while nobody has taken the flag on: whoever is first, "
                "cover and lead get another mail."
            ),
            "outcome_within_hours": gettext_lazy(
                "Of being taken on. After that whoever took it on and the lead are told, each time "
                "as many hours later, until there is an outcome."
            ),
        }

    def clean(self) -> dict[str, Any]:
        """Refuse a timer that tells lead before cover."""
        cleaned = super().clean() or self.cleaned_data
        for name, lowest, highest in (
            ("cover_after_minutes", 1, 1440),
            ("lead_after_minutes", 1, 2880),
            ("remind_every_minutes", 15, 1440),
            ("outcome_within_hours", 1, 168),
        ):
            if name in cleaned and not lowest <= (cleaned[name] or 0) <= highest:
                self.add_error(
                    name,
                    _("A whole number from %(low)d to %(high)d.")
                    % {"low": lowest, "high": highest},
                )
        cover, lead = cleaned.get("cover_after_minutes"), cleaned.get("lead_after_minutes")
        if cover and lead and lead < cover:
            self.add_error("lead_after_minutes", _("Lead is told after cover, not before."))
        return cleaned


class DutiesForm(forms.Form):
    """Who of a team is told first, as cover, as lead."""

    def __init__(self, *args: Any, members: list[Membership], **options: Any) -> None:
        super().__init__(*args, **options)
        for each in members:
            self.fields[f"duty_{each.pk}"] = forms.ChoiceField(
                label=f"{each.clinician} ({each.get_role_display()})",
                choices=SafetyDuty.choices,
                required=False,
                initial=each.safety_duty,
            )


class NamedClinicianForm(forms.Form):
    """Who of the team is told first of this patient."""

    clinician = forms.TypedChoiceField(
        label=gettext_lazy("Named clinician"),
        coerce=int,
        empty_value=None,
        required=False,
        help_text=gettext_lazy("Nobody: whoever of the team is first in safety is told."),
    )

    def __init__(self, *args: Any, people: list[Clinician], **options: Any) -> None:
        super().__init__(*args, **options)
        choices = [("", _("Nobody")), *((str(each.pk), str(each)) for each in people)]
        self.fields["clinician"].choices = choices  # type: ignore[attr-defined]
