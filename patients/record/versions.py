"""The one clever thing: every change of a patient's record counts its version up."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F
from django.db.models.functions import Coalesce

from patients.models import Patient


def count_up(patient_ids: Iterable[int], *, at: datetime) -> None:
    """Say that the record of these patients has changed, in the transaction that changes it.

    The update locks the rows, so the versions of a patient are numbered in the order of commits.
    """
    Patient.objects.filter(pk__in=list(patient_ids)).update(
        history_version=F("history_version") + 1, stale_since=Coalesce("stale_since", at)
    )


def lock(patient_id: int) -> Patient:
    """Take the patient's row, so that what is decided on the record stays true until the commit."""
    return Patient.objects.select_for_update(no_key=True).get(pk=patient_id)


def lock_all(patient_ids: Iterable[int]) -> None:
    """Take the rows of many patients in one order for everybody, so that none wait in a circle."""
    rows = Patient.objects.select_for_update(no_key=True).filter(pk__in=set(patient_ids))
    list(rows.order_by("pk").values_list("pk"))
