"""The shapes of the laboratory's door, as the OpenAPI document tells them."""

from typing import Literal
from uuid import UUID

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from pydantic import BaseModel, Field, RootModel

from patients.intake.panels import Panel, PanelList
from patients.intake.verdicts import State


class SchemesOfTheDoor(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Tells the document how a laboratory shows its key."""

    target_class = "monitoring.api.authentication.LaboratoryAuthentication"
    name = "LaboratoryKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:  # noqa: ARG002
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "The key that an operator issued to the laboratory.",
        }


class PushRequest(RootModel[Panel | PanelList]):
    """One draw, or a list of draws."""


class DrawAnswer(BaseModel):
    """What became of one draw."""

    id: UUID = Field(description="Our name for the draw; of a parked draw, its place in the queue.")
    accession: str
    state: Literal["recorded", "known", "corrected", "parked", "received"] = Field(
        description="A key that may not read is told no more than that a draw was received."
    )
    reasons: list[str] = Field(description="Why a parked draw waits for a person.")


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
