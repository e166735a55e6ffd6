"""A laboratory's key set is fetched from the address it gave, and from nowhere else.

The address comes from outside, and the request leaves from inside the clinic's network. So it is
https with a certificate that holds, the host is looked up once and its address must be a public
one, what was looked up is what is connected to, and no redirect is followed. Origins that the
operator allows (a key set within the clinic's own network) may be private, and plain http. All of
it, the look-up of the name too, has five seconds.
"""

import socket
import ssl
import threading
import time
from collections.abc import Collection
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

BYTES_AT_MOST = 100_000
SECONDS_AT_MOST = 5.0
# A name server that does not answer may hold each question for half a minute
_QUESTIONS = threading.BoundedSemaphore(8)
_PORTS = {"https": 443, "http": 80}
_NOT_PUBLIC = gettext_lazy("the host is not a public one; the operator may allow it")
# Addresses of IPv6 that carry one of IPv4, to which a gateway goes; and those of a house
_TRANSLATED = IPv6Network("64:ff9b::/96")
_TRANSLATED_AT_HOME = IPv6Network("64:ff9b:1::/48")


class NotFetched(Exception):
    """The key set could not be had, or must not be asked for."""


def origin_of(url: str) -> str:
    """Give scheme, host and port of an address, or say why it is none."""
    parts = _split(url)
    return f"{parts.scheme}://{_host_of(parts)}:{parts.port or _PORTS[parts.scheme]}"


def check_address(url: str, *, allowed: Collection[str]) -> None:
    """Refuse an address that must not be asked, as far as can be told without asking anybody."""
    if origin_of(url) in {origin_of(each) for each in allowed}:
        return
    if not url.startswith("https:"):
        raise NotFetched(_("the address of a key set begins with https://"))
    if _is_private_by_itself(_split(url).hostname or ""):
        raise NotFetched(_NOT_PUBLIC)


def _is_private_by_itself(host: str) -> bool:
    """Tell an address in numbers, or this machine, that is no public one; of a name ask later."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return not is_public(name)
    except ValueError:
        return False


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        has_port = parts.port != 0  # asking for it refuses what is no port
    except ValueError as fault:
        raise NotFetched(str(fault)) from fault
    is_plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= 500
    if parts.scheme not in _PORTS or not parts.hostname or not (is_plain and has_port):
        raise NotFetched(_("it is not an address that begins with https://"))
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise NotFetched(_("an address of a key set has no name, password or fragment in it"))
    return parts


def _host_of(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host


def fetch(url: str, *, allowed: Collection[str] = ()) -> bytes:
    """Fetch what is at this address, within bounds of size and time."""
    check_address(url, allowed=allowed)
    parts = _split(url)
    is_allowed = origin_of(url) in {origin_of(each) for each in allowed}
    port = parts.port or _PORTS[parts.scheme]
    began = time.monotonic()
    address = _look_up(parts.hostname or "", port, any_address=is_allowed)
    left_s = max(0.1, SECONDS_AT_MOST - (time.monotonic() - began))
    line = _connection(parts, address, port, within_s=left_s)
    deadline = _Deadline(line, within_s=left_s)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        line.request("GET", target, headers={"Accept": "application/json"})
        answer = line.getresponse()
        if answer.status != 200:
            raise NotFetched(_("it was answered %d, not 200") % answer.status)
        body = answer.read(BYTES_AT_MOST + 1)
    except (OSError, HTTPException, ValueError) as fault:
        raise NotFetched(_("it could not be fetched: %s") % type(fault).__name__) from fault
    finally:
        deadline.is_met()
        line.close()
    if deadline.has_passed:
        raise NotFetched(_("it took longer than %d seconds") % SECONDS_AT_MOST)
    if len(body) > BYTES_AT_MOST:
        raise NotFetched(_("it has more than %d bytes") % BYTES_AT_MOST)
    return body


def _look_up(host: str, port: int, *, any_address: bool) -> str:
    """Give an address of the host; if one of them is not public, none is."""
    found = _ask_for_addresses(host, port)
    addresses = [str(each[4][0]) for each in found]
    if not any_address and not all(is_public(address) for address in addresses):
        raise NotFetched(_NOT_PUBLIC)
    return addresses[0]


def _ask_for_addresses(host: str, port: int) -> list[tuple[Any, ...]]:
    """Ask for the addresses of a host, in a thread: the question itself knows no time limit."""
    told: SimpleQueue[list[tuple[Any, ...]] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            told.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except (OSError, UnicodeError) as fault:
            told.put(fault)
        finally:
            _QUESTIONS.release()

    if not _QUESTIONS.acquire(blocking=False):
        raise NotFetched(_("too many names are being looked up; try again"))
    threading.Thread(target=ask, daemon=True, name="look-up").start()
    try:
        found = told.get(timeout=SECONDS_AT_MOST)
    except Empty:
        raise NotFetched(_("it took longer than %d seconds") % SECONDS_AT_MOST) from None
    if isinstance(found, Exception):
        raise NotFetched(_("the host is not known")) from found
    return found


def is_public(address: str) -> bool:
    """Tell an address of the Internet from one of a house, a machine or a provider's own."""
    found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        within = found.ipv4_mapped or found.sixtofour
        if found in _TRANSLATED:
            within = IPv4Address(int(found) & 0xFFFF_FFFF)
        if within is not None:
            return is_public(str(within))
        if found.teredo is not None or found.is_site_local or found in _TRANSLATED_AT_HOME:
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved


class _Pinned(HTTPConnection):
    """A connection to the address that was looked up, and looked at, before."""

    def __init__(self, host: str, port: int, *, address: str, within_s: float) -> None:
        super().__init__(host, port, timeout=within_s)
        self.address = address
        self.wire: socket.socket | None = None

    def connect(self) -> None:
        self.sock = self.wire = socket.create_connection((self.address, self.port), self.timeout)


class _PinnedOverTls(HTTPSConnection):
    """The same over TLS; the certificate is held to the host's name, not to the address."""

    def __init__(self, host: str, port: int, *, address: str, within_s: float) -> None:
        self.tls = ssl.create_default_context()
        super().__init__(host, port, timeout=within_s, context=self.tls)
        self.address = address
        self.wire: socket.socket | None = None

    def connect(self) -> None:
        plain = self.wire = socket.create_connection((self.address, self.port), self.timeout)
        try:
            self.sock = self.wire = self.tls.wrap_socket(plain, server_hostname=self.host)
        except OSError:
            plain.close()
            raise


def _connection(
    parts: SplitResult, address: str, port: int, *, within_s: float
) -> _Pinned | _PinnedOverTls:
    kind = _PinnedOverTls if parts.scheme == "https" else _Pinned
    return kind(parts.hostname or "", port, address=address, within_s=within_s)


class _Deadline:
    """Ends a connection from another thread when it takes too long.

    A time limit of each read would not end an answer that drips in byte by byte.
    """

    def __init__(self, line: _Pinned | _PinnedOverTls, *, within_s: float) -> None:
        self.has_passed = False
        self._line = line
        self._timer = threading.Timer(within_s, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def is_met(self) -> None:
        self._timer.cancel()

    def _cut(self) -> None:
        self.has_passed = True
        # Not line.sock, which an answer that closes the line takes away
        if self._line.wire is not None:
            try:
                self._line.wire.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it has ended by itself
