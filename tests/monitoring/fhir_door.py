"""A laboratory at the FHIR door, for tests."""

from typing import Any

from django.test import Client

from patients.intake.fhir import exact_json
from tests.patients.fhir_messages import Tree, observation

FHIR = "application/fhir+json"


class FhirDoor:
    """A laboratory with its key in hand."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.client = Client()

    def ask(
        self,
        method: str,
        address: str,
        message: Tree | bytes | None = None,
        *,
        content_type: str = FHIR,
        **headers: Any,
    ) -> Any:
        body = message if isinstance(message, bytes) else exact_json.write(message or {})
        return self.client.generic(
            method,
            f"/fhir{address}",
            body if message is not None else b"",
            content_type=content_type,
            headers={"Authorization": f"Bearer {self.key}"}
            | {name.replace("_", "-"): value for name, value in headers.items()},
        )

    def post(self, message: Tree | bytes | None = None, **headers: Any) -> Any:
        return self.ask("POST", "/Observation", message or observation(), **headers)

    def put(self, address: str, message: Tree, **headers: Any) -> Any:
        return self.ask("PUT", f"/Observation{address}", message, **headers)

    def get(self, address: str, **headers: Any) -> Any:
        return self.ask("GET", address, **headers)

    def bundle(self, *entries: Tree, kind: str = "transaction", **headers: Any) -> Any:
        message = {"resourceType": "Bundle", "type": kind, "entry": list(entries)}
        return self.ask("POST", "", message, **headers)


def entry(resource: Tree, *, method: str = "POST", url: str = "", **request: Any) -> Tree:
    """Make an entry of a Bundle."""
    return {
        "resource": resource,
        "request": {"method": method, "url": url or resource["resourceType"], **request},
    }
