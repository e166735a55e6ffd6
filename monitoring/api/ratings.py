"""What a clinic's own system may do: send one completed symptom scale.

A positive answer on self-harm is answered with what the rater must be shown, in the same breath:
nothing of that waits for a queue, a worker or a mail.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self, cast

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError, model_validator
from pydantic_core import PydanticCustomError
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from instruments import INSTRUMENTS, ItemFault, scales_meant
from monitoring import duties, ingest
from monitoring.api import examples
from monitoring.api.limits import PushesPerMinute
from monitoring.api.negotiation import AlwaysTheFirst
from monitoring.api.parsers import UntouchedBytes, body_of
from monitoring.api.problems import CONTENT_TYPE, problem
from monitoring.api.schema import Problem
from monitoring.api.teams import IsACareTeam, TeamAtTheDoor, TeamAuthentication
from monitoring.models import Flag, FlagKind
from monitoring.portal.presenters.safety import Crisis, urgency
from patients.intake import strict_json
from patients.intake.json_dialect import NO_DAYS, Fault
from patients.intake.panels import CollectedAt, PatientReference
from patients.models import CareTeam, Identifier, Patient, Rating
from patients.record.ratings import RatingExists, RatingFault, fault_of_time
from patients.scopes import CREATE

_PLAIN_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of this message; a misspelt name is refused, not dropped",
    "int_type": "must be a whole number",
    "string_type": "must be a text",
    "string_too_short": "must not be empty",
    "list_type": "must be a list of answers in the order of the scale, null for one not given",
    "model_type": "must be an object in braces",
    "model_attributes_type": "must be an object in braces",
    **NO_DAYS,
}
NOT_ON_RECORD = (
    "The item on self-harm is answered above zero, and this rating is not on record: see to this "
    "person now, and do not wait until it is put right."
)
NOT_READ = (
    "Nobody has read this message. If the item on self-harm is answered above zero, see to this "
    "person now, and do not wait until it is put right."
)
NO_REASSURANCE = "A zero, or no answer, is no sign of safety. Ask, and use your own judgement."
Scale = Annotated[str, Field(min_length=1, max_length=20, examples=["PHQ-9"])]


class RatingRequest(BaseModel):
    """One completed scale: its answers in the order of the scale, or its total alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    patient: PatientReference
    instrument: Scale
    rated_at: CollectedAt = Field(
        description="When it was filled in. Without an offset it is read on the clinic's clock."
    )
    items: Annotated[list[StrictInt | None], Field(max_length=50)] | None = Field(
        default=None, description="Null for an answer that was not given; nothing is imputed."
    )
    total: StrictInt | None = None
    self_harm: StrictInt | None = Field(
        default=None, description="Beside a total alone: the answer to the item on self-harm."
    )

    @model_validator(mode="after")
    def _check_there_is_something(self) -> Self:
        if self.items is None and self.total is None:
            raise PydanticCustomError("empty", "must hold items or a total")
        return self


class SelfHarmAnswer(BaseModel):
    """What was answered to the item on self-harm. A positive answer must interrupt the rater."""

    answer: int | None
    urgency: str | None = Field(description="same_day, urgent or immediate; null: no flag by this")
    flag: str | None = Field(description="Our name for the open safety flag.")
    show_at_once: list[str] = Field(
        description="What must be shown to whoever has entered the rating, before anything else."
    )


class RatingRefused(Problem):
    """Why a rating is not on record."""

    show_at_once: list[str] = Field(
        default=[],
        description="Where it answers the item on self-harm above zero, or was not read: what must "
        "be shown to whoever has entered it, before anything else.",
    )


class RatingAnswer(BaseModel):
    """What became of one rating."""

    state: str = Field(description="recorded, or known: the same rating was on record already.")
    instrument: str
    total: int | None = Field(description="Null where a missing answer could change it.")
    band: str | None
    self_harm: SelfHarmAnswer


_EXAMPLE = {
    "patient": {"system": "urn:clinic:mrn", "value": "0042"},
    "instrument": "PHQ-9",
    "rated_at": "2026-11-02T08:10:00+01:00",
    "items": [2, 2, 1, 2, 1, 1, 2, 0, 1],
}


class Ratings(APIView):
    """The clinic's door for ratings."""

    needs: ClassVar = {"POST": CREATE}
    authentication_classes = (TeamAuthentication,)
    permission_classes = (IsACareTeam,)
    throttle_classes = (PushesPerMinute,)
    parser_classes = (UntouchedBytes,)
    content_negotiation_class = AlwaysTheFirst

    def check_throttles(self, request: Request) -> None:
        """Wait until the message is read: a positive answer on self-harm is never turned away."""

    def handle_exception(self, exc: Exception) -> Response:
        """Say of a message that was turned away unread what may stand in it."""
        answer = super().handle_exception(exc)
        if not isinstance(exc, Throttled):  # that one was read, and has no positive answer
            caller: object = self.request.user
            if isinstance(caller, TeamAtTheDoor) and answer.status_code != 503:
                answer.data["show_at_once"] = _not_on_record(caller, NOT_READ)
            else:
                answer.data["show_at_once"] = [_(NOT_READ)]
        return answer

    @extend_schema(
        operation_id="send_rating",
        summary="Send one completed symptom scale",
        description="For systems of a clinic, by a key of the care team (`issue_team_key`). "
        "A positive answer on self-harm raises its flag in the same transaction; `show_at_once` "
        "must interrupt whoever has entered the rating. The same rating again changes nothing.",
        request=RatingRequest,
        responses={
            201: OpenApiResponse(RatingAnswer, description="The rating was recorded."),
            200: OpenApiResponse(RatingAnswer, description="It was on record already."),
            **{
                (status, CONTENT_TYPE): OpenApiResponse(
                    Problem if status == 429 else RatingRefused, description=text
                )
                for status, text in {
                    **{
                        key: examples.REFUSALS[key]
                        for key in (400, 401, 403, 413, 415, 422, 429, 503)
                    },
                    409: "This scale is on record for this moment with other answers.",
                }.items()
            },
        },
        examples=[OpenApiExample("PHQ-9 by items", value=_EXAMPLE, request_only=True)],
        tags=["ratings"],
    )
    def post(self, request: Request) -> Response:
        caller, at = cast(TeamAtTheDoor, request.user), timezone.now()
        body = body_of(request)
        try:
            said = strict_json.load(body)
        except strict_json.Unreadable as fault:
            answer = problem(400, _("This is not JSON"), detail=str(fault))
            # What it answers cannot be read: whoever has asked must look
            answer.data["show_at_once"] = _not_on_record(caller, NOT_READ)
            return answer
        is_positive = _is_positive(said)
        if not is_positive:
            super().check_throttles(request)
        answer = _take(said, caller, at=at)
        if answer.status_code >= 400 and is_positive:
            # Nothing is on record, and so no flag is up: whoever has asked must know at once
            answer.data["show_at_once"] = _not_on_record(caller)
        return answer


def _take(said: Any, caller: TeamAtTheDoor, *, at: datetime) -> Response:
    """Put one rating on record, or say why it cannot be."""
    try:
        sent = RatingRequest.model_validate(said)
    except ValidationError as found:
        return _unprocessable(_faults_of(found))
    patient = _patient_of(caller, sent.patient)
    rated_at = sent.rated_at
    if rated_at.tzinfo is None and patient is not None:
        rated_at = rated_at.replace(tzinfo=patient.team.site.zone)
    faults = list(_faults_of_content(sent, patient, rated_at, at=at))
    if patient is None or faults:
        return _unprocessable(faults)
    try:
        rating, is_new = ingest.receive_rating(
            patient=patient,
            instrument=sent.instrument,
            rated_at=rated_at,
            items=sent.items,
            total=sent.total,
            self_harm_answer=sent.self_harm,
            by=caller.name,
            at=at,
        )
    except RatingFault as fault:
        return _unprocessable([Fault("", str(fault))])
    except RatingExists:
        detail = _("Correct that one in the portal. Nothing of this message was stored.")
        title = _("This scale is on record for this moment with other answers")
        return problem(409, title, detail=detail)
    return Response(_say(rating, is_new=is_new), status=201 if is_new else 200)


def _is_positive(said: Any) -> bool:
    """Tell whether a message answers the item on self-harm above zero, whatever else it says."""
    if not isinstance(said, dict):
        return False
    items, total = said.get("items"), said.get("total")
    items = items if isinstance(items, list) else []
    scales = scales_meant(str(said.get("instrument")), n_items=len(items))
    own = [
        items[scale.self_harm_item - 1] for scale in scales if len(items) >= scale.self_harm_item
    ]
    if any(type(total) is int and scale.least_self_harm(total) for scale in scales):
        return True
    return any(
        str(each).strip(" 0.") not in {"", "None", "False"}
        for each in (*own, said.get("self_harm"))
    )


def _not_on_record(caller: TeamAtTheDoor, why: str = NOT_ON_RECORD) -> list[str]:
    team = CareTeam.objects.select_related("site").get(pk=caller.team_id)
    crisis = Crisis.of(duties.plan_of(team.site))
    return [_(why), crisis.text, crisis.numbers, crisis.out_of_hours]


def _faults_of_content(
    sent: RatingRequest, patient: Patient | None, rated_at: datetime, *, at: datetime
) -> Iterator[Fault]:
    """Name everything that keeps a well-formed rating from the record, so that one answer does."""
    if patient is None:
        yield Fault("/patient/value", _("no patient of this care team has this number"))
    if rated_at.tzinfo is not None and (wrong := fault_of_time(rated_at, at=at)):
        yield Fault("/rated_at", wrong)
    if fault_of_items := _fault_of_items(sent):
        yield fault_of_items


def _fault_of_items(sent: RatingRequest) -> Fault | None:
    """Name the answer that the scale does not have, by its place."""
    scale = INSTRUMENTS.get(sent.instrument)
    if scale is None or sent.items is None:
        return None  # the record says what is wrong
    try:
        scale.check(sent.items)
    except ItemFault as fault:
        return Fault(f"/items/{fault.item - 1}", str(fault))
    except ValueError as fault:
        return Fault("/items", str(fault))
    return None


def _patient_of(caller: TeamAtTheDoor, number: PatientReference) -> Patient | None:
    found = (
        Identifier.objects.select_related("patient__team__site")
        .filter(
            system=number.system,
            value=number.value,
            laboratory=None,
            patient__team=caller.team_id,
        )
        .first()
    )
    return None if found is None else found.patient


def _faults_of(found: ValidationError) -> list[Fault]:
    return [
        Fault(
            pointer="".join(f"/{step}" for step in fault["loc"]),
            detail=_PLAIN_WORDS.get(fault["type"], fault["msg"]),
        )
        for fault in found.errors(include_url=False, include_input=False)
    ]


def _unprocessable(faults: list[Fault]) -> Response:
    title, detail = _("This cannot be read as a rating"), _("Nothing of this message was stored.")
    return problem(422, title, detail=detail, faults=faults)


def _say(rating: Rating, *, is_new: bool) -> dict[str, Any]:
    scale = INSTRUMENTS[rating.instrument]
    return {
        "state": "recorded" if is_new else "known",
        "instrument": rating.instrument,
        "total": rating.total,
        "band": None if rating.total is None else scale.band(rating.total).name,
        "self_harm": _self_harm(rating),
    }


def _self_harm(rating: Rating) -> dict[str, Any]:
    """Say what the rater must be shown; of a zero that it is no reassurance."""
    level = INSTRUMENTS[rating.instrument].self_harm.level(rating.self_harm_answer)
    if level is None:
        said: list[str] = [_(NO_REASSURANCE)]
        return {
            "answer": rating.self_harm_answer,
            "urgency": None,
            "flag": None,
            "show_at_once": said,
        }
    flags = Flag.objects.filter(patient=rating.patient_id, kind=FlagKind.SAFETY)
    flag = flags.select_related("patient__team__site").latest("pk")
    crisis = Crisis.of(duties.plan_of(flag.patient.team.site))
    return {
        "answer": rating.self_harm_answer,
        "urgency": level.value,
        "flag": str(flag.reference),
        "show_at_once": [urgency(flag), crisis.text, crisis.numbers, crisis.out_of_hours],
    }
