"""The key sets that laboratories publish, kept for a while so that not every sign-in asks for one.

They are kept in the database's cache: all processes know the same, and a laboratory whose key
server is away for an hour can still sign in.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from joserfc.jwk import ECKey, RSAKey

from monitoring.oauth2.fetching import NotFetched, fetch
from monitoring.oauth2.keysets import JwkSet, NotAKeySet, key_of, read_key_set

IS_FRESH_FOR = timedelta(minutes=5)
IS_KEPT_FOR = timedelta(hours=1)
# A key that is not in the set may be a new one; whoever makes names up must not make us ask and ask
ASKED_AGAIN_AFTER = timedelta(seconds=20)


def find_key(url: str, *, kid: str, algorithm: str, at: datetime) -> RSAKey | ECKey | None:
    """Find a key in the set that is published at this address; ask anew for one that is not there.

    Raises
    ------
    NotFetched, NotAKeySet
        When there is no set to look in.
    """
    name = f"jwks:{hashlib.sha256(url.encode()).hexdigest()}"
    kept: dict[str, Any] = cache.get(name) or {}
    jwks: JwkSet | None = kept.get("jwks")
    age = at - datetime.fromisoformat(kept["asked_at"]) if kept else None
    key = key_of(jwks, kid=kid, algorithm=algorithm) if jwks else None
    is_fresh = age is not None and age < (IS_FRESH_FOR if key else ASKED_AGAIN_AFTER)
    if is_fresh:
        if jwks is None:
            raise NotFetched(kept["fault"])
        return key
    try:
        jwks = read_key_set(fetch(url, allowed=settings.JWKS_ALLOWED_ORIGINS))
    except (NotFetched, NotAKeySet) as fault:
        _keep(name, kept.get("jwks"), fault=str(fault), at=at)
        if key is not None:
            return key
        raise
    _keep(name, jwks, fault="", at=at)
    return key_of(jwks, kid=kid, algorithm=algorithm)


def _keep(name: str, jwks: JwkSet | None, *, fault: str, at: datetime) -> None:
    entry = {"jwks": jwks, "fault": fault, "asked_at": at.isoformat()}
    cache.set(name, entry, int(IS_KEPT_FOR.total_seconds()))
