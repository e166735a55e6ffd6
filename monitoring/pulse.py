"""The pulses of worker and beat: a key in Redis that lapses when nobody renews it.

Each is renewed from the very loop that does the work, so a process that hangs has no pulse. They
are for whoever watches over the site; nothing on the road depends on them.
"""

from typing import Any

from celery import bootsteps
from celery.beat import PersistentScheduler

from monitoring import redis

WORKER = "soundings:pulse:worker"
BEAT = "soundings:pulse:beat"
RENEWED_EVERY_S = 5
LASTS_S = 30


def renew(key: str) -> None:
    """Show that we live; while Redis is away there is nobody to show it to."""
    redis.ask(lambda line: line.set(key, 1, ex=LASTS_S))


class WorkerPulse(bootsteps.StartStopStep):
    """Beat from the worker's own loop while it is connected and takes tasks."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        self._entry: Any = None
        super().__init__(consumer, **options)

    def start(self, consumer: Any) -> None:
        renew(WORKER)
        self._entry = consumer.timer.call_repeatedly(RENEWED_EVERY_S, renew, (WORKER,))

    def stop(self, consumer: Any) -> None:  # noqa: ARG002
        """Let the pulse lapse by itself: a connection that is lost is mostly back before that."""
        if self._entry is not None:
            self._entry.cancel()
            self._entry = None


class Scheduler(PersistentScheduler):
    """The usual timetable, with a pulse at every tick."""

    # A tick must come often enough for the pulse, however empty the timetable
    max_interval = RENEWED_EVERY_S

    def tick(self, *arguments: Any, **options: Any) -> float:
        renew(BEAT)
        return float(super().tick(*arguments, **options))
