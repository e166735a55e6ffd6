"""Lines by MLLP, and the cases they are tried on.

A case says what is sent, piece by piece: bytes of the frame (<SB>, <EB>, <CR>), a message (an
object, changed as in tests/patients/hl7v2_messages.py), or so many bytes of noise. Then what is
heard (the acknowledgements in their order), what is stored, and whether the line is closed on the
caller.
"""

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from monitoring.hl7v2.mllp import Line, Listener
from tests.patients.hl7v2_messages import message

CASES: list[dict[str, Any]] = [
    case
    for file in sorted((Path(__file__).parent / "mllp_cases").glob("*.json"))
    for case in json.loads(file.read_text(encoding="utf-8"))
]
_SIGNS = {"<SB>": "\x0b", "<EB>": "\x1c", "<CR>": "\r", "<LF>": "\n", "<NUL>": "\0"}


@contextmanager
def listening(line: Line, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    with Listener(("127.0.0.1", 0), line, tls=tls) as listener:
        Thread(target=listener.serve_forever, daemon=True).start()
        yield int(listener.server_address[1])
        listener.shutdown()


def call(port: int) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port), timeout=10)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def framed(body: bytes) -> bytes:
    return b"\x0b" + body + b"\x1c\r"


def hear(line: socket.socket) -> bytes:
    """Read one acknowledgement, or what came before the line was closed."""
    heard = b""
    while not heard.endswith(b"\x1c\r"):
        part = line.recv(4096)
        if not part:
            break
        heard += part
    return heard


class Bodies:
    """Makes the bytes of a case; each of its messages is another draw, unless it says otherwise."""

    def __init__(self, number: int) -> None:
        self.number, self.made = number, 0

    def pieces(self, case: dict[str, Any]) -> Iterator[bytes]:
        for send in case["sends"]:
            body = b"".join(self._part(part) for part in send)
            size = case.get("pieces", len(body))
            yield from (body[start : start + size] for start in range(0, len(body), size))

    def _part(self, part: str | dict[str, Any]) -> bytes:
        if isinstance(part, str):
            return _signs(part).encode()
        if "bytes" in part:
            return b"." * int(part["bytes"])
        if "hex" in part:
            return bytes.fromhex(part["hex"])
        return self._message(part)

    def _message(self, case: dict[str, Any]) -> bytes:
        self.made += 1
        which = case.get("same", self.made)
        own = {
            "MSH-10": f"M-{self.number}-{self.made}",
            "OBX-3": "sIL-6R^sIL-6R^L",
            "OBR-3": self.accession(which),
            "ORC-3": self.accession(which),
            "OBX-14": f"2026{self.number // 28 + 1:02}{self.number % 28 + 1:02}08{which:02}00+0100",
        }
        notes = [f"NTE|{n}||{'x' * 10_000}" for n in range(case.get("notes", 0))]
        more = [_signs(line) for line in case.get("add", [])] + notes
        body = message(**case | {"change": own | case.get("change", {}), "add": more})
        return body.removesuffix(b"\r") if case.get("bare_end") else body

    def accession(self, which: int) -> str:
        return f"Q-{self.number}-{which}"


def _signs(text: str) -> str:
    for name, sign in _SIGNS.items():
        text = text.replace(name, sign)
    return text


def converse(
    port: int, pieces: Iterator[bytes], *, answers: int, hangs_up: bool, closes: bool
) -> list[str]:
    """Send pieces and hear so many acknowledgements; “closed” where the line ended instead."""
    heard: list[str] = []
    with call(port) as line:
        try:
            for piece in pieces:
                line.sendall(piece)
            if hangs_up:
                line.shutdown(socket.SHUT_WR)
        except OSError:
            heard.append("closed")
        said = b""
        while said.count(b"\x1c\r") < answers and (part := _receive(line)):
            said += part
        heard = [_in_short(block) for block in said.split(b"\x1c\r")[:-1]]
        line.settimeout(5 if closes else 0.05)
        if _is_closed(line):
            heard.append("closed")
    return heard


def _receive(line: socket.socket) -> bytes:
    try:
        return line.recv(65536)
    except ConnectionError:
        return b""


def _is_closed(line: socket.socket) -> bool:
    try:
        return line.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def _in_short(block: bytes) -> str:
    _head, _mark, rest = block.partition(b"\rMSA|")
    code, named = rest.split(b"\r")[0].split(b"|")[:2]
    return f"{code.decode()} {named.decode()}"
