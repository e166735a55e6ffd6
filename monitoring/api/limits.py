"""How fast a laboratory may push; counted in Redis, and not at all when Redis is away."""

import time

from django.conf import settings
from redis import Redis
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from monitoring import redis
from monitoring.api.authentication import LaboratoryAtTheDoor

WINDOW_S = 60


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


def count_one(laboratory_id: int, *, at_most: int | None) -> bool:
    """Count one request of a laboratory; False when it has had its share of this minute."""
    allowed = at_most or settings.PUSHES_PER_MINUTE
    key = f"soundings:pushes:{laboratory_id}:{int(time.time()) // WINDOW_S}"

    def count(line: Redis) -> int:
        pushes = int(line.incr(key))
        if pushes == 1:
            line.expire(key, 2 * WINDOW_S)
        return pushes

    pushes = redis.ask(count)
    return pushes is None or pushes <= allowed


def wait() -> float:
    """Say how long until the next minute."""
    return WINDOW_S - time.time() % WINDOW_S
