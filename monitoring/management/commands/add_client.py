"""The operator's door: a system of a laboratory that signs in for itself."""

import re
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import transaction
from django.urls import reverse

from monitoring.management.client_keys import add_key_options, read_keys
from monitoring.management.operators import (
    OperatorCommand,
    add_scopes,
    find_laboratory,
    read_scopes,
)
from patients.record.clients import ClientExists, add_client, issue_secret, set_keys

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,63}", re.ASCII)


class Command(OperatorCommand):
    help = "Add a client of a laboratory; it signs in by its keys or, with --secret, by a secret."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="its client id")
        parser.add_argument("--laboratory", required=True, metavar="LABORATORY")
        add_scopes(parser)
        how = parser.add_mutually_exclusive_group(required=True)
        add_key_options(how)
        how.add_argument(
            "--secret", action="store_true", help="issue a secret; the last line is it"
        )

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        name, laboratory = options["name"], find_laboratory(options["laboratory"])
        if not _NAME.fullmatch(name):
            raise CommandError(
                "NAME is the client id: 3 to 64 letters, digits, dots, dashes or underscores."
            )
        scopes = read_scopes(options["scopes"])
        jwks, jwks_url = read_keys(options)
        secret = ""
        try:
            with transaction.atomic():
                add_client(laboratory=laboratory, name=name, scopes=scopes, by=by, at=at)
                if options["secret"]:
                    secret = issue_secret(name=name, by=by, at=at)
                else:
                    set_keys(name=name, jwks=jwks, jwks_url=jwks_url, by=by, at=at)
        except ClientExists as fault:
            raise CommandError(
                f"There is, or was, a client “{name}”; take another name."
            ) from fault
        self.say(f"Added the client {name} of “{laboratory.name}”.")
        self.say(f"It is given tokens at {settings.SITE_URL}{reverse('oauth2:token')}")
        if secret:
            self.say("Its secret is shown this once; only a digest of it is kept.")
            self.say(secret)
