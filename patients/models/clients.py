"""The systems of a laboratory that sign in for themselves: secrets, public keys, tokens."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from patients.models.laboratory import SCOPES, Laboratory


class LaboratoryClient(models.Model):
    """A system of a laboratory, known by its client id, and what it may do with its results.

    It proves who it is by a secret, or by a signature made with a key whose public half stands at
    an address that the laboratory keeps (`jwks_url`) or was handed in (`jwks`).
    """

    laboratory = models.ForeignKey(Laboratory, models.CASCADE, related_name="clients")
    name = models.CharField(max_length=64, unique=True)
    scopes = models.CharField(max_length=3)
    jwks_url = models.CharField(max_length=500, blank=True, default="")
    jwks = models.JSONField(null=True, blank=True)
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=100)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=100, blank=True, default="")
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(scopes__in=SCOPES), name="a_client_may_create_update_or_read"
            ),
            models.CheckConstraint(
                condition=Q(jwks_url="") | Q(jwks=None),
                name="keys_of_a_client_have_one_origin",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                name="a_revoked_client_says_when_and_by_whom",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ClientSecret(models.Model):
    """What a client shows to be given a token. Only a digest of it is kept.

    Like a key of a laboratory it is 256 random bits, and two may live at once.
    """

    client = models.ForeignKey(LaboratoryClient, models.CASCADE, related_name="secrets")
    slot = models.PositiveSmallIntegerField()
    sha256 = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=8)
    issued_at = models.DateTimeField()
    issued_by = models.CharField(max_length=100)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(slot__in=[1, 2]), name="a_client_has_two_places_for_secrets"
            ),
            models.UniqueConstraint(
                fields=["client", "slot"],
                condition=Q(revoked_at=None),
                name="one_live_secret_per_place",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                name="a_revoked_secret_says_when_and_by_whom",
            ),
        ]

    def __str__(self) -> str:
        return f"secret {self.hint}…"


class AccessToken(models.Model):
    """What a client was given for some minutes. Only a digest of it is kept."""

    client = models.ForeignKey(LaboratoryClient, models.CASCADE, related_name="tokens")
    sha256 = models.CharField(max_length=64, unique=True)
    scopes = models.CharField(max_length=3)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(scopes__in=SCOPES), name="a_token_may_create_update_or_read"
            ),
        ]

    def __str__(self) -> str:
        return f"token {self.pk}"


class SpentAssertion(models.Model):
    """A signed assertion that was used, kept until it would no longer be accepted anyway."""

    client = models.ForeignKey(LaboratoryClient, models.CASCADE, related_name="spent_assertions")
    sha256 = models.CharField(max_length=64)
    expires_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["client", "sha256"], name="an_assertion_is_used_once"),
        ]

    def __str__(self) -> str:
        return f"assertion {self.pk}"


class LaboratoryCertificate(models.Model):
    """The subject of a TLS certificate by which the proxy in front knows a laboratory."""

    laboratory = models.ForeignKey(Laboratory, models.CASCADE, related_name="certificates")
    subject = models.CharField(max_length=500)
    scopes = models.CharField(max_length=3)
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=100)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(subject=""), name="a_certificate_has_a_subject"),
            models.CheckConstraint(
                condition=Q(scopes__in=SCOPES), name="a_certificate_may_create_update_or_read"
            ),
            models.UniqueConstraint(
                fields=["subject"],
                condition=Q(revoked_at=None),
                name="one_laboratory_per_live_subject",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                name="a_revoked_certificate_says_when_and_by_whom",
            ),
        ]

    def __str__(self) -> str:
        return self.subject
