"""The queue: wakes the workers and keeps the timetable; the truth is in the database."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "monitoring.settings")

app = Celery("soundings")
app.config_from_object("django.conf:settings", namespace="CELERY")
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
    "deliver-alerts": {
        "task": "monitoring.tasks.deliver_alerts",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
}
