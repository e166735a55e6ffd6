"""Whoever settles one overdue visit has settled that one, and not the next."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from analytics.schedule import VisitStatus
from monitoring import flags, overdue
from monitoring.models import Flag, FlagKind, ResolveReason, Standing
from patients.models import Membership, Patient, ResultStatus, Role
from tests.factories import (
    ClinicianFactory,
    DrawFactory,
    EpisodeFactory,
    RatingFactory,
    ResultFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    """Give a patient with a first dose on 28-Sep-2026, of whom nothing has come."""
    found: Patient = EpisodeFactory.create().patient
    Standing.objects.create(patient=found, team=found.team)
    return found


def noon(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)


def look(day: str) -> list[Flag]:
    overdue.check_visits(at=noon(day))
    return list(Flag.objects.up().filter(kind=FlagKind.OVERDUE))


def settle(flag: Flag, *, on: str) -> None:
    somebody = ClinicianFactory.create(teams=[flag.patient.team])
    reason = ResolveReason.ASSESSED
    flags.resolve(flag=flag, version=flag.version, reason=reason, plan="", by=somebody, at=noon(on))


def test_what_was_settled_stays_settled_until_the_next_visit_is_overdue(patient: Patient) -> None:
    [week_2] = look("2026-10-16")  # due on 12-Oct, three days of grace
    settle(week_2, on="2026-10-17")

    assert look("2026-10-18") == []
    assert look("2026-10-26") == []  # week 4 is due, and in time until 29-Oct
    [week_4] = look("2026-10-30")
    assert week_4 != week_2
    assert week_4.has_returned


def test_a_visit_that_was_overdue_already_when_it_was_settled_is_no_news(patient: Patient) -> None:
    [week_2] = look("2026-10-16")
    settle(week_2, on="2026-10-20")

    assert look("2026-10-21") == []


def test_neither_a_form_without_a_total_nor_a_draw_without_a_value_makes_a_visit_done(
    patient: Patient,
) -> None:
    at = datetime(2026, 10, 12, 9, tzinfo=UTC)
    RatingFactory.create(
        patient=patient, rated_at=at, total=None, items=[None] * 4 + [1] + [None] * 11
    )
    draw = DrawFactory.create(patient=patient, collected_at=at)
    ResultFactory.create(draw=draw, value=None, sent_value="", status=ResultStatus.CANCELLED)

    [flag] = look("2026-10-16")

    assert set(flag.reasons) == {"draw_overdue", "rating_overdue"}
    visits = overdue.visits_by_patient([patient], at=noon("2026-10-16"))[patient.pk]
    assert {each.status for each in visits.draws[:2] + visits.ratings[:2]} == {
        VisitStatus.MISSED,
        VisitStatus.OVERDUE,
    }


def test_a_draw_whose_result_is_to_come_was_taken(patient: Patient) -> None:
    at = datetime(2026, 10, 12, 9, tzinfo=UTC)
    draw = DrawFactory.create(patient=patient, collected_at=at)
    ResultFactory.create(draw=draw, value=None, sent_value="", status=ResultStatus.REGISTERED)

    [flag] = look("2026-10-16")

    assert flag.reasons == ["rating_overdue"]


def test_a_changed_interval_of_visits_is_looked_at_on_the_same_day(
    client: Client, patient: Patient
) -> None:
    for week in (0, 2, 4, 6, 9, 12):
        at = noon("2026-09-28") + timedelta(weeks=week)
        RatingFactory.create(patient=patient, rated_at=at, total=9)
        ResultFactory.create(draw=DrawFactory.create(patient=patient, collected_at=at))
    site = patient.team.site
    lead = ClinicianFactory.create(teams=[patient.team])
    Membership.objects.update(role=Role.LEAD)
    client.force_login(lead)
    assert look("2027-01-08") == []  # week 16 is due on 18-Jan

    answer = client.post(reverse("portal:visits", args=[site.pk]), {"weeks": 2})

    assert answer.status_code == 302
    [flag] = look("2027-01-08")  # week 14 was due on 04-Jan
    assert set(flag.reasons) == {"draw_overdue", "rating_overdue"}
