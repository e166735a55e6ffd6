"""Where this copy's embedded servers listen: written by `manage.py up`, read by the settings."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Addresses:
    """The two addresses that every process of this copy needs."""

    database_url: str
    redis_url: str


# Shown by the first query of a command that is run before `make run`: a refused connection on
# port 1 is quick and certain, where an empty address would be guessed from the user's name.
NOT_STARTED = Addresses(
    database_url="postgres://soundings:not-started@127.0.0.1:1/soundings",
    redis_url="redis://127.0.0.1:1/0",
)


def read_addresses(var_dir: Path) -> Addresses:
    """Read what the embedded servers last wrote, or say that there is none."""
    try:
        return Addresses(**json.loads((var_dir / "addresses.json").read_text()))
    except FileNotFoundError:
        return NOT_STARTED


def write_addresses(var_dir: Path, addresses: Addresses) -> None:
    """Put the addresses where the settings look, whole or not at all, for the owner's eyes only."""
    path = var_dir / "addresses.json"
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(asdict(addresses)))
    draft.replace(path)
