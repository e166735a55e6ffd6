"""Loaded by pytest before the settings: a PostgreSQL and a broker for the tests, unless given.

They are the embedded servers of the product in a temporary folder, without waiting for the
disk. Journeys start a whole copy of their own instead (tests/journeys/conftest.py).
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from monitoring.embedded.processes import Child, Program
from monitoring.embedded.servers import start_servers

_children: list[Child] = []
_folders: list[Path] = []


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Generator[None]:
    """Come before pytest-django, which reads the settings in this very hook."""
    folder = Path(tempfile.mkdtemp(prefix="soundings-tests-"))
    _folders.append(folder)
    os.environ.setdefault("VAR", str(folder))
    os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "x" * 40)
    with_postgres, with_valkey = "DATABASE_URL" not in os.environ, "REDIS_URL" not in os.environ
    if with_postgres or with_valkey:
        addresses = start_servers(
            folder,
            start=_start_quietly,
            with_postgres=with_postgres,
            with_valkey=with_valkey,
            is_durable=False,
        )
        if with_postgres:
            os.environ["DATABASE_URL"] = addresses.database_url
        if with_valkey:
            os.environ["REDIS_URL"] = addresses.redis_url
    return (yield)


def pytest_unconfigure() -> None:
    for child in reversed(_children):
        child.ask_to_stop()
        child.wait(within_s=10)
        child.kill_group()
    for folder in _folders:
        shutil.rmtree(folder)


def _start_quietly(program: Program) -> Child:
    child = Child(program, output=subprocess.DEVNULL)
    _children.append(child)
    return child
