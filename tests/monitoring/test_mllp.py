"""HL7 v2 over MLLP: a real line to a real port, message after message."""

import socket
import ssl
import subprocess
import time
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from monitoring import door_log
from monitoring.hl7v2.mllp import NOISE_AT_MOST_S, Line
from monitoring.models import DoorRequest
from patients.models import Inbound, Laboratory, Parked, Patient, Result
from tests.monitoring.mllp_lines import CASES, Bodies, call, converse, framed, hear, listening
from tests.patients.hl7v2_messages import message

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
OURS = {"OBX-3": "sIL-6R^sIL-6R^L"}


def line_of(laboratory: Laboratory, **options: Any) -> Line:
    return Line(laboratory.pk, **options)


def test_messages_are_acknowledged_one_after_the_other(
    laboratory: Laboratory, patient: Patient
) -> None:
    with listening(line_of(laboratory)) as port, call(port) as line:
        line.sendall(framed(message(change=OURS)))
        first = hear(line)
        earlier = {"OBX-14": "20261101080500+0100", "OBR-3": "A-18", "MSH-10": "M-2"}
        line.sendall(framed(message(change=OURS | earlier)))
        second = hear(line)

    assert first.startswith(b"\x0bMSH|^~\\&|")
    assert b"MSA|AA|M-1|1 recorded\r" in first
    assert b"MSA|AA|M-2|1 recorded\r" in second
    assert Result.objects.count() == 2


def test_a_message_may_come_in_pieces_and_two_at_once(
    laboratory: Laboratory, patient: Patient
) -> None:
    both = framed(message(change=OURS)) + framed(message(change={"MSH-9": "ADT^A01"}))
    with listening(line_of(laboratory)) as port, call(port) as line:
        for start in range(0, len(both), 50):
            line.sendall(both[start : start + 50])
        heard = hear(line)
        heard += b"" if heard.count(b"MSA") == 2 else hear(line)

    assert b"MSA|AA|M-1" in heard
    assert b"MSA|AR|M-1" in heard


def test_each_case_is_answered_and_stored_as_it_says(
    laboratory: Laboratory,
    patient: Patient,
    monkeypatch: pytest.MonkeyPatch,
    subtests: pytest.Subtests,
) -> None:
    monkeypatch.setattr(door_log, "writer", door_log.Writer())
    with listening(line_of(laboratory)) as port:
        for number, case in enumerate(CASES):
            bodies, wanted = Bodies(number), list(case["heard"])
            heard = converse(
                port,
                bodies.pieces(case),
                answers=len(wanted),
                hangs_up=case.get("hangs_up", False),
                closes=case.get("closed") or case.get("hangs_up", False),
            )
            door_log.writer.write()
            with subtests.test(case["name"]):
                if not (case.get("closed") or case.get("hangs_up")):
                    assert "closed" not in heard
                if case.get("closed"):
                    assert heard.pop() == "closed"
                assert [h[: len(w)] for h, w in zip(heard, wanted, strict=True)] == wanted
                _check_stored(case, number)
                if "noted" in case:
                    line = DoorRequest.objects.latest("pk")
                    assert (line.method, line.status) == ("MLLP", case["noted"])


def _check_stored(case: dict[str, Any], number: int) -> None:
    stored = Result.objects.filter(superseded_at=None, draw__accession__startswith=f"Q-{number}-")
    parked = Parked.objects.filter(accession__startswith=f"Q-{number}-")
    assert (stored.count(), parked.count()) == (case["stored"], case.get("parked", 0))
    if "value" in case:
        found = stored.get()
        assert f"{found.comparator}{found.sent_value}" == case["value"]


def test_what_is_no_mllp_is_hung_up_on(laboratory: Laboratory) -> None:
    with listening(line_of(laboratory)) as port, call(port) as line:
        line.sendall(b"GET / HTTP/1.1\r\n\r\n\x1c\r")

        assert hear(line) == b""


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", message() + b"\r"])
def test_what_begins_no_message_does_not_wait_for_an_answer_for_ever(
    laboratory: Laboratory, said: bytes
) -> None:
    with listening(line_of(laboratory)) as port, call(port) as line:
        line.settimeout(NOISE_AT_MOST_S + 5)
        line.sendall(said)

        assert hear(line) == b""
    assert not Inbound.objects.exists()


def test_a_line_is_kept_open_by_what_says_nothing(laboratory: Laboratory, patient: Patient) -> None:
    with listening(line_of(laboratory)) as port, call(port) as line:
        line.sendall(b"\r\n \0")
        time.sleep(NOISE_AT_MOST_S + 0.5)
        line.sendall(framed(message(change=OURS)))

        assert b"MSA|AA|" in hear(line)


def test_a_message_that_breaks_off_is_not_taken(laboratory: Laboratory, patient: Patient) -> None:
    with listening(line_of(laboratory)) as port, call(port) as line:
        line.sendall(b"\x0b" + message(change=OURS))
        line.shutdown(socket.SHUT_WR)

        assert hear(line) == b""
    assert not Result.objects.exists()


def test_a_laboratory_that_was_closed_is_not_answered(
    laboratory: Laboratory, patient: Patient
) -> None:
    Laboratory.objects.filter(pk=laboratory.pk).update(is_active=False)
    with listening(line_of(laboratory)) as port, call(port) as line:
        line.sendall(framed(message(change=OURS)))

        assert hear(line) == b""
    assert not Result.objects.exists()


def test_a_caller_from_elsewhere_is_hung_up_on(laboratory: Laboratory) -> None:
    elsewhere = line_of(laboratory, allowed=(ip_network("10.1.2.0/24"),))
    with listening(elsewhere) as port, call(port) as line:
        assert hear(line) == b""


def test_every_message_leaves_a_line_with_its_outcome_and_how_long_it_took(
    laboratory: Laboratory, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_log, "writer", door_log.Writer())
    with listening(line_of(laboratory)) as port, call(port) as line:
        line.sendall(framed(message(change=OURS)))
        hear(line)
        line.sendall(framed(message(change={"MSH-9": "ADT^A01"})))
        hear(line)
        Laboratory.objects.update(is_active=False)
        line.sendall(framed(message(change=OURS)))
        hear(line)
    door_log.writer.write()

    noted = DoorRequest.objects.order_by("pk")
    assert [(each.method, each.door, each.status, each.outcome) for each in noted] == [
        ("MLLP", "/mllp", 200, "AA"),
        ("MLLP", "/mllp", 200, "AR"),
        ("MLLP", "/mllp", 403, ""),
    ]
    assert {each.laboratory_id for each in noted} == {laboratory.pk}
    assert all(0 < each.took_ms < 60_000 for each in noted)


def test_a_line_that_may_not_correct_takes_no_message(
    laboratory: Laboratory, patient: Patient
) -> None:
    with listening(line_of(laboratory, scopes="cr")) as port, call(port) as line:
        line.sendall(framed(message(change=OURS)))
        heard = hear(line)

    assert b"MSA|AR|M-1" in heard
    assert b"system/Observation.cu" in heard
    assert not Result.objects.exists()


def test_a_line_that_may_not_read_is_not_told_whether_the_patient_is_known(
    laboratory: Laboratory, patient: Patient
) -> None:
    with listening(line_of(laboratory, scopes="cu")) as port, call(port) as line:
        line.sendall(framed(message(change=OURS)))
        heard = hear(line)

    assert b"MSA|AA|M-1|1 received\r" in heard


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    made = tmp_path / "certificate.pem"
    public = tmp_path / "public.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    subprocess.run(
        f"{command} -addext subjectAltName=DNS:localhost -keyout {made} -out {public}".split(),
        check=True,
        capture_output=True,
    )
    made.write_text(made.read_text() + public.read_text())
    return made


def test_a_line_can_be_encrypted_and_ask_for_a_certificate(
    laboratory: Laboratory, patient: Patient, certificate: Path
) -> None:
    ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.load_cert_chain(certificate)
    ours.load_verify_locations(certificate)
    ours.verify_mode = ssl.CERT_REQUIRED
    theirs = ssl.create_default_context(cafile=str(certificate))
    theirs.load_cert_chain(certificate)
    with listening(line_of(laboratory), tls=ours) as port:
        with call(port) as bare, theirs.wrap_socket(bare, server_hostname="localhost") as line:
            line.sendall(framed(message(change=OURS)))
            heard = hear(line)
        stranger = ssl.create_default_context(cafile=str(certificate))
        with (
            call(port) as bare,
            stranger.wrap_socket(bare, server_hostname="localhost") as line,
            pytest.raises(ssl.SSLError),  # the server has hung up on a caller without a certificate
        ):
            line.recv(1)

    assert b"MSA|AA|M-1|1 recorded" in heard
