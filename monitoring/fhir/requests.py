"""What an HTTP request asks for, read from its address and its headers."""

from dataclasses import dataclass
from typing import Literal

from rest_framework.request import Request

from patients.intake.fhir.faults import Refused, not_fhir
from patients.intake.fhir.interactions import Asked, Write
from patients.scopes import CREATE, READ, UPDATE

Wish = Literal["minimal", "representation", "OperationOutcome"]
_WISHES: dict[str, Wish] = {
    "minimal": "minimal",
    "representation": "representation",
    "operationoutcome": "OperationOutcome",
}


@dataclass(frozen=True)
class Preference:
    """What the client would like to be given back, and whether a search may be half understood."""

    wish: Wish | None = None
    is_lenient: bool = False

    def or_else(self, usual: Wish) -> Wish:
        return self.wish or usual


def asked_by(request: Request, kind: str, resource_id: str | None = None) -> Asked:
    """Read what is to be written where, and under which condition.

    A condition that is not understood is refused: to leave it out would be to write what the client
    did not want written.
    """
    for header in ("If-None-Match", "If-Modified-Since", "If-Unmodified-Since"):
        if header in request.headers:
            raise Refused(
                [
                    not_fhir(
                        "not-supported", "", f"{header} is no condition of a write here"
                    ).faults[0]
                ],
                status=412,
            )
    method = request.method or "POST"
    if_none_exist = request.headers.get("If-None-Exist")
    if if_none_exist is not None and method != "POST":
        raise not_fhir("invalid", "", "If-None-Exist goes with POST; with PUT use ?identifier=…")
    return Asked(
        method=method,
        kind=kind,
        id=resource_id,
        query=request.META.get("QUERY_STRING", ""),
        if_none_exist=if_none_exist,
        if_match=request.headers.get("If-Match"),
    )


def told_apart_by(asked: Asked) -> str:
    """Say what the same bytes may mean beside themselves: where they go, and on what condition."""
    parts = (asked.method, asked.kind, asked.id, asked.query, asked.if_none_exist, asked.if_match)
    return "\n".join(part or "" for part in parts) + "\n"


def scopes_for(write: Write) -> str:
    """Say what a write needs; whether a version is current is told only to who may read it."""
    needed = CREATE if write.method == "create" else UPDATE
    return needed + READ if write.versions else needed


def preference_of(request: Request) -> Preference:
    """Read `Prefer: return=…` and `handling=…`; any other preference is no promise of ours."""
    said: dict[str, str] = {}
    for part in request.headers.get("Prefer", "").replace(";", ",").split(","):
        name, _, value = part.strip().partition("=")
        said.setdefault(name.strip().lower(), value.strip().strip('"').lower())
    return Preference(_WISHES.get(said.get("return", "")), said.get("handling") == "lenient")
