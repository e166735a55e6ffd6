"""JSON whose numbers keep their digits: 37.50 is written as 37.50."""

import json
import re
from decimal import Decimal
from typing import Any

# U+0000 stands in no text that was taken in, so nothing but a number is ever marked by it
_MARK = "\x00"
_MARKED = re.compile(r'"\\u0000([-+.0-9eE]+)\\u0000"')


def _mark(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{_MARK}{value:f}{_MARK}"
    message = f"{type(value).__name__} has no form in JSON"
    raise TypeError(message)


def write(tree: Any) -> bytes:
    """Write JSON; the standard library would put a Decimal through a float."""
    text = json.dumps(tree, default=_mark, ensure_ascii=False, separators=(",", ":"))
    return _MARKED.sub(r"\1", text).encode()
