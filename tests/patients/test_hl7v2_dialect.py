"""From the bytes of an HL7 v2 message to reports of draws, or to every fault with its place."""

import time
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patients.intake.hl7v2 import acknowledgement
from patients.intake.hl7v2.er7 import Separators, read_er7
from patients.intake.hl7v2.faults import Refused
from patients.intake.hl7v2.reading import read_hl7v2
from patients.intake.reports import DrawReport
from tests.patients.hl7v2_messages import BASE, CASES, body_of, message

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def said_of(draw: DrawReport, name: str) -> Any:
    """Look a fact up by its name, in the plain form in which cases are written."""
    match name:
        case "patients":
            return [[each.system, each.value] for each in draw.patients]
        case "results":
            return len(draw.results)
        case "results.0.codes":
            return [
                list(code.key) if code.code else ["", code.text] for code in draw.results[0].codes
            ]
        case "results.0.names":
            return [[each.system, each.value] for each in draw.results[0].names]
        case "times":
            return [[time.role.value, time.text] for time in draw.times]
        case "times.0":
            return [draw.times[0].role.value, draw.times[0].text]
        case "moments.0":
            first = draw.times[0]
            return [first.at.isoformat() if first.at else None, first.precision.value]
    found: Any = draw.model_dump(mode="json")
    for step in name.split("."):
        found = found[int(step)] if isinstance(found, list) else found[step]
    return found


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case["name"]) for case in CASES if "read" in case]
)
def test_a_message_is_read_as_the_case_says(case: dict[str, Any]) -> None:
    reports = read_hl7v2(body_of(case)).reports

    expected = dict(case["read"])
    assert len(reports) == expected.pop("draws", 1)
    assert {name: said_of(reports[0], name) for name in expected} == expected


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case["name"]) for case in CASES if "refused" in case]
)
def test_a_defective_message_is_refused_with_every_fault(case: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        read_hl7v2(body_of(case))

    assert [f"{each.code} {each.place}" for each in refused.value.faults] == case["refused"]
    answer = acknowledgement.refuse(body_of(case), refused.value, at=NOON)
    assert f"MSA|{case.get('answer', 'AE')}|".encode() in answer


def test_there_are_more_than_sixty_cases() -> None:
    assert len(CASES) > 60


def test_the_laboratorys_own_character_set_reads_what_names_none() -> None:
    body = message(change={"OBX-6": "µg/L"}, encoding="latin-1")

    [report] = read_hl7v2(body, charset="8859/1").reports

    assert report.results[0].unit == "µg/L"


@pytest.mark.parametrize(
    ("sent_at", "drawn_at"),
    [
        # in winter the offset is the zone's, which knows that it was summer when blood was drawn
        ("20261102101500+0100", "2026-07-01T08:05:00"),
        ("20261102101500+0000", "2026-07-01T08:05:00+00:00"),
    ],
)
def test_the_zone_of_the_laboratory_knows_more_than_an_offset_that_is_its_own(
    sent_at: str, drawn_at: str
) -> None:
    body = message(change={"MSH-7": sent_at, "OBX-14": "20260701080500"})

    [report] = read_hl7v2(body, zone=ZoneInfo("Europe/Berlin")).reports

    assert report.times[0].at is not None
    assert report.times[0].at.isoformat() == drawn_at


# The answer


def segments_of(answer: bytes) -> list[list[str]]:
    text = answer.decode()
    assert text.endswith("\r")
    assert "\n" not in text
    return [line.split("|") for line in text[:-1].split("\r")]


def test_what_is_taken_is_acknowledged_by_its_number_and_to_its_sender() -> None:
    read = read_hl7v2(message())

    header, acknowledged = segments_of(acknowledgement.acknowledge(read.message.header, at=NOON))

    assert header[2:6] == ["SOUNDINGS", "CLINIC", "LIS", "LAB"]
    assert header[8] == "ACK^R01^ACK"
    assert header[10:12] == ["P", "2.5.1"]
    assert acknowledged == ["MSA", "AA", "M-1"]


@pytest.mark.parametrize("number", ["7", "a b", r"x\T\y", "20261102-0001", "x^y&z"])
def test_the_number_comes_back_as_it_was_sent(number: str) -> None:
    read = read_hl7v2(message(change={"MSH-10": number}))

    _header, acknowledged = segments_of(acknowledgement.acknowledge(read.message.header, at=NOON))

    assert acknowledged[2] == number


def test_each_fault_has_a_segment_with_its_place_code_and_words() -> None:
    body = message(change={"OBX-11": "Z", "OBX-3": ""})
    with pytest.raises(Refused) as refused:
        read_hl7v2(body)

    _header, acknowledged, fault = segments_of(acknowledgement.refuse(body, refused.value, at=NOON))

    assert acknowledged == ["MSA", "AE", "M-1"]
    assert fault[2] == "OBX^1^3"
    assert fault[3] == "101^Required field missing^HL70357"
    assert fault[4] == "E"
    assert fault[8] == "OBX-3 must say what was measured"


def test_an_answer_repeats_no_value_of_the_message() -> None:
    body = message(change={"OBX-11": "SECRET-9", "OBX-5": "SECRET-8", "PID-5": "SECRET-7"})
    with pytest.raises(Refused) as refused:
        read_hl7v2(body)

    assert b"SECRET" not in acknowledgement.refuse(body, refused.value, at=NOON)


def test_what_is_no_message_is_answered_without_a_number() -> None:
    with pytest.raises(Refused) as refused:
        read_hl7v2(b"hello")

    _header, acknowledged, _fault = segments_of(
        acknowledgement.refuse(b"hello", refused.value, at=NOON)
    )

    assert acknowledged == ["MSA", "AE", ""]


# Laws


@given(st.text(max_size=300))
def test_what_is_written_can_be_read_back(text: str) -> None:
    separators = Separators()
    lines = "\n".join(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))

    written = separators.escaped(text)

    assert not set(written) & {"|", "^", "~", "&", "\r", "\n"}
    assert separators.unescape(written) == lines


PIECES = st.sampled_from(
    [
        *BASE,
        "MSH|^~\\&|",
        "PID|",
        "OBR|",
        "OBX|1|NM|x||1",
        "SPM|",
        "NTE|1||",
        "\r",
        "\n",
        "|",
        "^",
        "~",
        "\\",
        "&",
        '""',
        "\x0b",
        "\x1c",
        "\ufeff",
        "\\X41\\",
        "\\F\\",
        "20261102",
        "<0.5",
        "ORU^R01",
        "é",
    ]
)


def read_or_refused(body: bytes) -> Refused | tuple[DrawReport, ...]:
    try:
        return read_hl7v2(body).reports
    except Refused as refused:
        return refused


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(
        st.binary(max_size=400), st.lists(PIECES, max_size=40).map(lambda p: "".join(p).encode())
    )
)
def test_anything_at_all_is_read_or_refused(body: bytes) -> None:
    outcome = read_or_refused(body)

    if isinstance(outcome, Refused):
        assert outcome.faults
        assert acknowledgement.refuse(body, outcome, at=NOON).startswith(b"MSH|^~\\&|")
    else:
        assert all(report.results for report in outcome)


FULL = (
    message(change={"OBX-17": "M1^ELISA^L", "OBX-21": "R-1^LIS", "MSH-18": "UNICODE UTF-8"})
    + b"NTE|1||a note\rSID|S1^Substance^L|LOT8\rINV|KIT1^Kit A^L||MR\rTCD|SIL6R|1^:^10\r"
    + b"SPM|1|S1&P^T2&F||SER^Serum^L|||||||||||||20261102081000^20261102081500\r"
)


@pytest.mark.parametrize(
    "sign",
    [
        *("\x01", "\t", "\n", "\x0b", "\x1f", "\x7f", "\u2028", "\U0010ffff", '"', "&", "^", "~"),
        *("\\", "\\X01\\", "\\X09\\", "\\X0A\\", "\\X0D\\", "\\.br\\", "<", "é" * 300),
    ],
)
def test_a_sign_at_any_place_of_a_message_is_read_or_refused(sign: str) -> None:
    for place in range(len(FULL) + 1):
        outcome = read_or_refused(FULL[:place] + sign.encode() + FULL[place:])

        assert isinstance(outcome, Refused) or all(report.results for report in outcome)


MEGABYTES = 5 * 1024 * 1024
HEAD = message().replace(b"37.50", b"%s")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\r" * MEGABYTES, id="ends of segments"),
        pytest.param(b"|" * MEGABYTES, id="bars"),
        pytest.param(b"MSH|^~\\&|" + b"|" * MEGABYTES, id="fields"),
        pytest.param(b"MSH|^~\\&|" + b"\\" * MEGABYTES, id="escapes"),
        pytest.param(b"MSH|^~\\&|\r" + b"\\X41" * (MEGABYTES // 4), id="half escapes"),
        pytest.param(message() + b"OBX|1|NM|a||1|g|||||F\r" * (MEGABYTES // 22), id="results"),
        pytest.param(message() + b"NTE|1||x\r" * (MEGABYTES // 9), id="notes"),
        pytest.param(message() + b"\n" * MEGABYTES, id="blank lines"),
        pytest.param(message() + b"NTE|1||" + b"\nA" * (MEGABYTES // 2), id="raw lines"),
        pytest.param(message(change={"OBX-5": "9" * MEGABYTES}), id="digits"),
        pytest.param(message(change={"PID-3": "1^^^A~" * (MEGABYTES // 6)}), id="numbers"),
        pytest.param(message(change={"OBX-5": "^" * MEGABYTES, "OBX-2": "SN"}), id="components"),
        pytest.param(message(change={"OBX-8": "N~" * (MEGABYTES // 2)}), id="flags"),
        pytest.param(bytes(range(256)) * (MEGABYTES // 256), id="every byte"),
    ],
)
def test_five_megabytes_of_anything_are_answered_in_two_seconds(body: bytes) -> None:
    begun = time.process_time()

    try:
        read_hl7v2(body)
    except Refused as refused:
        acknowledgement.refuse(body, refused, at=NOON)

    assert time.process_time() - begun < 2


def test_a_segment_gives_what_was_sent_and_nothing_beyond_its_end() -> None:
    [*_others, observation] = read_er7(message()).segments

    assert observation.raw(5) == "37.50"
    assert observation.raw(99) == ""
    assert observation.parts(99) == [""]


@pytest.mark.parametrize("field", ["OBX-5", "OBX-6", "OBX-8", "PID-3"])
def test_a_field_that_is_repeated_beyond_measure_is_refused_at_once(field: str) -> None:
    repeated = "~".join(f"&gt;{n}" for n in range(300_000))

    with pytest.raises(Refused) as found:
        read_hl7v2(message(change={field: repeated}))

    [fault] = found.value.faults
    assert str(fault.place).startswith(field[:3])
