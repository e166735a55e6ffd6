"""Who a page is about, as clinical screens say it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from monitoring.portal import dates
from patients.models import Patient, PatientStatus

Tag = tuple[str, str]


def name_of(patient: Patient) -> str:
    """Write a name with the family name first and in capitals: TANAKA, Yuki."""
    return f"{patient.family_name.upper()}, {patient.given_name}"


def capitalised(text: str) -> str:
    """Begin with a capital letter, and leave the rest as it is."""
    return text[:1].upper() + text[1:]


@dataclass(frozen=True)
class Banner:
    """The strip on top of every page about one patient (components/patient_banner.html)."""

    name: str
    facts: list[tuple[str, str]]
    tags: list[Tag]
    is_closed: bool
    link: str

    @classmethod
    def of(
        cls,
        patient: Patient,
        *,
        numbers: Sequence[str],
        today: date,
        started_on: date | None = None,
        is_linked: bool = True,
    ) -> "Banner":
        """Say who this is; what is not known says so."""
        not_known = _("Not known")
        born = not_known
        if patient.birth_date is not None:
            born = format_html(
                "{} ({})",
                dates.day(patient.birth_date),
                _("%(age)dy") % {"age": dates.age(patient.birth_date, on=today)},
            )
        tags: list[Tag] = []
        if patient.status != PatientStatus.ACTIVE:
            tags.append(("neutral", capitalised(patient.get_status_display())))
        elif started_on is not None and started_on <= today:
            week = (today - started_on).days // 7
            tags.append(("waiting", _("Week %(week)d of therapy") % {"week": week}))
        if patient.is_synthetic:
            tags.append(("neutral", _("Synthetic")))
        return cls(
            name=name_of(patient),
            facts=[
                (_("Born"), born),
                (_("Gender"), capitalised(patient.get_sex_display())),
                (_("Number"), ", ".join(numbers) or not_known),
                (_("Team"), patient.team.name),
            ],
            tags=tags,
            is_closed=patient.status != PatientStatus.ACTIVE,
            link=reverse("portal:patient", args=[patient.public_id]) if is_linked else "",
        )
