"""Examples that can be run as they stand, for the page /api/docs/."""

from drf_spectacular.utils import OpenApiExample

PUSH = (
    "A draw is one blood sample with one or many results. The answer is sent only after the raw "
    "message is stored. The same message again gets the same name and changes nothing. The same "
    "accession with another value makes a new version; the earlier one stays readable. What cannot "
    "be placed (patient, analyte or unit unknown) is parked for a person and answered 201 all the "
    "same, so that it never blocks a feed.\n\n"
    "A draw holds up to 50 results, a message up to 500 draws and 5,000 results. An "
    "`Idempotency-Key` is taken and not needed: a repetition is known by its bytes.\n\n"
    "A table (CSV or XLSX) has a row for each result, or a column for each analyte; the "
    "laboratory's profile says how its columns are called. A table with a row that cannot be read "
    "is refused whole, and every fault is named."
)
KNOWN = (
    "All of it was known and nothing changed; or what would become of it, when that was all that "
    "was asked."
)
DRY_RUN = (
    "Say what would become of every result, and store nothing. A row of a table that cannot be "
    "read is then a verdict among the others."
)
REFUSALS = {
    400: "The body is not JSON, or dry_run is neither true nor false.",
    401: "The key is missing, unknown or revoked.",
    403: "The key is good, but not for this: its scopes do not suffice.",
    413: "The message is too large.",
    415: "The content type is none of those that are taken.",
    422: "A field, a column or a row is missing, unknown or cannot be right; every fault is named.",
    429: "Too many messages in this minute; see Retry-After.",
    503: "The database is away, or busy with the same records. Nothing was stored; see "
    "Retry-After.",
}
DRAW = {
    "accession": "A-17",
    "patient": {"system": "urn:clinic:mrn", "value": "0042"},
    "collected_at": "2026-11-02T08:10:00+01:00",
    "results": [
        {
            "analyte": "sIL-6R",
            "value": "37.50",
            "unit": "ng/mL",
            "comparator": None,
            "status": "final",
            "method": "ELISA",
            "lot": "P-1142",
        },
        {"analyte": "IL-6", "value": "0.50", "unit": "pg/mL", "comparator": "<"},
    ],
}
TABLE = (
    "accession,patient_system,patient,collected_at,analyte,value,unit,status\r\n"
    "A-17,urn:clinic:mrn,0042,2026-11-02T08:10:00+01:00,sIL-6R,37.50,ng/mL,final\r\n"
    "A-17,urn:clinic:mrn,0042,2026-11-02T08:10:00+01:00,IL-6,<0.50,pg/mL,final\r\n"
)
DRY_RUN_ANSWER = {
    "dry_run": True,
    "counts": {"refused": 1, "recorded": 1},
    "verdicts": [
        {
            "pointer": "/rows/2/value",
            "row": 2,
            "accession": "A-17",
            "analyte": "sIL-6R",
            "state": "recorded",
            "reasons": [],
        },
        {
            "pointer": "/rows/3/value",
            "row": 3,
            "accession": "",
            "analyte": "",
            "state": "refused",
            "reasons": [
                "column “value”: “0,50” has a decimal comma; in the files of this laboratory it is "
                "a point: “37.50”"
            ],
        },
    ],
}
_NAME = "0c8f2a3e-5b1d-4f4e-9a55-0f2d5a8b7c61"
EXAMPLES = [
    OpenApiExample("One draw", value=DRAW, request_only=True),
    OpenApiExample(
        "A list of draws",
        value={"draws": [DRAW, {**DRAW, "accession": "A-18"}]},
        request_only=True,
    ),
    OpenApiExample("A table in CSV", value=TABLE, request_only=True, media_type="text/csv"),
    OpenApiExample("A dry run", value=DRY_RUN_ANSWER, response_only=True, status_codes=["200"]),
    OpenApiExample(
        "Recorded",
        value={"id": _NAME, "accession": "A-17", "state": "recorded", "reasons": []},
        response_only=True,
        status_codes=["201"],
    ),
    OpenApiExample(
        "Parked",
        value={
            "id": _NAME,
            "accession": "A-17",
            "state": "parked",
            "reasons": ["unknown_patient"],
        },
        response_only=True,
        status_codes=["201"],
    ),
    OpenApiExample(
        "Known",
        value={"id": _NAME, "accession": "A-17", "state": "known", "reasons": []},
        response_only=True,
        status_codes=["200"],
    ),
    OpenApiExample(
        "A unit is missing",
        value={
            "type": "about:blank",
            "title": "This cannot be read as a draw",
            "status": 422,
            "detail": "Nothing of this message was stored.",
            "errors": [
                {
                    "pointer": "/results/0",
                    "detail": "unit is missing; a value without a unit is not read",
                }
            ],
        },
        response_only=True,
        status_codes=["422"],
    ),
]
