"""Clients of a laboratory for tests: their keys, their assertions, what they ask for."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.test import Client
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

AUDIENCE = "http://testserver/oauth2/token"
BY_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# Made once: an RSA key takes a while
RSA = RSAKey.generate_key(2048, {"kid": "rsa-1"})
EC = ECKey.generate_key("P-384", {"kid": "ec-1"})


def public(*keys: RSAKey | ECKey) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


def assertion(
    name: str,
    *,
    key: RSAKey | ECKey = EC,
    header: dict[str, Any] | None = None,
    audience: Any = AUDIENCE,
    ends_in_s: float = 240,
    **claims: Any,
) -> str:
    """Sign an assertion as SMART asks for; whatever is None is left out."""
    algorithm = "RS384" if key.key_type == "RSA" else "ES384"
    head = {"alg": algorithm, "typ": "JWT", "kid": key.kid} | (header or {})
    said = {
        "iss": name,
        "sub": name,
        "aud": audience,
        "exp": int(datetime.now(UTC).timestamp() + ends_in_s),
        "jti": uuid4().hex,
    } | claims
    return jwt.encode(
        {k: v for k, v in head.items() if v is not None},
        {k: v for k, v in said.items() if v is not None},
        key,
        algorithms=[head["alg"]],
    )


def ask(form: dict[str, Any] | str, **headers: str) -> Any:
    """Post a form to the token endpoint."""
    return Client().post(
        "/oauth2/token",
        form if isinstance(form, str) else urlencode(form),
        content_type="application/x-www-form-urlencoded",
        headers=headers,
    )


def signed(text: str, **more: str) -> dict[str, str]:
    """The form that shows an assertion."""
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": BY_ASSERTION,
        "client_assertion": text,
        **more,
    }


@contextmanager
def key_server(
    answer: Any, *, status: int = 200, **headers: str
) -> Iterator[tuple[str, list[str]]]:
    """Publish a key set (or something else) on this machine; give its address and who asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            said = answer() if callable(answer) else answer
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()
