"""What the pages say: the worklist, the patient, the preferences; words, never bare rows."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring.models import FlagKind, FlagLevel, Standing
from monitoring.recompute import recompute
from patients.models import Audit, Clinician, EventKind, Patient, PatientStatus, ResultStatus
from patients.record.versions import count_up
from tests.factories import (
    AnalyteFactory,
    AssessmentFactory,
    ClinicianFactory,
    DoseStepFactory,
    DrawFactory,
    EpisodeFactory,
    EventFactory,
    FlagFactory,
    IdentifierFactory,
    InboundFactory,
    PatientFactory,
    RatingFactory,
    ResultFactory,
    StandingFactory,
    TeamFactory,
    TrialFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client: Client) -> Clinician:
    member = ClinicianFactory.create(teams=[TeamFactory.create(name="Day clinic")])
    client.force_login(member)
    return member


@pytest.fixture
def patient(reader: Clinician) -> Patient:
    followed = PatientFactory.create(
        team=reader.teams.get(), family_name="Morikawa", given_name="Yuki"
    )
    IdentifierFactory.create(patient=followed, value="0042")
    return followed


def treat(patient: Patient, *, values: list[str], totals: list[int]) -> None:
    """Give eight weeks of therapy with draws and ratings two weeks apart, and assess them."""
    now = timezone.now()
    start = now - timedelta(weeks=8)
    EpisodeFactory.create(patient=patient, started_on=start.date())
    trial = TrialFactory.create(patient=patient, started_on=start.date())
    DoseStepFactory.create(trial=trial, started_on=start.date())
    for number, value in enumerate(values):
        drawn_at = start + timedelta(weeks=2 * number, hours=1)
        ResultFactory.create(
            draw=DrawFactory.create(patient=patient, collected_at=drawn_at), value=Decimal(value)
        )
    for number, total in enumerate(totals):
        rated_at = start + timedelta(weeks=2 * number, hours=2)
        RatingFactory.create(patient=patient, total=total, rated_at=rated_at)
    count_up([patient.pk], at=now)
    recompute([patient.pk], at=now)


def text_of(client: Client, name: str, *arguments: object) -> str:
    return client.get(reverse(f"portal:{name}", args=arguments)).content.decode()


# The worklist


def test_a_line_says_who_why_how_likely_and_what_is_due(client: Client, patient: Patient) -> None:
    treat(patient, values=["31.0", "33.10", "36.0", "52.40"], totals=[18, 18, 17, 18])

    text = text_of(client, "worklist")

    assert "MORIKAWA, Yuki" in text
    assert "0042" in text
    assert "Trending towards non-response" in text
    assert "Symptoms have improved by less than 25 %" in text
    assert "of 100" in text
    assert "without the marker about" in text
    assert "52.40" in text
    assert "Day 56" in text
    assert "as at first" in text
    assert "Draw in 7 days" in text  # week 9 follows the draw of week 6
    assert 'class="spark"' in text


def test_a_line_without_a_number_says_why(client: Client, patient: Patient) -> None:
    recompute([patient.pk], at=timezone.now())

    text = text_of(client, "worklist")

    assert "Not enough data: no first dose is on record" in text
    assert "No draw yet" in text
    assert "No rating yet" in text


def test_two_patients_who_are_easily_mistaken_both_say_so(
    client: Client, reader: Clinician
) -> None:
    for family, given in (("Mori", "Yuki"), ("Mori", "Yasu"), ("Abe", "Yuki")):
        patient = PatientFactory.create(
            team=reader.teams.get(), family_name=family, given_name=given
        )
        StandingFactory.create(patient=patient)

    assert text_of(client, "worklist").count("Similar name") == 2


def test_the_title_says_whose_list_how_many_and_as_at_when(
    client: Client, patient: Patient
) -> None:
    recompute([patient.pk], at=timezone.now())

    text = text_of(client, "worklist")

    assert "My patients: 1" in text
    assert "Day clinic" in text
    assert "By need, as at" in text


def test_a_filter_is_said_in_words_with_a_way_out(client: Client, patient: Patient) -> None:
    recompute([patient.pk], at=timezone.now())

    text = client.get(reverse("portal:worklist"), {"show": "review"}).content.decode()

    assert "Only patients with a flag that nobody has acknowledged." in text
    assert "Show all followed" in text


@pytest.mark.parametrize("query", [{"show": "everything"}, {"team": "x"}, {"team": "0"}])
def test_a_filter_that_does_not_exist_is_not_found(
    client: Client, patient: Patient, query: dict[str, str]
) -> None:
    assert client.get(reverse("portal:worklist"), query).status_code == 404


def test_nobody_yet_nothing_to_do_and_nothing_heard_look_different(
    client: Client, reader: Clinician
) -> None:
    review = reverse("portal:worklist") + "?show=review"

    nobody = text_of(client, "worklist")
    recompute([PatientFactory.create(team=reader.teams.get()).pk], at=timezone.now())
    InboundFactory.create(received_at=timezone.now() - timedelta(days=9))
    silent = client.get(review).content.decode()
    InboundFactory.create(received_at=timezone.now())
    quiet = client.get(review).content.decode()

    assert "No patients yet" in nobody
    assert "No open flags, but no new data either" in silent
    assert "empty-state--silent" in silent
    assert "No flag waits for a review" in quiet
    assert "Last message from a laboratory" in quiet
    assert "empty-state--silent" not in quiet


def test_whoever_is_in_no_team_is_told_what_to_do(client: Client) -> None:
    client.force_login(ClinicianFactory.create())

    assert "You are in no care team yet" in text_of(client, "worklist")


def test_a_list_that_a_silent_laboratory_feeds_says_so(client: Client, patient: Patient) -> None:
    recompute([patient.pk], at=timezone.now())
    InboundFactory.create(received_at=timezone.now() - timedelta(days=9))

    assert "No laboratory heard from for days" in text_of(client, "worklist")


def test_a_search_finds_a_patient_and_says_what_was_asked(client: Client, patient: Patient) -> None:
    answer = client.post(reverse("portal:search"), {"text": "morikawa"})

    text = answer.content.decode()
    assert "1 patient found" in text
    assert "MORIKAWA, Yuki" in text
    assert "Searched for “morikawa”" in text


def test_a_search_for_nobody_says_so(client: Client, patient: Patient) -> None:
    answer = client.post(reverse("portal:search"), {"text": "<b>nobody"})

    assert "Nobody found" in answer.content.decode()
    assert "<b>nobody" not in answer.content.decode()


# The patient


def test_a_patients_page_says_who_and_where_they_stand(client: Client, patient: Patient) -> None:
    treat(patient, values=["31.0", "33.10", "36.0", "52.40"], totals=[18, 18, 17, 18])

    text = text_of(client, "patient", patient.public_id)

    assert "04-Mar-1981" in text
    assert "8 weeks since the first dose; now on escitalopram." in text
    assert "sIL-6R: latest 52.40 ng/mL" in text
    assert "QIDS-SR16 is 18, as at first 18." in text
    assert 'class="chart__svg"' in text
    assert "back-calculated from one study of 42 people" in text
    assert "Without the biomarker" in text
    assert "published-prior-1" in text
    assert "policy-7" in text


def test_reading_a_patients_page_is_on_record(client: Client, patient: Patient) -> None:
    text_of(client, "patient", patient.public_id)

    line = Audit.objects.get(verb="view_patient")
    assert line.patient_id == patient.pk
    assert line.by.startswith("clinician:")


def test_a_value_is_shown_as_it_was_sent_and_a_converted_one_says_so(
    client: Client, patient: Patient
) -> None:
    ResultFactory.create(draw__patient=patient, value=Decimal("37.50"))
    ResultFactory.create(
        draw__patient=patient,
        value=Decimal("0.041200"),
        sent_value="41.200",
        sent_unit="pg/mL",
        comparator="<",
    )

    text = text_of(client, "patient", patient.public_id)

    assert ">37.50<" in text
    assert "&lt;0.041200" in text
    assert "Converted from &lt;41.200 pg/mL" in text


def test_a_corrected_value_keeps_the_one_before_in_sight(client: Client, patient: Patient) -> None:
    draw = DrawFactory.create(patient=patient)
    now = timezone.now()
    ResultFactory.create(
        draw=draw, value=Decimal("267.0"), superseded_at=now, superseded_reason="corrected"
    )
    ResultFactory.create(draw=draw, value=Decimal("26.7"), version=2, status=ResultStatus.CORRECTED)

    text = text_of(client, "patient", patient.public_id)

    assert "Was 267.0, replaced" in text
    assert "Corrected" in text
    assert "replaced by a correction" in text  # in the legend of the figure


def test_a_cancelled_result_has_no_value(client: Client, patient: Patient) -> None:
    ResultFactory.create(
        draw__patient=patient, value=None, sent_value="", status=ResultStatus.CANCELLED
    )

    assert "Cancelled" in text_of(client, "patient", patient.public_id)


def test_a_result_that_is_not_scored_says_why(client: Client, patient: Patient) -> None:
    start = timezone.now() - timedelta(weeks=8)
    EventFactory.create(
        patient=patient,
        kind=EventKind.INFECTION,
        started_on=(start + timedelta(weeks=2)).date(),
    )

    treat(patient, values=["31.0", "60.0", "32.0", "33.0"], totals=[18])

    text = text_of(client, "patient", patient.public_id)
    assert "Not scored: infection at the time or in the four weeks before" in text


def test_a_missing_result_of_a_draw_says_no_data(client: Client, patient: Patient) -> None:
    draw = DrawFactory.create(patient=patient)
    ResultFactory.create(draw=draw)
    crp = AnalyteFactory.create(code="hs-CRP", position=4)
    ResultFactory.create(draw__patient=patient, analyte=crp, value=Decimal("0.9"))

    assert "No data" in text_of(client, "patient", patient.public_id)


def test_an_empty_record_says_what_to_do_next(client: Client, patient: Patient) -> None:
    text = text_of(client, "patient", patient.public_id)

    assert "Nothing to draw yet" in text
    assert "Not assessed yet" in text
    assert "Add the first trial" in text
    assert "Add the first rating" in text


def test_the_safety_flag_stands_first(client: Client, patient: Patient) -> None:
    FlagFactory.create(patient=patient)
    FlagFactory.create(
        patient=patient,
        kind=FlagKind.SAFETY,
        level=FlagLevel.SAFETY,
        urgency="same_day",
        reasons=["self_harm_item_above_zero"],
        raised_at=timezone.now() - timedelta(days=30),
    )

    text = text_of(client, "patient", patient.public_id)

    assert text.index("Safety: self-harm item") < text.index("Marker is drifting")


def test_a_patient_who_is_no_longer_followed_is_marked(client: Client, patient: Patient) -> None:
    patient.status = PatientStatus.DECEASED
    patient.save()

    text = text_of(client, "patient", patient.public_id)

    assert "patient-banner--closed" in text
    assert "Deceased" in text


def test_what_is_not_known_says_so(client: Client, reader: Clinician) -> None:
    patient = PatientFactory.create(team=reader.teams.get(), birth_date=None)

    assert text_of(client, "patient", patient.public_id).count("Not known") == 2


def test_a_record_that_could_not_be_assessed_is_still_shown(
    client: Client, patient: Patient
) -> None:
    assessment = AssessmentFactory.create(
        patient=patient, outcome="not_assessable", state="", content={"reasons": ["HistoryIsUnfit"]}
    )
    StandingFactory.create(patient=patient, assessment=assessment)

    text = text_of(client, "patient", patient.public_id)

    assert "could not be computed (HistoryIsUnfit)" in text


def test_clinical_times_stand_in_the_sites_zone_and_name_it_where_it_differs(
    client: Client, patient: Patient
) -> None:
    site = patient.team.site
    site.time_zone = "Asia/Tokyo"
    site.save()
    RatingFactory.create(patient=patient, rated_at="2026-11-02T08:30:00+00:00")

    text = text_of(client, "patient", patient.public_id)

    assert "02-Nov-2026 17:30 JST" in text


# Preferences


def test_preferences_say_when_the_next_digest_comes(client: Client, reader: Clinician) -> None:
    answer = client.post(
        reverse("portal:preferences"),
        {"digest_hour": "6", "time_zone": "Asia/Tokyo"},
        follow=True,
    )

    reader.refresh_from_db()
    assert (reader.digest_hour, reader.time_zone) == (6, "Asia/Tokyo")
    assert "06:00 JST" in answer.content.decode()


@pytest.mark.parametrize(
    "said",
    [
        {"digest_hour": "24", "time_zone": "Asia/Tokyo"},
        {"digest_hour": "7", "time_zone": "Mars/Olympus"},
    ],
)
def test_preferences_that_cannot_be_are_refused(
    client: Client, reader: Clinician, said: dict[str, str]
) -> None:
    answer = client.post(reverse("portal:preferences"), said)

    assert answer.status_code == 422
    assert Clinician.objects.get(pk=reader.pk).digest_hour == 7


def test_a_clinic_with_another_scale_sees_its_totals_and_no_rating_overdue(client: Client) -> None:
    patient = PatientFactory.create()
    EpisodeFactory.create(
        patient=patient,
        primary_instrument="PHQ-9",
        started_on=timezone.localdate() - timedelta(days=1),
    )
    now = timezone.now()
    for hours, total in ((3, 18), (2, 9)):
        at = now - timedelta(hours=hours)
        RatingFactory.create(patient=patient, instrument="PHQ-9", total=total, rated_at=at)
    recompute([patient.pk], at=now)
    client.force_login(ClinicianFactory.create(teams=[patient.team]))

    listed = " ".join(client.get(reverse("portal:worklist")).content.decode().split())
    page = client.get(reverse("portal:patient", args=[patient.public_id])).content.decode()

    assert "PHQ-9" in listed
    assert "−50 % from 18" in listed
    made = Standing.objects.get().assessment
    assert made is not None
    assert f"by {made.rules}" in listed
    assert "Rating overdue" not in listed
    assert "PHQ-9 went from 18 to 9 (−50 %)." in " ".join(page.split())
