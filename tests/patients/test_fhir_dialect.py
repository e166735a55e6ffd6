"""From the bytes of one FHIR resource to a report, or to every fault by its name."""

import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patients.intake.fhir.bundles import ReadBundle
from patients.intake.fhir.door import read_request
from patients.intake.fhir.faults import Refused
from patients.intake.fhir.interactions import Asked, Context, Write
from patients.intake.reports import DrawReport
from tests.patients.fhir_messages import BASES, CASES, body_of, observation

CREATE = Asked("POST", "Observation", None, "")


def read(body: bytes, asked: Asked = CREATE) -> Write:
    found = read_request(asked, body)
    assert isinstance(found, Write)
    return found


def outcome(asked: Asked, body: bytes) -> Write | Context | ReadBundle | Refused:
    try:
        return read_request(asked, body)
    except Refused as refused:
        return refused


def names(cases: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in cases]


# Every case of fhir_cases/


@pytest.mark.parametrize("case", names([case for case in CASES if "read" in case]))
def test_a_message_is_read_as_the_case_says(case: dict[str, Any]) -> None:
    [draw] = read(body_of(case)).draws

    said = _said(draw)

    assert {name: said[name] for name in case["read"]} == case["read"]


def _said(draw: DrawReport) -> dict[str, Any]:
    [result] = draw.results
    return {
        **result.model_dump(),
        "names": [[each.system, each.value] for each in result.names],
        "codes": [list(each.key) for each in result.codes],
        "accession": draw.accession,
        "patients": [[each.system, each.value] for each in draw.patients],
        "person": draw.person.model_dump() if draw.person else None,
        "matrix": draw.specimen.matrix if draw.specimen else None,
        "times": [[time.role.value, time.text] for time in draw.times],
        "precisions": [time.precision.value for time in draw.times],
    }


@pytest.mark.parametrize("case", names([case for case in CASES if "refused" in case]))
def test_a_defect_is_refused_with_code_and_place(case: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        read(body_of(case))

    wanted = case["refused"]
    found = {(fault.code, fault.expression): fault.detail for fault in refused.value.faults}
    assert refused.value.status == wanted["status"]
    assert (wanted["code"], wanted["expression"]) in found
    assert wanted.get("says", "") in found[wanted["code"], wanted["expression"]]


def test_there_are_sixty_cases_and_more_of_every_kind() -> None:
    assert len([case for case in CASES if "read" in case]) >= 50
    assert len([case for case in CASES if "refused" in case]) >= 50
    assert len({case["name"] for case in CASES}) == len(CASES)


# Faults


def test_every_fault_of_a_message_is_named() -> None:
    body = observation(status="F", code=None, effectiveDateTime="2026-02-30")

    with pytest.raises(Refused) as refused:
        read(json.dumps(body, default=str).encode())

    assert {fault.expression for fault in refused.value.faults} >= {
        "Observation.status",
        "Observation.code",
        "Observation.effective",
    }


def test_a_refusal_never_repeats_what_was_sent() -> None:
    body = observation(status="Ida Invented", effectiveDateTime="Ida Invented")

    with pytest.raises(Refused) as refused:
        read(json.dumps(body, default=str).encode())

    assert "Invented" not in " ".join(fault.detail for fault in refused.value.faults)


# Anything at all

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
ELEMENTS = sorted(
    {
        *BASES["observation"],
        *BASES["openelis"],
        *("valueString", "valueRange", "effectivePeriod", "component", "hasMember", "device"),
        *("_status", "extension", "modifierExtension", "meta", "text", "note", "method"),
    }
)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    found = outcome(CREATE, body)

    assert isinstance(found, Refused)


@given(element=st.sampled_from(ELEMENTS), value=json_values)
def test_any_value_in_any_element_is_read_or_refused(element: str, value: object) -> None:
    body = json.dumps(BASES["observation"] | {element: value}, default=str).encode()
    found = outcome(CREATE, body)

    assert found.faults if isinstance(found, Refused) else found


def _places(tree: Any, way: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    parts = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return [way] + [
        place
        for step, part in parts
        for place in (
            _places(part, (*way, step)) if isinstance(part, dict | list) else [(*way, step)]
        )
    ]


def _replace(tree: Any, place: tuple[str | int, ...], value: object) -> Any:
    if not place:
        return value
    step, *rest = place
    copy: Any = dict(tree) if isinstance(tree, dict) else list(tree)
    copy[step] = _replace(copy[step], tuple(rest), value)
    return copy


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), base=st.sampled_from(["openelis", "report"]), value=json_values)
def test_any_value_in_any_depth_is_read_or_refused(
    data: st.DataObject, base: str, value: object
) -> None:
    place = data.draw(st.sampled_from(_places(BASES[base])))
    body = json.dumps(_replace(BASES[base], place, value), default=str).encode()

    found = outcome(Asked("POST", BASES[base]["resourceType"], None, ""), body)

    assert found.faults if isinstance(found, Refused) else found


@given(query=st.text(max_size=60))
def test_any_condition_is_read_or_refused(query: str) -> None:
    body = body_of({"name": "plain"})

    assert outcome(CREATE._replace(query=query), body)
    assert outcome(CREATE._replace(if_none_exist=query), body)


FIVE_MB = 5_000_000


def _large(what: str) -> bytes:
    plain = body_of({"name": "plain"})
    many = {
        "digits": plain.replace(b"37.50", b"9" * FIVE_MB),
        "digits after the point": plain.replace(b"37.50", b"1." + b"9" * FIVE_MB),
        "text": plain.replace(b"R-1", b"x" * FIVE_MB),
        "spaces": plain.replace(b"R-1", b" " * FIVE_MB),
        "escapes": plain.replace(b"R-1", b"\\u0041" * (FIVE_MB // 6)),
        "brackets": b"[" * FIVE_MB,
        "empty lists": plain.replace(b'"final"', b"[" + b"[]," * (FIVE_MB // 3) + b"[]]"),
        "numbers": plain.replace(b'"final"', b"[" + b"1," * (FIVE_MB // 2) + b"1]"),
        "texts": plain.replace(b'"final"', b"[" + b'"a",' * (FIVE_MB // 4) + b'"a"]'),
        "deep and wide": b'{"a":' * 90 + b"[" + b"{}," * (FIVE_MB // 4) + b"{}]" + b"}" * 90,
        "identifiers": plain.replace(
            b'"identifier":[', b'"identifier":[' + b'{"value":"a"},' * (FIVE_MB // 15)
        ),
        "unknown names": plain.replace(
            b'"status"', b",".join(b'"n%d":1' % n for n in range(FIVE_MB // 12)) + b',"status"'
        ),
        "contained": plain.replace(
            b'"status"',
            b'"contained":['
            + b",".join(b'{"resourceType":"Specimen","id":"%d"}' % n for n in range(FIVE_MB // 45))
            + b'],"status"',
        ),
        "extensions": plain.replace(
            b'"status"',
            b'"extension":['
            + b'{"url":"a","valueCode":"b"},' * (FIVE_MB // 29)
            + b'{"url":"a","valueCode":"b"}],"status"',
        ),
        "dates": plain.replace(b"2026-11-02T08:10:00+09:00", b"2026-11-02" * (FIVE_MB // 10), 1),
    }
    return many[what]


@pytest.mark.parametrize(
    "what",
    [
        "digits",
        "digits after the point",
        "text",
        "spaces",
        "escapes",
        "brackets",
        "empty lists",
        "numbers",
        "texts",
        "deep and wide",
        "identifiers",
        "unknown names",
        "contained",
        "extensions",
        "dates",
    ],
)
def test_five_megabytes_of_anything_are_read_or_refused_in_two_seconds(what: str) -> None:
    body = _large(what)

    started = time.process_time()
    found = outcome(CREATE, body)

    assert not isinstance(found, Refused) or len(found.faults) <= 50
    assert time.process_time() - started < 2
