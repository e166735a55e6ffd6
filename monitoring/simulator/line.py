"""The line to a receiver: requests go out, replies come in, whatever they say."""

import json
from base64 import b64encode
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlencode, urlsplit

from monitoring.simulator.dialects import Reply, Request

PATIENCE_S = 30


class NoReceiver(Exception):
    """Nobody answers at this address, or nobody lets us in."""


class Line:
    """A connection to one receiver, with what opens its door."""

    def __init__(self, url: str, *, door: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            message = f"{url} is no address; it begins with http:// or https://"
            raise NoReceiver(message)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=PATIENCE_S)
        # An address without a path is that of a whole site; its door is where ours is
        self.path = parts.path.rstrip("/") or door
        self._headers: dict[str, str] = {}

    def show_key(self, key: str) -> None:
        self._headers = {"Authorization": f"Bearer {key}"}

    def sign_in(self, client: str, secret: str) -> None:
        """Ask for a token, where SMART on FHIR has it; it is good for some minutes."""
        reply = self._send(
            "POST",
            "/oauth2/token",
            urlencode({"grant_type": "client_credentials"}).encode(),
            {
                "Content-Type": "application/x-www-form-urlencoded",
                "Authorization": f"Basic {b64encode(f'{client}:{secret}'.encode()).decode()}",
            },
        )
        if reply.status != 200:
            message = f"no token is given to {client}: {reply.status}"
            raise NoReceiver(message)
        self.show_key(json.loads(reply.body)["access_token"])

    def send(self, request: Request) -> Reply:
        headers = {**request.headers, **self._headers}
        return self._send(request.method, f"{self.path}{request.path}", request.body, headers)

    def _send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        try:
            self._connection.request(method, path, body or None, headers)
            answer = self._connection.getresponse()
            return Reply(answer.status, answer.read())
        except (OSError, HTTPException) as fault:
            self._connection.close()
            message = f"nobody answers at {self._connection.host}: {type(fault).__name__}"
            raise NoReceiver(message) from fault
