"""A key set is fetched from where the laboratory said, and from no place that it may not name."""

import socket
import time
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest

from monitoring.oauth2 import fetching
from monitoring.oauth2.fetching import NotFetched, check_address, fetch, is_public
from monitoring.oauth2.keysets import NotAKeySet, read_key_set
from tests.monitoring.clients import EC, RSA, key_server, public

# IANA's special-purpose registries (RFC 6890 and its successors), and cloud metadata addresses
NOT_PUBLIC = [
    "127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "0.0.0.0",  # noqa: S104
    "192.0.0.1", "192.0.2.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1",
    "2001:db8::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
]  # fmt: skip


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_of_a_house_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_an_address_of_the_internet_is(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://keys.example/jwks.json",
        "ftp://keys.example/jwks.json",
        "file:///etc/passwd",
        "https://",
        "https:///jwks.json",
        "https://user:secret@keys.example/",
        "https://keys.example/#part",
        "https://keys.example:99999/",
        "https://keys.example:port/",
        "https://keys.example/a b",
        "https://keys.example/\r\nX: y",
        "https://[::1/",
        "javascript:alert(1)",
        "https://169.254.169.254/x",
        "https://10.0.0.7/jwks.json",
        "https://[::1]/jwks.json",
        "https://[::ffff:10.0.0.7]/jwks.json",
        "https://localhost/jwks.json",
        "https://keys.localhost./jwks.json",
        "",
        "https://keys.example/" + "a" * 500,
    ],
)
def test_what_is_no_address_of_keys_is_refused_before_anybody_is_asked(url: str) -> None:
    with pytest.raises(NotFetched):
        check_address(url, allowed=[])


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "127.1", "[::ffff:7f00:1]"]
)
def test_a_host_of_this_house_is_not_asked(host: str) -> None:
    with key_server(public(EC)) as (origin, asked):
        port = origin.rpartition(":")[2]

        with pytest.raises(NotFetched):
            fetch(f"https://{host}:{port}/jwks.json")

    assert asked == []


def test_what_the_operator_allows_is_asked() -> None:
    with key_server(public(EC)) as (origin, asked):
        body = fetch(f"{origin}/keys?of=north", allowed=[origin])

    assert read_key_set(body) == public(EC)
    assert asked == ["/keys?of=north"]


def test_an_address_of_this_house_may_be_named_where_the_operator_allows_it() -> None:
    check_address("https://10.0.0.7/jwks.json", allowed=["https://10.0.0.7"])
    check_address("https://93.184.215.14/jwks.json", allowed=[])


def test_another_port_of_an_allowed_host_is_not_allowed() -> None:
    with key_server(public(EC)) as (origin, asked), pytest.raises(NotFetched):
        fetch(f"{origin}/jwks.json", allowed=["http://127.0.0.1:1"])

    assert asked == []


def test_no_redirect_is_followed() -> None:
    with (
        key_server(public(EC)) as (there, asked_there),
        key_server(b"", status=302, Location=f"{there}/jwks.json") as (here, _asked),
        pytest.raises(NotFetched, match="302"),
    ):
        fetch(f"{here}/jwks.json", allowed=[here, there])

    assert asked_there == []


def test_no_more_is_read_than_a_key_set_can_be() -> None:
    with key_server(b"x" * 200_000) as (origin, _asked), pytest.raises(NotFetched, match="bytes"):
        fetch(origin, allowed=[origin])


@pytest.fixture(params=["HTTP/1.1", "HTTP/1.0"])
def dripping(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server that sends one byte at a time, and never comes to an end."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            line, _ = server.accept()
            with line:
                line.sendall(f"{request.param} 200 OK\r\nContent-Length: 90000\r\n\r\n".encode())
                for _ in range(200):
                    try:
                        line.sendall(b"x")
                    except OSError:
                        return
                    time.sleep(0.05)

        thread = Thread(target=drip, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(15)


def test_an_answer_that_drips_in_is_cut_off(dripping: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "SECONDS_AT_MOST", 0.5)
    began = time.monotonic()

    with pytest.raises(NotFetched):
        fetch(dripping, allowed=[dripping])

    assert time.monotonic() - began < 3


def test_over_tls_the_certificate_must_hold() -> None:
    with key_server(public(EC)) as (origin, asked):
        over_tls = origin.replace("http:", "https:")

        with pytest.raises(NotFetched):  # no TLS is spoken there at all
            fetch(f"{over_tls}/jwks.json", allowed=[over_tls])

    assert asked == []


# What is taken for a key set


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"keys"',
        b'{"keys": {}}',
        b'{"keys": []}',
        b'{"keys": [1]}',
        b'{"keys": [{"kty": "oct", "k": "AA", "kid": "1"}]}',
        b'{"keys": [{"kty": "RSA", "kid": "1", "n": "AQAB", "e": "AQAB"}]}',
        b'{"keys": [{"kty": "EC", "kid": "1", "crv": "P-384", "x": "AA", "y": "AA"}]}',
        b'{"keys": [{"kty": "EC", "kid": "1", "crv": "P-256", "x": "AA", "y": "AA"}]}',
        b'{"keys": [{"kty": "RSA", "kid": "1", "n": "' + b"A" * 90_000 + b'", "e": "AQAB"}]}',
        b'{"keys": [{"kty": "RSA", "kid": 1, "key_ops": 7}]}',
        b"[" * 90_000,
    ],
)
def test_what_is_no_key_set_is_refused(body: bytes) -> None:
    with pytest.raises(NotAKeySet):
        read_key_set(body)


def test_a_private_key_is_refused_aloud() -> None:
    body = str({"keys": [EC.as_dict(private=True)]}).replace("'", '"').encode()

    with pytest.raises(NotAKeySet, match="private"):
        read_key_set(body)


def test_keys_of_other_kinds_are_left_out() -> None:
    """RFC 7517, section 5: implementations should ignore keys that they do not understand."""
    others: list[dict[str, Any]] = [
        {"kty": "AKP", "alg": "ML-DSA-44", "kid": "pq", "pub": "AA"},
        {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": "AA"},
        public(RSA)["keys"][0] | {"kid": "for encryption", "use": "enc"},
        {name: value for name, value in public(RSA)["keys"][0].items() if name != "kid"},
    ]
    body = str({"keys": others + public(EC)["keys"]}).replace("'", '"').encode()

    assert [key["kid"] for key in read_key_set(body)["keys"]] == ["ec-1"]


def test_two_keys_of_one_name_are_refused() -> None:
    twice = public(EC, EC)

    with pytest.raises(NotAKeySet, match="same"):
        read_key_set(str(twice).replace("'", '"').encode())


def test_a_name_server_that_does_not_answer_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer_late(*_asked: Any, **_options: Any) -> list[Any]:
        time.sleep(2)
        return []

    # The resolver of the operating system, which no test can slow down otherwise
    monkeypatch.setattr(socket, "getaddrinfo", answer_late)
    monkeypatch.setattr(fetching, "SECONDS_AT_MOST", 0.3)
    began = time.monotonic()

    with pytest.raises(NotFetched, match="took longer"):
        fetch("https://keys.example/jwks.json")

    assert time.monotonic() - began < 1.5
