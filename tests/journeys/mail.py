"""A real mail server that keeps what it is sent, and can be away or hang."""

import socket
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from monitoring.embedded import ports


class MailServer:
    """Listens on one port of this machine, which it keeps while it is away."""

    def __init__(self) -> None:
        self.port = ports.choose(None)
        self.mails: list[EmailMessage] = []
        self._controller: Controller | None = None
        self._mute: socket.socket | None = None

    def start(self) -> None:
        self._controller = Controller(_Keeper(self.mails), hostname=ports.HOST, port=self.port)
        self._controller.start()

    def stop(self) -> None:
        """Be away: connections are refused until the next start."""
        if self._controller is not None:
            self._controller.stop()
        if self._mute is not None:
            self._mute.close()
        self._controller = self._mute = None

    def hang(self) -> None:
        """Take connections and never say a word, until it is stopped."""
        self.stop()
        self._mute = socket.create_server((ports.HOST, self.port), backlog=100)


class _Keeper:
    def __init__(self, mails: list[EmailMessage]) -> None:
        self._mails = mails

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        """Keep the message; the name of this method is the library's."""
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self._mails.append(mail)
        return "250 kept"
