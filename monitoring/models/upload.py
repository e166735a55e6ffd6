"""A file that somebody has brought and has not confirmed yet."""

from uuid import uuid4

from django.db import models

from patients.models import Clinician, Laboratory


class Upload(models.Model):
    """The bytes of a file between the look at its verdicts and the word to take it in.

    It is no part of the record: it goes when it is confirmed or discarded, and after an hour.
    """

    public_id = models.UUIDField(default=uuid4, unique=True, editable=False)
    laboratory = models.ForeignKey(Laboratory, models.CASCADE, related_name="+")
    uploaded_by = models.ForeignKey(Clinician, models.CASCADE, related_name="+")
    uploaded_at = models.DateTimeField(db_index=True)
    kind = models.CharField(max_length=10)
    body = models.BinaryField()
    # Of the bytes and the way they were read: what is confirmed is what was looked at
    sha256 = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"upload {self.pk}"
