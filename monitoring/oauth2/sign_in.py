"""Which client asks for a token, by which of the three ways, and what it is refused for."""

import secrets
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote_plus

from django.utils.translation import gettext as _

from monitoring.oauth2.assertions import BadAssertion, read_assertion
from patients.models import LaboratoryClient
from patients.record.laboratories import digest_of

BY_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_USED_HERE = (
    "grant_type",
    "scope",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
)


class Denied(Exception):
    """No token is given; `error` is the word that RFC 6749 has for the reason."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass(frozen=True)
class Proven:
    """A client that has proven who it is, and the assertion that this used up, if by one."""

    client: LaboratoryClient
    spent: tuple[str, datetime] | None = None


def read_form(form: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Take what is used of a form; each parameter once, as RFC 6749 has it, and none empty."""
    if doubled := [name for name in _USED_HERE if len(form.get(name, ())) > 1]:
        raise Denied("invalid_request", _("%s stands more than once") % ", ".join(doubled))
    found = {name: form[name][0] for name in _USED_HERE if form.get(name)}
    return {name: value for name, value in found.items() if value}


def prove(
    form: Mapping[str, str], *, authorization: str, audiences: Sequence[str], at: datetime
) -> Proven:
    """Find out who asks, by a signed assertion, or by a secret in the header or in the form."""
    shown = _in_header(authorization)
    ways = [shown is not None, "client_secret" in form, "client_assertion" in form]
    if sum(ways) > 1:
        raise Denied("invalid_request", _("prove who you are in one way, not in several"))
    if "client_assertion" in form:
        return _by_assertion(form, audiences=audiences, at=at)
    name, secret = shown or (form.get("client_id", ""), form.get("client_secret", ""))
    if not name or not secret:
        raise Denied("invalid_client", _("no client has shown a secret or a signed assertion"))
    if form.get("client_id", name) != name:
        raise Denied("invalid_request", _("the header and client_id name different clients"))
    return _by_secret(name, secret)


def find_client(name: str) -> LaboratoryClient | None:
    """Find a client that may ask for tokens now."""
    if "\x00" in name:  # which the database would not take as a text
        return None
    return (
        LaboratoryClient.objects.select_related("laboratory")
        .filter(name=name, revoked_at=None, laboratory__is_active=True)
        .first()
    )


def _in_header(header: str) -> tuple[str, str] | None:
    """Read name and secret from HTTP Basic; both are form-encoded, says RFC 6749."""
    scheme, _space, shown = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _colon, secret = b64decode(shown.strip(), validate=True).decode().partition(":")
    except ValueError as fault:
        raise Denied("invalid_client", _("the Authorization header cannot be read")) from fault
    return unquote_plus(name), unquote_plus(secret)


def _by_secret(name: str, secret: str) -> Proven:
    client = find_client(name)
    digest = digest_of(secret)
    live = client.secrets.filter(revoked_at=None) if client else []
    # All are compared, and a client that is not there is refused in the same words
    if client is None or not any(
        [secrets.compare_digest(each.sha256, digest) for each in live]  # noqa: C419
    ):
        raise Denied("invalid_client", _("this client and secret are not known here"))
    return Proven(client)


def _by_assertion(form: Mapping[str, str], *, audiences: Sequence[str], at: datetime) -> Proven:
    if form.get("client_assertion_type") != BY_ASSERTION:
        raise Denied("invalid_request", _("client_assertion_type must be %s") % BY_ASSERTION)
    try:
        found = read_assertion(
            form["client_assertion"], audiences=audiences, find_client=find_client, at=at
        )
    except BadAssertion as fault:
        raise Denied("invalid_client", str(fault)) from fault
    if form.get("client_id", found.client.name) != found.client.name:
        raise Denied("invalid_client", _("client_id and the assertion name different clients"))
    return Proven(found.client, spent=(found.name, found.ends_at))
