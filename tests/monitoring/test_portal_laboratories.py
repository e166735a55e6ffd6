"""The laboratories' profiles, edited by operators and by nobody else."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring.models import DoorRequest, Silence
from patients.models import Audit, Clinician, Laboratory
from patients.record.profiles import profile_of
from tests.factories import MONDAY, AnalyteFactory, ClinicianFactory, LaboratoryFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client: Client) -> Clinician:
    AnalyteFactory.create()
    who = ClinicianFactory.create(is_operator=True)
    client.force_login(who)
    return who


@pytest.fixture
def north() -> Laboratory:
    return LaboratoryFactory.create(name="North laboratory")


def test_nobody_but_an_operator_sees_a_profile(client: Client, north: Laboratory) -> None:
    client.force_login(ClinicianFactory.create())

    answers = [
        client.get(reverse("portal:laboratories")),
        client.get(reverse("portal:laboratory", args=[north.pk])),
        client.post(reverse("portal:add_to_profile", args=[north.pk, "units"])),
        client.post(reverse("portal:remove_from_profile", args=[north.pk, "units"])),
    ]

    assert {answer.status_code for answer in answers} == {404}


@pytest.mark.parametrize(
    ("part", "fields", "words"),
    [
        ("codes", {"analyte": "sIL-6R", "code": "X1", "system": "urn:x"}, "X1 (urn:x) → sIL-6R"),
        ("units", {"sent": "nanogram", "means": "ng/mL"}, "nanogram → ng/mL"),
        ("patient_numbers", {"sent": "", "means": "urn:mrn"}, "without a name → urn:mrn"),
        (
            "kits",
            {
                "analyte": "sIL-6R",
                "name": "Kit A",
                "unit": "ng/mL",
                "limit_of_detection": "0.50",
                "cv_percent": "6.2",
            },
            "sIL-6R: Kit A, from 0.50 ng/mL, CV 6.2%",
        ),
    ],
)
def test_an_entry_is_added_and_removed(
    client: Client,
    operator: Clinician,
    north: Laboratory,
    part: str,
    fields: dict[str, str],
    words: str,
) -> None:
    page = reverse("portal:laboratory", args=[north.pk])
    form = {f"{part}-{name}": value for name, value in fields.items()}

    added = client.post(reverse("portal:add_to_profile", args=[north.pk, part]), form)
    shown = client.get(page).content.decode()
    client.post(reverse("portal:remove_from_profile", args=[north.pk, part]), {"entry": words})

    assert added.status_code == 302
    assert words in shown
    assert getattr(profile_of(north), part) == []
    assert Audit.objects.filter(verb="change_laboratory").count() == 2


def test_what_is_wrong_is_said_beside_its_field(
    client: Client, operator: Clinician, north: Laboratory
) -> None:
    kit = {
        "kits-analyte": "sIL-6R",
        "kits-name": "A",
        "kits-unit": "ng/mL",
        "kits-limit_of_detection": "much",
    }

    answer = client.post(reverse("portal:add_to_profile", args=[north.pk, "kits"]), kit)

    assert answer.status_code == 422
    assert "valid decimal" in answer.content.decode()
    assert profile_of(north).kits == []


def test_the_reading_of_messages_is_changed(
    client: Client, operator: Clinician, north: Laboratory
) -> None:
    answer = client.post(
        reverse("portal:laboratory", args=[north.pk]),
        {
            "time_zone": "Asia/Tokyo",
            "is_active": "on",
            "draw_times": "effective, collected",
            "if_preliminary": "wait",
            "processing_ids": "P T",
            "silent_after_h": "72",
        },
    )

    assert answer.status_code == 302
    north.refresh_from_db()
    assert (north.time_zone, north.draw_times) == ("Asia/Tokyo", ["effective", "collected"])
    assert (north.processing_ids, north.silent_after_h) == (["P", "T"], 72)


def test_a_time_that_may_not_stand_in_for_the_draw_is_refused(
    client: Client, operator: Clinician, north: Laboratory
) -> None:
    answer = client.post(
        reverse("portal:laboratory", args=[north.pk]),
        {
            "time_zone": "UTC",
            "draw_times": "issued",
            "if_preliminary": "record",
            "processing_ids": "P",
        },
    )

    assert answer.status_code == 422
    assert "collected" in answer.content.decode()


def test_a_silent_laboratory_is_said_with_the_day(
    client: Client, operator: Clinician, north: Laboratory
) -> None:
    Silence.objects.create(laboratory=north, last_heard_at=MONDAY, allowed_h=36, raised_at=MONDAY)

    text = client.get(reverse("portal:laboratories")).content.decode()

    assert "No data from North laboratory since" in text
    assert "Monday," in text
    assert "within 36 hours" in text


def test_what_was_refused_is_shown_by_time_door_and_place(
    client: Client, operator: Clinician, north: Laboratory
) -> None:
    at = timezone.now() - timedelta(hours=1)
    DoorRequest.objects.bulk_create(
        [
            DoorRequest(
                at=at,
                laboratory_id=north.pk,
                method="POST",
                door="/hl7v2",
                status=200,
                outcome="AE",
                why="103 OBX-11",
                took_ms=1,
            ),
            DoorRequest(
                at=at, laboratory_id=north.pk, method="POST", door="/fhir", status=200, took_ms=1
            ),
            DoorRequest(at=at, method="POST", door="/fhir", status=401, took_ms=1),
        ]
    )

    page = client.get(reverse("portal:laboratory", args=[north.pk])).content.decode()
    overview = client.get(reverse("portal:laboratories")).content.decode()

    assert "POST /hl7v2" in page
    assert "103 OBX-11" in page
    assert "POST /fhir" not in page
    assert "1 request was turned away without a key" in overview
    assert f"{reverse('portal:laboratory', args=[north.pk])}#refused" in overview
