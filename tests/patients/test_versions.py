"""Which version of a result is current, however late or disordered its messages come."""

import itertools
from datetime import timedelta

import pytest

from patients.models import Laboratory, Patient, Result
from tests.conftest import MONDAY
from tests.patients.observations import observation, take, versions

pytestmark = pytest.mark.django_db
LATER = MONDAY + timedelta(hours=1)


def test_a_second_version_under_the_same_name_replaces_the_first(
    laboratory: Laboratory, patient: Patient
) -> None:
    first = take(laboratory, observation(value="37.50"))
    second = take(laboratory, observation(value="38.10", status="corrected"), at=LATER)

    assert (first.state, second.state) == ("recorded", "corrected")
    [line] = {each.results[0].line for each in (first, second)}
    assert second.results[0].version == 2
    assert versions(line) == [(1, "37.50", "final", False), (2, "38.10", "corrected", True)]


def test_a_changed_value_after_a_final_one_is_a_correction_though_it_is_sent_as_final(
    laboratory: Laboratory, patient: Patient
) -> None:
    for value in ("37.50", "38.10", "39.20"):
        answer = take(laboratory, observation(value=value))

    current = Result.objects.get(superseded_at=None)
    assert answer.state == "corrected"
    assert (current.status, current.sent_status, current.sent_value) == (
        "corrected",
        "final",
        "39.20",
    )


def test_a_version_that_was_issued_earlier_but_comes_later_is_stored_as_an_older_one(
    laboratory: Laboratory, patient: Patient
) -> None:
    take(laboratory, observation(value="38.10", status="corrected", issued=5))
    patient.refresh_from_db()
    before = patient.history_version

    late = take(laboratory, observation(value="37.50", issued=3), at=LATER)

    assert (late.state, late.results[0].state, late.results[0].version) == ("known", "late", 1)
    assert versions(late.results[0].line) == [
        (1, "38.10", "corrected", True),
        (2, "37.50", "final", False),
    ]
    patient.refresh_from_db()
    assert patient.history_version == before


def test_a_late_version_told_twice_is_stored_once(laboratory: Laboratory, patient: Patient) -> None:
    take(laboratory, observation(value="38.10", issued=5))
    take(laboratory, observation(value="37.50", issued=3))

    again = take(laboratory, observation(value="37.50", issued=3), asked="told again")

    assert len(versions(again.results[0].line)) == 2


def test_an_original_that_comes_after_its_correction_without_times_of_issue_is_older(
    laboratory: Laboratory, patient: Patient
) -> None:
    take(laboratory, observation(value="38.10", status="corrected"))

    answer = take(laboratory, observation(value="37.50", status="final"))

    assert versions(answer.results[0].line)[0] == (1, "38.10", "corrected", True)


@pytest.mark.parametrize("retraction", ["entered-in-error", "cancelled"])
@pytest.mark.parametrize("times", [(None, None), (3, 5), (3, 3), (None, 5)])
@pytest.mark.parametrize("comes_first", [True, False])
def test_a_retraction_beats_its_original_whichever_comes_first(
    laboratory: Laboratory,
    patient: Patient,
    retraction: str,
    times: tuple[int | None, int | None],
    comes_first: bool,
) -> None:
    original = observation(value="37.50", issued=times[0])
    retracted = observation(value="37.50", status=retraction, issued=times[1])

    for report in (retracted, original) if comes_first else (original, retracted):
        answer = take(laboratory, report)

    current = Result.objects.get(superseded_at=None)
    assert (current.status, current.value) == (retraction, None)
    assert len(versions(answer.results[0].line)) == 2


def test_five_versions_in_any_order_end_in_the_same_current_one(
    laboratory: Laboratory, patient: Patient
) -> None:
    told = [
        observation(value="36.00", status="preliminary", issued=1),
        observation(value="37.50", status="final", issued=2),
        observation(value="38.10", status="corrected", issued=3),
        observation(value="38.20", status="amended", issued=4),
        observation(value="38.30", status="corrected", issued=5),
    ]
    ends = set()

    for number, order in enumerate(itertools.permutations(told)):
        if number % 7:
            continue  # every seventh of 120 is enough
        moved = timedelta(days=number)
        for report in order:
            [time], [result] = report.times, report.results
            assert time.at is not None
            assert result.issued_at is not None
            name = result.names[0].model_copy(update={"value": f"r-{number}"})
            answer = take(
                laboratory,
                report.model_copy(
                    update={
                        "times": (time.model_copy(update={"at": time.at - moved}),),
                        "results": (result.model_copy(update={"names": (name,)}),),
                    }
                ),
            )
        current = Result.objects.get(public_id=answer.results[0].line, superseded_at=None)
        ends.add((current.sent_value, current.status))
        assert len(versions(answer.results[0].line)) == 5

    assert ends == {("38.30", "corrected")}


def test_corrected_amended_and_corrected_again_is_possible(
    laboratory: Laboratory, patient: Patient
) -> None:
    for hour, status in enumerate(("final", "corrected", "amended", "corrected")):
        take(laboratory, observation(value=f"37.{hour}", status=status, issued=hour))

    assert Result.objects.get(superseded_at=None).sent_value == "37.3"


def test_a_pending_result_is_no_point_and_its_value_no_correction(
    laboratory: Laboratory, patient: Patient
) -> None:
    first = take(laboratory, observation(value=None, unit="", status="registered"))
    pending = Result.objects.get()
    second = take(laboratory, observation(value="37.50"))

    assert (pending.status, pending.value) == ("registered", None)
    assert (first.state, second.state) == ("recorded", "recorded")


def test_a_result_without_a_value_keeps_the_reason(
    laboratory: Laboratory, patient: Patient
) -> None:
    take(laboratory, observation(value=None, unit="", absent_reason="insufficient specimen"))

    result = Result.objects.get()
    assert (result.value, result.absent_reason) == (None, "insufficient specimen")


def test_a_time_put_right_moves_the_result_and_keeps_its_name(
    laboratory: Laboratory, patient: Patient
) -> None:
    first = take(laboratory, observation())
    right = MONDAY - timedelta(days=2)

    second = take(laboratory, observation(drawn_at=right))

    assert second.state == "corrected"
    assert second.results[0].line == first.results[0].line
    assert [number for number, *_ in versions(first.results[0].line)] == [1, 2]
    assert Result.objects.get(superseded_at=None).draw.collected_at == right


def test_a_time_put_right_leaves_the_other_results_of_the_draw_where_they_are(
    laboratory: Laboratory, patient: Patient
) -> None:
    wrong, right = MONDAY - timedelta(hours=10), MONDAY - timedelta(days=2)
    take(laboratory, observation(name="r-1"))
    take(laboratory, observation(name="r-2", analyte="IL-6", unit="pg/mL", value="2.1"))

    take(laboratory, observation(name="r-1", drawn_at=right))
    between = dict(
        Result.objects.filter(superseded_at=None).values_list("analyte__code", "draw__collected_at")
    )
    take(
        laboratory,
        observation(name="r-2", analyte="IL-6", unit="pg/mL", value="2.1", drawn_at=right),
    )

    assert between == {"sIL-6R": right, "IL-6": wrong}
    now = Result.objects.filter(superseded_at=None)
    assert set(now.values_list("draw__collected_at", flat=True)) == {right}
    assert now.values("draw").distinct().count() == 1
    assert patient.draws.filter(superseded_at=None).count() == 1


def test_a_late_message_does_not_move_the_draw(laboratory: Laboratory, patient: Patient) -> None:
    right = MONDAY - timedelta(days=2)
    take(laboratory, observation(drawn_at=right, value="38.10", issued=50))

    wrong = observation(value="37.50", issued=None)
    take(
        laboratory,
        wrong.model_copy(
            update={
                "results": (
                    wrong.results[0].model_copy(update={"issued_at": right + timedelta(hours=1)}),
                )
            }
        ),
    )

    assert Result.objects.get(superseded_at=None).draw.collected_at == right
    assert Result.objects.count() == 2


# Clocks that are ahead


def test_a_word_issued_in_the_future_does_not_beat_what_is_said_after_it(
    laboratory: Laboratory, patient: Patient
) -> None:
    take(laboratory, observation(value="37.50", issued=24 * 365))

    corrected = take(
        laboratory, observation(value="38.10", status="corrected", issued=11), at=LATER
    )

    assert corrected.state == "corrected"
    assert Result.objects.get(superseded_at=None).sent_value == "38.10"


def test_a_clock_that_is_always_ahead_still_tells_the_order(
    laboratory: Laboratory, patient: Patient
) -> None:
    take(laboratory, observation(value="38.10", issued=21))

    late = take(laboratory, observation(value="37.50", issued=20), at=LATER)

    assert late.results[0].state == "late"
    assert Result.objects.get(superseded_at=None).sent_value == "38.10"
