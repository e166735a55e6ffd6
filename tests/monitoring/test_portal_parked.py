"""Draws that wait for a person: seen, matched to a patient one may see, or rejected."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from patients.models import Clinician, Draw, Parked, ParkedState, Patient, Result
from tests.factories import (
    AnalyteFactory,
    ClinicianFactory,
    DrawFactory,
    IdentifierFactory,
    InboundFactory,
    LaboratoryFactory,
    ParkedFactory,
    PatientFactory,
    ResultFactory,
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


# Whom the laboratory may mean


def said_of(person: dict[str, str] | None, value: str = "9042") -> Parked:
    parked = ParkedFactory.create()
    parked.report["person"] = person
    parked.report["patients"] = [{"system": "urn:clinic:mrn", "value": value}]
    parked.save()
    return parked


def test_the_likeliest_patient_comes_first_with_the_reason(
    client: Client, reader: Clinician
) -> None:
    mine(reader, family_name="Born")
    IdentifierFactory.create(
        patient=mine(reader, family_name="Swapped", birth_date=None), value="9024"
    )
    parked = said_of({"family": "Somebody", "birth_date": "1981-03-04"})

    text = client.get(page(parked)).content.decode()

    assert text.index("SWAPPED") < text.index("BORN")
    assert "The number agrees but for two swapped characters." in text
    assert "The same date of birth." in text


def test_differences_are_said_in_words_and_decide_nothing(
    client: Client, reader: Clinician
) -> None:
    IdentifierFactory.create(patient=mine(reader, family_name="Mori", sex="female"), value="9042")
    parked = said_of({"family": "Mory", "given": "Given", "birth_date": "19700101", "sex": "male"})

    text = client.get(page(parked)).content.decode()

    assert "The family name differs: the laboratory says “Mory”." in text
    assert "The date of birth differs: the laboratory says 01-Jan-1970." in text
    assert "The gender differs: the laboratory says “male”." in text


def test_patients_of_other_teams_are_never_suggested(client: Client, reader: Clinician) -> None:
    IdentifierFactory.create(patient=PatientFactory.create(family_name="Elsewhere"), value="9024")

    text = client.get(page(said_of({"family": "Elsewhere"}))).content.decode()

    assert text.count("Elsewhere") == 1  # as the laboratory's word


# What becomes of it


def test_a_match_may_be_remembered(client: Client, reader: Clinician) -> None:
    parked, patient = ParkedFactory.create(), mine(reader)

    client.post(page(parked, "match_parked"), {"patient": patient.public_id, "remember": "on"})

    [number] = patient.identifiers.all()
    assert (number.system, number.value) == ("urn:clinic:mrn", "9042")
    assert number.laboratory == parked.laboratory


def test_a_possible_double_is_shown_beside_what_is_on_record_and_decided(
    client: Client, reader: Clinician
) -> None:
    patient = mine(reader)
    parked = ParkedFactory.create()
    parked.report["results"][0]["names"] = [{"system": "urn:n", "value": "r-9"}]
    parked.save()
    at = datetime(2026, 11, 20, 7, 10, tzinfo=UTC)
    known = DrawFactory.create(patient=patient, laboratory=parked.laboratory, collected_at=at)
    ResultFactory.create(draw=known, value=Decimal("36.00"))
    form = {"patient": patient.public_id}

    asked = client.post(page(parked, "match_parked"), form)
    decided = client.post(page(parked, "match_parked"), form | {"if_duplicate": "other"})

    assert asked.status_code == 409
    assert "sIL-6R 36.00 ng/mL" in asked.content.decode()
    assert decided.status_code == 302
    assert Result.objects.filter(draw__patient=patient, superseded_at=None).count() == 2


def test_a_patient_whom_nobody_follows_is_enrolled_and_gets_the_draw(
    client: Client, reader: Clinician
) -> None:
    parked = said_of({"family": "New", "given": "Nina", "birth_date": "1990-02-03", "sex": "F"})
    form_page = client.get(page(parked, "enrol_for_parked")).content.decode()

    client.post(
        page(parked, "enrol_for_parked"),
        {
            "team": reader.teams.get().pk,
            "family_name": "New",
            "given_name": "Nina",
            "birth_date": "03-Feb-1990",
            "sex": "female",
        },
    )

    assert 'value="Nina"' in form_page
    draw = Draw.objects.get()
    assert draw.patient.identifiers.get().value == "9042"
    assert (draw.patient.family_name, str(draw.patient.birth_date)) == ("New", "1990-02-03")
    assert Parked.objects.get().state == ParkedState.MATCHED


def test_nobody_enrols_into_a_team_that_is_not_theirs(client: Client, reader: Clinician) -> None:
    other = TeamFactory.create()

    answer = client.post(
        page(ParkedFactory.create(), "enrol_for_parked"),
        {"team": other.pk, "family_name": "A", "given_name": "B", "sex": "female"},
    )

    assert answer.status_code == 422
    assert not Patient.objects.exists()


def test_a_question_to_the_laboratory_is_drafted_without_the_patient_and_kept(
    client: Client, reader: Clinician
) -> None:
    parked = said_of({"family": "Secret"})
    text = client.get(page(parked)).content.decode()
    draft = text[text.index("<textarea") : text.index("</textarea>")]

    client.post(page(parked, "ask_about_parked"), {"question": "Whose is it?"})

    assert parked.accession in draft
    assert "9042" not in draft
    assert "Secret" not in draft
    parked.refresh_from_db()
    assert (parked.question, parked.asked_by) == ("Whose is it?", f"clinician:{reader.pk}")
    assert parked.state == ParkedState.WAITING


def test_an_operator_teaches_a_unit_once_and_what_waits_for_it_is_placed(
    client: Client, reader: Clinician
) -> None:
    identifier = IdentifierFactory.create(patient=mine(reader), value="9042")
    parked = ParkedFactory.create(reasons=["unknown_unit: nanogram"])
    parked.report["results"][0]["unit"] = "nanogram"
    parked.save()
    taught = {"kind": "unit", "text": "nanogram", "means": "ng/mL"}

    refused = client.post(page(parked, "teach_parked"), taught)
    reader.is_operator = True
    reader.save()
    shown = client.get(page(parked)).content.decode()
    client.post(page(parked, "teach_parked"), taught)

    assert refused.status_code == 404
    assert "The unit “nanogram” means" in shown
    assert Draw.objects.get().patient == identifier.patient
    assert parked.laboratory.unit_aliases.get().means == "ng/mL"


def test_an_operator_teaches_a_code(client: Client, reader: Clinician) -> None:
    reader.is_operator = True
    reader.save()
    parked = ParkedFactory.create(reasons=["unknown_analyte: X1", "unknown_patient"])
    parked.report["results"][0]["codes"] = [{"system": "urn:x", "code": "X1"}]
    parked.save()

    client.post(page(parked, "teach_parked"), {"kind": "code", "text": "X1", "means": "sIL-6R"})

    parked.refresh_from_db()
    assert parked.reasons == ["unknown_patient"]
    assert parked.laboratory.analyte_aliases.get().system == "urn:x"


def test_a_long_queue_is_paged(client: Client, reader: Clinician) -> None:
    ParkedFactory.create_batch(51, laboratory=LaboratoryFactory.create())

    first = client.get(reverse("portal:parked")).content.decode()
    second = client.get(reverse("portal:parked"), {"page": 2}).content.decode()

    assert "51 draws wait" in first
    assert first.count('class="cell-main"') == 50
    assert second.count('class="cell-main"') == 1


def test_where_the_number_is_one_patients_nobody_else_is_suggested(
    client: Client, reader: Clinician
) -> None:
    IdentifierFactory.create(patient=mine(reader, family_name="Right"), value="9042")
    IdentifierFactory.create(patient=mine(reader, family_name="Wrong"), value="9024")

    text = client.get(page(said_of(None))).content.decode()

    assert "RIGHT" in text
    assert "WRONG" not in text


@pytest.fixture
def of_another_team(reader: Clinician) -> Parked:
    """A draw of a patient of another site, which waits for its unit alone."""
    stranger = PatientFactory.create(team=TeamFactory.create())
    IdentifierFactory.create(patient=stranger, system="urn:clinic:mrn", value="9042")
    return ParkedFactory.create(reasons=["unknown_unit: nope"])


def test_a_draw_of_another_teams_patient_is_not_there(
    client: Client, of_another_team: Parked
) -> None:
    listed = client.get(reverse("portal:parked")).content.decode()
    number = {"number": of_another_team.accession}
    found = client.post(reverse("portal:find_parked"), number).content.decode()

    assert "0 draws wait" in listed
    assert of_another_team.accession not in listed
    assert reverse("portal:parked_draw", args=[of_another_team.public_id]) not in found
    assert client.get(page(of_another_team)).status_code == 404
    assert client.get(page(of_another_team, "enrol_for_parked")).status_code == 404


@pytest.mark.parametrize(
    "deed",
    [
        "match_parked",
        "reject_parked",
        "search_for_parked",
        "ask_about_parked",
        "teach_parked",
        "enrol_for_parked",
    ],
)
def test_nothing_is_done_with_a_draw_of_another_teams_patient(
    client: Client, reader: Clinician, of_another_team: Parked, deed: str
) -> None:
    said = {"patient": mine(reader).public_id, "reason": "not ours", "question": "whose?"}

    answer = client.post(page(of_another_team, deed), said)

    assert answer.status_code == 404
    of_another_team.refresh_from_db()
    assert (of_another_team.state, of_another_team.question) == (ParkedState.WAITING, "")


def test_a_draw_of_ones_own_patient_is_there(client: Client, reader: Clinician) -> None:
    IdentifierFactory.create(patient=mine(reader), system="urn:clinic:mrn", value="9042")
    parked = ParkedFactory.create(reasons=["unknown_unit: nope"])

    assert parked.accession in client.get(reverse("portal:parked")).content.decode()
    assert client.get(page(parked)).status_code == 200


def test_numbers_of_two_patients_are_shown_to_either_team(
    client: Client, reader: Clinician, of_another_team: Parked
) -> None:
    IdentifierFactory.create(patient=mine(reader), system="urn:clinic:mrn", value="1")
    numbers = [{"system": "urn:clinic:mrn", "value": value} for value in ("9042", "1")]
    of_another_team.report["patients"] = numbers
    of_another_team.reasons = ["numbers_of_different_patients"]
    of_another_team.save()

    assert client.get(page(of_another_team)).status_code == 200


def test_an_operator_sees_what_waits_of_any_patient(
    client: Client, reader: Clinician, of_another_team: Parked
) -> None:
    reader.is_operator = True
    reader.save()

    assert client.get(page(of_another_team)).status_code == 200


def test_a_number_that_another_laboratory_alone_knows_names_nobody(
    client: Client, reader: Clinician
) -> None:
    stranger = PatientFactory.create(team=TeamFactory.create())
    IdentifierFactory.create(
        patient=stranger,
        system="urn:clinic:mrn",
        value="9042",
        laboratory=LaboratoryFactory.create(),
    )

    assert client.get(page(ParkedFactory.create())).status_code == 200
