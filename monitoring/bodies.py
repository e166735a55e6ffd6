"""Bodies of requests on their way in: who sends slowly holds some of the threads, never all.

The server gives each request a thread at once, and the thread waits for the body. Somebody who
never sends theirs would otherwise need no more than as many connections as there are threads.
"""

import logging
from collections.abc import Callable, Iterable
from threading import BoundedSemaphore
from typing import Any, Protocol

logger = logging.getLogger(__name__)

# Of the 16 threads of a web process; what is left answers requests without a body, whatever comes
AT_THE_DOOR, AT_THE_SITE = 8, 4
PATIENCE_S = 0.5
_AGAIN_AFTER_S = 5
_SAID = b"Too many messages are still on their way in. Nothing was stored; send it again.\n"

_door, _site = BoundedSemaphore(AT_THE_DOOR), BoundedSemaphore(AT_THE_SITE)

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Stream(Protocol):
    """What a server gives a body as."""

    def read(self, size: int = -1, /) -> bytes:
        """Read that many bytes, or all."""

    def readline(self, size: int = -1, /) -> bytes:
        """Read a line."""


class _Arriving:
    """A body with a turn, which it gives back as soon as all of it has come."""

    def __init__(self, stream: Stream, length: int, turns: BoundedSemaphore) -> None:
        self._stream, self._missing = stream, length
        self._turns: BoundedSemaphore | None = turns

    def read(self, size: int = -1, /) -> bytes:
        return self._count(self._stream.read(size), asked=size)

    def readline(self, size: int = -1, /) -> bytes:
        return self._count(self._stream.readline(size), asked=size)

    def _count(self, part: bytes, *, asked: int) -> bytes:
        self._missing -= len(part)
        if self._missing <= 0 or (not part and asked != 0):
            self.give_turn_back()
        return part

    def give_turn_back(self) -> None:
        if self._turns is not None:
            self._turns.release()
            self._turns = None


def in_turn(
    application: Application, environ: dict[str, Any], start: Any, *, is_at_door: bool
) -> Iterable[bytes]:
    """Answer a request, if it has no body or few enough are waited for; else turn it away.

    People and machines do not take each other's turns.
    """
    length = environ.get("CONTENT_LENGTH") or ""
    if not length.isdecimal() or int(length) == 0:
        return application(environ, start)
    turns = _door if is_at_door else _site
    if not turns.acquire(timeout=PATIENCE_S):
        logger.warning("A request was turned away: too many bodies are still on their way in")
        start(
            "503 Service Unavailable",
            [("Content-Type", "text/plain; charset=utf-8"), ("Retry-After", str(_AGAIN_AFTER_S))],
        )
        return [_SAID]
    body = environ["wsgi.input"] = _Arriving(environ["wsgi.input"], int(length), turns)
    try:
        return application(environ, start)
    finally:
        body.give_turn_back()
