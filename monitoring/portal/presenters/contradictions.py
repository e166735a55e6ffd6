"""Draws that were found by their number, though the laboratory names somebody else: a warning."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.charts import clinical_date
from monitoring.queries import PatientRecord
from patients.intake.persons import contradictions
from patients.intake.reports import Person

_DIFFERS: dict[str, Promise] = {
    "family": gettext_lazy("The family name differs: the laboratory says “%(theirs)s”."),
    "given": gettext_lazy("The given name differs: the laboratory says “%(theirs)s”."),
    "birth_date": gettext_lazy("The date of birth differs: the laboratory says %(theirs)s."),
    "sex": gettext_lazy("The gender differs: the laboratory says “%(theirs)s”."),
}


@dataclass(frozen=True)
class NamedOtherwise:
    """A draw on record of which the laboratory says that it is of somebody else."""

    text: str
    link: str


def in_words(said: Mapping[str, str]) -> Iterator[str]:
    """Say what the laboratory says otherwise than the record."""
    for name, theirs in said.items():
        is_day = name == "birth_date"
        shown = clinical_date(date.fromisoformat(theirs)) if is_day else theirs
        yield str(_DIFFERS[name]) % {"theirs": shown}


def named_otherwise(record: PatientRecord) -> list[NamedOtherwise]:
    """Give the draws that still contradict the record and that nobody has judged."""
    patient, zone = record.patient, record.patient.team.site.zone
    draws = {draw.public_id: draw for draw in record.draws if draw.superseded_at is None}
    judged = {each.draw_public_id for each in record.verdicts}
    last_said = {each.draw_public_id: each.said for each in record.contradictions}
    found = []
    for public_id, said in last_said.items():
        differences = contradictions(Person.model_validate(said), patient)
        if not differences or public_id in judged or public_id not in draws:
            continue
        draw = draws[public_id]
        text = _(
            "Draw of %(day)s, %(laboratory)s, sample %(accession)s: the number is this patient’s, "
            "and the laboratory names somebody else. %(differences)s"
        ) % {
            "day": clinical_date(draw.collected_at.astimezone(zone).date()),
            "laboratory": draw.laboratory,
            "accession": draw.accession or _("without a number"),
            "differences": " ".join(in_words(differences)),
        }
        link = reverse("portal:judge_draw", args=[patient.public_id, public_id])
        found.append(NamedOtherwise(text, link))
    return found
