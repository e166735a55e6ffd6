"""The embedded servers of one copy: both started, both answering, their addresses written down."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from monitoring.embedded import postgres, valkey
from monitoring.embedded.accounts import FolderIsClosed
from monitoring.embedded.addresses import NOT_STARTED, Addresses, read_addresses, write_addresses
from monitoring.embedded.processes import Child, Program

READY_WITHIN_S = 60  # a database that was killed first replays its log

Start = Callable[[Program], Child]
Pause = Callable[[], None]


class ServerDidNotStart(Exception):
    """An embedded server ended, or did not answer in time."""


# What a person can do something about; each says what
CANNOT_START: Final = (
    ServerDidNotStart,
    FolderIsClosed,
    postgres.PostgresCannotStart,
    postgres.PostgresIsNotInstalled,
    valkey.ValkeyIsNotInstalled,
)


def start_servers(
    var_dir: Path,
    *,
    start: Start,
    with_postgres: bool = True,
    with_valkey: bool = True,
    is_durable: bool = True,
    pause: Pause = lambda: time.sleep(0.02),
) -> Addresses:
    """Start the servers asked for, wait until both answer, and write their addresses.

    `start` starts a program and keeps the child; `pause` is called while waiting.
    """
    var_dir.mkdir(parents=True, exist_ok=True)
    last = read_addresses(var_dir)
    open_broker = _start_valkey(var_dir, last, start, pause) if with_valkey else _none
    open_database = (
        _start_postgres(var_dir, last, start, pause, is_durable=is_durable)
        if with_postgres
        else _none
    )
    addresses = Addresses(
        database_url=open_database() or NOT_STARTED.database_url,
        redis_url=open_broker() or NOT_STARTED.redis_url,
    )
    write_addresses(var_dir, addresses)
    return addresses


def _none() -> str:
    return ""


def _start_valkey(var_dir: Path, last: Addresses, start: Start, pause: Pause) -> Callable[[], str]:
    server = valkey.prepare(var_dir, preferred_port=_port_of(last.redis_url))
    child = start(server.program)

    def open_broker() -> str:
        wait_until(server.is_ready, child=child, pause=pause)
        return server.url

    return open_broker


def _start_postgres(
    var_dir: Path, last: Addresses, start: Start, pause: Pause, *, is_durable: bool
) -> Callable[[], str]:
    server = postgres.prepare(
        var_dir, preferred_port=_port_of(last.database_url), is_durable=is_durable
    )
    child = start(server.program)

    def open_database() -> str:
        wait_until(lambda: server.is_ready(child.pid), child=child, pause=pause)
        return server.open_database()

    return open_database


def wait_until(is_ready: Callable[[], bool], *, child: Child, pause: Pause) -> None:
    """Wait for a child to be ready; refuse when it ends first or takes too long."""
    patience_ends = time.monotonic() + READY_WITHIN_S
    while not is_ready():
        if child.has_ended():
            raise ServerDidNotStart(f"{child.program.name} ended with code {child.exit_code}.")
        if time.monotonic() > patience_ends:
            raise ServerDidNotStart(
                f"{child.program.name} did not answer within {READY_WITHIN_S} s."
            )
        pause()


def _port_of(url: str) -> int | None:
    """Give the port to try again, unless there never was a server."""
    never = {NOT_STARTED.database_url, NOT_STARTED.redis_url}
    return None if url in never else urlsplit(url).port
