"""A client's signed assertion of who it is (RFC 7523), held to every point of SMART's rules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from monitoring.oauth2.fetching import NotFetched
from monitoring.oauth2.keysets import ALGORITHMS, NotAKeySet, key_of
from monitoring.oauth2.published_keys import find_key
from patients.intake import strict_json
from patients.models import LaboratoryClient

LIVES_AT_MOST = timedelta(minutes=5)
# How far the clock of a laboratory may be ahead of ours
CLOCKS_DIFFER_BY = timedelta(seconds=15)
LENGTH_AT_MOST = 10_000
NAME_AT_MOST = 500
FindClient = Callable[[str], LaboratoryClient | None]


class BadAssertion(Exception):
    """This assertion does not say, or does not prove, who the client is."""


@dataclass(frozen=True)
class Assertion:
    """Who a client is, proven; the name of the assertion and its end are for it to be used once."""

    client: LaboratoryClient
    name: str
    ends_at: datetime


def read_assertion(
    text: str, *, audiences: Sequence[str], find_client: FindClient, at: datetime
) -> Assertion:
    """Read an assertion, find the client it names, and hold the signature to the client's key."""
    header, claims = _unverified(text)
    client_id = claims.get("iss")
    if not isinstance(client_id, str) or claims.get("sub") != client_id:
        raise BadAssertion(_("iss and sub must both be the client id"))
    client = find_client(client_id)
    key = None if client is None else _key_for(client, header, at=at)
    if client is None or key is None:
        # The same words for both: nobody learns from here which clients there are
        raise BadAssertion(_("no key of this name (kid) is known here for this client"))
    try:
        claims = jwt.decode(text, key, algorithms=[header["alg"]]).claims
    except (JoseError, ValueError) as fault:
        raise BadAssertion(_("the signature does not hold")) from fault
    return _check(client, claims, audiences=audiences, at=at)


def _unverified(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Look into an assertion before its signature is held to a key, to know whose it claims to be.

    Nothing of this is believed until it is.
    """
    if len(text) > LENGTH_AT_MOST:
        raise BadAssertion(_("the assertion is too long"))
    try:
        parts = jws.extract_compact(text.encode())
        claims = strict_json.load(parts.payload)
        strict_json.refuse_what_is_no_text(parts.payload, claims)
    except (JoseError, strict_json.Unreadable, ValueError, TypeError, RecursionError) as fault:
        raise BadAssertion(_("the assertion is not a signed JWT")) from fault
    header = parts.headers()
    if not isinstance(claims, dict) or not isinstance(header, dict):
        raise BadAssertion(_("the assertion is not a signed JWT"))
    if str(header.get("alg")) not in ALGORITHMS:
        raise BadAssertion(_("the assertion must be signed by RS384 or ES384"))
    if not isinstance(header.get("kid"), str):
        raise BadAssertion(_("the header of the assertion must name its key: kid"))
    if str(header.get("typ", "JWT")).upper() != "JWT":
        raise BadAssertion(_("the typ of the assertion must be JWT"))
    if "crit" in header or "b64" in header:
        raise BadAssertion(_("no critical extension is understood here"))
    return header, claims


def _key_for(
    client: LaboratoryClient, header: dict[str, Any], *, at: datetime
) -> RSAKey | ECKey | None:
    """Find the key that the header names, among those of the client and nowhere else."""
    if header.get("jku", client.jwks_url) != client.jwks_url:
        return None  # at the address that was registered, there is no such key
    kid, algorithm = header["kid"], header["alg"]
    if not client.jwks_url:
        return key_of(client.jwks, kid=kid, algorithm=algorithm) if client.jwks else None
    try:
        return find_key(client.jwks_url, kid=kid, algorithm=algorithm, at=at)
    except (NotFetched, NotAKeySet) as fault:
        raise BadAssertion(_("the key set of the client cannot be used: %s") % fault) from fault


def _check(
    client: LaboratoryClient, claims: dict[str, Any], *, audiences: Sequence[str], at: datetime
) -> Assertion:
    """Hold the claims to the rules."""
    stated = claims.get("aud")
    if not any(each in audiences for each in (stated if isinstance(stated, list) else [stated])):
        raise BadAssertion(_("aud must be the address of this token endpoint"))
    ends_at = _moment(claims, "exp")
    if ends_at is None:
        raise BadAssertion(_("exp must say when the assertion ends, in seconds since 1970"))
    if ends_at <= at:
        raise BadAssertion(_("the assertion has ended (exp); look at the clock"))
    if ends_at > at + LIVES_AT_MOST + CLOCKS_DIFFER_BY:
        raise BadAssertion(_("exp must be no more than five minutes ahead"))
    for name in ("nbf", "iat"):
        begins_at = _moment(claims, name)
        if name in claims and (begins_at is None or begins_at > at + CLOCKS_DIFFER_BY):
            raise BadAssertion(_("%s lies ahead; look at the clock") % name)
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= NAME_AT_MOST:
        raise BadAssertion(_("jti must be a text of its own for each assertion"))
    return Assertion(client, jti, ends_at)


def _moment(claims: dict[str, Any], name: str) -> datetime | None:
    seconds = claims.get(name)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None
