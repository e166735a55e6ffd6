"""How an operator says where the public keys of a client are."""

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from monitoring.management.operators import read_file
from monitoring.oauth2.fetching import NotFetched, check_address
from monitoring.oauth2.keysets import JwkSet, NotAKeySet, read_key_set


def add_key_options(parser: "argparse._ActionsContainer") -> None:
    """Let the keys be named by an address or by a file."""
    parser.add_argument("--jwks-url", metavar="URL", help="where the client publishes its keys")
    parser.add_argument("--jwks", metavar="FILE.json", help="a file with the client's public keys")


def read_keys(options: dict[str, Any]) -> tuple[JwkSet | None, str]:
    """Read what was said: a set of keys, or an address that may be asked for one."""
    url: str = options["jwks_url"] or ""
    try:
        if url:
            check_address(url, allowed=settings.JWKS_ALLOWED_ORIGINS)
            return None, url
        return (read_key_set(read_file(options["jwks"])) if options["jwks"] else None), ""
    except NotFetched as fault:
        raise CommandError(f"--jwks-url cannot be used: {fault}.") from fault
    except NotAKeySet as fault:
        raise CommandError(f"--jwks cannot be used: {fault}.") from fault
