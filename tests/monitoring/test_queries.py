"""What the pages ask: through the viewer, in few questions, in the order of need."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from monitoring import queries
from monitoring.history import estimate_of
from monitoring.models import FlagLevel, FlagState
from monitoring.queries import PAGE_SIZE, Show
from patients.models import CareTeam, Clinician, Patient, PatientStatus, ResultStatus
from tests.factories import (
    MONDAY,
    AnalyteFactory,
    AssessmentFactory,
    ClinicianFactory,
    DrawFactory,
    EpisodeFactory,
    FlagFactory,
    IdentifierFactory,
    InboundFactory,
    LaboratoryFactory,
    PatientFactory,
    RatingFactory,
    ResultFactory,
    StandingFactory,
    TeamFactory,
)

pytestmark = pytest.mark.django_db


def follow(team: CareTeam, *, need: int = 0, **options: object) -> Patient:
    """Give a team a patient who has been assessed, with one draw, rating and flag."""
    patient = PatientFactory.create(team=team, **options)
    IdentifierFactory.create(patient=patient)
    EpisodeFactory.create(patient=patient)
    ResultFactory.create(draw__patient=patient)
    RatingFactory.create(patient=patient)
    StandingFactory.create(
        patient=patient, need=need, assessment=AssessmentFactory.create(patient=patient)
    )
    if need:
        FlagFactory.create(patient=patient)
    return patient


def listed(reader: Clinician, *, show: Show = Show.ALL, page: int = 1) -> list[Patient]:
    teams = [team.team_id for team in queries.overview(reader).teams]
    entries = queries.worklist(reader, team_ids=teams, show=show, page=page)
    return [entry.patient for entry in entries]


@pytest.mark.parametrize("size", [2, PAGE_SIZE + 12])
def test_the_worklist_asks_six_questions_at_every_size(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, size: int
) -> None:
    team = TeamFactory.create()
    for number in range(size):
        follow(team, need=number % 4)
    client.force_login(ClinicianFactory.create(teams=[team]))

    # the session, the reader, the counts, the patients, their flags, their figures
    with django_assert_num_queries(6):
        answer = client.get(reverse("portal:worklist"))

    assert f"My patients: {size}" in answer.content.decode()


def test_those_who_need_eyes_most_come_first() -> None:
    team = TeamFactory.create()
    quiet, safety, watch = (follow(team, need=need) for need in (0, 6, 3))
    reader = ClinicianFactory.create(teams=[team])

    assert listed(reader) == [safety, watch, quiet]


def test_of_equal_need_the_likelier_comes_first() -> None:
    team = TeamFactory.create()
    low, high = follow(team), follow(team)
    for patient, probability in ((low, 0.2), (high, 0.6)):
        standing = patient.standing
        standing.probability = probability
        standing.save()

    assert listed(ClinicianFactory.create(teams=[team])) == [high, low]


def test_the_order_runs_over_all_teams_and_pages() -> None:
    here, there = TeamFactory.create(), TeamFactory.create()
    patients = [
        follow(team, need=need) for need in range(6) for team in (here, there) for _each in range(5)
    ]
    reader = ClinicianFactory.create(teams=[here, there])

    first, second = listed(reader), listed(reader, page=2)

    assert len(first) == PAGE_SIZE
    assert len(second) == len(patients) - PAGE_SIZE
    needs = [patient.standing.need for patient in first + second]
    assert needs == sorted(needs, reverse=True)
    assert set(first + second) == set(patients)


def test_to_review_is_what_nobody_has_acknowledged() -> None:
    team = TeamFactory.create()
    _acknowledged, waiting = follow(team, need=2), follow(team, need=3)
    reader = ClinicianFactory.create(teams=[team])

    assert listed(reader, show=Show.REVIEW) == [waiting]
    assert queries.overview(reader).count(Show.REVIEW) == 1


def test_who_is_no_longer_followed_is_listed_apart() -> None:
    team = TeamFactory.create()
    followed = follow(team)
    closed = follow(team, need=3, status=PatientStatus.TRANSFERRED)
    reader = ClinicianFactory.create(teams=[team])

    assert listed(reader) == [followed]
    assert listed(reader, show=Show.CLOSED) == [closed]
    assert queries.overview(reader).count(Show.REVIEW) == 0
    assert queries.overview(reader).count(Show.CLOSED) == 1


def test_another_teams_patients_are_in_no_list_and_no_count() -> None:
    theirs = follow(TeamFactory.create(), need=6)
    reader = ClinicianFactory.create(teams=[TeamFactory.create()])

    overview = queries.overview(reader)

    assert overview.count(Show.ALL) == 0
    assert queries.worklist(reader, team_ids=[theirs.team_id], show=Show.ALL, page=1) == []
    assert queries.search(reader, theirs.family_name) == []
    with pytest.raises(Patient.DoesNotExist):
        queries.read_patient(reader, theirs.public_id)


def test_a_patient_who_has_changed_teams_is_listed_by_the_new_one_only() -> None:
    old, new = TeamFactory.create(), TeamFactory.create()
    patient = follow(old)
    patient.team = new
    patient.save()

    assert listed(ClinicianFactory.create(teams=[old])) == []


def test_a_line_holds_the_current_figures_with_every_digit_that_was_sent() -> None:
    team = TeamFactory.create()
    patient = follow(team)
    draw = DrawFactory.create(patient=patient, collected_at=MONDAY - timedelta(hours=20))
    old = {"superseded_at": MONDAY, "superseded_reason": "the laboratory sent it as corrected"}
    ResultFactory.create(draw=draw, value=Decimal("99.9"), **old)
    ResultFactory.create(draw=draw, value=Decimal("41.20"), version=2)
    crp = AnalyteFactory.create(code="hs-CRP", position=4)
    ResultFactory.create(draw=draw, value=Decimal("3.1"), analyte=crp)
    cancelled = DrawFactory.create(patient=patient)
    ResultFactory.create(draw=cancelled, value=None, status=ResultStatus.CANCELLED, sent_value="")
    reader = ClinicianFactory.create(teams=[team])

    [entry] = queries.worklist(reader, team_ids=[team.pk], show=Show.ALL, page=1)

    assert [str(each.value) for each in entry.draws] == ["37.50", "41.20"]
    assert [each.value for each in entry.ratings] == [Decimal(15)]


def test_a_line_holds_the_open_flags_only() -> None:
    team = TeamFactory.create()
    patient = follow(team)
    up = FlagFactory.create(patient=patient, level=FlagLevel.WATCH)
    FlagFactory.create(patient=patient, state=FlagState.RESOLVED, resolved_at=MONDAY)
    reader = ClinicianFactory.create(teams=[team])

    [entry] = queries.worklist(reader, team_ids=[team.pk], show=Show.ALL, page=1)

    assert entry.flags == [up]


@pytest.mark.parametrize("text", ["mori", "Yuki MORI", "0042", "yuki 0042"])
def test_a_patient_is_found_by_words_of_the_name_or_a_whole_number(text: str) -> None:
    team = TeamFactory.create()
    wanted = follow(team, family_name="Morikawa", given_name="Yuki")
    IdentifierFactory.create(patient=wanted, system="urn:study", value="0042")
    follow(team, family_name="Tanaka", given_name="Yuki")
    reader = ClinicianFactory.create(teams=[team])

    assert [entry.patient for entry in queries.search(reader, text)] == [wanted]


@pytest.mark.parametrize("text", ["", "  ", "004", "mori 9999"])
def test_part_of_a_number_or_nothing_finds_nobody(text: str) -> None:
    team = TeamFactory.create()
    IdentifierFactory.create(patient=follow(team, family_name="Morikawa"), value="0042")

    assert queries.search(ClinicianFactory.create(teams=[team]), text) == []


def test_the_last_message_of_any_laboratory_is_known() -> None:
    InboundFactory.create(received_at=MONDAY - timedelta(days=3))
    InboundFactory.create(received_at=MONDAY, laboratory=LaboratoryFactory.create())
    reader = ClinicianFactory.create(teams=[TeamFactory.create()])

    assert queries.overview(reader).last_heard_at == MONDAY
    assert queries.last_heard_at() == MONDAY


def test_an_assessment_that_could_not_be_made_has_no_estimate() -> None:
    assert estimate_of(None) is None
    assert estimate_of(AssessmentFactory.create(content={"reasons": ["Fault"]})) is None
