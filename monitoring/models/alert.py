"""What is owed to people, and the mails that pay it."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from monitoring.models.flag import Flag
from patients.models import Clinician


class Urgency(models.TextChoices):
    PROMPT = "prompt", _("at once")
    DIGEST = "digest", _("with the daily digest")
    OPERATION = "operation", _("about the running of the site")
    PASSWORD = "password", _("with the way to a new password")


class DeliveryState(models.TextChoices):
    OWED = "owed", _("owed")
    SENT = "sent", _("sent")
    REFUSED = "refused", _("refused by the mail server")
    DROPPED = "dropped", _("no longer needed")


class Delivery(models.Model):
    """One mail to one person: owed, leased while it is being sent, marked after it was sent.

    It pays one alert or several; one about the running of the site, to an operator, pays none, nor
    does one that leads to a new password: its link is made when it is sent, and stands nowhere.

    The Message-ID is made once, so that a repeat after a crash is recognisable as the same mail.
    """

    clinician = models.ForeignKey(Clinician, models.PROTECT, related_name="deliveries")
    urgency = models.CharField(max_length=10, choices=Urgency)
    message_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.OWED)
    made_at = models.DateTimeField()
    send_after = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    fault = models.CharField(max_length=300, blank=True, default="")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state="owed", ended_at=None)
                | (~Q(state="owed") & Q(ended_at__isnull=False)),
                name="a_delivery_that_ended_says_when",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["send_after"], condition=Q(state="owed"), name="mails_to_send"),
        ]

    def __str__(self) -> str:
        return f"mail {self.message_id}"


class Alert(models.Model):
    """One person is owed the news of one flag; written in the flag's own transaction.

    `occasion` says why they are told, if it is not the raising itself: a safety flag is told again
    when it is repeated, handed over, or goes on to the next person.
    """

    flag = models.ForeignKey(Flag, models.PROTECT, related_name="alerts")
    clinician = models.ForeignKey(Clinician, models.PROTECT, related_name="alerts")
    urgency = models.CharField(max_length=10, choices=Urgency)
    occasion = models.CharField(max_length=30, blank=True, default="")
    owed_at = models.DateTimeField()
    due_at = models.DateTimeField()
    delivery = models.ForeignKey(
        Delivery, models.PROTECT, null=True, blank=True, related_name="alerts"
    )
    dropped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["flag", "clinician", "occasion"],
                name="a_flag_is_told_to_a_person_once_an_occasion",
            ),
            models.CheckConstraint(
                condition=Q(delivery=None) | Q(dropped_at=None),
                name="a_dropped_alert_is_in_no_mail",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"],
                condition=Q(delivery=None, dropped_at=None),
                name="alerts_without_a_mail",
            ),
        ]

    def __str__(self) -> str:
        return f"alert {self.pk}"
