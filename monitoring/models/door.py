"""One line for every request of a machine: who came, to which door, with what outcome."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

# By HTTP, by the acknowledgement of HL7 v2, or as some entries of a batch
IS_REFUSED = Q(status__gte=400) | Q(outcome__in=["AE", "AR", "partly"])


class DoorRequest(models.Model):
    """One request at the laboratories' doors.

    Like the trail it has no foreign keys and carries ids only. Of an address it keeps the words
    that are ours; what stands for a result or a patient is left out. `why` says of a refusal what
    was wrong, by codes and places and never by what was sent. By `size` and `sha256` the laboratory
    finds among its messages the one that is meant.
    """

    at = models.DateTimeField()
    laboratory_id = models.BigIntegerField(null=True, blank=True)
    key_id = models.BigIntegerField(null=True, blank=True)
    client_id = models.BigIntegerField(null=True, blank=True)
    method = models.CharField(max_length=10)
    door = models.CharField(max_length=100)
    status = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=10, blank=True, default="")
    why = models.CharField(max_length=300, blank=True, default="", db_default="")
    size = models.PositiveIntegerField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True, default="", db_default="")
    took_ms = models.FloatField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["at"], name="requests_at_the_door_by_time"),
            models.Index(
                fields=["laboratory_id", "at"], condition=IS_REFUSED, name="refusals_at_the_door"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.method} {self.door} {self.status}"
