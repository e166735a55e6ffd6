"""What waits for a person, and parts of it: by laboratory, by reason, by age, by a number."""

from datetime import datetime
from typing import Self

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from patients.models import Laboratory, Parked, ParkedState


class Waiting(QuerySet[Parked]):
    """The draws that wait, the longest first."""

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


def all_waiting() -> Waiting:
    """Give every draw that waits."""
    waiting = Waiting(Parked).filter(state=ParkedState.WAITING).defer("inbound__body")
    return waiting.select_related("laboratory", "inbound").order_by("parked_at", "pk")


def laboratories() -> QuerySet[Laboratory]:
    """Give the laboratories of which anything waits."""
    waiting = Parked.objects.filter(state=ParkedState.WAITING)
    return Laboratory.objects.filter(pk__in=waiting.values("laboratory_id")).order_by("name")
