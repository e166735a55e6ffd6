"""`Idempotency-Key`: one key means one message (IETF draft-ietf-httpapi-idempotency-key-header).

A repetition is known by its bytes, with a key or without one, and for ever. What a key adds is a
refusal: under the key of another message nothing is taken in. Keys are remembered in Redis for a
day; while it is away they are not looked at, and the bytes still are.
"""

import hashlib

from django.utils.translation import gettext as _
from redis import Redis
from rest_framework.exceptions import APIException, ParseError
from rest_framework.request import Request

from monitoring import redis
from monitoring.api.authentication import LaboratoryAtTheDoor

HEADER = "Idempotency-Key"
LETTERS_AT_MOST = 255
KEPT_FOR_S = 24 * 3600


class KeyOfAnotherMessage(APIException):
    """The key was used for other bytes, or at another address."""

    status_code = 422
    default_detail = "This Idempotency-Key belongs to another message"


def claim(request: Request, body: bytes) -> None:
    """Let the key of a request mean this message from now on, if it has one.

    Raises
    ------
    ParseError
        When the header holds no key.
    KeyOfAnotherMessage
        When the laboratory has used the key for another message within a day, whether that one was
        taken in or refused.
    """
    key, caller = request.META.get("HTTP_IDEMPOTENCY_KEY"), request.user
    if key is None or not isinstance(caller, LaboratoryAtTheDoor):
        return
    if request.query_params.get("dry_run") == "true":
        return  # to rehearse a message is not to send it
    if not 0 < len(key.strip('" ')) <= LETTERS_AT_MOST or not key.isprintable():
        detail = _("%(header)s must hold 1 to %(count)d characters on one line.")
        raise ParseError(detail % {"header": HEADER, "count": LETTERS_AT_MOST})
    name = f"soundings:idempotency:{caller.sender.laboratory_id}:{_digest(key.encode())}"
    means = _digest(f"{request.method} {request.get_full_path()}\n".encode() + body)

    def ask(line: Redis) -> bytes | None:
        if line.set(name, means, nx=True, ex=KEPT_FOR_S):
            return None
        return line.get(name)  # type: ignore[return-value]

    kept = redis.ask(ask)
    if kept is not None and kept.decode() != means:
        raise KeyOfAnotherMessage(
            _("The laboratory has used this %s for another message. Nothing was stored.") % HEADER
        )


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
