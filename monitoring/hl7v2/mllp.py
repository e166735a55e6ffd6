"""HL7 v2 over MLLP: a line on which messages come between a start and an end byte.

Each line is one thread. A message is acknowledged after it is stored, one at a time and in order.
When the database is away nothing is acknowledged and the line is closed, so the sender keeps the
message and sends it again. Scopes, the number of messages a minute and the line in the list of
requests are those of the door over HTTP; only that a laboratory which sends too much is made to
wait, since MLLP has no word for it.
"""

import logging
import ssl
import time
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import BoundedSemaphore
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils import timezone

from monitoring import door_log
from monitoring.api.authentication import LaboratoryAtTheDoor
from monitoring.api.limits import count_one, laboratory, wait
from monitoring.door_log import NOTHING, Sent
from monitoring.hl7v2.answering import NEEDS, answer, code_of, refuse_for_scope
from monitoring.models import DoorRequest
from monitoring.refusals import why_of_acknowledgement
from patients.intake.receipts import Sender
from patients.models import Laboratory
from patients.scopes import EVERYTHING

START, END, CARRIAGE_RETURN = b"\x0b", b"\x1c", b"\r"
BEGINNING = START + b"MSH"
LINES_AT_MOST = 20  # each holds a connection to the database
CHUNK = 64 * 1024
SILENCE_AT_MOST_S = 600.0
HANDSHAKE_AT_MOST_S = 10.0
NOISE_AT_MOST = 1024  # bytes before a message, which MLLP has a receiver pass over
NOISE_AT_MOST_S = 2.0  # and for how long; what never begins a message is none
END_ALONE_S = 0.2  # some senders leave out the carriage return behind the end byte
_NOTHING = b"\r\n\t \0"  # between messages; some keep a line open with it
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Line:
    """Who may come by this port, and for which laboratory."""

    laboratory_id: int
    charset: str = ""
    allowed: tuple[IPv4Network | IPv6Network, ...] = ()
    scopes: str = EVERYTHING

    def find_caller(self) -> LaboratoryAtTheDoor | None:
        """Ask anew at every message: a closed laboratory may not go on by an open line."""
        found = Laboratory.objects.filter(pk=self.laboratory_id, is_active=True).first()
        if found is None:
            return None
        sender = Sender(found.pk, key_id=None, zone=ZoneInfo(found.time_zone), scopes=self.scopes)
        return LaboratoryAtTheDoor(sender, found.pushes_per_minute)


class Listener(ThreadingTCPServer):
    """Waits for laboratories to call."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], line: Line, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self.line, self.tls = line, tls
        self.places = BoundedSemaphore(LINES_AT_MOST)
        super().__init__(address, Call)

    def verify_request(self, request: object, client_address: tuple[str, int]) -> bool:  # noqa: ARG002
        """Let only those addresses in that the operator has named, if any are named."""
        caller = ip_address(client_address[0])
        if self.line.allowed and not any(caller in network for network in self.line.allowed):
            logger.warning("A call from an address that is not allowed was closed")
            return False
        return True


class NoMessage(Exception):
    """What came by the line is no MLLP, too long, or broke off in the middle."""

    def __init__(self, *, status: int = 400) -> None:
        super().__init__(status)
        self.status = status


class Call(BaseRequestHandler):
    """One line, from the call to its end."""

    server: Listener

    def setup(self) -> None:
        self.received = bytearray()

    def handle(self) -> None:
        """Answer message after message until the caller hangs up."""
        if not self.server.places.acquire(blocking=False):
            logger.warning("All %d lines are taken; a call was closed", LINES_AT_MOST)
            return
        try:
            if self.server.tls is not None:
                self.request.settimeout(HANDSHAKE_AT_MOST_S)
                self.request = self.server.tls.wrap_socket(self.request, server_side=True)
            self.request.settimeout(SILENCE_AT_MOST_S)
            self._converse()
        except NoMessage as fault:
            self._note(status=fault.status, at=timezone.now(), began=time.perf_counter())
        except OSError as fault:
            logger.info("A line was closed: %s", type(fault).__name__)
        finally:
            self.request.close()
            self.server.places.release()
            connection.close()

    def _converse(self) -> None:
        while (message := self._read_message()) is not None:
            close_old_connections()
            at, began = timezone.now(), time.perf_counter()
            acknowledged, status = b"", 503
            try:
                caller = self.server.line.find_caller()
                acknowledged = b"" if caller is None else self._answer(message, caller, at=at)
                status = 403 if caller is None else 200
            except (DatabaseError, InterfaceError) as fault:
                logger.warning("Nothing is acknowledged: %s", type(fault).__name__)
            self._note(acknowledged, Sent.of(message), status=status, at=at, began=began)
            if not acknowledged:
                return
            self.request.sendall(START + acknowledged + END + CARRIAGE_RETURN)

    def _answer(self, message: bytes, caller: LaboratoryAtTheDoor, *, at: datetime) -> bytes:
        sender = caller.sender
        if not set(NEEDS) <= set(sender.scopes):
            return refuse_for_scope(message, at=at)
        while not count_one(laboratory(sender.laboratory_id), at_most=caller.pushes_per_minute):
            time.sleep(wait())
        return answer(message, charset=self.server.line.charset, sender=sender, at=at)

    def _note(
        self,
        acknowledged: bytes = b"",
        sent: Sent = NOTHING,
        *,
        status: int,
        at: datetime,
        began: float,
    ) -> None:
        """Leave the line that every message of a machine leaves."""
        door_log.writer.note(
            DoorRequest(
                at=at,
                laboratory_id=self.server.line.laboratory_id,
                method="MLLP",
                door="/mllp",
                status=status,
                outcome=code_of(acknowledged),
                why=why_of_acknowledgement(acknowledged),
                size=sent.size,
                sha256=sent.sha256,
                took_ms=round((time.perf_counter() - began) * 1000, 2),
            )
        )

    def _read_message(self) -> bytes | None:
        """Read what stands between the bytes of MLLP; None when the caller has hung up.

        Noise before a message is passed over, for a moment: whoever sends a message without its
        start byte, or speaks HTTP, would wait for an answer for ever. A message that begins anew
        had broken off, and was not acknowledged; the byte alone may be a line break of some text.
        """
        searched = 0
        noise_until: float | None = None
        while (end := self._end_of_block(searched)) < 0 or self._more_came(end):
            if end >= 0:
                searched = end
                continue
            searched = len(self.received)
            if searched > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
                raise NoMessage(status=413)
            if searched > NOISE_AT_MOST and START not in self.received[: NOISE_AT_MOST + 1]:
                raise NoMessage
            if START in self.received or not self.received.strip(_NOTHING):
                noise_until = None
            elif noise_until is None:
                noise_until = time.monotonic() + NOISE_AT_MOST_S
            part = self._receive(until=noise_until)
            if not part:
                if self.received.strip(_NOTHING):
                    raise NoMessage
                return None
            self.received += part
        block = bytes(self.received[:end])
        del self.received[: end + 1]
        noise, start, message = block.partition(START)
        if not start or len(noise) > NOISE_AT_MOST:
            raise NoMessage
        return message[message.rfind(BEGINNING) + 1 :]

    def _end_of_block(self, searched: int) -> int:
        """Find the end byte, with the carriage return behind it or nothing yet.

        One with anything else behind it stands in some text: half a message is not acknowledged.
        """
        end = self.received.find(END, searched)
        while end >= 0 and self.received[end + 1 : end + 2].strip(_NOTHING + START + END):
            end = self.received.find(END, end + 1)
        return end

    def _more_came(self, end: int) -> bool:
        """Wait a moment where nothing stands behind an end byte yet: it may stand in some text."""
        if end + 1 < len(self.received):
            return False
        self.request.settimeout(END_ALONE_S)
        try:
            part: bytes = self.request.recv(CHUNK)
        except TimeoutError:
            return False
        finally:
            self.request.settimeout(SILENCE_AT_MOST_S)
        self.received += part
        return bool(part)

    def _receive(self, *, until: float | None) -> bytes:
        """Wait for more, until then at most if a time is given."""
        if until is None:
            part: bytes = self.request.recv(CHUNK)
            return part
        self.request.settimeout(max(0.001, until - time.monotonic()))
        try:
            part = self.request.recv(CHUNK)
        except TimeoutError as fault:
            raise NoMessage from fault
        finally:
            self.request.settimeout(SILENCE_AT_MOST_S)
        return part
