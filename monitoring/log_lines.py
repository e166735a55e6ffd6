"""How a line of the log is written: what failed and where, and nothing that the record holds.

The message of an exception may quote what it choked on. PostgreSQL names the row that broke a
constraint, with every value in it. So of a database's fault only its kind and the constraint are
told (and why a server is away), and of any other the kind and the place.
"""

import copy
import logging
import traceback
from collections.abc import Iterator
from types import TracebackType

from django.http import HttpRequest
from psycopg import Error as ServerFault
from psycopg import OperationalError as ServerIsAway

CELERY = "celery.app.trace"
REQUESTS = "django.request"
_Info = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def _chain(fault: BaseException | None) -> Iterator[BaseException]:
    """Give a fault and those behind it, the first one first, as a traceback does."""
    if fault is None:
        return
    yield from _chain(
        fault.__cause__ or (None if fault.__suppress_context__ else fault.__context__)
    )
    yield fault


def describe(fault: BaseException) -> str:
    """Name a fault without what it quotes."""
    kind = f"{type(fault).__module__}.{type(fault).__qualname__}"
    if isinstance(fault, ServerIsAway):
        return f"{kind}: {str(fault).partition(chr(10))[0]}"
    if isinstance(fault, ServerFault):
        broken = fault.diag.constraint_name
        return f"{kind} ({broken})" if broken else kind
    return kind


def _without_address(request: HttpRequest, word: object) -> object:
    """Put the pattern of an address in its place, or nothing where none fits."""
    if word != request.path.encode("unicode_escape").decode("ascii"):
        return word
    return request.resolver_match.route if request.resolver_match else "…"


class WithoutValues(logging.Formatter):
    """The usual line; of an exception the frames and the kinds, never the messages.

    Nor an address at which nothing is: whoever mistook it may have written a name or number there.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write a line; Celery puts the message of a fault into its own, where it is left out."""
        if record.name == CELERY and record.exc_info and isinstance(record.args, dict):
            record = copy.copy(record)
            record.msg = "Task %(name)s[%(id)s] %(description)s"
        request = getattr(record, "request", None)
        words = record.args
        if record.name == REQUESTS and request is not None and isinstance(words, tuple):
            record = copy.copy(record)
            record.args = tuple(_without_address(request, word) for word in words)
        return super().format(record)

    def formatException(self, ei: _Info) -> str:  # noqa: N802 - logging names it
        """Write the frames of a fault and of those behind it."""
        parts = []
        for fault in _chain(ei[1]):
            frames = "".join(traceback.format_tb(fault.__traceback__))
            parts.append(f"Traceback (most recent call last):\n{frames}{describe(fault)}")
        return "\n\n".join(parts)
