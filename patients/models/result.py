"""Draws and their results, the raw messages they came in, and what waits for a person."""

import uuid
from datetime import timedelta
from typing import ClassVar

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from patients.models.clients import LaboratoryClient
from patients.models.exact import ExactDecimalField
from patients.models.facts import Fact, superseding_is_whole
from patients.models.laboratory import Analyte, Laboratory, LaboratoryKey
from patients.models.patient import Patient


class Inbound(models.Model):
    """One raw message, as it came; stored before any answer leaves."""

    # The constraint begins with this column; nobody looks for messages by key or client
    laboratory = models.ForeignKey(
        Laboratory, models.PROTECT, related_name="inbound", db_index=False
    )
    key = models.ForeignKey(
        LaboratoryKey, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    client = models.ForeignKey(
        LaboratoryClient, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    received_at = models.DateTimeField()
    dialect = models.CharField(max_length=10)
    sha256 = models.CharField(max_length=64)
    body = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["laboratory", "sha256"], name="the_same_message_is_stored_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["laboratory", "received_at"], name="messages_of_a_laboratory"),
        ]

    def __str__(self) -> str:
        return f"message {self.pk}"


class Precision(models.TextChoices):
    """How exactly the time of a draw is known; a day is kept by its midnight."""

    MINUTE = "minute", _("to the minute")
    DAY = "day", _("to the day")


class Draw(Fact):
    """One blood sample, taken at one moment, reported by one laboratory."""

    public_id = models.UUIDField(default=uuid.uuid4, editable=False)
    # The constraints and indexes below begin with these columns, so none needs one of its own
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="draws", db_index=False)
    laboratory = models.ForeignKey(Laboratory, models.PROTECT, related_name="draws", db_index=False)
    # The laboratory's number of the sample; empty when it gave none, and the draw is then known by
    # patient and time
    accession = models.CharField(max_length=100, blank=True)
    collected_at = models.DateTimeField()
    collected_precision = models.CharField(
        max_length=10, choices=Precision, default=Precision.MINUTE, db_default=Precision.MINUTE
    )
    specimen = models.JSONField(null=True, blank=True)
    inbound = models.ForeignKey(
        Inbound, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        constraints: ClassVar = [
            superseding_is_whole("draw"),
            models.UniqueConstraint(
                fields=["laboratory", "accession"],
                condition=Q(superseded_at=None) & ~Q(accession=""),
                name="one_draw_per_laboratory_and_accession",
            ),
            models.CheckConstraint(
                condition=Q(collected_precision__in=Precision.values),
                name="a_draw_is_exact_to_the_day_or_better",
            ),
            models.CheckConstraint(
                # a laboratory's clock may run a few minutes ahead of ours
                condition=Q(recorded_at__gte=F("collected_at") - timedelta(minutes=5)),
                name="a_draw_is_recorded_after_it_is_taken",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["patient", "collected_at"], name="draws_of_a_patient"),
        ]

    def __str__(self) -> str:
        return f"draw {self.public_id}"


class ResultStatus(models.TextChoices):
    REGISTERED = "registered", _("pending")
    PRELIMINARY = "preliminary", _("preliminary")
    FINAL = "final", _("final")
    AMENDED = "amended", _("amended")
    CORRECTED = "corrected", _("corrected")
    CANCELLED = "cancelled", _("cancelled")
    ENTERED_IN_ERROR = "entered-in-error", _("entered in error")


# Such a result is no point on any chart, whatever was sent with it
WITHOUT_VALUE = [
    ResultStatus.REGISTERED,
    ResultStatus.CANCELLED,
    ResultStatus.ENTERED_IN_ERROR,
]


class Comparator(models.TextChoices):
    NONE = "", ""
    BELOW = "<", "<"
    AT_MOST = "<=", "≤"
    ABOVE = ">", ">"
    AT_LEAST = ">=", "≥"


class Result(Fact):
    """One version of the value of one analyte in one draw: as sent, and in the record's unit.

    All versions of a result share its public name; they are numbered as they came. Which of them is
    current is decided by when the laboratory issued them and by their status, not by their order of
    arrival: a version that comes late is superseded from the start.

    A cancelled result has no value. A comparator makes it censored: “< 0.50” is never 0.50.
    """

    public_id = models.UUIDField(default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    draw = models.ForeignKey(Draw, models.PROTECT, related_name="results", db_index=False)
    analyte = models.ForeignKey(Analyte, models.PROTECT, related_name="results", db_index=False)
    version = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=20, choices=ResultStatus)
    # As the laboratory called it: a changed value after a final one is a correction, even if it is
    # sent as final again
    sent_status = models.CharField(max_length=20, blank=True, default="", db_default="")
    comparator = models.CharField(max_length=2, choices=Comparator, blank=True, default="")
    value = ExactDecimalField(null=True, blank=True)
    sent_value = models.CharField(max_length=50, blank=True, default="")
    sent_unit = models.CharField(max_length=50, blank=True, default="")
    absent_reason = models.CharField(max_length=100, blank=True, default="", db_default="")
    issued_at = models.DateTimeField(null=True, blank=True)
    # A day begins at issued_at; within it nothing says what was issued before what
    issued_precision = models.CharField(max_length=10, default="minute", db_default="minute")
    method = models.CharField(max_length=200, blank=True, default="")
    kit = models.CharField(max_length=100, blank=True, default="", db_default="")
    lot = models.CharField(max_length=100, blank=True, default="")
    # Run, calibrator, dilution and replicate CV, as far as they were said
    measurement = models.JSONField(null=True, blank=True)
    notes = models.TextField(blank=True, default="", db_default="")
    # The message that brought this version; empty when it is the one that brought the draw
    inbound = models.ForeignKey(
        Inbound, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    # Where in that message it stands
    pointer = models.CharField(max_length=200, blank=True, default="", db_default="")

    class Meta:
        constraints: ClassVar = [
            superseding_is_whole("result"),
            models.UniqueConstraint(
                fields=["draw", "analyte"],
                condition=Q(superseded_at=None),
                name="one_current_result_per_draw_and_analyte",
            ),
            models.UniqueConstraint(
                fields=["public_id", "version"], name="versions_of_a_result_are_numbered"
            ),
            models.CheckConstraint(
                condition=Q(status__in=ResultStatus.values), name="a_result_has_a_status_we_know"
            ),
            models.CheckConstraint(
                condition=Q(comparator__in=Comparator.values),
                name="a_result_has_a_comparator_we_know",
            ),
            models.CheckConstraint(
                condition=Q(value=None) | Q(value__gte=0), name="a_result_is_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(status__in=WITHOUT_VALUE, value=None)
                | (~Q(status__in=WITHOUT_VALUE) & Q(value__isnull=False, absent_reason=""))
                | (~Q(status__in=WITHOUT_VALUE) & Q(value=None) & ~Q(absent_reason="")),
                name="a_result_has_a_value_or_says_why_not",
            ),
        ]
        indexes: ClassVar = [
            # few, and asked for at each assessment: what was corrected since the last one
            models.Index(
                fields=["draw"],
                condition=Q(superseded_at__isnull=False),
                name="replaced_results_of_a_draw",
            ),
        ]

    def __str__(self) -> str:
        return f"result {self.pk}"


class Repetition(models.Model):
    """The newest word by which a laboratory has said again what is on record of a result.

    It is no version, for it brings nothing new; but what is older than it comes too late. `line` is
    the public name of the result.
    """

    line = models.UUIDField(primary_key=True)
    status = models.CharField(max_length=20)
    issued_at = models.DateTimeField(null=True, blank=True)
    issued_precision = models.CharField(max_length=10, default="minute", db_default="minute")
    inbound = models.ForeignKey(Inbound, models.PROTECT, related_name="+", db_index=False)

    def __str__(self) -> str:
        return f"repetition of {self.line}"


class ResultName(models.Model):
    """A name by which a laboratory knows one of its results.

    `line` is the public name of the result, on record or parked. A name is claimed before anything
    else is read of the record, so that of many messages with one name each sees what those before
    it did.

    An alias is an id that was told to a sender who may not read: it leads to the result like an
    address, and says nothing of what the laboratory calls it.
    """

    # The constraint begins with this column
    laboratory = models.ForeignKey(Laboratory, models.PROTECT, related_name="+", db_index=False)
    system = models.CharField(max_length=200, blank=True)
    value = models.CharField(max_length=200)
    line = models.UUIDField()
    is_alias = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["laboratory", "system", "value"],
                name="a_name_means_one_result_of_a_laboratory",
            ),
            models.CheckConstraint(condition=~Q(value=""), name="a_name_of_a_result_is_not_empty"),
        ]
        indexes: ClassVar = [models.Index(fields=["line"], name="names_of_a_result")]

    def __str__(self) -> str:
        return f"name {self.pk}"


class ParkedState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    MATCHED = "matched", _("matched")
    REJECTED = "rejected", _("rejected")


class Parked(models.Model):
    """A draw that could not be placed and waits for a person; nothing of it is lost.

    `report` is the draw as it was read from the message (patients/intake/reports.py).
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    laboratory = models.ForeignKey(Laboratory, models.PROTECT, related_name="parked")
    inbound = models.ForeignKey(Inbound, models.PROTECT, related_name="parked")
    accession = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64)
    report = models.JSONField()
    reasons = models.JSONField(default=list)
    parked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=ParkedState, default=ParkedState.WAITING)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=100, blank=True, default="")
    ended_reason = models.CharField(max_length=500, blank=True, default="")
    draw = models.ForeignKey(Draw, models.PROTECT, null=True, blank=True, related_name="+")
    # The laboratory's profile under which it was tried last
    profile_version = models.PositiveIntegerField(default=0, db_default=0)
    # What a person has asked the laboratory about it
    question = models.CharField(max_length=1000, blank=True, default="", db_default="")
    asked_at = models.DateTimeField(null=True, blank=True)
    asked_by = models.CharField(max_length=100, blank=True, default="", db_default="")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(asked_at=None, asked_by="", question="")
                | (Q(asked_at__isnull=False) & ~Q(asked_by="") & ~Q(question="")),
                name="a_question_to_a_laboratory_has_a_name_and_a_time",
            ),
            models.UniqueConstraint(
                fields=["laboratory", "sha256"], name="the_same_draw_is_parked_once"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", ended_at=None, ended_by="", draw=None)
                | (Q(state="matched", ended_at__isnull=False, draw__isnull=False) & ~Q(ended_by=""))
                | (
                    Q(state="rejected", ended_at__isnull=False, draw=None)
                    & ~Q(ended_by="")
                    & ~Q(ended_reason="")
                ),
                name="nothing_leaves_parking_without_a_name",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["parked_at"], condition=Q(state="waiting"), name="draws_that_wait"
            ),
            models.Index(
                fields=["accession"],
                condition=Q(state="waiting"),
                name="waiting_draws_by_accession",
            ),
        ]

    def __str__(self) -> str:
        return f"parked {self.public_id}"


class ParkedResult(models.Model):
    """The public name that a result of a parked draw has, and keeps when it is placed."""

    # The constraint begins with this column
    parked = models.ForeignKey(Parked, models.CASCADE, related_name="results", db_index=False)
    position = models.PositiveSmallIntegerField()
    line = models.UUIDField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["parked", "position"], name="a_parked_result_has_one_name"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["line"], name="parked_results_by_name")]

    def __str__(self) -> str:
        return f"parked result {self.line}"
