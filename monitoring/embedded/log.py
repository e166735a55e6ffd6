"""What the children say, passed on line by line with the name of who said it."""

import os
import selectors
import time
from typing import IO

_LONGEST_LINE = 1 << 16


class NobodyListens(Exception):
    """Our own output was closed."""


class Log:
    """One output for many children."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._pipes = selectors.DefaultSelector()

    def say(self, name: str, line: str) -> None:
        self._write([name.encode() + b" | " + line.encode()])

    def announce(self, line: str) -> None:
        """Say a line in nobody's name: the one that people look for."""
        self._write([line.encode()])

    def follow(self, name: str, pipe: IO[bytes]) -> None:
        os.set_blocking(pipe.fileno(), False)
        self._pipes.register(pipe, selectors.EVENT_READ, _Speaker(name, pipe))

    def pass_on(self, *, within_s: float) -> None:
        """Wait for something to be said, at most that long, and write whole lines of it."""
        if not self._pipes.get_map():
            time.sleep(within_s)
            return
        for key, _ in self._pipes.select(within_s):
            speaker: _Speaker = key.data
            heard = os.read(key.fd, _LONGEST_LINE)
            if not heard:
                self._pipes.unregister(speaker.pipe)
                speaker.pipe.close()
            self._write(speaker.lines_of(heard))

    def _write(self, lines: list[bytes]) -> None:
        try:
            self._out.writelines(line + b"\n" for line in lines)
            self._out.flush()
        except BrokenPipeError as fault:
            raise NobodyListens from fault


class _Speaker:
    """One child's pipe and the line it has not finished."""

    def __init__(self, name: str, pipe: IO[bytes]) -> None:
        self.pipe = pipe
        self._prefix = name.encode() + b" | "
        self._unfinished = b""

    def lines_of(self, heard: bytes) -> list[bytes]:
        *lines, self._unfinished = (self._unfinished + heard).split(b"\n")
        if self._unfinished and (not heard or len(self._unfinished) > _LONGEST_LINE):
            lines.append(self._unfinished)
            self._unfinished = b""
        return [self._prefix + line for line in lines]
