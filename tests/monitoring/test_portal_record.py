"""What the clinic writes down itself: ratings, trials, their ends, events."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from analytics.doses import DOSE_TABLE
from monitoring import safety, wake
from monitoring.models import (
    Alert,
    Behaviour,
    Contact,
    Finding,
    Flag,
    FlagKind,
    Ideation,
    SafetyAction,
)
from monitoring.outcomes import Outcome
from patients.models import Clinician, Episode, Event, Patient, Rating, Trial
from tests.factories import (
    ClinicianFactory,
    DoseStepFactory,
    EpisodeFactory,
    PatientFactory,
    RatingFactory,
    TrialFactory,
)

pytestmark = pytest.mark.django_db

# Item by item: 2 + 2 + 1 + 1 + 1 + 0 + 1 + 2 + 1 = 11 by the rule of the scale, by hand
ITEMS = [2, 1, 0, 0, 2, 0, 1, 0, 0, 1, 1, 0, 1, 2, 1, 0]
TOTAL = 11


@pytest.fixture
def patient(client: Client) -> Patient:
    followed = PatientFactory.create()
    client.force_login(ClinicianFactory.create(teams=[followed.team]))
    return followed


def page(patient: Patient, name: str) -> str:
    return reverse(f"portal:{name}", args=[patient.public_id])


def rating(items: list[int] | None = None, **said: str | int) -> dict[str, str | int]:
    answers = {f"item_{place}": answer for place, answer in enumerate(items or [], start=1)}
    return {"rated_on": "02-Nov-2026", "rated_time": "09:30", **answers, **said}


def test_a_rating_is_recorded_item_by_item_at_the_sites_hour(
    client: Client, patient: Patient
) -> None:
    answer = client.post(page(patient, "add_rating"), rating(ITEMS))

    assert answer.headers["Location"] == page(patient, "patient")
    recorded = Rating.objects.get()
    assert (recorded.total, recorded.items) == (TOTAL, ITEMS)
    assert recorded.rated_at.isoformat() == "2026-11-02T08:30:00+00:00"  # Berlin is an hour ahead


def test_the_form_begins_with_the_primary_scale_of_the_episode(
    client: Client, patient: Patient
) -> None:
    EpisodeFactory.create(patient=patient, primary_instrument="PHQ-9")

    answer = client.get(page(patient, "add_rating"))

    assert "Add a rating: PHQ-9" in answer.content.decode()


def test_a_rating_is_recorded_by_its_total_alone(client: Client, patient: Patient) -> None:
    client.post(page(patient, "add_rating"), rating(total=14))

    recorded = Rating.objects.get()
    assert (recorded.total, recorded.items) == (14, None)


def test_an_incomplete_rating_has_no_total_and_says_so(client: Client, patient: Patient) -> None:
    said = rating(ITEMS)
    del said["item_5"]

    answer = client.post(page(patient, "add_rating"), said, follow=True)

    assert Rating.objects.get().total is None
    assert "Nothing is imputed" in answer.content.decode()


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (rating(), "Answer the items, or give the total."),
        (rating(ITEMS, total=12), "The items add up to 11"),
        (rating(total=28), "a whole number from 0 to 27"),
        (rating(ITEMS, rated_on="02-Nov-2099"), "This day lies in the future."),
        (rating(ITEMS, rated_on="31-Feb-2026"), "There is no such day in the calendar."),
        (rating(ITEMS, rated_on="11/02/2026"), "Write the day as 05-Oct-2026."),
        (rating(ITEMS, rated_time="9 in the morning"), "Write the time as 14:05."),
        (rating(ITEMS, item_4=4), "not one of the available choices"),
    ],
)
def test_a_rating_that_cannot_be_is_refused_with_a_reason(
    client: Client, patient: Patient, said: dict[str, str | int], fault: str
) -> None:
    answer = client.post(page(patient, "add_rating"), said)

    assert answer.status_code == 422
    assert fault in answer.content.decode()
    assert not Rating.objects.exists()


def test_another_rating_of_the_same_moment_is_refused(client: Client, patient: Patient) -> None:
    client.post(page(patient, "add_rating"), rating(ITEMS))

    answer = client.post(page(patient, "add_rating"), rating(total=20))

    assert answer.status_code == 422
    assert "on record with other answers" in answer.content.decode()


def test_a_positive_self_harm_item_interrupts_and_raises_its_flag_at_once(
    client: Client, patient: Patient
) -> None:
    answers = [*ITEMS[:11], 2, *ITEMS[12:]]

    answer = client.post(page(patient, "add_rating"), rating(answers))

    flag = Flag.objects.get()
    assert flag.kind == FlagKind.SAFETY
    assert Alert.objects.filter(flag=flag).exists()
    interruption = reverse("portal:safety", args=[flag.reference])
    assert answer.headers["Location"] == interruption
    assert "is no reassurance" in client.get(interruption).content.decode()


def test_a_positive_rating_sent_again_after_its_flag_was_closed_leads_to_that_flag(
    client: Client, patient: Patient
) -> None:
    said = rating([*ITEMS[:11], 2, *ITEMS[12:]])
    client.post(page(patient, "add_rating"), said)
    flag = Flag.objects.get()
    safety.close(
        flag=flag,
        version=flag.version,
        outcome=Outcome(
            assessed_at=timezone.now(),
            assessed_by="Dr A",
            contact=Contact.IN_PERSON,
            instrument="C-SSRS",
            ideation=Ideation.LEVEL_1,
            behaviour=Behaviour.NONE_FOUND,
            plan=Finding.NONE_FOUND,
            means=Finding.NONE_FOUND,
            actions=[SafetyAction.SAFETY_PLAN],
            note="seen in person",
            next_contact_on=None,
        ),
        by=Clinician.objects.get(),
        at=timezone.now(),
    )

    again = client.post(page(patient, "add_rating"), said)

    assert again.headers["Location"] == reverse("portal:safety", args=[flag.reference])
    assert Flag.objects.count() == 1


def test_a_zero_is_never_called_safe(client: Client, patient: Patient) -> None:
    client.post(page(patient, "add_rating"), rating(ITEMS))

    text = client.get(page(patient, "patient")).content.decode()

    assert "0 of 3" in text
    assert "A zero on the self-harm item is no reassurance." in text
    assert "no risk" not in text.lower()


def test_no_wording_of_the_scale_is_shown(client: Client, patient: Patient) -> None:
    text = client.get(page(patient, "add_rating")).content.decode()

    assert "Item 12: thoughts of death or suicide" in text
    assert "past seven days" not in text.lower()


def test_an_hour_that_the_clocks_left_out_is_no_time_of_a_rating(
    client: Client, patient: Patient
) -> None:
    said = rating(ITEMS, rated_on="29-Mar-2026", rated_time="02:30")  # Berlin: 02:00 was 03:00

    answer = client.post(page(patient, "add_rating"), said)

    assert answer.status_code == 422
    assert "The clocks were put forward over this hour" in answer.content.decode()
    assert not Rating.objects.exists()


def trial(**said: str) -> dict[str, str]:
    return {"drug": "Escitalopram", "started_on": "28-Sep-2026", "dose_1_mg": "10 mg", **said}


def test_a_trial_is_recorded_with_its_dose_steps_and_the_code_of_a_known_drug(
    client: Client, patient: Patient
) -> None:
    said = trial(dose_2_on="12-Oct-2026", dose_2_mg="20 mg")

    answer = client.post(page(patient, "add_trial"), said)

    assert answer.headers["Location"] == page(patient, "patient")
    recorded = Trial.objects.get()
    assert (recorded.drug, recorded.atc) == ("escitalopram", "N06AB10")
    assert list(
        recorded.dose_steps.order_by("started_on").values_list("started_on", "dose_mg")
    ) == [
        (date(2026, 9, 28), Decimal(10)),
        (date(2026, 10, 12), Decimal(20)),
    ]


def test_an_episode_that_has_ended_makes_room_for_the_next(
    client: Client, patient: Patient
) -> None:
    EpisodeFactory.create(patient=patient, started_on=date(2026, 2, 2))
    said = {"started_on": "02-Feb-2026", "ended_on": "01-Jul-2026"}

    client.post(page(patient, "episode"), said)

    assert not patient.episodes.filter(ended_on=None, superseded_at=None).exists()
    assert client.get(page(patient, "patient")).status_code == 200
    client.post(page(patient, "add_trial"), trial())
    ended, now = patient.episodes.filter(superseded_at=None).order_by("started_on")
    assert (ended.ended_on, now.started_on) == (date(2026, 7, 1), date(2026, 9, 28))


def test_an_episode_does_not_end_before_it_begins(client: Client, patient: Patient) -> None:
    answer = client.post(
        page(patient, "episode"), {"started_on": "02-Feb-2026", "ended_on": "01-Feb-2026"}
    )

    assert answer.status_code == 422
    assert "ends after its first dose" in answer.content.decode()
    assert not Episode.objects.exists()


@pytest.mark.parametrize("status", ["transferred", "deceased", "withdrawn"])
def test_who_is_not_followed_any_longer_is_said_on_a_page(
    client: Client, patient: Patient, status: str
) -> None:
    client.post(page(patient, "status"), {"status": status})

    patient.refresh_from_db()
    assert patient.status == status
    shown = client.get(page(patient, "patient")).content.decode()
    assert status.capitalize() in shown


def test_the_first_trial_starts_the_episode(client: Client, patient: Patient) -> None:
    client.post(page(patient, "add_trial"), trial())

    assert Episode.objects.get(patient=patient).started_on == date(2026, 9, 28)


def test_a_later_trial_leaves_the_episode_as_it_is(client: Client, patient: Patient) -> None:
    EpisodeFactory.create(patient=patient, started_on=date(2026, 7, 1))

    client.post(page(patient, "add_trial"), trial())

    assert Episode.objects.get(patient=patient).started_on == date(2026, 7, 1)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (trial(drug="moonshine"), "Give the ATC code"),
        (trial(atc="N06"), "seven characters"),
        (trial(dose_1_mg=""), "Give the first daily dose with its unit"),
        (trial(drug=""), "Say which drug it is."),
        (trial(drug="sertraline", atc="N06AB04"), "Sertraline has the code N06AB06"),
        (
            trial(drug="sertraline", dose_1_mg="5000 mg"),
            "highest usual dose of sertraline is 200 mg",
        ),
        (trial(dose_1_mg="10"), "say the unit of the daily dose too, such as “10 mg”"),
        (trial(dose_1_mg="1,000 mg"), "may be 1000 or 1;"),
        (trial(dose_1_mg="ten"), "a number and its unit"),
        (trial(override="adequate"), "Say why you judge"),
        (trial(dose_1_mg="-5 mg"), "a number and its unit"),
        (trial(dose_1_mg="0 mg"), "above zero"),
        (trial(dose_2_mg="20 mg"), "Give the day on which this dose began."),
        (trial(dose_2_on="12-Oct-2026"), "Give the dose from this day on."),
        (trial(dose_2_on="01-Sep-2026", dose_2_mg="20 mg"), "after the step before"),
        (trial(stopped_on="20-Oct-2026"), "Say why the trial was stopped."),
        (trial(stop_reason="ineffective"), "Give the last day"),
        (trial(stopped_on="01-Sep-2026", stop_reason="other"), "comes before the first"),
        (trial(started_on="28-Sep-1926"), "check the year"),
    ],
)
def test_a_trial_that_cannot_be_is_refused_with_a_reason(
    client: Client, patient: Patient, said: dict[str, str], fault: str
) -> None:
    answer = client.post(page(patient, "add_trial"), said)

    assert answer.status_code == 422
    assert fault in answer.content.decode()
    assert not Trial.objects.exists()


@pytest.mark.parametrize("drug", [each.drug for each in DOSE_TABLE.values()])
def test_every_drug_of_the_dose_table_is_known_by_its_name(
    client: Client, patient: Patient, drug: str
) -> None:
    client.post(page(patient, "add_trial"), trial(drug=drug.upper(), dose_1_mg="15 MG"))

    recorded = Trial.objects.get()
    assert DOSE_TABLE[recorded.atc].drug == recorded.drug == drug


def test_lithium_is_no_trial_by_being_left_at_the_default(client: Client, patient: Patient) -> None:
    lithium = {"drug": "lithium", "atc": "N05AN01", "dose_1_mg": "900 mg"}

    refused = client.post(page(patient, "add_trial"), trial(**lithium)).content.decode()
    client.post(page(patient, "add_trial"), trial(kind="augmentation", **lithium))
    client.post(
        page(patient, "add_trial"),
        trial(kind="antidepressant", drug="quetiapine", atc="N05AH04", dose_1_mg="300 mg"),
    )

    assert "N05AN01 augments a trial and is none: choose “augmentation of a trial”." in refused
    assert list(Trial.objects.order_by("pk").values_list("kind", flat=True)) == [
        "augmentation",
        "antidepressant",
    ]


def test_a_course_without_a_drug_is_named_after_its_kind(client: Client, patient: Patient) -> None:
    client.post(page(patient, "add_trial"), trial(kind="ect", drug="", dose_1_mg=""))

    assert Trial.objects.get().drug == "electroconvulsive therapy"


def test_the_end_of_a_trial_is_recorded_beside_what_was_known_before(
    client: Client, patient: Patient
) -> None:
    running = TrialFactory.create(patient=patient)
    DoseStepFactory.create(trial=running)
    stop = reverse("portal:stop_trial", args=[patient.public_id, running.pk])

    client.post(stop, {"stopped_on": "09-Nov-2026", "stop_reason": "ineffective"})

    ended = Trial.objects.get(superseded_at=None)
    assert (ended.stopped_on, ended.stop_reason) == (date(2026, 11, 9), "ineffective")
    assert Trial.objects.get(pk=running.pk).superseded_by == ended
    assert client.get(stop).status_code == 404


def test_an_event_is_recorded(client: Client, patient: Patient) -> None:
    said = {"kind": "infection", "started_on": "26-Oct-2026", "stopped_on": "30-Oct-2026"}

    client.post(page(patient, "add_event"), said)

    recorded = Event.objects.get()
    assert (recorded.kind, recorded.stopped_on) == ("infection", date(2026, 10, 30))


def test_an_event_that_ends_before_it_starts_is_refused(client: Client, patient: Patient) -> None:
    said = {"kind": "infection", "started_on": "26-Oct-2026", "stopped_on": "20-Oct-2026"}

    answer = client.post(page(patient, "add_event"), said)

    assert answer.status_code == 422
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("add_rating", rating(ITEMS)),
        ("add_trial", trial()),
        ("add_event", {"kind": "infection", "started_on": "26-Oct-2026"}),
    ],
)
def test_every_entry_wakes_the_workers_and_counts_the_history_up(
    client: Client,
    patient: Patient,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    name: str,
    said: dict[str, str],
) -> None:
    with django_capture_on_commit_callbacks() as calls:
        client.post(page(patient, name), said)

    assert wake.wake_workers in calls
    patient.refresh_from_db()
    assert patient.history_version >= 1
    assert patient.stale_since is not None


def test_a_replaced_rating_stays_visible(client: Client, patient: Patient) -> None:
    now = timezone.now()
    RatingFactory.create(
        patient=patient,
        total=19,
        rated_at=now - timedelta(days=3),
        superseded_at=now,
        superseded_reason="typing error",
    )

    text = client.get(page(patient, "patient")).content.decode()

    assert "row--superseded" in text
    assert ">19<" in text
