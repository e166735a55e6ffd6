"""A line for every request at the laboratories' doors, written in batches after the answers left.

A push must not wait for it nor pay a statement of its own. A line is put into a queue in passing;
a thread of each web process writes what has gathered, once a second. What a process that is killed
had not written yet is lost, at most a second's lines; the messages themselves are stored before
they are answered, with laboratory, key and hash (patients_inbound). Lines are kept for a year,
unless the operator says otherwise. While the database is away they are kept in memory.
"""

import atexit
import hashlib
import logging
import threading
import time
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from typing import NamedTuple, Self

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from monitoring.models import DoorRequest

logger = logging.getLogger(__name__)
OUTCOME = "soundings.outcome"
SENT = "soundings.sent"
GATHERED_FOR_S = 1.0
LINES_AT_MOST = 20_000
FORGOTTEN_AT_ONCE = 20_000
_OURS = frozenset(
    {"api", "v1", "results", "ratings", "tables", "hl7v2", "oauth2", "token", "fhir", "metadata"}
    | {"Observation", "DiagnosticReport", "_history", ".well-known", "smart-configuration"}
)


class Sent(NamedTuple):
    """By what a message is known again of which nothing else is kept."""

    size: int | None = None
    sha256: str = ""

    @classmethod
    def of(cls, body: bytes) -> Self:
        return cls(len(body), hashlib.sha256(body).hexdigest())


NOTHING = Sent()


def door_of(path: str) -> str:
    """Give an address without what a laboratory has put into it."""
    words = path.strip("/").split("/")[:6]
    return "/" + "/".join(word if word in _OURS else "*" for word in words)


class Writer:
    """Gathers lines, and writes them from a thread of its own."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[DoorRequest] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def note(self, line: DoorRequest) -> None:
        """Take a line; never wait, never fail."""
        if self._thread is None:
            self._start()
        if self._waiting.qsize() < LINES_AT_MOST:
            self._waiting.put(line)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="door-log")
                self._thread.start()
                atexit.register(self.write)

    def _run(self) -> None:
        while True:
            first = self._waiting.get()
            time.sleep(GATHERED_FOR_S)
            self.write(first)

    def write(self, *first: DoorRequest) -> None:
        """Write what has gathered until now."""
        lines = [*first]
        while True:
            try:
                lines.append(self._waiting.get_nowait())
            except Empty:
                break
        if not lines:
            return
        try:
            DoorRequest.objects.bulk_create(lines)
        except (OperationalError, InterfaceError) as fault:
            # the database is away; what comes meanwhile is written when it is back
            kept = lines[: max(0, LINES_AT_MOST - self._waiting.qsize())]
            for line in kept:
                self._waiting.put(line)
            logger.warning("%d lines of requests wait: %s", len(kept), type(fault).__name__)
        except DatabaseError as fault:
            logger.warning("%d lines of requests are lost: %s", len(lines), type(fault).__name__)
        finally:
            connection.close()


writer = Writer()


def forget_old(*, at: datetime) -> int:
    """Delete a batch of the lines that are older than they are kept; say how many."""
    until = at - timedelta(days=settings.DOOR_LINES_KEPT_DAYS)
    oldest = DoorRequest.objects.filter(at__lt=until).order_by("at").values("pk")
    deleted, _by_model = DoorRequest.objects.filter(pk__in=oldest[:FORGOTTEN_AT_ONCE]).delete()
    return deleted
