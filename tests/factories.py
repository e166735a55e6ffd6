"""Synthetic people and facts for tests; a call names only what the test is about."""

# mypy: disable-error-code="no-untyped-call,untyped-decorator"

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from factory.declarations import (
    LazyAttribute,
    LazyFunction,
    SelfAttribute,
    Sequence,
    SubFactory,
)
from factory.django import DjangoModelFactory
from factory.helpers import post_generation

from analytics import CURRENT_POLICY, CURRENT_RELEASE
from monitoring.models import (
    Flag,
    FlagEvent,
    FlagKind,
    FlagLevel,
    FlagState,
    Outcome,
    RiskAssessment,
    Standing,
)
from patients.models import (
    Analyte,
    CareTeam,
    Clinician,
    DoseStep,
    Draw,
    Episode,
    Event,
    EventKind,
    Identifier,
    Inbound,
    Laboratory,
    Membership,
    Parked,
    ParkedResult,
    Patient,
    Rating,
    Result,
    ResultStatus,
    Role,
    Sex,
    Site,
    Trial,
)

# A Monday morning; tests hand it in as the present, or count back from it
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FIRST_DOSE = date(2026, 9, 28)  # eight weeks before
BY = "clinician:0"


class SiteFactory(DjangoModelFactory[Site]):
    class Meta:
        model = Site

    name = Sequence(lambda n: f"Site {n}")
    time_zone = "Europe/Berlin"


class TeamFactory(DjangoModelFactory[CareTeam]):
    class Meta:
        model = CareTeam

    site = SubFactory(SiteFactory)
    name = Sequence(lambda n: f"Team {n}")


class ClinicianFactory(DjangoModelFactory[Clinician]):
    """Somebody who can sign in; `teams=[...]` makes them a member."""

    class Meta:
        model = Clinician
        skip_postgeneration_save = True

    email = Sequence(lambda n: f"clinician{n}@clinic.example")
    full_name = Sequence(lambda n: f"Dr Clinician {n}")
    time_zone = "Europe/Berlin"
    password = "!"

    @post_generation
    def teams(
        clinician: Any,  # noqa: N805  # factory_boy hands in the instance
        create: bool,  # noqa: ARG002
        extracted: Iterable[CareTeam] | None,
        **_: Any,
    ) -> None:
        for team in extracted or ():
            Membership.objects.create(
                team=team,
                clinician=clinician,
                role=Role.PSYCHIATRIST,
                since=MONDAY,
            )


class PatientFactory(DjangoModelFactory[Patient]):
    class Meta:
        model = Patient

    team = SubFactory(TeamFactory)
    family_name = Sequence(lambda n: f"Family{n}")
    given_name = "Given"
    birth_date = date(1981, 3, 4)
    sex = Sex.FEMALE
    enrolled_at = MONDAY - timedelta(weeks=9)
    is_synthetic = True


class IdentifierFactory(DjangoModelFactory[Identifier]):
    class Meta:
        model = Identifier

    patient = SubFactory(PatientFactory)
    system = "urn:clinic:mrn"
    value = Sequence(lambda n: f"{n:06d}")
    since = MONDAY - timedelta(weeks=9)


class EpisodeFactory(DjangoModelFactory[Episode]):
    class Meta:
        model = Episode

    patient = SubFactory(PatientFactory)
    started_on = FIRST_DOSE
    recorded_at = MONDAY - timedelta(weeks=8)
    recorded_by = BY


class TrialFactory(DjangoModelFactory[Trial]):
    class Meta:
        model = Trial

    patient = SubFactory(PatientFactory)
    drug = "escitalopram"
    atc = "N06AB10"
    started_on = FIRST_DOSE
    recorded_at = MONDAY - timedelta(weeks=8)
    recorded_by = BY


class DoseStepFactory(DjangoModelFactory[DoseStep]):
    class Meta:
        model = DoseStep

    trial = SubFactory(TrialFactory)
    started_on = FIRST_DOSE
    dose_mg = Decimal(10)


class EventFactory(DjangoModelFactory[Event]):
    class Meta:
        model = Event

    patient = SubFactory(PatientFactory)
    kind = EventKind.INFECTION
    started_on = FIRST_DOSE + timedelta(weeks=4)
    recorded_at = MONDAY - timedelta(weeks=4)
    recorded_by = BY


class RatingFactory(DjangoModelFactory[Rating]):
    class Meta:
        model = Rating

    patient = SubFactory(PatientFactory)
    instrument = "QIDS-SR16"
    rated_at = MONDAY - timedelta(days=1)
    total = 15
    recorded_at = SelfAttribute("rated_at")
    recorded_by = BY


class LaboratoryFactory(DjangoModelFactory[Laboratory]):
    class Meta:
        model = Laboratory

    name = Sequence(lambda n: f"Laboratory {n}")
    time_zone = "Europe/Berlin"


class AnalyteFactory(DjangoModelFactory[Analyte]):
    """The catalogue is filled by a migration; this finds its entry."""

    class Meta:
        model = Analyte
        django_get_or_create = ("code",)

    code = "sIL-6R"
    name = "soluble interleukin-6 receptor"
    unit = "ng/mL"
    position = 1


class InboundFactory(DjangoModelFactory[Inbound]):
    class Meta:
        model = Inbound

    laboratory = SubFactory(LaboratoryFactory)
    received_at = MONDAY - timedelta(hours=1)
    dialect = "json"
    sha256 = Sequence(lambda n: f"{n:064x}")
    body = b"{}"


class DrawFactory(DjangoModelFactory[Draw]):
    class Meta:
        model = Draw

    patient = SubFactory(PatientFactory)
    laboratory = SubFactory(LaboratoryFactory)
    accession = Sequence(lambda n: f"A-{n}")
    collected_at = MONDAY - timedelta(days=1)
    recorded_at = LazyAttribute(lambda draw: draw.collected_at + timedelta(hours=4))
    recorded_by = "laboratory:0"


class ResultFactory(DjangoModelFactory[Result]):
    """One sIL-6R value; `value` may be given as the text that the laboratory sent."""

    class Meta:
        model = Result

    draw = SubFactory(DrawFactory)
    analyte = SubFactory(AnalyteFactory)
    status = ResultStatus.FINAL
    value = Decimal("37.50")
    sent_value = LazyAttribute(lambda result: str(result.value))
    sent_unit = LazyAttribute(lambda result: result.analyte.unit)
    recorded_at = LazyAttribute(lambda result: result.draw.recorded_at)
    recorded_by = "laboratory:0"


class ParkedFactory(DjangoModelFactory[Parked]):
    """A draw that waits because nobody is known by its number."""

    class Meta:
        model = Parked
        skip_postgeneration_save = True

    laboratory = SubFactory(LaboratoryFactory)
    inbound = SubFactory(InboundFactory, laboratory=SelfAttribute("..laboratory"))
    accession = Sequence(lambda n: f"P-{n}")
    sha256 = Sequence(lambda n: f"{n:064x}")
    report = LazyAttribute(
        lambda parked: {
            "accession": parked.accession,
            "patients": [{"system": "urn:clinic:mrn", "value": "9042"}],
            "times": [
                {
                    "role": "collected",
                    "text": "2026-11-20T08:10:00+01:00",
                    "at": "2026-11-20T08:10:00+01:00",
                }
            ],
            "results": [{"codes": [{"code": "sIL-6R"}], "value": "37.50", "unit": "ng/mL"}],
        }
    )
    reasons = LazyFunction(lambda: ["unknown_patient"])
    parked_at = MONDAY - timedelta(hours=1)

    @post_generation
    def results(parked: Any, create: bool, extracted: None, **_: Any) -> None:  # noqa: N805, ARG002
        for position, _result in enumerate(parked.report["results"]):
            ParkedResult.objects.create(parked=parked, position=position, line=uuid4())


class AssessmentFactory(DjangoModelFactory[RiskAssessment]):
    """An assessment that found too little to say anything."""

    class Meta:
        model = RiskAssessment

    patient = SubFactory(PatientFactory)
    history_version = Sequence(int)
    model = CURRENT_RELEASE.version
    policy = CURRENT_POLICY.version
    made_at = MONDAY
    outcome = Outcome.NOT_ENOUGH_DATA
    state = "no episode"
    content = LazyFunction(lambda: {"reasons": []})


class StandingFactory(DjangoModelFactory[Standing]):
    class Meta:
        model = Standing

    patient = SubFactory(PatientFactory)
    team = SelfAttribute("patient.team")


class FlagFactory(DjangoModelFactory[Flag]):
    """An open flag of level watch."""

    class Meta:
        model = Flag

    patient = SubFactory(PatientFactory)
    kind = FlagKind.DRIFTING
    level = FlagLevel.WATCH
    raised_at = MONDAY - timedelta(hours=2)
    reasons = LazyFunction(lambda: ["real_rise"])


class FlagEventFactory(DjangoModelFactory[FlagEvent]):
    class Meta:
        model = FlagEvent

    flag = SubFactory(FlagFactory)
    at = MONDAY - timedelta(hours=2)
    state = FlagState.RAISED
