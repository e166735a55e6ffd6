"""How the invented laboratory writes what it says, and reads what it is answered."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from monitoring.simulator.stream import Saying, What

RESULTS = "urn:soundings:simulated:result"
ANALYTE = "sIL-6R"


@dataclass(frozen=True)
class Request:
    """One request: what is asked for under the address of the door, and with which body."""

    method: str
    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    body: bytes


@dataclass(frozen=True)
class Dialect:
    """One way of saying it.

    Attributes
    ----------
    door
        Where its door is, at a receiver that is Soundings.
    ask_again
        Asks after the result, when the stream is over; by reading it, or by saying the last word
        once more in other bytes, which must be known then.
    holds
        Tells from the reply to that whether the receiver holds what it should.
    """

    door: str
    has_time_of_issue: bool
    write: Callable[[Saying], Request]
    is_taken: Callable[[Reply], bool]
    ask_again: Callable[[Saying], Request]
    holds: Callable[[Reply, Saying], bool]


def _is_2xx(reply: Reply) -> bool:
    return 200 <= reply.status < 300


# JSON


def _write_json(saying: Saying, *, indent: int | None = None) -> Request:
    result: dict[str, Any] = {"analyte": ANALYTE, "status": _JSON[saying.what]}
    if saying.what != What.RETRACTION:
        result |= {"value": saying.value, "unit": "ng/mL"}
        if saying.comparator:
            result["comparator"] = saying.comparator
    if saying.what == What.FAULT:
        del result["unit"]
    draw = {
        "accession": saying.name,
        "patient": {"system": saying.patient[0], "value": saying.patient[1]},
        "collected_at": saying.collected_at.isoformat(),
        "results": [result],
    }
    kind = {"Content-Type": "application/json"}
    return Request("POST", "", json.dumps(draw, indent=indent).encode(), kind)


_JSON = {
    What.RESULT: "final",
    What.CORRECTION: "corrected",
    What.RETRACTION: "cancelled",
    What.FAULT: "final",
}


def _json_is_known(reply: Reply, saying: Saying) -> bool:  # noqa: ARG001
    said = json.loads(reply.body) if _is_2xx(reply) else {}
    [answer] = said.get("draws", [said])
    # a sender that may not read is told no more than that it was received
    return answer.get("state") == "received" or (
        reply.status == 200 and answer.get("state") in {"known", "parked"}
    )


# CSV


def _write_csv(saying: Saying, *, turns_columns: bool = False) -> Request:
    has_value = saying.what != What.RETRACTION
    row = {
        "result": saying.name,
        "accession": saying.name,
        "patient_system": saying.patient[0],
        "patient": saying.patient[1],
        "collected_at": saying.collected_at.isoformat(),
        "issued_at": saying.issued_at.isoformat(),
        "analyte": ANALYTE,
        "value": f"{saying.comparator}{saying.value}" if has_value else "",
        "unit": "ng/mL" if has_value and saying.what != What.FAULT else "",
        "status": _CSV[saying.what],
    }
    text = io.StringIO()
    table = csv.DictWriter(text, [*reversed(row)] if turns_columns else [*row])
    table.writeheader()
    table.writerow(row)
    kind = {"Content-Type": "text/csv; charset=utf-8"}
    return Request("POST", "", text.getvalue().encode(), kind)


_CSV = _JSON | {What.RETRACTION: "entered-in-error"}


# FHIR


def _write_fhir(saying: Saying) -> Request:
    number = json.loads(saying.value)
    quantity: dict[str, Any] = {
        "value": number,
        "unit": "ng/mL",
        "system": "http://unitsofmeasure.org",
        "code": "ng/mL",
    }
    if saying.comparator:
        quantity["comparator"] = saying.comparator
    resource = {
        "resourceType": "Observation",
        "meta": {"tag": [{"system": "urn:soundings:simulated", "code": "synthetic"}]},
        "identifier": [{"system": RESULTS, "value": saying.name}],
        "status": _FHIR[saying.what],
        "code": {"coding": [{"system": "urn:soundings:simulated:test", "code": ANALYTE}]},
        "subject": {"identifier": {"system": saying.patient[0], "value": saying.patient[1]}},
        "effectiveDateTime": saying.collected_at.isoformat(),
        "issued": saying.issued_at.isoformat(),
        "valueQuantity": quantity,
    }
    headers = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
    body = json.dumps(resource).encode()
    condition = f"identifier={RESULTS}|{saying.name}"
    if saying.what in (What.RESULT, What.FAULT):
        return Request("POST", "/Observation", body, headers | {"If-None-Exist": condition})
    return Request("PUT", f"/Observation?{quote(condition, safe='=')}", body, headers)


_FHIR = {
    What.RESULT: "final",
    What.CORRECTION: "corrected",
    What.RETRACTION: "entered-in-error",
    What.FAULT: "F",
}


def _read_fhir(saying: Saying) -> Request:
    condition = quote(f"identifier={RESULTS}|{saying.name}", safe="=")
    return Request("GET", f"/Observation?{condition}", b"", {"Accept": "application/fhir+json"})


def _fhir_holds(reply: Reply, saying: Saying) -> bool:
    entries = json.loads(reply.body).get("entry", []) if _is_2xx(reply) else []
    found = [each["resource"] for each in entries if each.get("resource", {}).get("id")]
    if len(found) != 1:
        return False
    if saying.what == What.RETRACTION:
        return found[0]["status"] in {"entered-in-error", "cancelled"}
    quantity = found[0].get("valueQuantity", {})
    allowed = {"corrected", "amended"} if saying.what == What.CORRECTION else {"final"}
    return (
        found[0]["status"] in allowed
        and quantity.get("value") == float(saying.value)
        and quantity.get("comparator", "") == saying.comparator
    )


# HL7 v2


def _write_hl7v2(saying: Saying, *, control: str = "") -> Request:
    stamp = "%Y%m%d%H%M%S%z"
    collected, issued = f"{saying.collected_at:{stamp}}", f"{saying.issued_at:{stamp}}"
    control = control or f"{saying.name}-{saying.what[:3]}"
    system, number = saying.patient
    status = _HL7V2[saying.what]
    kind, value = ("SN", f"{saying.comparator}^{saying.value}") if saying.comparator else (
        "NM", saying.value
    )  # fmt: skip
    code = "" if saying.what == What.FAULT else f"{ANALYTE}^{ANALYTE}^L"
    segments = [
        f"MSH|^~\\&|SIMULATOR|SIM|SOUNDINGS|CLINIC|{issued}||ORU^R01^ORU_R01|{control[:50]}|P|2.5.1",
        f"PID|1||{number}^^^{system}^MR||SYNTHETIC^SYNTHETIC",
        f"OBR|1||{saying.name}|{ANALYTE}^{ANALYTE}^L|||{collected}"
        + "|" * 15
        + f"{issued}|||{status}",
        f"OBX|1|{kind}|{code}||{value}|ng/mL|||||{status}|||{collected}",
    ]
    body = "".join(f"{segment}\r" for segment in segments).encode()
    return Request("POST", "", body, {"Content-Type": "application/hl7-v2; charset=utf-8"})


_HL7V2 = {
    What.RESULT: "F",
    What.CORRECTION: "C",
    What.RETRACTION: "D",
    What.FAULT: "F",
}


def _is_acknowledged(reply: Reply) -> bool:
    return reply.status == 200 and b"\rMSA|AA|" in reply.body


def _hl7v2_is_known(reply: Reply, saying: Saying) -> bool:  # noqa: ARG001
    return _is_acknowledged(reply) and any(
        word in reply.body for word in (b"|1 known", b"|1 parked", b"|1 received")
    )


DIALECTS = {
    "json": Dialect(
        door="/api/v1/results",
        has_time_of_issue=False,
        write=_write_json,
        is_taken=_is_2xx,
        ask_again=lambda saying: _write_json(saying, indent=1),
        holds=_json_is_known,
    ),
    "csv": Dialect(
        door="/api/v1/results",
        has_time_of_issue=True,
        write=_write_csv,
        is_taken=_is_2xx,
        ask_again=lambda saying: _write_csv(saying, turns_columns=True),
        holds=_json_is_known,
    ),
    "fhir": Dialect(
        door="/fhir",
        has_time_of_issue=True,
        write=_write_fhir,
        is_taken=_is_2xx,
        ask_again=_read_fhir,
        holds=_fhir_holds,
    ),
    "hl7v2": Dialect(
        door="/hl7v2",
        has_time_of_issue=True,
        write=_write_hl7v2,
        is_taken=_is_acknowledged,
        ask_again=lambda saying: _write_hl7v2(saying, control=f"{saying.name}-AGAIN"),
        holds=_hl7v2_is_known,
    ),
}
