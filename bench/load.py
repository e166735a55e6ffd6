"""A load generator of a few lines: keep-alive connections, prepared bytes, and a clock.

It shares the processors with the server that it measures, so it does as little as it can: each
connection is a thread with a raw socket, and an answer is read up to its Content-Length.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass
class Outcome:
    """What came back: how often each status, and how long each answer took."""

    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    latencies_s: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return sum(self.statuses.values()) / self.seconds

    def percentile_ms(self, share: float) -> float:
        return percentile_ms(self.latencies_s, share)


def percentile_ms(seconds: list[float], share: float) -> float:
    ordered = sorted(seconds)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Connection:
    """One keep-alive connection to a local server."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.left = b""

    def ask(self, request: bytes) -> tuple[int, bytes]:
        self.socket.sendall(request)
        data = self.left
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        head, body = data[:end].lower(), data[end + 4 :]
        start = head.index(b"content-length:") + len(b"content-length:")
        length = int(head[start:].split(b"\r\n", 1)[0])
        while len(body) < length:
            body += self._more()
        self.left = body[length:]
        return int(head[9:12]), body[:length]

    def _more(self) -> bytes:
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        return data


def post(path: str, key: str, body: bytes) -> bytes:
    """Prepare the bytes of one push."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def as_fast_as_possible(
    port: int, requests: Iterator[bytes], *, clients: int, seconds: float
) -> Outcome:
    """Send request after request on each of the connections until the time is over."""
    outcome, lock = Outcome(), threading.Lock()
    started = time.perf_counter()

    def run() -> None:
        connection = Connection(port)
        statuses: dict[int, int] = {}
        latencies = []
        while (before := time.perf_counter()) < started + seconds:
            with lock:
                request = next(requests)
            status, _ = connection.ask(request)
            latencies.append(time.perf_counter() - before)
            statuses[status] = statuses.get(status, 0) + 1
        with lock:
            outcome.latencies_s += latencies
            for status, count in statuses.items():
                outcome.statuses[status] = outcome.statuses.get(status, 0) + count

    in_threads(run, clients)
    outcome.seconds = time.perf_counter() - started
    return outcome


def in_threads(run: Callable[[], None], count: int) -> None:
    """Run the same thing several times at once, and wait for all of them."""
    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
