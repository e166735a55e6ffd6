"""What the pages ask of the record: always through the viewer, in as few questions as will do."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import reduce
from operator import and_
from typing import Any, cast
from uuid import UUID

from django.db.models import (
    CharField,
    Count,
    Exists,
    JSONField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, JSONObject

from analytics import Estimate
from monitoring.history import Measured, estimate_of, measured_of
from monitoring.models import Flag, FlagEvent, FlagKind, RiskAssessment, Silence, Standing
from patients.models import (
    CareTeam,
    Clinician,
    Contradiction,
    Draw,
    DrawVerdict,
    Episode,
    Event,
    Identifier,
    Inbound,
    Patient,
    PatientStatus,
    Rating,
    Result,
    Trial,
)
from patients.models.exact import ExactDecimalField

PAGE_SIZE = 50
ASSESSMENTS_SHOWN = 20
CANDIDATES_AT_MOST = 10
SIL6R = "sIL-6R"
# From this need on, something is up that nobody has acknowledged (flags.refresh_need)
UNANSWERED = 3

# Each team's own index gives its first rows in order, so a page costs the same at any size; who
# may see them is asked of the patient, by whoever uses this.
_BY_NEED = """
SELECT ranked.patient_id
  FROM unnest(%s::bigint[]) AS mine (team_id)
 CROSS JOIN LATERAL (
       SELECT standing.patient_id, standing.need, standing.probability
         FROM monitoring_standing AS standing
         JOIN patients_patient AS patient ON patient.id = standing.patient_id
        WHERE standing.team_id = mine.team_id AND patient.team_id = mine.team_id
          AND (patient.status = 'active') = %s AND standing.need >= %s
        ORDER BY standing.need DESC, standing.probability DESC, standing.patient_id
        LIMIT %s
       ) AS ranked
 ORDER BY ranked.need DESC, ranked.probability DESC, ranked.patient_id
OFFSET %s LIMIT %s
"""


class Show(StrEnum):
    """Which of the reader's patients are listed."""

    ALL = "all"
    REVIEW = "review"
    CLOSED = "closed"


@dataclass(frozen=True)
class TeamCounts:
    """One of the reader's teams, and how many patients it has."""

    team_id: int
    site: str
    name: str
    followed: int
    to_review: int
    closed: int
    unassessed: int

    def of(self, show: Show) -> int:
        """Count what a list would hold."""
        match show:
            case Show.ALL:
                return self.followed
            case Show.REVIEW:
                return self.to_review
            case Show.CLOSED:
                return self.closed


@dataclass(frozen=True)
class Overview:
    """The reader's teams, when any laboratory was last heard from, and what must be asked next."""

    teams: tuple[TeamCounts, ...]
    last_heard_at: datetime | None
    is_a_laboratory_silent: bool
    is_a_safety_flag_up: bool
    is_named_otherwise: bool

    def count(self, show: Show, *, team_id: int | None = None) -> int:
        """Count what a list over all teams, or over one, would hold."""
        return sum(team.of(show) for team in self.teams if team_id in {None, team.team_id})


@dataclass(frozen=True)
class Figure:
    """One dated figure: sIL-6R in the record's unit, or a total of a scale, which `of` names."""

    at: datetime
    value: Decimal | None
    comparator: str
    of: str


@dataclass
class Entry:
    """Everything that one line of the worklist is made of."""

    patient: Patient
    started_on: date | None
    number: str
    standing: Standing | None
    primary_scale: str = ""  # as somebody has chosen it
    flags: list[Flag] = field(default_factory=list)
    draws: list[Figure] = field(default_factory=list)
    ratings: list[Figure] = field(default_factory=list)


@dataclass(frozen=True)
class PatientRecord:
    """Everything that a patient's page shows, as it is known now."""

    patient: Patient
    identifiers: tuple[Identifier, ...]
    episode: Episode | None
    assessment: RiskAssessment | None
    estimate: Estimate | None
    flags: tuple[Flag, ...]
    draws: tuple[Draw, ...]
    ratings: tuple[Rating, ...]
    trials: tuple[Trial, ...]
    events: tuple[Event, ...]
    assessments: tuple[RiskAssessment, ...]
    verdicts: tuple[DrawVerdict, ...]
    contradictions: tuple[Contradiction, ...]
    measured: tuple[Measured, ...]


def overview(clinician: Clinician) -> Overview:
    """Count the reader's patients, team by team, in one question and one pass over each team.

    The teams are those of `visible_to`, so that their patients are the visible ones; asking it of
    every patient again would double the cost of the worklist.
    """
    active = Q(status=PatientStatus.ACTIVE)
    here = Patient.objects.filter(team=OuterRef("pk"))
    unanswered = Standing.objects.filter(
        team=OuterRef("pk"),
        need__gte=UNANSWERED,
        patient__team=OuterRef("pk"),
        patient__status=PatientStatus.ACTIVE,
    )
    safety_flags = Flag.objects.up().filter(patient__team=OuterRef("pk"), kind=FlagKind.SAFETY)
    teams = (
        CareTeam.objects.filter(members=clinician, members__is_active=True)
        .select_related("site")
        .order_by("site__name", "name")
        .annotate(
            sizes=_counted(
                here, followed=Count("pk", filter=active), closed=Count("pk", filter=~active)
            ),
            waiting=_counted(here.filter(active).stale(), unassessed=Count("pk")),
            answers=_counted(unanswered, to_review=Count("pk")),
            heard_at=Subquery(Inbound.objects.order_by("-pk").values("received_at")[:1]),
            silence=Exists(Silence.objects.filter(ended_at=None)),
            safety=Exists(safety_flags),
            otherwise=Exists(Contradiction.objects.filter(patient__team=OuterRef("pk"))),
        )
    )
    rows = [cast(Any, team) for team in teams]
    return Overview(
        teams=tuple(
            TeamCounts(
                row.pk,
                row.site.name,
                row.name,
                **{**_NOBODY, **(row.sizes or {}), **(row.waiting or {}), **(row.answers or {})},
            )
            for row in rows
        ),
        last_heard_at=rows[0].heard_at if rows else None,
        is_a_laboratory_silent=any(row.silence for row in rows),
        is_a_safety_flag_up=any(row.safety for row in rows),
        is_named_otherwise=any(row.otherwise for row in rows),
    )


_NOBODY = {"followed": 0, "closed": 0, "unassessed": 0, "to_review": 0}


def _counted(rows: QuerySet[Any], **counts: Count) -> Subquery:
    """Count the rows of a subquery that is tied to its team, in several ways at once."""
    counted = rows.order_by().values("team_id").annotate(n=JSONObject(**counts)).values("n")
    return Subquery(counted, output_field=JSONField())


def worklist(
    clinician: Clinician, *, team_ids: Iterable[int], show: Show, page: int
) -> list[Entry]:
    """Read one page of the reader's patients, who needs eyes most first."""
    start = (page - 1) * PAGE_SIZE
    by_need = RawSQL(  # noqa: S611  # a fixed statement; everything asked comes as parameters
        _BY_NEED,
        [
            list(team_ids),
            show is not Show.CLOSED,
            UNANSWERED if show is Show.REVIEW else 0,
            start + PAGE_SIZE,
            start,
            PAGE_SIZE,
        ],
    )
    return _entries(Patient.objects.visible_to(clinician).filter(pk__in=by_need))


def search(clinician: Clinician, text: str, *, at_most: int = PAGE_SIZE) -> list[Entry]:
    """Find the reader's patients by words of their name, or by a number in full."""
    return _entries(find_patients(clinician, text), at_most=at_most)


def find_patients(clinician: Clinician, text: str) -> QuerySet[Patient]:
    """Find the reader's patients; every word must be part of a name or be a number."""
    words = text.split()
    if not words:
        return Patient.objects.none()
    conditions = [
        Q(family_name__icontains=word)
        | Q(given_name__icontains=word)
        | Exists(Identifier.objects.filter(patient=OuterRef("pk"), value__iexact=word))
        for word in words
    ]
    return Patient.objects.visible_to(clinician).filter(reduce(and_, conditions))


def _entries(patients: QuerySet[Patient], *, at_most: int = PAGE_SIZE) -> list[Entry]:
    """Read lines of the worklist in three questions, however many lines there are."""
    started = Episode.objects.filter(patient=OuterRef("pk"), ended_on=None, superseded_at=None)
    numbers = Identifier.objects.filter(patient=OuterRef("pk")).order_by("pk")
    rows = (
        patients.select_related("team__site", "standing__assessment")
        .annotate(
            started_on=Subquery(started.values("started_on")[:1]),
            number=Subquery(numbers.values("value")[:1]),
            primary_scale=Subquery(started.values("primary_instrument")[:1]),
        )
        .order_by("-standing__need", "-standing__probability", "pk")[:at_most]
    )
    entries = {
        row.pk: Entry(
            patient=row,
            started_on=cast(Any, row).started_on,
            number=cast(Any, row).number or "",
            standing=getattr(row, "standing", None),
            primary_scale=cast(Any, row).primary_scale or "",
        )
        for row in rows
    }
    for flag in Flag.objects.up().filter(patient__in=list(entries)).order_by("raised_at"):
        entries[flag.patient_id].flags.append(flag)
    for patient_id, kind, at, value, comparator in _figures(list(entries)):
        figure = Figure(at, value, comparator, kind)
        entry = entries[patient_id]
        (entry.draws if kind == SIL6R else entry.ratings).append(figure)
    return list(entries.values())


def _figures(patient_ids: list[int]) -> Iterable[tuple[int, str, datetime, Decimal | None, str]]:
    """Read the current results of sIL-6R and the ratings of these patients, oldest first."""
    number = ExactDecimalField()
    text = CharField()
    results = Result.objects.filter(
        draw__patient__in=patient_ids,
        draw__superseded_at=None,
        superseded_at=None,
        analyte__code=SIL6R,
        value__isnull=False,
    )
    ratings = Rating.objects.filter(patient__in=patient_ids, superseded_at=None)
    union = results.values_list(
        "draw__patient_id",
        Value(SIL6R, output_field=text),
        "draw__collected_at",
        Cast("value", number),
        "comparator",
    ).union(
        ratings.values_list(
            "patient_id",
            Cast("instrument", text),
            "rated_at",
            Cast("total", number),
            Value("", output_field=text),
        ),
        all=True,
    )
    return sorted(cast(Any, union), key=lambda row: row[2])


def read_patient(clinician: Clinician, public_id: UUID) -> PatientRecord:
    """Read all that is on record of one patient, if the reader may see them.

    Raises Patient.DoesNotExist otherwise, as for a patient who is not there at all.
    """
    patient = (
        Patient.objects.visible_to(clinician)
        .select_related("team__site", "standing__assessment")
        .get(public_id=public_id)
    )
    standing = cast(Standing | None, getattr(patient, "standing", None))
    assessment = standing.assessment if standing else None
    versions = Result.objects.select_related("analyte").order_by("analyte__position", "version")
    steps = FlagEvent.objects.select_related("by").order_by("pk")
    return PatientRecord(
        patient=patient,
        identifiers=tuple(patient.identifiers.order_by("pk")),
        episode=patient.episodes.filter(ended_on=None, superseded_at=None).first(),
        assessment=assessment,
        estimate=estimate_of(assessment),
        flags=tuple(
            patient.flags.select_related("raised_by")
            .prefetch_related(Prefetch("events", steps))
            .order_by("-raised_at")
        ),
        draws=tuple(
            patient.draws.select_related("laboratory")
            .prefetch_related(Prefetch("results", versions))
            .order_by("collected_at", "pk")
        ),
        ratings=tuple(patient.ratings.order_by("rated_at", "pk")),
        trials=tuple(
            patient.trials.filter(superseded_at=None)
            .prefetch_related("dose_steps")
            .order_by("started_on", "pk")
        ),
        events=tuple(patient.events.filter(superseded_at=None).order_by("started_on", "pk")),
        assessments=tuple(patient.assessments.order_by("-made_at", "-pk")[:ASSESSMENTS_SHOWN]),
        verdicts=tuple(patient.draw_verdicts.filter(superseded_at=None)),
        contradictions=tuple(patient.contradictions.order_by("pk")),
        measured=measured_of(patient.pk),
    )


def visible_flags(clinician: Clinician) -> QuerySet[Flag]:
    """Give the flags that the reader may see, with all that their page needs."""
    return (
        Flag.objects.visible_to(clinician)
        .select_related("patient__team__site", "raised_by", "owner", "outcome")
        .prefetch_related(
            Prefetch("events", FlagEvent.objects.select_related("by", "rating").order_by("pk"))
        )
    )


def may_see_parked(clinician: Clinician) -> bool:
    """Whoever looks after any patient may look for draws of theirs among those of nobody known."""
    return clinician.is_active and CareTeam.objects.filter(members=clinician).exists()


def last_heard_at() -> datetime | None:
    """Say when the last message from any laboratory came."""
    return Inbound.objects.order_by("-pk").values_list("received_at", flat=True).first()


def name_of(clinician_ids: Iterable[int]) -> dict[int, str]:
    """Name the people behind the ids that the record keeps."""
    return {each.pk: str(each) for each in Clinician.objects.filter(pk__in=set(clinician_ids))}


def changed_since(clinician: Clinician, *, since: datetime) -> int:
    """Count the reader's patients who were assessed or flagged anew since a moment."""
    assessed = Standing.objects.filter(assessment__made_at__gt=since).values("patient_id")
    flagged = FlagEvent.objects.filter(at__gt=since).values("flag__patient_id")
    mine = Patient.objects.visible_to(clinician)
    return mine.filter(Q(pk__in=assessed) | Q(pk__in=flagged)).count()
