"""A laboratory's public keys: which set is taken, and which key of it a signature is held to."""

from typing import Any

from django.utils.translation import gettext as _
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from patients.intake import strict_json

ALGORITHMS = {"RS384": "RSA", "ES384": "EC"}
KEYS_AT_MOST = 20
BITS_AT_LEAST, BITS_AT_MOST = 2048, 8192
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
JwkSet = dict[str, Any]


class NotAKeySet(Exception):
    """This is no set of public keys that signatures can be held to."""


def read_key_set(body: bytes) -> JwkSet:
    """Read a JWK Set, and keep what signatures can be held to.

    Keys of other kinds are left out, as RFC 7517 asks for. A set with a private key in it is
    refused: whoever has sent it about must make new ones.
    """
    try:
        found = strict_json.load(body)
    except strict_json.Unreadable as fault:
        raise NotAKeySet(_("it is not JSON")) from fault
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise NotAKeySet(_("it is not a JWK Set, which has a list of “keys”"))
    if len(keys) > KEYS_AT_MOST:
        raise NotAKeySet(_("it has more than %d keys") % KEYS_AT_MOST)
    if any(_PRIVATE & key.keys() for key in keys):
        raise NotAKeySet(_("it has a private key in it; make a new one and send its public half"))
    usable = [key for key in keys if _is_usable(key)]
    if not usable:
        raise NotAKeySet(
            _("no key in it has a “kid” and is an RSA key of 2048 bits or an EC key on P-384")
        )
    if len({key["kid"] for key in usable}) < len(usable):
        raise NotAKeySet(_("two keys in it have the same “kid”"))
    return {"keys": usable}


def _is_usable(key: dict[str, Any]) -> bool:
    kid, operations = key.get("kid"), key.get("key_ops", ["verify"])
    if not isinstance(kid, str) or not 0 < len(kid) <= 200 or key.get("use", "sig") != "sig":
        return False
    if not isinstance(operations, list) or "verify" not in operations:
        return False
    try:
        _import(key)
    except (NotAKeySet, JoseError, ValueError, TypeError, KeyError):
        return False
    return True


def _import(key: dict[str, Any]) -> RSAKey | ECKey:
    if key.get("kty") == "RSA":
        # Before it is computed with: a modulus of megabytes would take minutes
        if not isinstance(key.get("n"), str) or len(key["n"]) > BITS_AT_MOST // 6 + 2:
            raise NotAKeySet
        found = RSAKey.import_key(key)
        if found.raw_value.key_size < BITS_AT_LEAST:
            raise NotAKeySet
        return found
    if key.get("kty") == "EC" and key.get("crv") == "P-384":
        return ECKey.import_key(key)
    raise NotAKeySet


def key_of(jwks: JwkSet, *, kid: str, algorithm: str) -> RSAKey | ECKey | None:
    """Find the one key of this name that fits the algorithm."""
    for key in jwks["keys"]:
        fits = key["kty"] == ALGORITHMS.get(algorithm) and key.get("alg", algorithm) == algorithm
        if key["kid"] == kid and fits:
            return _import(key)
    return None
