"""Draws that wait for a person: seen, matched to a patient one may see, or rejected."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from patients.models import Clinician, Draw, Parked, ParkedState, Result
from tests.factories import (
    AnalyteFactory,
    ClinicianFactory,
    IdentifierFactory,
    InboundFactory,
    LaboratoryFactory,
    ParkedFactory,
    PatientFactory,
    TeamFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client: Client) -> Clinician:
    AnalyteFactory.create()
    member = ClinicianFactory.create(teams=[TeamFactory.create()])
    client.force_login(member)
    return member


def page(parked: Parked, name: str = "parked_draw") -> str:
    return reverse(f"portal:{name}", args=[parked.public_id])


def mine(reader: Clinician, **options: Any) -> Any:
    return PatientFactory.create(team=reader.teams.get(), **options)


def test_what_waits_is_listed_with_its_reason(client: Client, reader: Clinician) -> None:
    parked = ParkedFactory.create(reasons=["unknown_patient", "unknown_unit: IU/mL"])

    text = client.get(reverse("portal:parked")).content.decode()

    assert "1 draw waits" in text
    assert parked.accession in text
    assert "No patient is known by this number." in text
    assert "The unit “IU/mL” is not known." in text


def test_an_empty_list_says_when_a_laboratory_was_last_heard_from(
    client: Client, reader: Clinician
) -> None:
    nothing_ever = client.get(reverse("portal:parked")).content.decode()
    InboundFactory.create()
    something = client.get(reverse("portal:parked")).content.decode()

    assert "No laboratory has sent anything yet." in nothing_ever
    assert "23-Nov-2026 09:00" in something  # 08:00 UTC, read in Berlin


def test_the_patient_with_the_same_number_stands_beside_the_draw(
    client: Client, reader: Clinician
) -> None:
    patient = mine(reader, family_name="Morikawa")
    IdentifierFactory.create(patient=patient, system="urn:other", value="9042")

    text = client.get(page(ParkedFactory.create())).content.decode()

    assert "MORIKAWA, Given" in text
    assert "The same number, but in another numbering than the laboratory’s." in text


def test_a_patient_is_searched_without_a_trace_in_the_address(
    client: Client, reader: Clinician
) -> None:
    mine(reader, family_name="Morikawa")
    PatientFactory.create(family_name="Morishita")

    answer = client.post(page(ParkedFactory.create(), "search_for_parked"), {"text": "mori"})

    text = answer.content.decode()
    assert "MORIKAWA" in text
    assert "MORISHITA" not in text
    assert "The number differs: the laboratory sent “9042”." in text


def test_a_match_puts_the_draw_on_the_patients_record(client: Client, reader: Clinician) -> None:
    parked, patient = ParkedFactory.create(), mine(reader)

    answer = client.post(page(parked, "match_parked"), {"patient": patient.public_id})

    assert answer.headers["Location"] == reverse("portal:patient", args=[patient.public_id])
    assert Draw.objects.get().patient == patient
    assert Result.objects.get().sent_value == "37.50"
    parked.refresh_from_db()
    assert (parked.state, parked.ended_by) == (ParkedState.MATCHED, f"clinician:{reader.pk}")


def test_a_draw_is_never_matched_to_another_teams_patient(
    client: Client, reader: Clinician
) -> None:
    parked, theirs = ParkedFactory.create(), PatientFactory.create()

    answer = client.post(page(parked, "match_parked"), {"patient": theirs.public_id})

    assert answer.status_code == 404
    assert not Draw.objects.exists()


def test_a_draw_with_an_unknown_unit_stays_and_says_why(client: Client, reader: Clinician) -> None:
    parked = ParkedFactory.create()
    parked.report["results"][0]["unit"] = "IU/mL"
    parked.save()

    answer = client.post(
        page(parked, "match_parked"), {"patient": mine(reader).public_id}, follow=True
    )

    assert "It cannot be placed yet: The unit “IU/mL” is not known." in answer.content.decode()
    assert Parked.objects.get().state == ParkedState.WAITING


def test_a_rejection_needs_a_reason(client: Client, reader: Clinician) -> None:
    parked = ParkedFactory.create()

    refused = client.post(page(parked, "reject_parked"), {"reason": " "})
    state_then = Parked.objects.get().state
    client.post(page(parked, "reject_parked"), {"reason": "not our patient"})

    assert refused.status_code == 422
    assert state_then == ParkedState.WAITING
    parked.refresh_from_db()
    assert (parked.state, parked.ended_reason) == (ParkedState.REJECTED, "not our patient")


def test_a_draw_that_somebody_else_has_taken_is_not_there_any_more(
    client: Client, reader: Clinician
) -> None:
    parked = ParkedFactory.create()
    client.post(page(parked, "reject_parked"), {"reason": "not ours"})

    assert client.get(page(parked)).status_code == 404


def test_of_a_message_with_many_draws_only_the_one_that_is_meant_is_shown(
    client: Client, reader: Clinician
) -> None:
    body = json.dumps(
        {"draws": [{"accession": "P-mine", "note": "this"}, {"accession": "P-other"}]}
    ).encode()
    laboratory = LaboratoryFactory.create()
    inbound = InboundFactory.create(laboratory=laboratory, body=body)
    parked = ParkedFactory.create(laboratory=laboratory, inbound=inbound, accession="P-mine")

    text = client.get(page(parked)).content.decode()

    assert "this" in text
    assert "only the part about this one is shown" in text
    assert "P-other" not in text


def test_a_message_with_one_draw_is_shown_as_it_came(client: Client, reader: Clinician) -> None:
    body = b'{"accession": "P-1",  "value": 37.50}'
    laboratory = LaboratoryFactory.create()
    inbound = InboundFactory.create(laboratory=laboratory, body=body)

    text = client.get(
        page(ParkedFactory.create(laboratory=laboratory, inbound=inbound))
    ).content.decode()

    assert "{&quot;accession&quot;: &quot;P-1&quot;,  &quot;value&quot;: 37.50}" in text
