"""One line for every request of a machine: who came, to which door, with what outcome."""

from typing import ClassVar

from django.db import models


class DoorRequest(models.Model):
    """One request at the laboratories' doors.

    Like the trail it has no foreign keys and carries ids only. Of an address it keeps the words
    that are ours; what stands for a result or a patient is left out.
    """

    at = models.DateTimeField()
    laboratory_id = models.BigIntegerField(null=True, blank=True)
    key_id = models.BigIntegerField(null=True, blank=True)
    client_id = models.BigIntegerField(null=True, blank=True)
    method = models.CharField(max_length=10)
    door = models.CharField(max_length=100)
    status = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=10, blank=True, default="")
    took_ms = models.FloatField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["at"], name="requests_at_the_door_by_time")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.method} {self.door} {self.status}"
