"""The published vectors of flags, on the road: recorded as facts, assessed, and the flag is up."""

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from analytics.columns import UNITS
from monitoring import ingest, overdue
from monitoring.history import histories_of
from monitoring.management.commands.check_vectors import PUBLISHED
from monitoring.models import Alert, Flag, FlagKind, FlagLevel
from monitoring.recompute import recompute
from monitoring.vectors import KINDS, Case, read_vectors
from patients import audit
from patients.models import CareTeam, EventKind, Patient, Rating, Sex
from patients.record.events import record_event
from patients.record.patients import enrol
from patients.record.ratings import correct_rating
from patients.record.treatment import record_trial
from tests.conftest import Push, draw
from tests.factories import ClinicianFactory

pytestmark = pytest.mark.django_db

TOKYO = ZoneInfo("Asia/Tokyo")
FIRST_DOSE = date(2026, 1, 5)
# What a laboratory does not send, and a person has to say
BY_A_PERSON = {"is_confirmed", "is_overridden", "is_kept_out"}
# What follows from the profile of a laboratory, or from the calendar of another site
BY_THE_PROFILE = {"is_duplicate", "is_matrix_wrong", "is_kit_unknown", "assay_cv", "local_day"}


def cases(name: str) -> list[Case]:
    return [case for case in read_vectors(PUBLISHED, kinds=KINDS) if case.file == f"{name}.json"]


def moment(day: float) -> datetime:
    return datetime(2026, 1, 5, tzinfo=TOKYO) + timedelta(days=day)


def on(day: int) -> date:
    return FIRST_DOSE + timedelta(days=day)


@pytest.fixture
def ida(team: CareTeam) -> Patient:
    return enrol(
        team=team,
        identifiers=[("urn:clinic:mrn", "0042")],
        family_name="Invented",
        given_name="Ida",
        birth_date=None,
        sex=Sex.FEMALE,
        started_on=FIRST_DOSE,
        by="operator",
        at=moment(-30),
    )


def send(number: int, row: dict, *, push: Push, at: datetime) -> None:  # type: ignore[type-arg]
    """Push a result of a vector as its laboratory would."""
    specimen = {name: row[name] for name in ("haemolysis", "matrix") if name in row}
    if "thaws" in row:
        specimen["freeze_thaw_cycles"] = row["thaws"]
    if row.get("is_unsuitable"):
        specimen["conditions"] = ["CLOT"]
    analyte = row.get("analyte", "sIL-6R")
    one = draw(
        accession=f"V-{number}",
        collected_at=(moment(row["day"]) + timedelta(hours=row.get("local_hour", 0))).isoformat(),
        analyte=analyte,
        value=str(row["value"]),
        unit=UNITS[analyte],
        kit=row.get("kit", "" if "laboratory" in row else "kit A"),
        lot=row.get("lot", ""),
        status=row.get("status", "final"),
        comparator=row.get("comparator") or None,
    )
    push(json.dumps(one | {"specimen": specimen or None}).encode(), at=at)


def put_on_record(given: dict, *, patient: Patient, push: Push) -> datetime:  # type: ignore[type-arg]
    """Tell the road what the vector tells the core; give the moment that is asked about."""
    at = moment(given["at_day"])
    for row in given.get("ratings", []):
        ingest.receive_rating(
            patient=patient,
            instrument=row["instrument"],
            rated_at=moment(row["day"]),
            total=row["total"],
            by="operator",
            at=at,
        )
    for row in given.get("trials", []):
        record_trial(
            patient=patient,
            drug=row.get("drug", "sertraline"),
            atc=row["atc"],
            started_on=on(row["from_day"]),
            stopped_on=on(row["to_day"]) if "to_day" in row else None,
            stop_reason=row.get("stop_reason", ""),
            doses=[(on(step["from_day"]), Decimal(step["mg"])) for step in row["doses"]],
            by="operator",
            at=at,
        )
    for row in given.get("events", []):
        record_event(
            patient=patient,
            kind=EventKind(row["kind"]),
            atc=row.get("atc", ""),
            started_on=on(row["from_day"]),
            stopped_on=on(row["to_day"]) if "to_day" in row else None,
            by="operator",
            at=at,
        )
    for number, row in enumerate(given.get("results", [])):
        send(number, row, push=push, at=at)
    return at


def is_raised_from_facts(case: Case) -> bool:
    said_by_a_person = any(BY_A_PERSON & row.keys() for row in case.given.get("results", []))
    flags = case.expected.get("flags", {})
    return not said_by_a_person and any(flag.get("is_raise") for flag in flags.values())


@pytest.mark.parametrize(
    "case",
    [each for each in cases("flags") if is_raised_from_facts(each)],
    ids=lambda case: case.name,
)
def test_the_facts_of_a_vector_raise_its_flag(case: Case, ida: Patient, push: Push) -> None:
    at = put_on_record(case.given, patient=ida, push=push)

    recompute([ida.pk], at=at)

    up = {flag.kind: flag for flag in Flag.objects.up().filter(patient=ida)}
    for kind, wanted in case.expected["flags"].items():
        assert up[kind].level == wanted["level"]
        assert up[kind].reasons == wanted.get("reasons", up[kind].reasons)


def is_sent_by_a_laboratory(case: Case) -> bool:
    seen = {name for row in case.given.get("results", []) for name in row}
    is_said = seen & (BY_A_PERSON | BY_THE_PROFILE) or "no_episode" in case.given
    laboratories = {row.get("laboratory") for row in case.given.get("results", [])}
    return not is_said and len(laboratories) < 2 and "left_out" in case.expected


@pytest.mark.parametrize(
    "case",
    [each for each in cases("draw-validity") if is_sent_by_a_laboratory(each)],
    ids=lambda case: case.name,
)
def test_what_a_laboratory_sends_leaves_a_draw_out_as_a_vector_says(
    case: Case, ida: Patient, push: Push
) -> None:
    at = put_on_record(case.given, patient=ida, push=push)

    [assessment] = recompute([ida.pk], at=at)

    found = assessment.content["left_out"]
    expected = case.expected["left_out"]
    assert [each["reasons"] for each in found] == [each["reasons"] for each in expected]
    assert [each["validity"] for each in found] == [
        each.get("validity", found[place]["validity"]) for place, each in enumerate(expected)
    ]


@pytest.mark.parametrize(
    "case",
    [each for each in cases("schedule") if each.expected.get("flag") and "plan" not in each.given],
    ids=lambda case: case.name,
)
def test_a_day_of_a_vector_raises_the_flag_overdue(case: Case, ida: Patient, push: Push) -> None:
    today = date.fromisoformat(case.given["today"])
    at = datetime(today.year, today.month, today.day, 12, tzinfo=TOKYO)
    done = {"rating": case.given["done_on"], "draw": case.given["done_on"]}
    other = "draw" if case.given["what"] == "rating" else "rating"
    done[other] = [(FIRST_DOSE + timedelta(weeks=week)).isoformat() for week in (0, 2, 4)]
    for number, day in enumerate(done["draw"]):
        if date.fromisoformat(day) <= today:
            row = {"day": (date.fromisoformat(day) - FIRST_DOSE).days, "value": 30}
            send(number, row, push=push, at=at)
    for day in done["rating"]:
        if date.fromisoformat(day) <= today:
            ingest.receive_rating(
                patient=ida,
                instrument="QIDS-SR16",
                rated_at=moment((date.fromisoformat(day) - FIRST_DOSE).days),
                total=20,
                by="operator",
                at=at,
            )
    recompute([ida.pk], at=at)

    overdue.check_visits(at=at)

    up = Flag.objects.up().filter(patient=ida, kind=FlagKind.OVERDUE).first()
    wanted = case.expected["flag"]
    assert (up is not None) == wanted.get("is_raise", True)
    if up is not None:
        assert up.level == FlagLevel.WATCH
        assert up.reasons == wanted.get("reasons", up.reasons)


@pytest.mark.parametrize("case", cases("corrections"), ids=lambda case: case.name)
def test_a_correction_of_a_vector_is_told_to_who_acted(
    case: Case, ida: Patient, push: Push, team: CareTeam
) -> None:
    acted, idle = ClinicianFactory.create(teams=[team]), ClinicianFactory.create(teams=[team])
    before, after = case.given["before"], case.given["after"]
    at = put_on_record(before, patient=ida, push=push)
    recompute([ida.pk], at=at)
    audit.write(
        verb="view_patient",
        subject=f"patient:{ida.pk}",
        by=audit.name_of(acted),
        at=at + timedelta(hours=1),
        patient_id=ida.pk,
    )
    at += timedelta(hours=2)
    for number, (was, now) in enumerate(
        zip(before.get("results", []), after.get("results", []), strict=True)
    ):
        if was != now:
            send(number, now, push=push, at=at)
    for was, now in zip(before.get("ratings", []), after.get("ratings", []), strict=True):
        if was != now:
            correct_rating(
                rating=Rating.objects.get(rated_at=moment(was["day"])),
                rated_at=moment(now["day"]),
                total=now["total"],
                reason="misread",
                by="operator",
                at=at,
            )

    recompute([ida.pk], at=at)

    up = Flag.objects.up().filter(patient=ida, kind=FlagKind.CORRECTED).first()
    wanted = case.expected.get("flag", "one")
    told = Alert.objects.filter(flag=up)
    if wanted is None:
        assert up is None
        return
    assert up is not None
    assert up.reasons == case.expected.get("reasons", up.reasons)
    assert [alert.clinician for alert in told] == [acted]
    assert idle not in [alert.clinician for alert in told]


@pytest.mark.parametrize(
    "case",
    [
        case
        for name in ("score-qids-sr16", "score-other-scales")
        for case in cases(name)
        if case.expected.get("flag") == "safety"
    ],
    ids=lambda case: case.name,
)
def test_an_answer_of_a_vector_raises_the_safety_flag_at_once(case: Case, ida: Patient) -> None:
    ingest.receive_rating(
        patient=ida,
        instrument=case.given["instrument"],
        rated_at=moment(1),
        items=case.given.get("items"),
        total=case.given.get("total"),
        by="operator",
        at=moment(1),
    )

    # Nobody has assessed anything
    assert Flag.objects.up().get(patient=ida).kind == FlagKind.SAFETY


def test_every_dose_counts_from_its_own_day(ida: Patient) -> None:
    for day, total in ((0, 20), (42, 20)):
        ingest.receive_rating(
            patient=ida,
            instrument="QIDS-SR16",
            rated_at=moment(day),
            total=total,
            by="operator",
            at=moment(42),
        )
    record_trial(
        patient=ida,
        drug="sertraline",
        atc="N06AB06",
        started_on=FIRST_DOSE,
        doses=[(FIRST_DOSE, Decimal(25)), (on(14), Decimal(50))],
        by="operator",
        at=moment(42),
    )

    [assessment] = recompute([ida.pk], at=moment(42))

    # Four weeks at 50 mg: a decision point, and no failure yet
    assert assessment.state != "trial 1 failed (adequate)"
    assert assessment.content["course"]["trials"][0]["weeks_at_dose"] == 4


def test_correcting_a_rating_and_correcting_it_back_is_the_identity(ida: Patient) -> None:
    ingest.receive_rating(
        patient=ida,
        instrument="QIDS-SR16",
        rated_at=moment(0),
        total=20,
        by="operator",
        at=moment(1),
    )
    before = histories_of([ida.pk])

    for total in (12, 20):
        correct_rating(
            rating=Rating.objects.get(superseded_at=None),
            rated_at=moment(0),
            total=total,
            reason="misread",
            by="operator",
            at=moment(2),
        )
    back = histories_of([ida.pk])

    assert back.rating_columns.total.tolist() == before.rating_columns.total.tolist()
    assert back.rating_columns.rated_us.tolist() == before.rating_columns.rated_us.tolist()
