"""Trials, their ends, and events, as they are typed."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.doses import DOSE_TABLE
from monitoring.portal.forms.doses import AN_ATC_CODE, OFFERED, DoseField
from monitoring.portal.forms.fields import DayField, SiteForm
from patients.models import (
    WITHOUT_DRUG,
    Adherence,
    EventKind,
    Override,
    StopReason,
    Trial,
    TrialKind,
)
from patients.record.treatment import Course

DOSE_STEPS = 6
# Over so many times the highest usual dose a number is a slip of the pen, or in another unit
USUAL_AT_MOST_TIMES = 5
_ANTIDEPRESSANTS_ATC = "N06A"
_AUGMENTING_ATC = ("N05AN", "H03A")  # lithium and thyroid hormones are never a trial themselves


class TrialForm(SiteForm):
    """One course with its dose steps: of an antidepressant, or of what stands beside one."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What it is"),
        choices=[("", gettext_lazy("an antidepressant, by its ATC code")), *TrialKind.choices],
        required=False,
        help_text=gettext_lazy(
            "Only a course of an antidepressant counts as a trial of the rule. Lithium, an "
            "antipsychotic or a thyroid hormone beside one is an augmentation."
        ),
    )
    drug = forms.CharField(
        label=gettext_lazy("Drug, or name of the course"),
        max_length=100,
        error_messages={"required": gettext_lazy("Say which drug it is.")},
        help_text=gettext_lazy("May stay empty for ECT, TMS and psychotherapy."),
        widget=forms.TextInput(attrs={"list": "antidepressants", "autocomplete": "off"}),
    )
    atc = forms.CharField(
        label=gettext_lazy("ATC code"),
        required=False,
        validators=[AN_ATC_CODE],
        max_length=7,
        help_text=gettext_lazy("May stay empty for the drugs that are offered."),
    )
    started_on = DayField(label=gettext_lazy("First day"))
    stopped_on = DayField(label=gettext_lazy("Last day"), required=False)
    stop_reason = forms.ChoiceField(
        label=gettext_lazy("Reason for stopping"),
        required=False,
        choices=[("", "—"), *StopReason.choices],
    )
    adherence = forms.ChoiceField(
        label=gettext_lazy("Adherence"), required=False, choices=Adherence.choices
    )
    override = forms.ChoiceField(
        label=gettext_lazy("Adequacy, as you judge it"),
        required=False,
        choices=Override.choices,
        help_text=gettext_lazy("Your word goes before the rule; it needs a reason."),
    )
    override_reason = forms.CharField(
        label=gettext_lazy("Why you judge otherwise than the rule"),
        required=False,
        max_length=500,
    )

    def __init__(self, *args: Any, offered: Mapping[str, str] = OFFERED, **options: Any) -> None:
        super().__init__(*args, **options)
        self.offered = offered
        for number in range(1, DOSE_STEPS + 1):
            if number > 1:
                label = _("Change %(number)d from") % {"number": number - 1}
                field = DayField(label=label, required=False, today=self.local.date())
                self.fields[f"dose_{number}_on"] = field
            self.fields[f"dose_{number}_mg"] = DoseField(
                label=_("Daily dose")
                if number == 1
                else _("Daily dose after change %(number)d") % {"number": number - 1},
                required=number == 1,
                error_messages={"required": _("Give the first daily dose with its unit: 10 mg.")},
            )
        if self.data.get(self.add_prefix("kind")) in WITHOUT_DRUG:
            self.fields["drug"].required = self.fields["dose_1_mg"].required = False

    @property
    def later_doses(self) -> list[tuple[BoundField, BoundField]]:
        """Give the pairs of fields for the doses after the first."""
        return [
            (self[f"dose_{number}_on"], self[f"dose_{number}_mg"])
            for number in range(2, DOSE_STEPS + 1)
        ]

    def clean_drug(self) -> str:
        """Take the usual spelling of a drug that is offered."""
        drug = " ".join(self.cleaned_data["drug"].split())
        return drug.lower() if drug.lower() in self.offered else drug

    def clean(self) -> dict[str, Any]:
        """Check what hangs together: the code, the end, the dose steps, the reasons."""
        cleaned = super().clean() or self.cleaned_data
        is_said = bool(cleaned.get("kind"))
        cleaned["kind"] = TrialKind(cleaned.get("kind") or TrialKind.ANTIDEPRESSANT)
        has_drug = cleaned["kind"] not in WITHOUT_DRUG
        if not has_drug and not cleaned.get("drug") and "drug" not in self.errors:
            cleaned["drug"] = str(cleaned["kind"].label)
        if cleaned.get("override") and not cleaned.get("override_reason"):
            self.add_error(
                "override_reason", _("Say why you judge the adequacy otherwise than the rule.")
            )
        if not cleaned.get("override"):
            cleaned["override_reason"] = ""
        if has_drug and cleaned.get("drug") and "atc" not in self.errors:
            self._check_code(cleaned)
        code = cleaned.get("atc") or ""
        self._check_kind(cleaned["kind"], code, is_said=is_said)
        self._check_end(cleaned)
        cleaned["doses"] = self._doses(cleaned)
        return cleaned

    def _check_kind(self, kind: TrialKind, code: str, *, is_said: bool) -> None:
        """Take no augmentation for a trial: lithium would move the count of trials on."""
        if code.startswith(_AUGMENTING_ATC) and kind == TrialKind.ANTIDEPRESSANT:
            self.add_error(
                "kind",
                _("%(code)s augments a trial and is none: choose “augmentation of a trial”.")
                % {"code": code},
            )
        elif not is_said and code and not code.startswith(_ANTIDEPRESSANTS_ATC):
            self.add_error(
                "kind",
                _("%(code)s is no code of an antidepressant: say what this course is.")
                % {"code": code},
            )

    def _check_code(self, cleaned: dict[str, Any]) -> None:
        """Find the code of a drug that is offered; refuse the code of another, and absurd doses."""
        drug, code = cleaned["drug"], cleaned.get("atc") or ""
        usual = self.offered.get(drug, "")
        code = cleaned["atc"] = code or usual
        if not code:
            self.add_error("atc", _("Give the ATC code: this drug is not in our list."))
        elif usual and code != usual:
            self.add_error(
                "atc",
                _("%(drug)s has the code %(usual)s; correct one of them.")
                % {"drug": drug.capitalize(), "usual": usual},
            )
        known = DOSE_TABLE.get(code)
        for number in range(1, DOSE_STEPS + 1):
            dose = cleaned.get(f"dose_{number}_mg")
            if known and dose and dose > USUAL_AT_MOST_TIMES * known.usual_to_mg:
                self.add_error(
                    f"dose_{number}_mg",
                    _("The highest usual dose of %(drug)s is %(usual)g mg; check number and unit.")
                    % {"drug": known.drug, "usual": known.usual_to_mg},
                )

    def _check_end(self, cleaned: dict[str, Any]) -> None:
        started_on, stopped_on = cleaned.get("started_on"), cleaned.get("stopped_on")
        reason = cleaned.get("stop_reason")
        if started_on and stopped_on and stopped_on < started_on:
            self.add_error("stopped_on", _("The last day comes before the first."))
        if stopped_on and not reason:
            self.add_error("stop_reason", _("Say why the trial was stopped."))
        if reason and not stopped_on and "stopped_on" not in self.errors:
            self.add_error("stopped_on", _("Give the last day, or no reason for stopping."))

    def _doses(self, cleaned: dict[str, Any]) -> list[tuple[date, Decimal]]:
        started_on, first = cleaned.get("started_on"), cleaned.get("dose_1_mg")
        if started_on is None or first is None:
            return []
        doses = [(started_on, first)]
        for number in range(2, DOSE_STEPS + 1):
            on, dose = cleaned.get(f"dose_{number}_on"), cleaned.get(f"dose_{number}_mg")
            if on is None and dose is None:
                continue
            if dose is None:
                self.add_error(f"dose_{number}_mg", _("Give the dose from this day on."))
            elif on is None:
                self.add_error(f"dose_{number}_on", _("Give the day on which this dose began."))
            elif on <= doses[-1][0]:
                self.add_error(f"dose_{number}_on", _("This day must come after the step before."))
            else:
                doses.append((on, dose))
        return doses


class TrialCorrectionForm(TrialForm):
    """A course as it should stand, and why: a correction, a new dose step, adherence, adequacy."""

    reason = forms.CharField(
        label=gettext_lazy("Why it is changed"),
        max_length=500,
        help_text=gettext_lazy("It is kept beside what stood here before; both stay readable."),
    )

    def __init__(
        self, *args: Any, trial: Trial, first_dose_on: date | None = None, **options: Any
    ) -> None:
        """`first_dose_on` is that of the episode, where this trial has opened it."""
        super().__init__(*args, **options)
        if first_dose_on is not None:
            self.fields["moves_first_dose"] = forms.BooleanField(
                label=_("The first dose of the episode moves with the first day"),
                required=False,
                initial=True,
                help_text=_(
                    "This trial has opened the episode: weeks, visits and the baseline are counted "
                    "from %(first)s."
                )
                % {"first": f"{first_dose_on:%d-%b-%Y}"},
            )
        for name in ("kind", "drug", "atc", "started_on", "stopped_on", "stop_reason"):
            self.initial[name] = getattr(trial, name)
        for name in ("adherence", "override", "override_reason"):
            self.initial[name] = getattr(trial, name)
        steps = trial.dose_steps.order_by("started_on")[:DOSE_STEPS]
        for number, step in enumerate(steps, start=1):
            self.initial[f"dose_{number}_mg"] = f"{step.dose_mg.normalize():f} mg"
            if number > 1:
                self.initial[f"dose_{number}_on"] = step.started_on


class StopForm(SiteForm):
    """When and why a running trial ended."""

    stopped_on = DayField(label=gettext_lazy("Last day"))
    stop_reason = forms.ChoiceField(
        label=gettext_lazy("Reason for stopping"), choices=[("", "—"), *StopReason.choices]
    )

    def __init__(self, *args: Any, started_on: date, **options: Any) -> None:
        self.started_on = started_on
        super().__init__(*args, **options)

    def clean_stopped_on(self) -> date:
        """Refuse an end before the start."""
        stopped_on: date = self.cleaned_data["stopped_on"]
        if stopped_on < self.started_on:
            raise forms.ValidationError(_("The last day comes before the first."))
        return stopped_on


def course_of(said: dict[str, Any]) -> Course:
    """Put what was typed into the record's form."""
    return Course(
        drug=said["drug"],
        atc=said.get("atc") or "",
        started_on=said["started_on"],
        doses=tuple(said["doses"]),
        stopped_on=said["stopped_on"],
        stop_reason=said["stop_reason"],
        kind=said["kind"],
        adherence=Adherence(said["adherence"]),
        override=Override(said["override"]),
        override_reason=said["override_reason"],
    )


class EventForm(SiteForm):
    """Something that disturbs a reading."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What happened"), choices=[("", "—"), *EventKind.choices]
    )
    started_on = DayField(label=gettext_lazy("First day"))
    stopped_on = DayField(
        label=gettext_lazy("Last day"),
        required=False,
        help_text=gettext_lazy(
            "Such as 05-Oct-2026. Leave empty while it lasts; of a single day, give the same day."
        ),
    )
    atc = forms.CharField(
        label=gettext_lazy("ATC code"),
        required=False,
        max_length=7,
        validators=[AN_ATC_CODE],
        help_text=gettext_lazy("For a drug, such as L04AC07 for tocilizumab."),
    )
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=300)

    def clean(self) -> dict[str, Any]:
        """Refuse an end before the start."""
        cleaned = super().clean() or self.cleaned_data
        started_on, stopped_on = cleaned.get("started_on"), cleaned.get("stopped_on")
        if started_on and stopped_on and stopped_on < started_on:
            self.add_error("stopped_on", _("The last day comes before the first."))
        return cleaned


class EventCorrectionForm(EventForm):
    """An event as it should stand, and why."""

    reason = forms.CharField(label=gettext_lazy("Why it is changed"), max_length=500)
