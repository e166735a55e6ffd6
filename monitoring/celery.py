"""The queue: wakes the workers and keeps the timetable; the truth is in the database."""

import os

from celery import Celery, Task
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "monitoring.settings")


class SiteTask(Task):  # type: ignore[type-arg]
    """A task that looks its connection to the database over before it begins.

    Celery would open a new one for every task, which costs more than most tasks do.
    """

    abstract = True

    def before_start(self, *args: object, **options: object) -> None:  # noqa: ARG002
        close_old_connections()


app = Celery("soundings", task_cls=SiteTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf["CELERY_DB_REUSE_MAX"] = 1000
app.autodiscover_tasks(["monitoring"])
app.conf.beat_scheduler = "monitoring.pulse:Scheduler"
app.steps["consumer"].add("monitoring.pulse:WorkerPulse")
# Any number of beats does no harm: each tick only asks for what is due to be done
app.conf.beat_schedule = {
    "sweep": {
        "task": "monitoring.tasks.sweep",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "escalate-safety": {
        "task": "monitoring.tasks.escalate_safety",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "look-after-laboratories": {
        "task": "monitoring.tasks.look_after_laboratories",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "forget-old-lines": {
        "task": "monitoring.tasks.forget_old_lines",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "replay-parked": {
        "task": "monitoring.tasks.replay_parked",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "follow-calendar": {
        "task": "monitoring.tasks.follow_calendar",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "deliver-alerts": {
        "task": "monitoring.tasks.deliver_alerts",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
}
