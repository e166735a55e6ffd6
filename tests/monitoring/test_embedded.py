"""The embedded servers: real, private, and still there after a bad end."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from monitoring.embedded import lock, ports, postgres
from monitoring.embedded.accounts import account_for
from monitoring.embedded.addresses import Addresses, read_addresses
from monitoring.embedded.log import Log
from monitoring.embedded.processes import Child, Program
from monitoring.embedded.servers import ServerDidNotStart, start_servers

Children = dict[str, Child]
is_root = os.geteuid() == 0


@pytest.fixture
def children() -> Iterator[Children]:
    """What a test started, by name; ended with the test."""
    started: Children = {}
    yield started
    for child in started.values():
        child.kill_group()


@pytest.fixture
def start(children: Children) -> Callable[[Program], Child]:
    def start(program: Program) -> Child:
        children[program.name] = Child(program, output=subprocess.DEVNULL)
        return children[program.name]

    return start


@pytest.fixture
def var_dir(tmp_path: Path) -> Path:
    """Under a folder that nobody but its owner may enter, as pytest makes it."""
    assert tmp_path.parent.parent.stat().st_mode & 0o077 == 0
    return tmp_path / "var"


def test_postgres_listens_to_this_machine_alone_and_asks_for_a_password(
    var_dir: Path, start: Callable[[Program], Child], children: Children
) -> None:
    addresses = start_servers(var_dir, start=start, with_valkey=False)
    url = urlsplit(addresses.database_url)

    with psycopg.connect(addresses.database_url) as connection:
        found = connection.execute(
            "SELECT current_setting('server_version_num')::int / 10000, current_setting('fsync'),"
            " current_setting('data_checksums'), current_setting('listen_addresses'),"
            " current_setting('password_encryption'),"
            " pg_encoding_to_char(encoding), datlocale, rolsuper"
            " FROM pg_database, pg_roles"
            " WHERE datname = current_database() AND rolname = current_user"
        ).fetchone()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(addresses.database_url.replace(url.password or "", "wrong"))

    expected = (18, "on", "on", "127.0.0.1", "scram-sha-256", "UTF8", "C.UTF-8", False)
    assert found == expected
    assert not Path(f"/tmp/.s.PGSQL.{url.port}").exists()  # noqa: S108 - its usual place


def test_valkey_keeps_its_data_on_disk_and_asks_for_a_password(
    var_dir: Path, start: Callable[[Program], Child]
) -> None:
    addresses = start_servers(var_dir, start=start, with_postgres=False)

    with redis.Redis.from_url(addresses.redis_url, decode_responses=True) as client:
        settings = {
            key: client.config_get(key)[key]
            for key in ("appendonly", "appendfsync", "maxmemory-policy", "bind")
        }
    stranger = redis.Redis(
        port=urlsplit(addresses.redis_url).port or 0, retry=Retry(NoBackoff(), 0)
    )
    with stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()

    assert settings == {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "bind": "127.0.0.1",
    }


@pytest.mark.skipif(not is_root, reason="only root must not run PostgreSQL")
def test_root_lends_postgres_another_account_even_behind_a_closed_folder(
    var_dir: Path, start: Callable[[Program], Child], children: Children
) -> None:
    start_servers(var_dir, start=start, with_valkey=False, is_durable=False)

    status = Path(f"/proc/{children['postgres'].pid}/status").read_text()
    uids = next(line.split()[1:] for line in status.splitlines() if line.startswith("Uid:"))

    assert "0" not in uids
    assert (var_dir / "postgres").stat().st_uid != 0
    assert (var_dir / "postgres_password").stat().st_uid == 0


@pytest.mark.skipif(is_root, reason="a normal user runs PostgreSQL under the own name")
def test_a_normal_user_runs_postgres_under_the_own_name(var_dir: Path) -> None:
    account = account_for(data_dir=var_dir / "postgres", programs=postgres.programs())

    assert account is None


def test_servers_that_were_killed_start_again_with_their_data_and_ports(
    var_dir: Path, start: Callable[[Program], Child], children: Children
) -> None:
    first = start_servers(var_dir, start=start)
    with psycopg.connect(first.database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with redis.Redis.from_url(first.redis_url) as client:
        client.set("kept", "42")
    for child in children.values():
        os.kill(child.pid, signal.SIGKILL)
        child.wait(within_s=5)

    second = start_servers(var_dir, start=start)
    with psycopg.connect(second.database_url) as connection:
        from_database = connection.execute("SELECT answer FROM kept").fetchone()
    with redis.Redis.from_url(second.redis_url) as client:
        from_broker = client.get("kept")

    assert (from_database, from_broker) == ((42,), b"42")
    assert _ports(second) == _ports(first)
    assert read_addresses(var_dir) == second


def test_a_stale_note_that_names_a_living_stranger_does_not_stop_postgres(
    var_dir: Path, start: Callable[[Program], Child], children: Children
) -> None:
    first = start_servers(var_dir, start=start, with_valkey=False, is_durable=False)
    note = var_dir / "postgres" / "postmaster.pid"
    lines = note.read_text().splitlines()
    os.kill(children["postgres"].pid, signal.SIGKILL)
    children["postgres"].wait(within_s=5)
    stranger = subprocess.Popen(["sleep", "60"])
    note.write_text("\n".join([str(stranger.pid), *lines[1:]]))

    second = start_servers(var_dir, start=start, with_valkey=False, is_durable=False)

    assert stranger.poll() is None
    assert _ports(second) == _ports(first)
    stranger.kill()
    stranger.wait()


def test_a_postgres_that_was_left_running_on_the_data_is_stopped_first(
    var_dir: Path, start: Callable[[Program], Child], children: Children
) -> None:
    start_servers(var_dir, start=start, with_valkey=False, is_durable=False)
    orphan = children.pop("postgres")

    start_servers(var_dir, start=start, with_valkey=False, is_durable=False)

    assert orphan.wait(within_s=5)
    assert orphan.exit_code == 0  # it was asked, not killed
    orphan.kill_group()


def test_a_remembered_port_that_is_taken_is_left_to_whoever_has_it(
    var_dir: Path, start: Callable[[Program], Child], children: Children
) -> None:
    first = start_servers(var_dir, start=start, is_durable=False)
    for child in children.values():
        child.ask_to_stop()
        child.wait(within_s=10)
    strangers = []
    for port in _ports(first):
        strangers.append(socket.socket())
        strangers[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        strangers[-1].bind(("127.0.0.1", port))
        strangers[-1].listen()

    second = start_servers(var_dir, start=start, is_durable=False)

    assert not set(_ports(second)) & set(_ports(first))
    for stranger in strangers:
        stranger.close()


def test_data_of_another_postgres_version_is_refused_and_left_alone(
    var_dir: Path, start: Callable[[Program], Child]
) -> None:
    (var_dir / "postgres").mkdir(parents=True)
    (var_dir / "postgres" / "PG_VERSION").write_text("17\n")

    with pytest.raises(postgres.PostgresCannotStart, match="made by PostgreSQL 17"):
        start_servers(var_dir, start=start, with_valkey=False, is_durable=False)


def test_a_server_that_ends_at_once_is_reported(
    var_dir: Path, start: Callable[[Program], Child]
) -> None:
    (var_dir / "valkey").mkdir(parents=True)
    (var_dir / "valkey" / "appendonlydir").write_text("not a folder")

    with pytest.raises(ServerDidNotStart, match="valkey ended with code"):
        start_servers(var_dir, start=start, with_postgres=False)


def test_a_port_that_is_shared_by_its_server_is_still_seen_as_taken() -> None:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind((ports.HOST, 0))
        server.listen()
        port = server.getsockname()[1]

        is_free = ports.is_free(port)

    assert not is_free


def test_a_data_folder_has_one_holder(tmp_path: Path) -> None:
    held = lock.take(tmp_path, port=8000)

    with pytest.raises(lock.FolderIsHeld, match=f"process {os.getpid()}"):
        lock.take(tmp_path, port=8001)
    held.close()

    with lock.take(tmp_path, port=8001) as again:
        again.seek(0)
        holder = json.loads(again.read())

    assert holder == {"pid": os.getpid(), "port": 8001}


def test_a_port_is_known_while_a_copy_runs_and_no_longer(tmp_path: Path) -> None:
    assert lock.port_of_running(tmp_path / "nowhere") is None

    with lock.take(tmp_path, port=8123):
        assert lock.port_of_running(tmp_path) == 8123

    assert lock.port_of_running(tmp_path) is None


def test_lines_of_children_carry_their_names_and_stay_whole() -> None:
    out = io.BytesIO()
    log = Log(out)
    script = "import sys, time; sys.stdout.write('one\\ntw'); sys.stdout.flush(); time.sleep(0.2)"
    child = Child(
        Program(
            name="web",
            command=(sys.executable, "-c", f"{script}; sys.stdout.write('o\\nrest')"),
            folder=Path.cwd(),
        )
    )
    assert child.output is not None
    log.follow("web", child.output)

    patience_ends = time.monotonic() + 10
    while b"rest" not in out.getvalue() and time.monotonic() < patience_ends:
        log.pass_on(within_s=0.1)

    assert out.getvalue() == b"web | one\nweb | two\nweb | rest\n"
    child.kill_group()


def _ports(addresses: Addresses) -> tuple[int | None, int | None]:
    return urlsplit(addresses.database_url).port, urlsplit(addresses.redis_url).port
