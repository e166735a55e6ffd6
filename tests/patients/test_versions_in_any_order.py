"""However the words of a laboratory about a result are ordered and repeated, the newest counts."""

import itertools
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from monitoring import ingest
from patients.intake.reports import DrawReport
from patients.models import Laboratory, Patient, Result
from tests.conftest import MONDAY
from tests.patients.observations import observation, sender_of, take, versions

pytestmark = pytest.mark.django_db
LATER = MONDAY + timedelta(hours=1)
DRAWN_AT = MONDAY - timedelta(hours=20)


class Said(NamedTuple):
    """What the laboratory says at some hour; a retraction has no value."""

    issued: int
    status: str
    value: str | None

    @property
    def standing(self) -> tuple[int, int]:
        """By this the newer of two is told (docs/adr/0026)."""
        return self.issued, ["final", "corrected", "entered-in-error"].index(self.status)


ALL = [
    Said(issued, status, value)
    for issued in (10, 11, 12)
    for status, value in [
        ("final", "37.50"),
        ("final", "39.00"),
        ("corrected", "37.50"),
        ("corrected", "39.00"),
        ("entered-in-error", None),
    ]
]


def _are_told_apart(said: Sequence[Said]) -> bool:
    return len({each.standing for each in said}) == len(said)


def _orders(size: int, *, some: int) -> list[tuple[Said, ...]]:
    """Give every order of some of the sets of this size whose newest word is told by its issue."""
    sets = [each for each in itertools.combinations(ALL, size) if _are_told_apart(each)]
    chosen = random.Random(26).sample(sets, some)
    return [order for each in chosen for order in itertools.permutations(each)]


def _report(said: Said, *, run: int) -> DrawReport:
    drawn_at = DRAWN_AT - timedelta(minutes=run)
    report = observation(
        name=f"r-{run}",
        drawn_at=drawn_at,
        value=said.value,
        unit="ng/mL" if said.value else "",
        status=said.status,
    )
    [result] = report.results
    issued_at = DRAWN_AT + timedelta(hours=said.issued)
    return report.model_copy(
        update={"results": (result.model_copy(update={"issued_at": issued_at}),)}
    )


def _tell(laboratory: Laboratory, orders: Sequence[tuple[Said, ...]]) -> None:
    """Tell the first word of every order in one message, then the second of each, and so on."""
    for number, told in enumerate(zip(*orders, strict=True)):
        reports = [_report(said, run=run) for run, said in enumerate(told)]
        ingest.receive(
            reports,
            body=b"".join(report.model_dump_json().encode() for report in reports),
            dialect="json",
            sender=sender_of(laboratory),
            at=MONDAY + timedelta(minutes=number),
        )


@pytest.mark.parametrize(("size", "some"), [(2, 60), (3, 60), (4, 8)])
def test_the_newest_word_counts_whatever_the_order(
    laboratory: Laboratory, patient: Patient, size: int, some: int
) -> None:
    orders = _orders(size, some=some)

    _tell(laboratory, orders)

    ended = {
        each.draw.collected_at: (each.value is None, each.sent_value)
        for each in Result.objects.filter(superseded_at=None).select_related("draw")
    }
    wrong = []
    for run, order in enumerate(orders):
        newest = max(order, key=lambda said: said.standing)
        shown = (newest.value is None, newest.value or "")
        if ended[DRAWN_AT - timedelta(minutes=run)] != shown:
            wrong.append(order)
    assert wrong == []


def test_what_is_older_than_a_repetition_does_not_come_after_it(
    laboratory: Laboratory, patient: Patient
) -> None:
    take(laboratory, observation(value="37.50", issued=3))
    again = take(laboratory, observation(value="37.50", issued=7))
    patient.refresh_from_db()
    before = patient.history_version

    late = take(laboratory, observation(value="40.00", issued=5))

    assert (again.state, again.results[0].state, again.results[0].version) == ("known", "known", 1)
    assert late.results[0].state == "late"
    assert versions(late.results[0].line) == [
        (1, "37.50", "final", True),
        (2, "40.00", "final", False),
    ]
    patient.refresh_from_db()
    assert patient.history_version == before


def test_a_retraction_said_twice_is_undone_by_nothing_older_than_its_repetition(
    laboratory: Laboratory, patient: Patient
) -> None:
    for status, value, issued in [
        ("final", "37.50", 3),
        ("entered-in-error", None, 4),
        ("entered-in-error", None, 6),
        ("final", "38.00", 5),
    ]:
        take(laboratory, observation(value=value, status=status, issued=issued))

    assert Result.objects.get(superseded_at=None).status == "entered-in-error"


def test_a_correction_called_so_in_a_repetition_comes_before_the_late_original(
    laboratory: Laboratory, patient: Patient
) -> None:
    take(laboratory, observation(value="39.00"))
    take(laboratory, observation(value="39.00", status="corrected"))

    late = take(laboratory, observation(value="37.50"))

    assert late.results[0].state == "late"
    assert Result.objects.get(superseded_at=None).sent_value == "39.00"


def test_an_ordinary_repetition_leaves_no_trace_but_its_message(
    laboratory: Laboratory, patient: Patient
) -> None:
    take(laboratory, observation(value="37.50", issued=3))
    for asked in ("again", "and again"):
        take(laboratory, observation(value="37.50", issued=3), asked=asked, at=LATER)

    assert Result.objects.count() == 1


def test_a_repetition_is_remembered_when_its_draw_is_moved_by_another_result(
    laboratory: Laboratory, patient: Patient
) -> None:
    il6: dict[str, Any] = {"name": "r-2", "analyte": "IL-6", "unit": "pg/mL", "accession": "A-1"}
    take(laboratory, observation(value="37.50", issued=3, accession="A-1"))
    take(laboratory, observation(value="2.1", **il6))
    take(laboratory, observation(value="37.50", issued=7, accession="A-1"))
    take(laboratory, observation(value="2.1", drawn_at=DRAWN_AT, **il6))

    late = observation(value="40.00", issued=5, accession="A-1")
    take(laboratory, late, at=LATER)

    current = Result.objects.get(superseded_at=None, analyte__code="sIL-6R")
    assert (current.sent_value, current.draw.collected_at) == ("37.50", DRAWN_AT)


def test_a_time_put_right_without_a_time_of_issue_keeps_the_one_that_was_stated(
    laboratory: Laboratory, patient: Patient
) -> None:
    take(laboratory, observation(value="37.50", issued=3))
    take(laboratory, observation(value="37.50", drawn_at=DRAWN_AT))

    late = take(laboratory, observation(value="40.00", drawn_at=DRAWN_AT, issued=2))

    assert late.results[0].state == "late"
    assert Result.objects.get(superseded_at=None).sent_value == "37.50"
