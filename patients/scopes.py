"""What a machine may do with its laboratory's results, and how SMART on FHIR writes that down.

Inside three letters are enough: `c` create, `u` update, `r` read. Outside stand scopes such as
`system/Observation.cu`, or `system/Observation.write` as the first version of SMART had it.
"""

import re
from collections.abc import Iterable

CREATE, UPDATE, READ = "c", "u", "r"
EVERYTHING = CREATE + UPDATE + READ
# In any order, though SMART has one; what we never grant (deletion) and what goes with reading
_SMART = re.compile(r"system/(Observation|\*)\.(?:([cruds]{1,5})|(read|write|\*))", re.ASCII)
_SEARCH = "s"
_FIRST_VERSION = {"read": "rs", "write": "cud", "*": "cruds"}

SUPPORTED = (
    "system/Observation.c",
    "system/Observation.r",
    "system/Observation.rs",
    "system/Observation.u",
    "system/Observation.cru",
    "system/Observation.crus",
    "system/Observation.read",
    "system/Observation.write",
)


def in_order(letters: Iterable[str]) -> str:
    """Give these letters in the order in which they are stored."""
    return "".join(letter for letter in EVERYTHING if letter in letters)


def written(letters: str) -> str:
    """Write letters down as one scope, in SMART's order."""
    return "system/Observation." + "".join(each for each in "crus" if each in letters)


def grant(asked: str, *, allowed: str) -> tuple[str, str]:
    """Grant of what is asked for what is allowed: the letters, and the scopes in SMART's words.

    Nothing asked for is everything that is allowed. A scope that is not known, or not allowed, is
    left out, as SMART lets a server do; whoever gets nothing gets no token.
    """
    if not asked.split():
        return in_order(allowed), written(allowed)
    granted: set[str] = set()
    words: list[str] = []
    for scope in dict.fromkeys(asked.split()):
        match = _SMART.fullmatch(scope)
        if match is None:
            continue
        wished = match[2] or _FIRST_VERSION[match[3]]
        # A search gives whole results, so that it is read by; what is granted is said
        letters = {READ if each == _SEARCH else each for each in wished} & {*allowed}
        if not letters:
            continue
        granted |= letters
        # The first version has no word for less than all of a scope
        is_whole = match[3] in ("read", "write") and set(wished) - {"s", "d"} == letters
        if is_whole:
            words.append(f"system/Observation.{match[3]}")
        else:
            found_too = {_SEARCH} if READ in letters and _SEARCH in wished else set()
            words.append(written("".join(letters | found_too)))
    return in_order(granted), " ".join(dict.fromkeys(words))
