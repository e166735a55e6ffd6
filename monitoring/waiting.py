"""What waits for a person, and parts of it: by laboratory, by reason, by age, by a number."""

from datetime import datetime
from typing import Self

from django.db.models import BooleanField, Q, QuerySet, TextField
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast

from patients.intake.waiting_draws import NAMED
from patients.models import Clinician, Laboratory, Parked, ParkedState

# Whether the reader may see one of those whom the draw names, where it names anybody who is known
_MAY_BE_SEEN = f"""
(SELECT coalesce(bool_or(EXISTS (
            SELECT FROM patients_membership AS membership
             WHERE membership.team_id = patient.team_id AND membership.clinician_id = %s)), true)
   FROM patients_parked AS parked{NAMED}
  JOIN patients_patient AS patient ON patient.id = identifier.patient_id
 WHERE parked.id = patients_parked.id)
"""  # noqa: S608 - made of the words of patients/intake/waiting_draws.py


class Waiting(QuerySet[Parked]):
    """The draws that wait, the longest first."""

    def visible_to(self, reader: Clinician) -> Self:
        """Keep those of the reader's own patients, and those of nobody who is known.

        An operator sees all: who teaches what a code means must see where it stands.
        """
        if reader.is_operator:
            return self
        asked = RawSQL(_MAY_BE_SEEN, [reader.pk], output_field=BooleanField())  # noqa: S611
        return self.filter(asked)

    def of(self, laboratory: Laboratory) -> Self:
        return self.filter(laboratory=laboratory)

    def because_of(self, reason: str) -> Self:
        """Give those that wait for this reason, perhaps among others.

        Behind some reasons stands what the laboratory sent: “unknown_unit: IU/mL”.
        """
        listed = self.annotate(said=Cast("reasons", TextField()))
        return listed.filter(Q(said__startswith=f'["{reason}') | Q(said__contains=f', "{reason}'))

    def since_before(self, moment: datetime) -> Self:
        return self.filter(parked_at__lt=moment)

    def with_number(self, text: str) -> Self:
        """Give those whose sample has this in its number."""
        return self.filter(accession__icontains=text)


def waiting_for(reader: Clinician) -> Waiting:
    """Give the draws that wait and that the reader may place or reject."""
    waiting = Waiting(Parked).filter(state=ParkedState.WAITING).defer("inbound__body")
    waiting = waiting.select_related("laboratory", "inbound").order_by("parked_at", "pk")
    return waiting.visible_to(reader)


def laboratories() -> QuerySet[Laboratory]:
    """Give the laboratories of which anything waits, for whomever."""
    waiting = Parked.objects.filter(state=ParkedState.WAITING)
    return Laboratory.objects.filter(pk__in=waiting.values("laboratory_id")).order_by("name")
