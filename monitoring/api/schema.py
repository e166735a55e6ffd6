"""The shapes of the laboratory's door, as the OpenAPI document tells them."""

from typing import Any, Literal
from uuid import UUID

from django.urls import reverse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from pydantic import BaseModel, Field, RootModel

from patients.intake.panels import Panel, PanelList
from patients.intake.verdicts import State
from patients.scopes import CREATE, READ, UPDATE, written

_WAYS = ["LaboratoryKey", "LaboratoryKeyAsPassword", "SmartBackendServices"]
_SCOPES = {CREATE: "Push results.", UPDATE: "Put results right.", READ: "Read own results."}


class SchemesOfTheDoor(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Tells the document the three ways in which a laboratory may sign in; one is enough."""

    target_class = "monitoring.api.authentication.LaboratoryAuthentication"
    name = _WAYS

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[str]]]:
        needed = getattr(auto_schema.view, "needs", {}).get(auto_schema.method, "")
        key, password, smart = _WAYS
        return [{key: []}, {password: []}, {smart: [written(each) for each in needed]}]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:  # noqa: ARG002
        return [
            {
                "type": "http",
                "scheme": "bearer",
                "description": "The key that an operator issued to the laboratory.",
            },
            {
                "type": "http",
                "scheme": "basic",
                "description": "The same key as the password, under any user name.",
            },
            {
                "type": "oauth2",
                "description": "SMART Backend Services: a token of some minutes, for a signed "
                "assertion (private_key_jwt) or a client secret.",
                "flows": {
                    "clientCredentials": {
                        "tokenUrl": reverse("oauth2:token"),
                        "scopes": {written(each): text for each, text in _SCOPES.items()},
                    }
                },
            },
        ]


class SchemeOfTheClinic(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Tells the document how a system of the clinic signs in."""

    target_class = "monitoring.api.teams.TeamAuthentication"
    name = "TeamKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:  # noqa: ARG002
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "The key that an operator issued to a system of a care team: to "
            "send ratings, to read explanations, or for both.",
        }


class PushRequest(RootModel[Panel | PanelList]):
    """One draw, or a list of draws."""


class DrawAnswer(BaseModel):
    """What became of one draw."""

    id: UUID = Field(description="Our name for the draw; of a parked draw, its place in the queue.")
    accession: str
    state: Literal["recorded", "known", "corrected", "parked", "ignored", "received"] = Field(
        description="A key that may not read is told no more than that a draw was received."
    )
    reasons: list[str] = Field(
        description="Why a parked draw waits for a person. Of another one, `late: ANALYTE` for "
        "each result of which a newer version is on record: it is kept behind that, not shown."
    )
    ignored: list[str] = Field(
        default=[],
        description="Codes that the laboratory's profile ignores; their results stay in the raw "
        "message only. Left out where there are none.",
    )


class DrawAnswers(BaseModel):
    """What became of a list of draws, in its order."""

    draws: list[DrawAnswer]


class PushAnswer(RootModel[DrawAnswer | DrawAnswers]):
    """One answer for one draw, a list of answers for a list of draws."""


class VerdictAnswer(BaseModel):
    """What would become of one result, or what is wrong with one row of a table."""

    pointer: str = Field(description="Where it stands.", examples=["/rows/7/value"])
    row: int | None = Field(description="The row of a table, as a spreadsheet numbers it.")
    accession: str
    analyte: str
    state: State
    reasons: list[str] = Field(
        description="Of a refused row, what is wrong and what would be right; of a parked result, "
        "why it would wait for a person."
    )


class DryRunAnswer(BaseModel):
    """What would become of a message; nothing of it was stored."""

    dry_run: Literal[True]
    counts: dict[State, int]
    verdicts: list[VerdictAnswer]


class KnownOrDryRun(RootModel[DrawAnswer | DrawAnswers | DryRunAnswer]):
    """The answer to a message that changed nothing, or that was to change nothing."""


class FaultAnswer(BaseModel):
    """One thing that is wrong."""

    pointer: str = Field(description="JSON pointer to the field.", examples=["/results/0/unit"])
    detail: str


class Problem(BaseModel):
    """A refusal as in RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    errors: list[FaultAnswer] = []
