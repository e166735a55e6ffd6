"""One `up` per data folder: two would write the same database files."""

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

_LEAVES_WITHIN_S = 30


@dataclass(frozen=True)
class Holder:
    """Who holds a data folder: the supervisor's process, and the port of its site."""

    pid: int
    port: int


class FolderIsHeld(Exception):
    """Another `up` runs on this data folder."""


def take(var_dir: Path, *, port: int) -> IO[str]:
    """Take the folder, or refuse; whoever keeps the file open keeps the lock.

    If the last `up` was killed, its watchdog still holds the lock until it has ended what was
    left running. That takes seconds, so it is waited for.
    """
    var_dir.mkdir(parents=True, exist_ok=True)
    file = (var_dir / "up.lock").open("a+")
    patience_ends = time.monotonic() + _LEAVES_WITHIN_S
    while not _try_lock(file):
        holder = _holder(file)
        if (holder and _is_running(holder.pid)) or time.monotonic() > patience_ends:
            file.close()
            who = f" (process {holder.pid}, http://127.0.0.1:{holder.port}/)" if holder else ""
            raise FolderIsHeld(f"Soundings already runs on the data in {var_dir}{who}.")
        time.sleep(0.1)
    file.truncate(0)
    file.write(json.dumps(asdict(Holder(pid=os.getpid(), port=port))))
    file.flush()
    return file


def port_of_running(var_dir: Path) -> int | None:
    """Give the port of the copy that runs on these data at this moment, or None."""
    try:
        file = (var_dir / "up.lock").open()
    except FileNotFoundError:
        return None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(file)
            return holder.port if holder else None
    return None


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(file: IO[str]) -> Holder | None:
    file.seek(0)
    text = file.read()
    return Holder(**json.loads(text)) if text else None  # empty: it took the lock just now


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
