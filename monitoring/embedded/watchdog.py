"""The last one out: if the supervisor is killed, ends every process group that it left behind.

Run as a script of its own, in a session of its own, without Django. The supervisor writes
`+PID SIGNAL` and `-PID` lines; when the pipe closes, whoever is still on the list is asked to
stop and then made to. It also holds the lock of the data folder until that is done.
"""

import os
import signal
import sys
import time
from pathlib import Path

STOP_WITHIN_S = 10.0


def left_behind() -> dict[int, int]:
    """Follow the supervisor until it is gone; give the process groups it has not crossed out."""
    groups: dict[int, int] = {}
    for line in sys.stdin:
        if line.startswith("+"):
            pid, stop_signal = line[1:].split()
            groups[int(pid)] = int(stop_signal)
        elif line.startswith("-"):
            groups.pop(int(line[1:]), None)
    return groups


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return not Path("/proc/self").exists()  # ended just now, or a system without /proc


def end(groups: dict[int, int]) -> None:
    for pid, stop_signal in groups.items():
        if is_running(pid):
            os.kill(pid, stop_signal)
    patience_ends = time.monotonic() + STOP_WITHIN_S
    while time.monotonic() < patience_ends and any(map(is_running, groups)):
        time.sleep(0.05)
    for pid in groups:
        try:
            os.killpg(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue  # nobody is left (macOS says the second of a group that has just ended)


if __name__ == "__main__":
    end(left_behind())
