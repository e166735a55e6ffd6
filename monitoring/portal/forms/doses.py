"""Doses as they are typed, and the site's own table of the least of them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.doses import DOSE_TABLE, LeastDose
from analytics.evidence import Grade
from patients.doses import DoseFault, daily_mg
from patients.models import SiteDose
from patients.record.treatment import may_be_trial

# Those that have a least dose are offered while typing; any other may be typed with its code
ANTIDEPRESSANTS = {each.drug: each.atc for each in DOSE_TABLE.values()}
# What is often added to a trial, offered with its code (WHO ATC index, M)
AUGMENTING = {
    "aripiprazole": "N05AX12",
    "liothyronine": "H03AA02",
    "lithium": "N05AN01",
    "olanzapine": "N05AH03",
    "quetiapine": "N05AH04",
}
OFFERED = ANTIDEPRESSANTS | AUGMENTING
AN_ATC_CODE = RegexValidator(
    r"^[A-Z][0-9]{2}[A-Z]{2}[0-9]{2}$",
    gettext_lazy("An ATC code has seven characters, such as N06AB10."),
)


def offered_by(own: Sequence[SiteDose]) -> dict[str, str]:
    """Give the drugs that are offered at a site with their codes: the table's, and its own."""
    return OFFERED | {each.drug: each.atc for each in own if each.atc not in DOSE_TABLE}


class DoseField(forms.Field):
    """A daily dose with its unit: a number alone could be milligrams or grams."""

    widget = forms.TextInput(attrs={"size": 10, "autocomplete": "off"})

    def __init__(self, **options: Any) -> None:
        super().__init__(help_text=gettext_lazy("Such as 10 mg."), **options)

    def to_python(self, value: Any) -> Decimal | None:
        """Read the number and its unit, in mg."""
        text = str(value or "").strip()
        if not text:
            return None
        try:
            dose = daily_mg(text)
        except DoseFault as fault:
            raise forms.ValidationError(str(fault)) from fault
        if not Decimal("0.01") <= dose < Decimal(1_000_000):
            raise forms.ValidationError(_("No drug is given so; check number and unit."))
        return round(dose, 2)


class DoseTableForm(forms.Form):
    """The least adequate daily doses of a site; empty takes the default."""

    def __init__(self, *args: Any, own: dict[str, Decimal], **options: Any) -> None:
        super().__init__(*args, **options)
        for atc, default in sorted(DOSE_TABLE.items(), key=lambda each: each[1].drug):
            self.fields[atc] = forms.DecimalField(
                label=f"{default.drug} ({atc})",
                required=False,
                min_value=Decimal("0.01"),
                max_digits=8,
                decimal_places=2,
                initial=own.get(atc),
                widget=forms.NumberInput(attrs={"class": "input--short"}),
            )

    @property
    def rows(self) -> list[tuple[BoundField, LeastDose, str]]:
        """Give each field with the default that it may replace, and why that is a choice."""
        known = [(self[atc], DOSE_TABLE[atc]) for atc in self.fields]
        return [
            (field, each, each.source if each.grade is Grade.DERIVED else "")
            for field, each in known
        ]


class OtherDoseForm(forms.Form):
    """A drug that the default table does not know: its code, name, least dose, and their source."""

    atc = forms.CharField(
        label=gettext_lazy("ATC code"),
        max_length=7,
        validators=[AN_ATC_CODE],
        help_text=gettext_lazy("Such as N06AG02 for moclobemide."),
    )
    drug = forms.CharField(
        label=gettext_lazy("Drug"),
        max_length=100,
        help_text=gettext_lazy("Its generic name, as it is offered while a trial is typed."),
    )
    least_mg = DoseField(
        label=gettext_lazy("Least adequate daily dose"),
        error_messages={"required": gettext_lazy("Give the dose with its unit: 300 mg.")},
    )
    source = forms.CharField(
        label=gettext_lazy("Source"),
        max_length=300,
        error_messages={"required": gettext_lazy("Say where the figure is from.")},
        help_text=gettext_lazy("Such as a formulary and its year. It prints with the table."),
    )

    def __init__(self, *args: Any, taken: Mapping[str, str], **options: Any) -> None:
        """`taken` are the codes of the site's other drugs, by their names."""
        self.taken = taken
        super().__init__(*args, **options)

    def clean_atc(self) -> str:
        """Refuse a code whose dose stands elsewhere."""
        code: str = self.cleaned_data["atc"]
        if (known := DOSE_TABLE.get(code)) is not None:
            raise forms.ValidationError(
                _("%(drug)s is in the default table; set your own dose there.")
                % {"drug": known.drug.capitalize()}
            )
        if not may_be_trial(code):
            raise forms.ValidationError(
                _("%(code)s is no code of an antidepressant; no other drug has a trial.")
                % {"code": code}
            )
        if code in self.taken.values():
            raise forms.ValidationError(_("This drug is listed already; change it there."))
        return code

    def clean_drug(self) -> str:
        """Take the name in lower case, as the table writes it; refuse that of another drug."""
        drug = " ".join(self.cleaned_data["drug"].split()).lower()
        if code := (OFFERED | dict(self.taken)).get(drug):
            raise forms.ValidationError(
                _("%(drug)s is listed with the code %(code)s.")
                % {"drug": drug.capitalize(), "code": code}
            )
        return drug
