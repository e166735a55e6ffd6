"""How fast a laboratory, or a system of the clinic, may push; counted in Redis, and not without it.

Each process takes pushes out of a caller's share of the minute a hundredth at a time, a hundred
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
from monitoring.api.teams import TeamAtTheDoor

WINDOW_S = 60
TAKEN_AT_ONCE = 0.01
TAKEN_AT_MOST = 100


class PushesPerMinute(BaseThrottle):
    """Count the pushes of one caller in one minute of the clock."""

    def allow_request(self, request: Request, view: object) -> bool:  # noqa: ARG002
        caller = request.user
        if isinstance(caller, LaboratoryAtTheDoor):
            return count_one(
                laboratory(caller.sender.laboratory_id), at_most=caller.pushes_per_minute
            )
        if isinstance(caller, TeamAtTheDoor):  # each system for itself
            return count_one(caller.name, at_most=settings.RATINGS_PER_MINUTE)
        return True

    def wait(self) -> float:
        """Say how long until the next minute."""
        return wait()


@dataclass
class _Taken:
    """What this process has left of what it took for one caller in one minute."""

    key: str = ""
    left: int = 0


_taken: dict[str, _Taken] = {}
_lock = threading.Lock()


def laboratory(laboratory_id: int) -> str:
    """Name a laboratory as a caller: its share is one, by whichever keys and doors it comes."""
    return f"laboratory:{laboratory_id}"


def count_one(caller: str, *, at_most: int | None) -> bool:
    """Count one request of a caller; False when it has had its share of this minute."""
    allowed = at_most or settings.PUSHES_PER_MINUTE
    # Another limit is another share: what was taken of the old one says nothing of the new
    key = f"soundings:pushes:{caller}:{allowed}:{int(time.time()) // WINDOW_S}"
    with _lock:
        mine = _taken.setdefault(caller, _Taken())
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
    """Take some of what is left of a caller's share; say how many there were."""
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
