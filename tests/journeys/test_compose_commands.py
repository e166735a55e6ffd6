"""What docker-compose.yml runs in production, run here as processes on servers given by address."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from monitoring.embedded import ports
from monitoring.embedded.processes import Child, Program
from monitoring.embedded.servers import start_servers
from tests.journeys.site import ROOT, wait_for

pytestmark = pytest.mark.journey
SERVICES = ("web", "worker", "beat")


@dataclass
class Production:
    """The services of the compose file, with addresses of our own in place of its network."""

    folder: Path
    environment: dict[str, str]
    services: dict[str, Any]
    children: dict[str, Child] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['GRANIAN_PORT']}"

    def start(self, name: str) -> None:
        self.keep(
            Program(
                name=name,
                command=tuple(self.services[name]["command"]),
                folder=ROOT,
                environment=self.environment,
            )
        )

    def keep(self, program: Program) -> Child:
        with (self.folder / f"{program.name}.log").open("wb") as log:
            self.children[program.name] = Child(program, output=log)
        return self.children[program.name]

    def run(self, command: list[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )

    def health_of(self, name: str) -> int:
        """Run the health check of a service as the engine would; 0 is well."""
        kind, *command = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        return self.run(command).returncode

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("*.log")))


@pytest.fixture
def production(tmp_path: Path) -> Iterator[Production]:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DJANGO_SETTINGS_MODULE": "monitoring.settings",
        "SITE_URL": "https://soundings.example",
        "ALLOWED_HOSTS": "soundings.example,127.0.0.1",
        "BEHIND_TLS_PROXY": "true",
        "SECRET_KEY": "x" * 50,
        "EMAIL_URL": "smtp://127.0.0.1:1",
        "VAR": str(tmp_path),
        "GRANIAN_PORT": str(ports.choose(None)),
    }
    made = Production(folder=tmp_path, environment=environment, services=services)
    addresses = start_servers(tmp_path / "servers", start=made.keep, is_durable=False)
    made.environment |= {
        "DATABASE_URL": addresses.database_url,
        "REDIS_URL": addresses.redis_url,
    }
    yield made
    for child in reversed(made.children.values()):
        child.ask_to_stop()
        child.wait(within_s=30)
        child.kill_group()


def test_the_commands_of_production_make_a_site_that_is_well(production: Production) -> None:
    migrated = production.run(production.services["migrate"]["command"])
    assert migrated.returncode == 0, migrated.stderr
    assert [production.health_of(name) for name in SERVICES] == [1, 1, 1]

    for name in SERVICES:
        production.start(name)

    wait_for(lambda: _status(f"{production.url}/health/") == 200, within_s=90, what=production.logs)
    assert [production.health_of(name) for name in SERVICES] == [0, 0, 0]


def test_no_secret_stands_in_the_compose_file() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]

    given = {
        key: value
        for service in services.values()
        for key, value in service.get("environment", {}).items()
        if any(word in key for word in ("PASSWORD", "SECRET", "_URL"))
    }

    assert len(given) >= 6
    assert [key for key, value in given.items() if "${" not in value] == []


def _status(url: str) -> int | None:
    try:
        return httpx.get(url, timeout=5).status_code
    except httpx.TransportError:
        return None
