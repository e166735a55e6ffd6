"""By which names a laboratory knows its results, and what such a name can never do."""

from datetime import timedelta
from uuid import UUID

import pytest

from monitoring import ingest
from monitoring.fhir import stored
from patients.intake.finding import IfDuplicate
from patients.intake.parking import StillUnplaceable, match
from patients.intake.receipts import Condition, OtherVersion, OverlappingIdentities
from patients.intake.reports import ADDRESS, Identifier, PatientNumber, Precision
from patients.models import CareTeam, Clinician, Draw, Laboratory, Parked, Patient, Result
from tests.conftest import MONDAY, Push, draw
from tests.factories import (
    ClinicianFactory,
    IdentifierFactory,
    LaboratoryFactory,
    PatientFactory,
)
from tests.patients.observations import NUMBERING, observation, sender_of, take, versions
from tests.patients.test_intake import at_once, message

pytestmark = pytest.mark.django_db
FIRST_ONLY = Condition(if_versions=frozenset({1}))


@pytest.fixture
def other_patient(team: CareTeam) -> Patient:
    other = PatientFactory.create(team=team)
    IdentifierFactory.create(patient=other, system="urn:clinic:mrn", value="0043")
    return other


@pytest.fixture
def clinician(team: CareTeam) -> Clinician:
    return ClinicianFactory.create(teams=[team])


def test_four_results_of_one_moment_are_one_draw(laboratory: Laboratory, patient: Patient) -> None:
    for number, (analyte, unit) in enumerate(
        [("sIL-6R", "ng/mL"), ("IL-6", "pg/mL"), ("TNF-α", "pg/mL"), ("hs-CRP", "mg/L")]
    ):
        take(laboratory, observation(name=f"r-{number}", analyte=analyte, unit=unit, value="2"))

    assert Draw.objects.get().results.count() == 4


def test_a_list_of_four_results_of_one_moment_is_one_draw_too(
    laboratory: Laboratory, patient: Patient
) -> None:
    reports = [
        observation(name=f"r-{number}", analyte=analyte, unit=unit, value="2")
        for number, (analyte, unit) in enumerate(
            [("sIL-6R", "ng/mL"), ("IL-6", "pg/mL"), ("TNF-α", "pg/mL"), ("hs-CRP", "mg/L")]
        )
    ]

    receipt = ingest.receive(
        reports, body=b"list", dialect="json", sender=sender_of(laboratory), at=MONDAY
    )

    assert [answer.state for answer in receipt.answers] == ["recorded"] * 4
    assert Draw.objects.get().results.count() == 4


def test_another_name_for_the_same_moment_goes_to_a_person(
    laboratory: Laboratory, patient: Patient
) -> None:
    take(laboratory, observation(name="r-1"))

    answer = take(laboratory, observation(name="r-2"))

    assert (answer.state, answer.reasons) == ("parked", ("possible_duplicate",))
    assert Result.objects.count() == 1


def test_two_names_for_one_moment_in_one_list_go_to_a_person(
    laboratory: Laboratory, patient: Patient
) -> None:
    receipt = ingest.receive(
        [observation(name=f"r-{number}") for number in range(300)],
        body=b"list",
        dialect="json",
        sender=sender_of(laboratory),
        at=MONDAY,
    )

    states = [answer.state for answer in receipt.answers]
    assert states == ["recorded", *["parked"] * 299]


def test_another_accession_for_the_same_moment_goes_to_a_person(
    push: Push, patient: Patient
) -> None:
    push(message(draw(accession="A-17")))

    one_by_one = push(message(draw(accession="A-18")))
    later = "2026-11-01T08:10:00+09:00"
    in_a_list = push(
        message(
            draw(accession="A-19", collected_at=later), draw(accession="A-20", collected_at=later)
        )
    )

    states = [answer.state for answer in (*one_by_one.answers, *in_a_list.answers)]
    assert states == ["parked", "recorded", "parked"]
    assert one_by_one.answers[0].reasons == ("possible_duplicate",)


def test_what_another_door_has_brought_of_the_same_moment_goes_to_a_person(
    push: Push, laboratory: Laboratory, patient: Patient
) -> None:
    take(laboratory, observation(name="r-1", accession=""))

    [answer] = push(message(draw(collected_at="2026-11-01T23:00:00Z"))).answers

    assert answer.reasons == ("possible_duplicate",)


def test_what_was_retracted_is_no_reason_to_doubt_its_replacement(
    laboratory: Laboratory, patient: Patient
) -> None:
    take(laboratory, observation(name="r-1", status="entered-in-error"))

    answer = take(laboratory, observation(name="r-2"))

    assert answer.state == "recorded"


def test_a_person_may_say_that_it_is_the_same_result(
    laboratory: Laboratory, patient: Patient, clinician: Clinician
) -> None:
    first = take(laboratory, observation(name="r-1", value="37.50", issued=1))
    told = take(laboratory, observation(name="r-2", value="38.10", issued=2))
    parked = Parked.objects.get()

    with pytest.raises(StillUnplaceable):
        match(parked=parked, patient=patient, by=clinician, at=MONDAY)
    match(
        parked=parked,
        patient=patient,
        by=clinician,
        at=MONDAY,
        if_duplicate=IfDuplicate.SAME,
    )

    line = first.results[0].line
    assert [value for _, value, _, is_current in versions(line) if is_current] == ["38.10"]
    for address in (line, told.results[0].line):
        assert stored.line_of(laboratory.pk, str(address)) == line
    corrected = take(laboratory, observation(name="r-2", value="39.00", issued=3))
    assert corrected.results[0].line == line


def test_a_person_may_say_that_it_is_another_result(
    laboratory: Laboratory, patient: Patient, clinician: Clinician
) -> None:
    take(laboratory, observation(name="r-1"))
    told = take(laboratory, observation(name="r-2", value="40.00"))

    match(
        parked=Parked.objects.get(),
        patient=patient,
        by=clinician,
        at=MONDAY,
        if_duplicate=IfDuplicate.OTHER,
    )

    assert Result.objects.filter(superseded_at=None).count() == 2
    assert Result.objects.get(sent_value="40.00").public_id == told.results[0].line


def test_a_name_never_moves_a_result_to_another_patient(
    laboratory: Laboratory, patient: Patient, other_patient: Patient
) -> None:
    first = take(laboratory, observation(mrn="0042"))

    answer = take(laboratory, observation(mrn="0043", value="99.0"))

    assert answer.reasons == ("accession_belongs_to_another_patient",)
    assert answer.results[0].line == first.results[0].line
    assert Result.objects.get().draw.patient == patient


def test_numbers_of_two_patients_in_one_report_go_to_a_person(
    laboratory: Laboratory, patient: Patient, other_patient: Patient
) -> None:
    report = observation()
    both = (*report.patients, PatientNumber(system="urn:clinic:mrn", value="0043"))

    answer = take(laboratory, report.model_copy(update={"patients": both}))

    assert answer.reasons == ("numbers_of_different_patients",)


def test_a_name_never_moves_to_another_analyte(laboratory: Laboratory, patient: Patient) -> None:
    take(laboratory, observation())

    answer = take(laboratory, observation(analyte="IL-6", unit="pg/mL", value="2.0"))

    assert answer.reasons == ("name_belongs_to_another_analyte",)


def test_one_laboratory_never_touches_anothers_result_of_the_same_name(
    laboratory: Laboratory, patient: Patient
) -> None:
    other = LaboratoryFactory.create()
    ours = take(laboratory, observation(value="37.50"))

    theirs = take(other, observation(value="99.0"))
    by_our_address = take(
        other,
        observation(
            value="98.0",
            drawn_at=MONDAY - timedelta(days=3),
            names=(Identifier(system=ADDRESS, value=str(ours.results[0].line)),),
        ),
    )

    assert theirs.state == by_our_address.state == "recorded"
    assert len({each.results[0].line for each in (ours, theirs, by_our_address)}) == 3
    line = ours.results[0].line
    assert stored.line_of(other.pk, str(line)) == by_our_address.results[0].line
    assert stored.line_of(laboratory.pk, str(line)) == line
    assert [value for _, value, _, is_current in versions(line) if is_current] == ["37.50"]
    assert stored.current(other.pk, [line]) == {}


def test_our_own_name_of_a_result_is_an_address_for_its_laboratory(
    push: Push, laboratory: Laboratory, patient: Patient
) -> None:
    push(message(draw(value="37.50")))
    line = Result.objects.get().public_id

    answer = take(
        laboratory,
        observation(
            value="38.10",
            drawn_at=MONDAY.replace(day=1, hour=23, minute=10),
            names=(Identifier(system=ADDRESS, value=str(line)),),
        ),
    )

    assert answer.results[0].line == line
    assert answer.state == "corrected"
    assert [number for number, *_ in versions(line)] == [1, 2]


def test_a_parked_result_keeps_its_name_when_it_is_placed(
    laboratory: Laboratory, patient: Patient, clinician: Clinician
) -> None:
    told = take(laboratory, observation(mrn="9999"))
    again = take(laboratory, observation(mrn="9999", value="38.10"))

    assert told.state == again.state == "parked"
    assert told.results[0].line == again.results[0].line
    for parked in Parked.objects.order_by("pk"):
        match(parked=parked, patient=patient, by=clinician, at=MONDAY)
    line = told.results[0].line
    assert stored.line_named(laboratory.pk, Identifier(system=NUMBERING, value="r-1")) == line
    assert [value for _, value, _, is_current in versions(line) if is_current] == ["38.10"]
    assert [number for number, *_ in versions(line)] == [1, 2]


def test_to_create_unless_it_exists_changes_nothing_that_exists(
    laboratory: Laboratory, patient: Patient
) -> None:
    unless = Condition(if_none_exists=True)
    first = take(laboratory, observation(value="37.50"), condition=unless)

    second = take(laboratory, observation(value="99.0"), condition=unless)

    assert (first.state, second.state) == ("recorded", "known")
    assert second.results[0].line == first.results[0].line
    assert Result.objects.get().sent_value == "37.50"


def test_to_create_unless_it_exists_finds_what_waits(laboratory: Laboratory) -> None:
    unless = Condition(if_none_exists=True)
    first = take(laboratory, observation(mrn="9999", value="37.50"), condition=unless)

    second = take(laboratory, observation(mrn="9999", value="99.0"), condition=unless)

    assert second.state == "parked"
    assert second.id == first.id
    assert Parked.objects.count() == 1


def test_a_version_that_is_no_longer_current_is_not_replaced(
    laboratory: Laboratory, patient: Patient
) -> None:
    take(laboratory, observation(value="37.50"))
    take(laboratory, observation(value="38.10"), condition=FIRST_ONLY)

    with pytest.raises(OtherVersion):
        take(laboratory, observation(value="39.00"), condition=FIRST_ONLY)

    assert Result.objects.get(superseded_at=None).sent_value == "38.10"
    assert Result.objects.count() == 2


def test_who_names_the_version_to_be_replaced_is_never_late(
    laboratory: Laboratory, patient: Patient
) -> None:
    take(laboratory, observation(value="37.50", status="corrected", issued=5))

    take(
        laboratory,
        observation(value="38.10", status="final", issued=3),
        condition=FIRST_ONLY,
    )

    assert Result.objects.get(superseded_at=None).sent_value == "38.10"


def test_two_draws_of_a_transaction_that_are_one_result_refuse_it_whole(
    laboratory: Laboratory, patient: Patient
) -> None:
    with pytest.raises(OverlappingIdentities) as refused:
        ingest.receive(
            [observation(name="r-1"), observation(name="r-2"), observation(name="r-1")],
            body=b"transaction",
            dialect="json",
            sender=sender_of(laboratory),
            at=MONDAY,
            refuse_overlaps=True,
        )

    assert refused.value.place == 2
    assert not Result.objects.exists()
    assert not Parked.objects.exists()


def test_the_same_bytes_asked_for_in_another_way_are_another_message(
    laboratory: Laboratory, patient: Patient
) -> None:
    report = observation(name=None)
    named = report.model_copy(
        update={
            "results": (
                report.results[0].model_copy(
                    update={"names": (Identifier(system=ADDRESS, value="mine"),)}
                ),
            )
        }
    )
    first = take(laboratory, named, asked="PUT /Observation/mine")

    again = take(laboratory, named, asked="PUT /Observation/mine")

    assert (first.state, again.state) == ("recorded", "known")
    assert first.results[0].line == again.results[0].line


def test_a_nameless_result_told_again_in_other_bytes_is_known(
    laboratory: Laboratory, patient: Patient
) -> None:
    first = take(laboratory, observation(name=None))

    again = take(laboratory, observation(name=None), asked="other bytes")
    other = take(laboratory, observation(name=None, value="40.0"))

    assert again.state == "known"
    assert again.results[0].line == first.results[0].line
    assert other.reasons == ("possible_duplicate",)


@pytest.mark.parametrize("precision", [Precision.MONTH, Precision.YEAR])
def test_a_month_is_no_time_of_a_draw(
    laboratory: Laboratory, patient: Patient, precision: Precision
) -> None:
    answer = take(laboratory, observation(precision=precision))

    assert answer.reasons == ("unusable_time",)


def test_a_day_is_kept_as_a_day(laboratory: Laboratory, patient: Patient) -> None:
    take(laboratory, observation(precision=Precision.DAY))

    assert Draw.objects.get().collected_precision == "day"


def test_a_second_name_joins_the_first(laboratory: Laboratory, patient: Patient) -> None:
    first, second = (
        Identifier(system=NUMBERING, value="r-1"),
        Identifier(system="urn:other", value="x-1"),
    )
    told = take(laboratory, observation(names=(first,)))
    take(laboratory, observation(names=(first, second), value="38.1"))

    answer = take(laboratory, observation(names=(second,), value="39.0"))

    assert answer.results[0].line == told.results[0].line
    assert answer.results[0].version == 3


def test_names_of_two_results_in_one_report_go_to_a_person(
    laboratory: Laboratory, patient: Patient
) -> None:
    earlier = MONDAY - timedelta(days=4)
    take(laboratory, observation(name="r-1"))
    take(laboratory, observation(name="r-2", drawn_at=earlier))

    both = (
        Identifier(system=NUMBERING, value="r-1"),
        Identifier(system=NUMBERING, value="r-2"),
    )
    answer = take(laboratory, observation(names=both, value="50"))

    assert answer.reasons == ("names_of_different_results",)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("mrn", ["0042", "9999"])
@pytest.mark.parametrize("condition", [Condition(), Condition(if_none_exists=True)])
def test_sixteen_of_one_name_at_once_make_one_result(
    laboratory: Laboratory, patient: Patient, mrn: str, condition: Condition
) -> None:
    lines: list[UUID] = []

    def create(number: int) -> None:
        answer = take(
            laboratory, observation(mrn=mrn), asked=f"sender {number}", condition=condition
        )
        lines.append(answer.results[0].line)

    faults = at_once(16, create)

    assert faults == []
    assert len(lines) == 16
    assert len(set(lines)) == 1
    assert Result.objects.count() + Parked.objects.count() == 1


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_sixteen_values_of_one_name_at_once_create_only_the_first(
    laboratory: Laboratory, patient: Patient
) -> None:
    states: list[str] = []

    def create(number: int) -> None:
        answer = take(
            laboratory,
            observation(value=f"{30 + number}"),
            condition=Condition(if_none_exists=True),
        )
        states.append(answer.state)

    faults = at_once(16, create)

    assert faults == []
    assert sorted(states) == [*["known"] * 15, "recorded"]
    assert Result.objects.count() == 1


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_sixteen_that_replace_one_version_at_once_one_wins(
    laboratory: Laboratory, patient: Patient
) -> None:
    take(laboratory, observation(value="20.0"))
    refused: list[int] = []

    def replace(number: int) -> None:
        try:
            take(
                laboratory,
                observation(value=f"{30 + number}"),
                condition=FIRST_ONLY,
            )
        except OtherVersion:
            refused.append(number)

    faults = at_once(16, replace)

    assert faults == []
    assert len(refused) == 15
    assert Result.objects.count() == 2


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_sixteen_names_for_one_moment_at_once_make_one_result_and_fifteen_questions(
    laboratory: Laboratory, patient: Patient
) -> None:
    faults = at_once(16, lambda number: take(laboratory, observation(name=f"r-{number}")))

    assert faults == []
    assert Result.objects.count() == 1
    assert Parked.objects.count() == 15


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_sixteen_patients_for_one_name_at_once_leave_it_with_one(
    laboratory: Laboratory, patient: Patient, team: CareTeam
) -> None:
    for number in range(16):
        other = PatientFactory.create(team=team)
        IdentifierFactory.create(patient=other, value=f"x-{number}")

    faults = at_once(16, lambda number: take(laboratory, observation(mrn=f"x-{number}")))

    assert faults == []
    assert Result.objects.count() == 1
    assert Parked.objects.count() == 15
