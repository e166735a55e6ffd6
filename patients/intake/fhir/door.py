"""The front door of the dialect: bytes in, what is asked for out, or a refusal of every fault."""

from typing import Any

from patients.intake import strict_json
from patients.intake.fhir.bundles import ReadBundle, read_bundle
from patients.intake.fhir.faults import Refused, not_fhir
from patients.intake.fhir.interactions import Asked, Context, Write, read_single

__all__ = ["Asked", "Context", "ReadBundle", "Refused", "Write", "read_request"]


def read_request(asked: Asked, body: bytes) -> Write | Context | ReadBundle:
    """Read the body of a request: one resource, or a Bundle sent to the root of the door.

    Raises
    ------
    Refused
        With 400 when the bytes are not JSON or not FHIR R4, with 422 when they are and cannot be
        used all the same. Every fault is named; nothing that was sent is repeated.
    """
    data = _load(body)
    try:
        return read_single(asked, data) if asked.kind else read_bundle(data)
    except RecursionError as fault:
        raise not_fhir("structure", "", "the message is nested too deeply") from fault


def _load(body: bytes) -> Any:
    try:
        data = strict_json.load(body)
        strict_json.refuse_what_is_no_text(body, data)
    except strict_json.TooManyParts as fault:
        raise not_fhir("too-costly", "", str(fault)) from fault
    except strict_json.Unreadable as fault:
        raise not_fhir("structure", "", f"this is not JSON: {fault}") from fault
    return data
