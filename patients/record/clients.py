"""The systems of laboratories that sign in for themselves, and what they are given."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from patients import audit
from patients.models import (
    AccessToken,
    ClientSecret,
    Laboratory,
    LaboratoryCertificate,
    LaboratoryClient,
    SpentAssertion,
)
from patients.record.laboratories import PLACES, digest_of

# SMART Backend Services asks for five minutes at most
TOKEN_LIVES = timedelta(minutes=5)
TOKEN_BEGINS = "snt_"  # noqa: S105 - how a token is told from a key, no secret


class ClientExists(Exception):
    """A client of this name is, or was, on record."""


class ClientNotFound(Exception):
    """No live client has this name."""


class NoPlaceForSecret(Exception):
    """Two secrets are live; one must be revoked before a third is issued."""


class SecretNotFound(Exception):
    """No live secret of this client begins so."""


class CertificateExists(Exception):
    """This subject speaks for a laboratory already."""


class CertificateNotFound(Exception):
    """No live certificate has this subject."""


class AssertionIsSpent(Exception):
    """This assertion was used before."""


@transaction.atomic
def add_client(
    *, laboratory: Laboratory, name: str, scopes: str, by: str, at: datetime
) -> LaboratoryClient:
    """Add a client; it is given tokens once it has a secret or keys."""
    client, is_new = LaboratoryClient.objects.get_or_create(
        name=name,
        defaults={"laboratory": laboratory, "scopes": scopes, "added_at": at, "added_by": by},
    )
    if not is_new:
        raise ClientExists(name)
    audit.write(verb="add_client", subject=f"client:{client.pk}", by=by, at=at)
    return client


def _live(name: str) -> LaboratoryClient:
    """Take hold of a client, so that nobody else changes it meanwhile."""
    try:
        return LaboratoryClient.objects.select_for_update().get(name=name, revoked_at=None)
    except LaboratoryClient.DoesNotExist as fault:
        raise ClientNotFound(name) from fault


@transaction.atomic
def set_keys(
    *, name: str, jwks: dict[str, Any] | None = None, jwks_url: str = "", by: str, at: datetime
) -> None:
    """Say where the public keys of a client are: in this set, or at this address."""
    client = _live(name)
    client.jwks, client.jwks_url = jwks, jwks_url
    client.save()
    audit.write(verb="set_client_keys", subject=f"client:{client.pk}", by=by, at=at)


@transaction.atomic
def issue_secret(*, name: str, by: str, at: datetime) -> str:
    """Issue a secret and give it out, this once; only its digest stays."""
    client = _live(name)
    live = set(client.secrets.filter(revoked_at=None).values_list("slot", flat=True))
    place = next((place for place in PLACES if place not in live), None)
    if place is None:
        raise NoPlaceForSecret(name)
    secret = f"sns_{secrets.token_urlsafe(32)}"
    kept = ClientSecret.objects.create(
        client=client,
        slot=place,
        sha256=digest_of(secret),
        hint=secret[:8],
        issued_at=at,
        issued_by=by,
    )
    audit.write(verb="issue_client_secret", subject=f"secret:{kept.pk}", by=by, at=at)
    return secret


@transaction.atomic
def revoke_secret(*, name: str, beginning: str, by: str, at: datetime) -> str:
    """Revoke the secret that begins so; tokens that were given for it end by themselves."""
    client = _live(name)
    found = list(client.secrets.filter(revoked_at=None, hint=beginning[:8]))
    if len(found) != 1:
        raise SecretNotFound(beginning)
    [secret] = found
    secret.revoked_at, secret.revoked_by = at, by
    secret.save()
    audit.write(verb="revoke_client_secret", subject=f"secret:{secret.pk}", by=by, at=at)
    return secret.hint


@transaction.atomic
def revoke_client(*, name: str, by: str, at: datetime) -> None:
    """Revoke a client with all it holds, at once and for good."""
    client = _live(name)
    client.revoked_at, client.revoked_by = at, by
    client.save()
    client.secrets.filter(revoked_at=None).update(revoked_at=at, revoked_by=by)
    client.tokens.all().delete()
    audit.write(verb="revoke_client", subject=f"client:{client.pk}", by=by, at=at)


@transaction.atomic
def issue_token(
    *,
    client: LaboratoryClient,
    scopes: str,
    spent: tuple[str, datetime] | None = None,
    at: datetime,
) -> str:
    """Give a token for some minutes; the assertion that earned it (its name, its end) is spent.

    Raises
    ------
    AssertionIsSpent
        When another request, in whatever process, was faster with the same assertion.
    """
    SpentAssertion.objects.filter(client=client, expires_at__lt=at).delete()
    AccessToken.objects.filter(client=client, expires_at__lt=at).delete()
    if spent is not None:
        name, ends_at = spent
        _kept, is_new = SpentAssertion.objects.get_or_create(
            client=client, sha256=digest_of(name), defaults={"expires_at": ends_at}
        )
        if not is_new:
            raise AssertionIsSpent
    token = TOKEN_BEGINS + secrets.token_urlsafe(32)
    AccessToken.objects.create(
        client=client,
        sha256=digest_of(token),
        scopes=scopes,
        issued_at=at,
        expires_at=at + TOKEN_LIVES,
    )
    LaboratoryClient.objects.filter(pk=client.pk).update(last_used_at=at)
    return token


@transaction.atomic
def add_certificate(
    *, laboratory: Laboratory, subject: str, scopes: str, by: str, at: datetime
) -> None:
    """Let the holder of a certificate with this subject speak for a laboratory."""
    certificate, is_new = LaboratoryCertificate.objects.get_or_create(
        subject=subject,
        revoked_at=None,
        defaults={"laboratory": laboratory, "scopes": scopes, "added_at": at, "added_by": by},
    )
    if not is_new:
        raise CertificateExists(subject)
    audit.write(verb="add_certificate", subject=f"certificate:{certificate.pk}", by=by, at=at)


@transaction.atomic
def revoke_certificate(*, subject: str, by: str, at: datetime) -> None:
    """Let this subject speak for nobody any more."""
    try:
        found = LaboratoryCertificate.objects.select_for_update().get(
            subject=subject, revoked_at=None
        )
    except LaboratoryCertificate.DoesNotExist as fault:
        raise CertificateNotFound(subject) from fault
    found.revoked_at, found.revoked_by = at, by
    found.save()
    audit.write(verb="revoke_certificate", subject=f"certificate:{found.pk}", by=by, at=at)
