"""Under whose name the embedded PostgreSQL runs: it refuses to be root."""

import ctypes
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2


class FolderIsClosed(Exception):
    """The account that must run PostgreSQL cannot get to its files."""


class CannotChangeAccount(Exception):
    """The system did not let the new process change its account."""


@dataclass(frozen=True)
class Account:
    """A user other than root, and the one capability of root that it keeps, if any.

    A folder that only root may enter (`/root`, what `mktemp -d` makes) would hide the programs
    and the data from that user. Rather than open the folder to everybody, the process keeps
    the capability to pass through folders.
    """

    uid: int
    gid: int
    capability: int | None = None

    def become(self) -> None:
        """Turn the calling process (just forked, not yet the program) into this account."""
        libc = ctypes.CDLL(None, use_errno=True)
        if self.capability is not None:
            _check(libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0))
        os.setgroups([])
        os.setgid(self.gid)
        os.setuid(self.uid)
        if self.capability is not None:
            only = 1 << self.capability
            header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
            # Two triples (effective, permitted, inheritable): capabilities 0 to 31, then 32 to 63
            sets = (ctypes.c_uint32 * 6)(only, only, only, 0, 0, 0)
            _check(libc.capset(header, sets))
            raised = (_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, self.capability, 0, 0)
            _check(libc.prctl(*raised))


def account_for(*, data_dir: Path, programs: Path) -> Account | None:
    """Say who runs PostgreSQL: None is whoever runs us, which is right for all but root."""
    if os.geteuid() != 0:
        return None
    owner = data_dir.stat() if data_dir.exists() else None
    if owner is not None and owner.st_uid != 0:
        uid, gid = owner.st_uid, owner.st_gid  # a copy first started by that user stays theirs
    else:
        nobody = pwd.getpwnam("nobody")
        uid, gid = nobody.pw_uid, nobody.pw_gid
    closed = [
        folder
        for path in (data_dir, programs)
        for folder in path.parents
        if folder.exists() and not _may_enter(folder, uid=uid, gid=gid)
    ]
    if not closed:
        return Account(uid, gid)
    for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):
        if _own_capabilities() >> capability & 1:
            return Account(uid, gid, capability)
    raise FolderIsClosed(
        f"PostgreSQL does not run as root and the user it runs as may not enter {closed[0]}. "
        "Start as a normal user, or put the data (VAR) and the program in an open folder."
    )


def _may_enter(folder: Path, *, uid: int, gid: int) -> bool:
    found = folder.stat()
    if found.st_uid == uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def _own_capabilities() -> int:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except FileNotFoundError:
        return 0  # not Linux: there is nothing of the kind to keep
    return next((int(line.split()[1], 16) for line in lines if line.startswith("CapPrm:")), 0)


def _check(answer: int) -> None:
    if answer != 0:
        raise CannotChangeAccount(os.strerror(ctypes.get_errno()))
