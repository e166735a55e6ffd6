"""From the bytes of a JSON message to panels, or to every fault by its name."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.intake.json_dialect import Faulty, Unreadable, read_json

DRAW: dict[str, Any] = {
    "accession": "A-17",
    "patient": {"system": "urn:clinic:mrn", "value": "0042"},
    "collected_at": "2026-11-02T08:10:00+01:00",
    "results": [{"analyte": "sIL-6R", "value": "37.50", "unit": "ng/mL"}],
}


def draw_with(**changes: Any) -> bytes:
    return json.dumps(DRAW | changes).encode()


def draw_with_result(**changes: Any) -> bytes:
    return draw_with(results=[DRAW["results"][0] | changes])


def faults_of(body: bytes) -> dict[str, str]:
    with pytest.raises(Faulty) as refused:
        read_json(body)
    return {fault.pointer: fault.detail for fault in refused.value.faults}


def test_a_draw_is_read_with_its_digits() -> None:
    [panel], is_list = read_json(draw_with())

    assert not is_list
    assert panel.accession == "A-17"
    assert panel.results[0].value == "37.50"
    assert panel.times[0].text == "2026-11-02T08:10:00+01:00"


@pytest.mark.parametrize("number", ["37.50", "37.500000000000000001", "0", "120"])
def test_a_number_without_quotes_keeps_its_digits_too(number: str) -> None:
    body = draw_with().replace(b'"37.50"', number.encode())

    [panel], _ = read_json(body)

    assert panel.results[0].value == number


def test_a_list_of_draws_is_read_in_its_order() -> None:
    body = json.dumps({"draws": [DRAW, DRAW | {"accession": "A-18"}]}).encode()

    panels, is_list = read_json(body)

    assert is_list
    assert [panel.accession for panel in panels] == ["A-17", "A-18"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe{}",
        b'{"accession": "A", "accession": "B"}',
        draw_with().replace(b'"37.50"', b"NaN"),
        draw_with().replace(b'"37.50"', b"-Infinity"),
        draw_with().replace(b'"37.50"', b"9" * 5000),
        b"[" * 100_000,
    ],
)
def test_what_is_not_strict_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read_json(body)


@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        (draw_with(accession=""), "/accession", "not be empty"),
        (draw_with(accession="A\x0117"), "/accession", "one line"),
        (draw_with(unexpected=1), "/unexpected", "misspelt"),
        (draw_with(collected_at="2026-11-2"), "/collected_at", "date with a time"),
        (draw_with(collected_at=1762000000), "/collected_at", "date with a time"),
        (draw_with(collected_at="2026-02-30T08:10:00Z"), "/collected_at", "day"),
        (draw_with(results=[]), "/results", "at least 1"),
        (draw_with(patient={"system": "urn:clinic:mrn"}), "/patient/value", "is missing"),
        (draw_with(results=[*DRAW["results"], *DRAW["results"]]), "", "sIL-6R"),
        (draw_with_result(value="<0.5"), "/results/0/value", "comparator"),
        (draw_with_result(value="-3"), "/results/0/value", "below zero"),
        (draw_with_result(value=True), "/results/0/value", "must be a number"),
        (draw_with_result(value="37,50"), "/results/0/value", "decimal point"),
        (draw_with_result(value="٣٧"), "/results/0/value", "decimal point"),
        (draw_with_result(unit=None), "/results/0", "unit is missing"),
        (draw_with_result(value=None), "/results/0", "value is missing"),
        (draw_with_result(value=None, unit=None), "/results/0", "and so is its unit"),
        (
            draw_with_result(issued_at="0001-01-01T00:00:00+14:00"),
            "/results/0/issued_at",
            "check the year",
        ),
        (draw_with_result(comparator="~"), "/results/0/comparator", "'<'"),
        (draw_with_result(status="F"), "/results/0/status", "'final'"),
        (b"[]", "", "object"),
        (b"{}", "/accession", "is missing"),
        (b'{"draws": []}', "/draws", "at least 1"),
        (json.dumps({"draws": [DRAW, DRAW]}).encode(), "", "A-17"),
        (json.dumps({"draws": [DRAW] * 501}).encode(), "/draws", "at most 500"),
    ],
)
def test_a_fault_is_named_with_its_place(body: bytes, pointer: str, words: str) -> None:
    faults = faults_of(body)

    assert words in faults[pointer]


def test_every_fault_of_a_message_is_named() -> None:
    faults = faults_of(b'{"accession": "", "results": [{"analyte": "sIL-6R", "unti": "ng/mL"}]}')

    assert {"/accession", "/patient", "/collected_at", "/results/0/unti"} <= faults.keys()


def test_a_number_too_large_to_write_out_is_a_fault_and_not_a_full_memory() -> None:
    faults = faults_of(draw_with().replace(b'"37.50"', b"1e999999999"))

    assert "/results/0/value" in faults


def test_an_object_of_very_many_names_is_refused_in_time() -> None:
    body = b"{" + b"".join(b'"%d":1,' % n for n in range(400_000)) + b'"7":1}'

    started = time.process_time()
    with pytest.raises(Unreadable, match="more than 1000 names"):
        read_json(body)

    assert time.process_time() - started < 2


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        panels, _ = read_json(body)
    except (Unreadable, Faulty):
        return

    assert panels


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)


@given(
    field=st.sampled_from(["accession", "patient", "collected_at", "results", "value", "unit"]),
    value=json_values,
)
def test_any_value_in_any_field_is_read_or_refused(field: str, value: object) -> None:
    body = (
        draw_with_result(**{field: value})
        if field in {"value", "unit"}
        else draw_with(**{field: value})
    )
    try:
        panels, _ = read_json(body)
    except (Unreadable, Faulty):
        return

    assert panels[0].model_dump_json()


def test_a_malformed_field_hides_no_fault_between_the_others() -> None:
    ill = {"analyte": "sIL-6R", "value": "37.50", "comparator": "about"}
    faults = faults_of(draw_with(accession="", results=[ill, DRAW["results"][0]]))

    assert set(faults) == {"/accession", "/results/0/comparator", "/results/0", ""}
    assert faults["/results/0"].startswith("unit is missing")
    assert faults[""].startswith("each analyte may stand once")


def test_every_draw_of_a_list_has_its_faults_named() -> None:
    no_unit = DRAW | {"results": [{"analyte": "sIL-6R", "value": "1", "lot": 7}]}
    body = json.dumps({"draws": [DRAW, no_unit]}).encode()

    assert set(faults_of(body)) == {"/draws/1/results/0/lot", "/draws/1/results/0", ""}


def test_a_fault_is_named_once() -> None:
    with pytest.raises(Faulty) as refused:
        read_json(draw_with_result(unit=None))

    assert [fault.pointer for fault in refused.value.faults] == ["/results/0"]
