"""The one connection to Redis, which carries conveniences only: nothing here is ever the truth."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from redis import Redis, RedisError

logger = logging.getLogger(__name__)
T = TypeVar("T")

# A door must not wait for a Redis that is away: after a failure it is left alone for a moment
PAUSE_S = 1.0


class _Line:
    """A connection that gives up at once, and does not try again for a moment."""

    def __init__(self) -> None:
        self._client: Redis | None = None
        self._silent_until = 0.0
        self._lock = threading.Lock()

    def ask(self, question: Callable[[Any], T]) -> T | None:
        if time.monotonic() < self._silent_until:
            return None
        with self._lock:
            if self._client is None:
                self._client = Redis.from_url(
                    settings.REDIS_URL, socket_timeout=0.2, socket_connect_timeout=0.2
                )
        try:
            return question(self._client)
        except RedisError as fault:
            self._silent_until = time.monotonic() + PAUSE_S
            logger.warning("Redis does not answer (%s); going on without it", type(fault).__name__)
            return None


_line = _Line()


def ask(question: Callable[[Any], T]) -> T | None:
    """Put a question to Redis; None when it is away, which every caller must be able to bear."""
    return _line.ask(question)
