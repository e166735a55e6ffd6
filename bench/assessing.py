"""Working off a hundred thousand stale patients, writes included."""

import os
import subprocess
import sys
import time

from django.db import connection

from bench.site import ROOT
from patients.models import CareTeam, Patient

PROCESSES = 2  # as many as the worker has

_WORK_OFF = """
import django; django.setup()
from django.utils import timezone
from monitoring.recompute import work_off_backlog
while work_off_backlog(at=timezone.now()):
    pass
"""


def assessments_per_second(team: CareTeam) -> float:
    """Let two processes assess the whole team; give assessments a second, from start to end."""
    Patient.objects.filter(team=team).update(stale_since="2026-09-01T00:00:00Z", history_version=2)
    waiting = Patient.objects.stale().count()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE patients_patient")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    started = time.perf_counter()
    workers = [
        subprocess.Popen([sys.executable, "-c", _WORK_OFF], cwd=ROOT, env=environment)
        for _ in range(PROCESSES)
    ]
    for worker in workers:
        assert worker.wait() == 0
    seconds = time.perf_counter() - started
    assert not Patient.objects.stale().exists()
    return waiting / seconds
