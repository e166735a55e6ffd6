"""From bytes to JSON, strictly: every digit kept, nothing doubled, nothing that is no text."""

import json
import re
from decimal import Decimal
from typing import Any, NoReturn


class Unreadable(Exception):
    """The bytes are not JSON; no fault inside them can be named."""


class TooManyParts(Unreadable):
    """They are JSON perhaps, and more of it than is read."""


# What JSON lets through and no text holds: U+0000, and one half of a pair of surrogates. Either can
# only come by an escape, as the bytes themselves are read as UTF-8
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_LONE_HALF = re.compile(r"[\ud800-\udfff]")
_DIGITS_AT_MOST = 1000  # of one number; nothing that is measured has so many
_NAMES_AT_MOST = 1_000  # in one object; nothing that is read here has a tenth of them
PARTS_AT_MOST = 60_000  # lists and objects in one message: a hundred for each of its draws


def _refuse_constant(name: str) -> NoReturn:
    message = f"{name} is not a number in JSON"
    raise Unreadable(message)


def _refuse_doubled_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > _NAMES_AT_MOST:
        message = f"an object has more than {_NAMES_AT_MOST} names"
        raise Unreadable(message)
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                message = f"the name {name[:100]!r} stands twice in one object"
                raise Unreadable(message)
            seen.add(name)
    return members


def _whole_number(digits: str) -> int:
    if len(digits) > _DIGITS_AT_MOST:
        message = "a number has more digits than can be meant"
        raise Unreadable(message)
    return int(digits)


def _exact_number(digits: str) -> Decimal:
    if len(digits) > _DIGITS_AT_MOST:
        message = "a number has more digits than can be meant"
        raise Unreadable(message)
    return Decimal(digits)


def refuse_what_is_no_text(body: bytes, data: Any) -> None:
    """Look through every text, but only when an escape in the bytes gives cause to.

    Raises
    ------
    Unreadable
        When a name or a text holds U+0000 or half a character.
    """
    if _SUSPECT.search(body) is None:
        return
    waiting = [data]
    while waiting:
        match waiting.pop():
            case dict() as members:
                waiting.extend(members)
                waiting.extend(members.values())
            case list() as items:
                waiting.extend(items)
            case str() as text if "\x00" in text:
                message = "the message holds the character U+0000, which is no text"
                raise Unreadable(message)
            case str() as text if _LONE_HALF.search(text):
                message = "the message holds a half of a character (a lone surrogate)"
                raise Unreadable(message)


def load(body: bytes) -> Any:
    """Read JSON; a number with a point comes as the Decimal of its very digits.

    Raises
    ------
    Unreadable
        When the bytes are not UTF-8, not JSON, nested beyond measure, of more parts than can be
        meant, or hold what JSON forbids: a name twice in one object, NaN.
    """
    # Counted before they are read: a million empty lists would cost seconds to build
    if body.count(b"[") + body.count(b"{") > PARTS_AT_MOST:
        message = "the message has more lists and objects than any results need"
        raise TooManyParts(message)
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            parse_int=_whole_number,
            parse_float=_exact_number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_refuse_doubled_names,
        )
    except UnicodeDecodeError as fault:
        message = "the text is not UTF-8"
        raise Unreadable(message) from fault
    except RecursionError as fault:
        message = "the message is nested too deeply"
        raise Unreadable(message) from fault
    except ValueError as fault:
        raise Unreadable(str(fault)) from fault


def load_again(body: bytes) -> Any:
    """Read what `load` has read before and found faultless; several times as fast."""
    return json.loads(body.decode("utf-8-sig"), parse_float=Decimal)
