"""The one command: the embedded servers where none are given, then web, worker and beat."""

import os
import sys
from argparse import ArgumentParser
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import environ
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from monitoring.embedded import lock, ports
from monitoring.embedded.log import Log
from monitoring.embedded.processes import Program
from monitoring.embedded.servers import CANNOT_START, start_servers, wait_until
from monitoring.embedded.supervisor import StopAsked, Supervisor
from patients.models import Patient

STOP_ORDER = ("load_demo", "web", "beat", "worker", "valkey", "postgres")
WEB_PROCESSES = 2
WEB_THREADS = 16
WORKER_PROCESSES = 2


class Command(BaseCommand):
    help = "Run Soundings: servers, web, worker and beat, until Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--no-demo", action="store_true", help="do not load the synthetic demo cohort"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        held = take_what_only_one_may_have()
        log = Log(sys.stdout.buffer)
        supervisor = Supervisor(lock=held, log=log)
        try:
            start_embedded_servers(supervisor)
            start_site(supervisor, with_demo=not options["no_demo"])
            log.announce(announcement())
            supervisor.run_until_stopped()
        except StopAsked:
            log.say("up", "stopped before everything had started")
        except CANNOT_START as fault:
            raise CommandError(str(fault)) from fault
        finally:
            supervisor.stop(*STOP_ORDER)
            supervisor.leave()


def take_what_only_one_may_have() -> IO[str]:
    """Refuse before anything is written: another `up` on this data, or a port that is taken.

    The lock may be waited for while a copy that was killed is cleared away; its port is free then.
    """
    if lock.port_of_running(settings.VAR_DIR) is None:
        refuse_taken_port()
        refuse_silent_database()
    try:
        held = lock.take(settings.VAR_DIR, port=settings.PORT)
    except lock.FolderIsHeld as fault:
        raise CommandError(
            f"{fault} For a second copy, set VAR to another folder and PORT to another port."
        ) from fault
    except OSError as fault:
        raise CommandError(
            f"{settings.VAR_DIR} cannot be used ({fault.strerror}). Set VAR to a folder of yours."
        ) from fault
    refuse_taken_port()
    return held


def refuse_taken_port() -> None:
    if not ports.is_free(settings.PORT):
        raise CommandError(
            f"Port {settings.PORT} on {ports.HOST} is already in use. "
            f"Choose another one, for example: PORT={settings.PORT + 1} make run"
        )


def refuse_silent_database() -> None:
    """Refuse an address of a database that nobody answers at; our own one is not started yet."""
    if settings.DATABASE_IS_EMBEDDED:
        return
    try:
        connection.ensure_connection()
    except OperationalError as fault:
        reason = str(fault).splitlines()[0]
        raise CommandError(f"The database of DATABASE_URL does not answer: {reason}") from fault
    connection.close()


def start_embedded_servers(supervisor: Supervisor) -> None:
    """Start what no address was given for, and learn its address."""
    if not (settings.DATABASE_IS_EMBEDDED or settings.BROKER_IS_EMBEDDED):
        return
    addresses = start_servers(
        settings.VAR_DIR,
        start=supervisor.start,
        with_postgres=settings.DATABASE_IS_EMBEDDED,
        with_valkey=settings.BROKER_IS_EMBEDDED,
        pause=supervisor.tick,
    )
    if settings.DATABASE_IS_EMBEDDED:
        # Our own settings were read before the server had an address
        connection.settings_dict.update(environ.Env.db_url_config(addresses.database_url))


def start_site(supervisor: Supervisor, *, with_demo: bool) -> None:
    """Start the web and wait until it answers; worker and beat follow.

    All at once would be slower for whoever waits for the first page, and nothing is lost: what
    is pushed before the worker runs is in the database. The demo cohort, which fills one core
    for some seconds, is loaded while the web starts on another.
    """
    with supervisor.interruptible():
        migrate_if_needed()
        is_empty = not Patient.objects.exists()
        connection.close()
    web = supervisor.start(web_program())
    if with_demo and is_empty:
        load_demo(supervisor)
    wait_until(web_answers, child=web, pause=supervisor.tick)
    supervisor.start(worker_program())
    supervisor.start(beat_program())


def migrate_if_needed() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)


def load_demo(supervisor: Supervisor) -> None:
    command = (sys.executable, "manage.py", "load_demo")
    program = Program(name="load_demo", command=command, folder=settings.BASE_DIR)
    if (code := supervisor.run_to_end(program)) != 0:
        raise CommandError(f"The demo cohort could not be loaded (code {code}).")


def web_program() -> Program:
    return Program(
        name="web",
        command=(
            *(sys.executable, "-m", "granian", "--interface", "wsgi"),
            *("--host", ports.HOST, "--port", str(settings.PORT), "--no-ws"),
            *("--workers", str(WEB_PROCESSES), "--blocking-threads", str(WEB_THREADS)),
            *("--respawn-failed-workers", "--workers-kill-timeout", "5"),
            # it would warn at every start of more threads than processors; most of ours wait
            *("--log-level", "error"),
            "monitoring.wsgi:application",
        ),
        folder=settings.BASE_DIR,
    )


def worker_program() -> Program:
    return Program(
        name="worker",
        command=(
            *_celery("worker"),
            *("--pool", "prefork", "--concurrency", str(WORKER_PROCESSES)),
            *("--hostname", "soundings@%h", "--loglevel", "WARNING"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),  # there is no other
        ),
        folder=settings.BASE_DIR,
        # One process per core is enough; threads of the linear algebra would only fight
        environment={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )


def beat_program() -> Program:
    return Program(
        name="beat",
        command=(*_celery("beat"), "--pidfile", "", "--loglevel", "WARNING"),
        folder=settings.BASE_DIR,
    )


def _celery(what: str) -> tuple[str, ...]:
    # As which user all of this runs was chosen with `up`; the worker need not warn of it each time
    quiet = "ignore:You're running the worker with superuser"
    return (
        sys.executable,
        "-W",
        quiet,
        "-m",
        "celery",
        "--quiet",
        "--app",
        "monitoring.celery",
        what,
    )


def web_answers() -> bool:
    """Ask for the page that says no more than that the web is alive."""
    asked = HTTPConnection(ports.HOST, settings.PORT, timeout=2)
    try:
        host = urlsplit(settings.SITE_URL).netloc
        asked.request("GET", "/health/live", headers={"Host": host})
        return asked.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        asked.close()


def announcement() -> str:
    """Say, in the one line that people look for, where to go, as whom, and where mail goes."""
    sign_in = settings.VAR_DIR / "demo_sign_in.txt"
    if sign_in.exists():
        email, password = sign_in.read_text().split()
        who = f"sign in as {email} with {password} (synthetic demo data)"
    else:
        who = "sign in as a clinician made with manage.py add_clinician"
    if settings.EMAIL_URL:
        mail = f"mail goes to {settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    else:
        mail = f"mail is written to {_short(settings.MAIL_DIR)}"
    return f"Soundings is ready: http://{ports.HOST}:{settings.PORT}/ - {who} - {mail}"


def _short(path: Path) -> str:
    here = Path.cwd()
    return f"./{path.relative_to(here)}" if path.is_relative_to(here) else str(path)
