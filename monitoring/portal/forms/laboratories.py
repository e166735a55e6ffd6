"""The profile of a laboratory, filled in by an operator, part by part."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from patients.models import Analyte, IfPreliminary, Matrix
from patients.record.profile_document import (
    AnalyteCode,
    IgnoredCode,
    KitInUse,
    Numbering,
    UnitSpelling,
)
from patients.units import KNOWN_UNITS

DRAW_TIMES = [
    ("collected", gettext_lazy("of the sample (Specimen.collected, SPM-17)")),
    ("observed", gettext_lazy("of the single result (OBX-14)")),
    ("effective", gettext_lazy("effective (Observation.effective)")),
    ("requested", gettext_lazy("of the order (OBR-7)")),
]


class ReadingForm(forms.Form):
    """How the laboratory's messages are read."""

    time_zone = forms.CharField(label=gettext_lazy("Time zone"), max_length=50)
    is_active = forms.BooleanField(label=gettext_lazy("May push"), required=False)
    pushes_per_minute = forms.IntegerField(
        label=gettext_lazy("Messages a minute at most"),
        required=False,
        min_value=1,
        max_value=10_000_000,
        help_text=gettext_lazy("Empty: as many as the site allows."),
    )
    draw_times = forms.CharField(
        label=gettext_lazy("Which time is that of the draw, the best first"),
        max_length=100,
        help_text=gettext_lazy(
            "Of collected, observed, effective, requested; the first that a message states counts."
        ),
    )
    if_preliminary = forms.ChoiceField(
        label=gettext_lazy("Preliminary values"), choices=IfPreliminary.choices
    )
    processing_ids = forms.CharField(
        label=gettext_lazy("Kinds of HL7 v2 message that are taken"),
        max_length=20,
        help_text=gettext_lazy("P for production, T for training, D for debugging."),
    )
    charset = forms.CharField(
        label=gettext_lazy("Character set of HL7 v2 where the message does not say"),
        required=False,
        max_length=20,
    )
    silent_after_h = forms.IntegerField(
        label=gettext_lazy("Hours of silence after which somebody should ask"),
        required=False,
        min_value=1,
        max_value=10_000,
        help_text=gettext_lazy("Empty: learned from the laboratory’s own rhythm."),
    )

    def document(self) -> dict[str, Any]:
        """Give what was filled in, as a part of a profile."""
        said = dict(self.cleaned_data)
        for name in ("draw_times", "processing_ids"):
            said[name] = said[name].replace(",", " ").split()
        return said


class _Part(forms.Form):
    def document(self) -> dict[str, Any]:
        """Give what was filled in, as one entry of a list."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}


def _units(label: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=[(unit, unit) for unit in KNOWN_UNITS])


class _WithAnalyte(_Part):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        codes = Analyte.objects.order_by("position").values_list("code", flat=True)
        analyte = forms.ChoiceField(
            label=gettext_lazy("Analyte"), choices=[(code, code) for code in codes]
        )
        self.fields = {"analyte": analyte, **self.fields}


class CodeForm(_WithAnalyte):
    """A code of the laboratory."""

    code = forms.CharField(label=gettext_lazy("The laboratory’s code"), max_length=200)
    system = forms.CharField(
        label=gettext_lazy("Code system"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Empty: in any system."),
    )


class IgnoredCodeForm(_Part):
    """A code of something that nobody here wants."""

    code = forms.CharField(label=gettext_lazy("The laboratory’s code"), max_length=200)
    system = forms.CharField(
        label=gettext_lazy("Code system"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Empty: in any system."),
    )


class UnitForm(_Part):
    """A spelling of a unit."""

    sent = forms.CharField(label=gettext_lazy("As the laboratory writes it"), max_length=50)
    means = _units(gettext_lazy("It means"))


class NumberingForm(_Part):
    """A numbering of patients."""

    sent = forms.CharField(
        label=gettext_lazy("As the laboratory calls it"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Empty: numbers that come without any."),
    )
    type = forms.CharField(
        label=gettext_lazy("Type of number"),
        required=False,
        max_length=20,
        help_text=gettext_lazy(
            "MR, PI … (PID-3.5, Identifier.type). Empty: any. With one, numbers of other types "
            "from there find nobody."
        ),
    )
    means = forms.CharField(label=gettext_lazy("As it is called here"), max_length=200)


class KitForm(_WithAnalyte):
    """A kit with its limits."""

    name = forms.CharField(label=gettext_lazy("Kit"), max_length=100)
    lot = forms.CharField(
        label=gettext_lazy("Lot"),
        required=False,
        max_length=100,
        help_text=gettext_lazy("Empty: any lot."),
    )
    unit = _units(gettext_lazy("Unit of the limits"))
    limit_of_detection = forms.CharField(
        label=gettext_lazy("Limit of detection"), required=False, max_length=30
    )
    upper_limit = forms.CharField(
        label=gettext_lazy("Upper limit of quantification"), required=False, max_length=30
    )
    cv_percent = forms.CharField(
        label=gettext_lazy("Analytical variation (CV), %"), required=False, max_length=10
    )
    used_from = forms.CharField(
        label=gettext_lazy("In use from"),
        required=False,
        max_length=10,
        help_text=gettext_lazy("Such as 2026-10-05. A new kit begins a new baseline."),
    )
    matrix = forms.ChoiceField(
        label=gettext_lazy("For"),
        required=False,
        choices=Matrix.choices,
        help_text=gettext_lazy("Results in another fluid are excluded."),
    )


PARTS: Mapping[str, tuple[type[_Part], Any]] = {
    "codes": (CodeForm, AnalyteCode),
    "ignored_codes": (IgnoredCodeForm, IgnoredCode),
    "units": (UnitForm, UnitSpelling),
    "patient_numbers": (NumberingForm, Numbering),
    "kits": (KitForm, KitInUse),
}
