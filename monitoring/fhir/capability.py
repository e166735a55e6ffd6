"""What the FHIR door can do, in FHIR's own words; the tests hold it to every one of them."""

from typing import Any

from django.conf import settings

from patients.intake.fhir.resources import ENTRIES_AT_MOST

Tree = dict[str, Any]
_OBSERVATION: Tree = {
    "type": "Observation",
    "interaction": [
        {"code": code}
        for code in ("read", "vread", "update", "history-instance", "create", "search-type")
    ],
    "versioning": "versioned-update",
    "readHistory": True,
    "updateCreate": True,
    "conditionalCreate": True,
    "conditionalRead": "not-match",
    "conditionalUpdate": True,
    "conditionalDelete": "not-supported",
    "referencePolicy": ["logical", "local"],
    "searchParam": [
        {
            "name": "identifier",
            "definition": "http://hl7.org/fhir/SearchParameter/clinical-identifier",
            "type": "token",
            "documentation": "system|value; also the one condition of a conditional write",
        },
        {"name": "_id", "type": "token"},
    ],
}
_REPORT: Tree = {
    "type": "DiagnosticReport",
    "interaction": [{"code": code} for code in ("read", "update", "create")],
    "versioning": "versioned",
    "updateCreate": True,
    "conditionalCreate": True,
    "conditionalUpdate": True,
    "conditionalDelete": "not-supported",
    "documentation": "The results that it contains are stored, each as an Observation of its own.",
}
_SECURITY_SERVICES = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_OAUTH_ADDRESSES = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
STATEMENT: Tree = {
    "resourceType": "CapabilityStatement",
    "status": "active",
    "date": "2026-11-27",
    "kind": "instance",
    "software": {"name": "Soundings"},
    "implementation": {
        "description": "Soundings: laboratories push serum sIL-6R, IL-6, TNF-α and hs-CRP results"
    },
    "fhirVersion": "4.0.1",
    "format": ["application/fhir+json", "json"],
    "rest": [
        {
            "mode": "server",
            "documentation": (
                f"A message holds at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024**2} MB, a "
                f"Bundle at most {ENTRIES_AT_MOST} entries. A result whose patient, analyte, unit "
                "or time is not known is answered 201 and waits for a person (meta.tag parked). A "
                "laboratory reads its own results only."
            ),
            "security": {
                "cors": False,
                "service": [
                    {"coding": [{"system": _SECURITY_SERVICES, "code": code}]}
                    for code in ("SMART-on-FHIR", "Basic")
                ],
                "description": (
                    "SMART Backend Services (client credentials); or the laboratory's key, as "
                    "Authorization: Bearer KEY or as the password of Basic"
                ),
            },
            "resource": [_OBSERVATION, _REPORT],
            "interaction": [{"code": "transaction"}, {"code": "batch"}],
        }
    ],
}


def statement(*, address: str, token_endpoint: str) -> Tree:
    """Say what the door can do, and where it stands as this client sees it."""
    [rest] = STATEMENT["rest"]
    tokens = {"url": "token", "valueUri": token_endpoint}
    security = {"extension": [{"url": _OAUTH_ADDRESSES, "extension": [tokens]}], **rest["security"]}
    return STATEMENT | {
        "implementation": STATEMENT["implementation"] | {"url": address},
        "rest": [rest | {"security": security}],
    }
