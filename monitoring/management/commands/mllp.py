"""The operator's door: a port on which one laboratory sends HL7 v2 by MLLP."""

import signal
import ssl
from argparse import ArgumentParser
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from types import FrameType
from typing import Any

from django.core.management.base import CommandError

from monitoring.hl7v2.answering import NEEDS
from monitoring.hl7v2.mllp import Line, Listener
from monitoring.management.operators import (
    OperatorCommand,
    add_scopes,
    find_laboratory,
    read_scopes,
)
from patients.intake.hl7v2.charsets import KNOWN, codec_of


class Command(OperatorCommand):
    help = (
        "Listen for HL7 v2 messages of one laboratory by MLLP. MLLP knows no sign-in: whoever "
        "reaches the port speaks for the laboratory, so name who may (--allow), or ask for "
        "certificates (--tls-client-ca)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--laboratory", metavar="NAME", required=True)
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=2575)
        parser.add_argument(
            "--allow",
            action="append",
            default=[],
            metavar="NETWORK",
            help="an address or network that may call, such as 10.1.2.0/24; may be repeated",
        )
        parser.add_argument(
            "--charset", default="", help="of messages that name none in MSH-18; UTF-8 otherwise"
        )
        add_scopes(parser)
        parser.add_argument("--tls-certificate", metavar="FILE", help="PEM; turns TLS on")
        parser.add_argument("--tls-key", metavar="FILE", help="PEM, if not with the certificate")
        parser.add_argument(
            "--tls-client-ca", metavar="FILE", help="PEM; callers must show a certificate of it"
        )

    def act(self, *, by: str, at: datetime, **options: Any) -> None:
        laboratory = find_laboratory(options["laboratory"])
        if options["charset"] and codec_of(options["charset"]) is None:
            raise CommandError(f"--charset must be one of {', '.join(KNOWN)}.")
        line = Line(
            laboratory_id=laboratory.pk,
            charset=options["charset"],
            allowed=tuple(_read_network(text) for text in options["allow"]),
            scopes=_read_scopes(options["scopes"]),
        )
        address = (options["host"], options["port"])
        try:
            listener = Listener(address, line, tls=_read_tls(options))
        except OSError as fault:
            message = f"{address[0]}:{address[1]} cannot be listened on: {fault.strerror}."
            raise CommandError(message) from fault
        signal.signal(signal.SIGTERM, _stop)
        with listener:
            host, port = listener.server_address[:2]
            self.say(f"Listening for “{laboratory.name}” by MLLP on {host!s}:{port}")
            self.stdout.flush()
            try:
                listener.serve_forever()
            except KeyboardInterrupt:
                self.say("Stopped")


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise KeyboardInterrupt


def _read_scopes(letters: str) -> str:
    """Read what may be done by this port; a line that could take nothing is not opened."""
    scopes = read_scopes(letters)
    if not set(NEEDS) <= set(scopes):
        raise CommandError("--scopes must hold c and u: any HL7 v2 message may correct a result.")
    return scopes


def _read_network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as fault:
        message = f"--allow {text}: must be an address or a network, such as 10.1.2.0/24."
        raise CommandError(message) from fault


def _read_tls(options: dict[str, Any]) -> ssl.SSLContext | None:
    certificate, client_ca = options["tls_certificate"], options["tls_client_ca"]
    if certificate is None:
        if client_ca or options["tls_key"]:
            raise CommandError("--tls-key and --tls-client-ca need --tls-certificate.")
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, options["tls_key"])
        if client_ca:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as fault:  # ssl.SSLError is one
        message = f"The TLS files cannot be used: {fault.strerror or fault}."
        raise CommandError(message) from fault
    return context
