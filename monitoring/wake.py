"""Waking the workers: many changes, one call.

Whoever sets the short-lived key posts the task; everybody else knows that it is on its way. When
Redis is away nobody is woken, and the sweep finds what waits.
"""

import logging

from kombu.exceptions import OperationalError

from monitoring import redis
from monitoring.celery import app

logger = logging.getLogger(__name__)

KEY = "soundings:assess_stale:is_on_its_way"
KEY_LIVES_S = 5
ASSESS = "monitoring.tasks.assess_stale"


def wake_workers() -> None:
    """Ask for stale patients to be assessed; call it after the commit."""
    if redis.ask(lambda line: line.set(KEY, 1, nx=True, ex=KEY_LIVES_S)):
        post(ASSESS)


def post(task: str) -> None:
    """Post a task; a broker that is away is logged, since the timetable will ask again."""
    try:
        app.send_task(task, retry=False)
    except OperationalError:
        logger.warning("The broker is away; the sweep will find what waits")


def take_call() -> None:
    """Let the next change wake anew: from now on it may come too late for this look."""
    redis.ask(lambda line: line.delete(KEY))
