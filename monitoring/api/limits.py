"""How fast a laboratory may push; counted in Redis, and not at all when Redis is away.

Each process takes pushes out of a laboratory's share of the minute a hundredth at a time, a hundred
at most, so that not every push asks Redis. What a process has taken and not used is lost to the
others: a share is met to a hundredth for each process, and never exceeded.
"""

import threading
import time
from dataclasses import dataclass

from django.conf import settings
from redis import Redis
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from monitoring import redis
from monitoring.api.authentication import LaboratoryAtTheDoor

WINDOW_S = 60
TAKEN_AT_ONCE = 0.01
TAKEN_AT_MOST = 100


class PushesPerMinute(BaseThrottle):
    """Count the pushes of one laboratory in one minute of the clock."""

    def allow_request(self, request: Request, view: object) -> bool:  # noqa: ARG002
        caller = request.user
        if not isinstance(caller, LaboratoryAtTheDoor):
            return True
        return count_one(caller.sender.laboratory_id, at_most=caller.pushes_per_minute)

    def wait(self) -> float:
        """Say how long until the next minute."""
        return wait()


@dataclass
class _Taken:
    """What this process has left of what it took for one laboratory in one minute."""

    key: str = ""
    left: int = 0


_taken: dict[int, _Taken] = {}
_lock = threading.Lock()


def count_one(laboratory_id: int, *, at_most: int | None) -> bool:
    """Count one request of a laboratory; False when it has had its share of this minute."""
    allowed = at_most or settings.PUSHES_PER_MINUTE
    # Another limit is another share: what was taken of the old one says nothing of the new
    key = f"soundings:pushes:{laboratory_id}:{allowed}:{int(time.time()) // WINDOW_S}"
    with _lock:
        mine = _taken.setdefault(laboratory_id, _Taken())
        if mine.key == key and mine.left > 0:
            mine.left -= 1
            return True
    granted = _take(key, allowed=allowed)
    with _lock:
        if mine.key != key:
            mine.key, mine.left = key, 0
        mine.left += max(0, granted - 1)
    return granted > 0


def _take(key: str, *, allowed: int) -> int:
    """Take some of what is left of a laboratory's share; say how many there were."""
    wanted = min(TAKEN_AT_MOST, max(1, int(allowed * TAKEN_AT_ONCE)))

    def take(line: Redis) -> int:
        taken = int(line.incrby(key, wanted))
        if taken == wanted:
            line.expire(key, 2 * WINDOW_S)
        return taken

    taken = redis.ask(take)
    if taken is None:
        return 1
    return min(wanted, wanted - (taken - allowed))


def wait() -> float:
    """Say how long until the next minute."""
    return WINDOW_S - time.time() % WINDOW_S
