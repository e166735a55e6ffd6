"""The list of what waits: the whole of it, a part, and what has a number."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from patients.models import Clinician
from tests.factories import ClinicianFactory, LaboratoryFactory, ParkedFactory, TeamFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client: Client) -> Clinician:
    member = ClinicianFactory.create(teams=[TeamFactory.create()])
    client.force_login(member)
    return member


def listed(client: Client, **wanted: Any) -> str:
    answer = client.get(reverse("portal:parked"), wanted)
    assert answer.status_code == 200
    return answer.content.decode()


def test_what_waits_of_one_laboratory_is_shown_alone(client: Client, reader: Clinician) -> None:
    north, south = LaboratoryFactory.create(name="North"), LaboratoryFactory.create(name="South")
    ParkedFactory.create(laboratory=north, accession="N-1")
    ParkedFactory.create(laboratory=south, accession="S-1")

    text = listed(client, laboratory=north.pk)

    assert "N-1" in text
    assert "S-1" not in text
    assert "2 draws wait" in text
    assert "1 of them is like this." in text


def test_what_waits_for_one_reason_is_shown_alone(client: Client, reader: Clinician) -> None:
    ParkedFactory.create(accession="U-1", reasons=["unknown_patient", "unknown_unit: IU/mL"])
    ParkedFactory.create(accession="P-1", reasons=["unknown_patient"])
    ParkedFactory.create(accession="V-1", reasons=["unusable_value: unknown_unit"])

    by_unit, by_patient = (
        listed(client, reason="unknown_unit"),
        listed(client, reason="unknown_patient"),
    )

    assert [each in by_unit for each in ("U-1", "P-1", "V-1")] == [True, False, False]
    assert [each in by_patient for each in ("U-1", "P-1", "V-1")] == [True, True, False]


def test_what_has_waited_long_is_shown_alone(client: Client, reader: Clinician) -> None:
    ParkedFactory.create(accession="OLD", parked_at=timezone.now() - timedelta(days=8))
    ParkedFactory.create(accession="NEW", parked_at=timezone.now() - timedelta(days=6))

    text = listed(client, longer_than="7")

    assert "OLD" in text
    assert "NEW" not in text


def test_several_wishes_hold_together_and_go_along_to_the_next_page(
    client: Client, reader: Clinician
) -> None:
    north = LaboratoryFactory.create(name="North")
    for n in range(51):
        ParkedFactory.create(laboratory=north, accession=f"N-{n}", reasons=["unknown_patient"])
    ParkedFactory.create(accession="S-1", reasons=["unknown_patient"])

    text = listed(client, laboratory=north.pk, reason="unknown_patient", page="1")

    assert f"?page=2&amp;laboratory={north.pk}&amp;reason=unknown_patient" in text
    assert "S-1" not in text


def test_a_part_without_anything_is_not_taken_for_an_empty_list(
    client: Client, reader: Clinician
) -> None:
    ParkedFactory.create(reasons=["unknown_patient"])

    text = listed(client, reason="unusable_time")

    assert "Nothing that waits is like this" in text
    assert "Nothing waits" not in text
    assert "Show all" in text


def test_a_part_that_does_not_exist_is_said_to_be_none(client: Client, reader: Clinician) -> None:
    ParkedFactory.create(accession="A-1")

    text = listed(client, reason="bad luck", laboratory="x")

    assert "Select a valid choice" in text
    assert "A-1" in text


def test_a_draw_is_found_by_the_number_of_its_sample_without_a_trace_in_the_address(
    client: Client, reader: Clinician
) -> None:
    ParkedFactory.create(accession="2026-000171")
    ParkedFactory.create(accession="2026-000293")

    answer = client.post(reverse("portal:find_parked"), {"number": "0171"})

    text = answer.content.decode()
    assert "2026-000171" in text
    assert "2026-000293" not in text
    assert "Show all" in text


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_search_for_nothing_shows_the_list(
    client: Client, reader: Clinician, method: str
) -> None:
    answer = getattr(client, method)(reverse("portal:find_parked"))

    assert answer.headers["Location"] == reverse("portal:parked")


def test_nobody_without_a_team_searches(client: Client) -> None:
    client.force_login(ClinicianFactory.create(teams=[]))

    answer = client.post(reverse("portal:find_parked"), {"number": "1"})

    assert answer.status_code in {403, 404}
