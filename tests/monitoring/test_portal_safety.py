"""The safety path on the pages."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring import ingest, safety
from monitoring.models import CrisisPlan, Escalation, EscalationStep, Flag, FlagState
from patients.models import Clinician, Membership, Patient, Rating, Role, SafetyDuty
from tests.factories import ClinicianFactory, PatientFactory, RatingFactory

pytestmark = pytest.mark.django_db

OUTCOME = {
    "assessed_by": "Dr A",
    "contact": "in_person",
    "instrument": "C-SSRS",
    "ideation": "2",
    "behaviour": "none_found",
    "plan": "none_found",
    "means": "none_found",
    "actions": ["safety_plan", "close_ones"],
    "note": "Safety plan written; sister involved.",
}


@pytest.fixture
def patient() -> Patient:
    return PatientFactory.create()


@pytest.fixture
def reader(client: Client, patient: Patient) -> Clinician:
    somebody = ClinicianFactory.create(teams=[patient.team])
    client.force_login(somebody)
    return somebody


@pytest.fixture
def flag(patient: Patient, reader: Clinician) -> Flag:
    items = [0] * 9
    items[8] = 3
    ingest.receive_rating(
        patient=patient,
        instrument="PHQ-9",
        rated_at=timezone.now() - timedelta(hours=1),
        items=items,
        by="clinician:0",
        at=timezone.now(),
    )
    return Flag.objects.get()


def text_of(client: Client, name: str, *arguments: object) -> str:
    return client.get(reverse(f"portal:{name}", args=arguments)).content.decode()


def lead(reader: Clinician) -> None:
    Membership.objects.filter(clinician=reader).update(role=Role.LEAD)


def test_the_interruption_says_how_urgent_who_and_what_without_an_invented_number(
    client: Client, flag: Flag
) -> None:
    text = text_of(client, "safety", flag.reference)

    assert "do not leave the person alone" in text
    assert "Your site has not entered its numbers yet" in text
    assert "Cover is told" in text
    assert "no risk" not in text.lower()


def test_a_step_that_is_late_is_not_said_to_be_done_and_one_that_is_done_says_when(
    client: Client, flag: Flag
) -> None:
    # The workers are away: the cover was due two hours ago, and nobody has told anybody
    late = timezone.now() - timedelta(hours=2)
    Escalation.objects.filter(flag=flag, step=EscalationStep.COVER).update(due_at=late)

    assert "is not told yet: tell them yourself" in text_of(client, "flag", flag.reference)

    safety.escalate_due(at=timezone.now())

    text = text_of(client, "flag", flag.reference)
    assert "Cover was told" in text
    assert "tell them yourself" not in text


def test_the_sites_own_text_and_numbers_are_shown_where_it_has_them(
    client: Client, flag: Flag
) -> None:
    CrisisPlan.objects.create(
        site=flag.patient.team.site,
        text="Ask the duty doctor to come.",
        numbers="Duty doctor: extension 4711 (invented)",
        changed_at=timezone.now(),
        changed_by="clinician:0",
    )

    text = text_of(client, "safety", flag.reference)

    assert "Ask the duty doctor to come." in text
    assert "extension 4711" in text


def test_the_alarm_stands_on_every_page_until_somebody_acts(client: Client, flag: Flag) -> None:
    for name in ("worklist", "parked", "preferences", "safety_list", "site_settings"):
        assert "waits for you" in text_of(client, name), name

    client.post(reverse("portal:take_on", args=[flag.reference]), {"take-version": 1})

    assert "waits for you" not in text_of(client, "worklist")


def test_the_alarm_names_nobody(client: Client, flag: Flag) -> None:
    name = flag.patient.family_name.upper()

    assert name not in text_of(client, "alarm")


def test_the_outcome_closes_the_flag_and_stays_readable(client: Client, flag: Flag) -> None:
    local = timezone.now().astimezone(flag.patient.team.site.zone)
    said = {
        **OUTCOME,
        "version": flag.version,
        "assessed_on": f"{local:%d-%b-%Y}",
        "assessed_time": f"{local:%H:%M}",
    }

    answer = client.post(reverse("portal:outcome", args=[flag.reference]), said, follow=True)

    flag.refresh_from_db()
    assert flag.state == FlagState.RESOLVED
    text = answer.content.decode()
    assert "Safety plan written; sister involved." in text
    assert "None found in this assessment" in text


def test_an_outcome_typed_while_a_colleague_acted_can_be_saved_without_typing_it_again(
    client: Client, flag: Flag
) -> None:
    said = {**OUTCOME, **assessed_now(flag), "version": flag.version}
    client.post(reverse("portal:take_on", args=[flag.reference]), {"take-version": flag.version})

    first = client.post(reverse("portal:outcome", args=[flag.reference]), said)

    assert "Nothing is lost" in first.content.decode()
    form = first.context["form"]
    kept = {name: form[name].value() for name in form.fields}
    assert kept["actions"] == ["safety_plan", "close_ones"]
    kept["next_contact_on"] = ""
    client.post(reverse("portal:outcome", args=[flag.reference]), kept)
    flag.refresh_from_db()
    assert flag.state == FlagState.RESOLVED


def test_an_assessment_that_left_something_out_is_an_attempt_and_says_what_is_missing(
    client: Client, flag: Flag
) -> None:
    said = {**OUTCOME, **assessed_now(flag), "version": flag.version, "means": "not_assessed"}

    answer = client.post(reverse("portal:outcome", args=[flag.reference]), said, follow=True)

    assert "Not assessed yet: access to means." in answer.content.decode()
    flag.refresh_from_db()
    assert flag.state == FlagState.RAISED


@pytest.mark.parametrize("missing", ["ideation", "behaviour", "plan", "means", "actions", "note"])
def test_an_outcome_with_a_gap_closes_nothing(client: Client, flag: Flag, missing: str) -> None:
    said = {**OUTCOME, "version": flag.version, "assessed_on": "01-Nov-2026"}
    del said[missing]

    answer = client.post(reverse("portal:outcome", args=[flag.reference]), said)

    assert answer.status_code == 422
    flag.refresh_from_db()
    assert flag.state == FlagState.RAISED


def assessed_now(flag: Flag) -> dict[str, object]:
    local = timezone.now().astimezone(flag.patient.team.site.zone)
    return {
        **OUTCOME,
        "version": flag.version,
        "assessed_on": f"{local:%d-%b-%Y}",
        "assessed_time": f"{local:%H:%M}",
    }


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"assessed_on": "01-Jan-2020"}, "an assessment of it comes after"),
        ({"note": "."}, "Say in a sentence"),
        ({"contact": "not_reached"}, "nothing can have been found"),
    ],
)
def test_an_impossible_outcome_closes_nothing(
    client: Client, flag: Flag, wrong: dict[str, str], sentence: str
) -> None:
    said = assessed_now(flag) | wrong

    answer = client.post(reverse("portal:outcome", args=[flag.reference]), said)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    flag.refresh_from_db()
    assert flag.state == FlagState.RAISED


@pytest.mark.parametrize("is_reached", [False, True])
def test_where_nobody_was_assessed_an_attempt_is_recorded_and_the_flag_stays(
    client: Client, flag: Flag, *, is_reached: bool
) -> None:
    said = assessed_now(flag) | {"note": "Called twice, no answer."}
    if is_reached:
        said |= dict.fromkeys(("ideation", "behaviour", "plan", "means"), "not_assessed")
    else:
        said["contact"] = "not_reached"
        for name in ("instrument", "ideation", "behaviour", "plan", "means", "actions"):
            del said[name]

    address = reverse("portal:outcome", args=[flag.reference])
    text = client.post(address, said, follow=True).content.decode()

    flag.refresh_from_db()
    assert flag.state == FlagState.RAISED
    assert "The flag stays up and its timer goes on" in text
    assert "Attempt recorded by" in text
    assert "Called twice, no answer." in text
    assert "Cover is told" in text


def test_the_ordinary_steps_are_not_there_for_a_safety_flag(client: Client, flag: Flag) -> None:
    for name in ("acknowledge_flag", "resolve_flag"):
        answer = client.post(reverse(f"portal:{name}", args=[flag.reference]), {"x": 1})
        assert answer.status_code == 404, name


def test_it_is_handed_over_by_name(client: Client, flag: Flag, patient: Patient) -> None:
    colleague = ClinicianFactory.create(teams=[patient.team], full_name="Dr Colleague")

    answer = client.post(
        reverse("portal:hand_over", args=[flag.reference]),
        {"hand-version": flag.version, "hand-to": colleague.pk, "hand-note": "please call"},
        follow=True,
    )

    flag.refresh_from_db()
    assert flag.owner == colleague
    assert "Handed over" in answer.content.decode()


def test_a_lead_changes_the_plan_and_the_duties_and_nobody_else(
    client: Client, reader: Clinician, patient: Patient
) -> None:
    site, team = patient.team.site, patient.team
    plan = reverse("portal:crisis_plan", args=[site.pk])
    said = {
        "text": "Our way.",
        "numbers": "Duty: 1",
        "out_of_hours": "Nobody looks at night.",
        "cover_after_minutes": 30,
        "lead_after_minutes": 90,
        "remind_every_minutes": 60,
        "outcome_within_hours": 12,
    }
    assert client.post(plan, said).status_code == 403

    lead(reader)
    assert client.post(plan, said).status_code == 302
    membership = Membership.objects.get(clinician=reader)
    duties = reverse("portal:team_duties", args=[team.pk])
    client.post(duties, {f"duty_{membership.pk}": "first"})

    assert CrisisPlan.objects.get().cover_after_minutes == 30
    membership.refresh_from_db()
    assert membership.safety_duty == SafetyDuty.FIRST
    assert "Nobody looks at night." in text_of(client, "site_settings")


def test_a_timer_that_tells_lead_before_cover_is_refused(
    client: Client, reader: Clinician, patient: Patient
) -> None:
    lead(reader)
    said = {"cover_after_minutes": 90, "lead_after_minutes": 30, "outcome_within_hours": 12}

    answer = client.post(reverse("portal:crisis_plan", args=[patient.team.site_id]), said)

    assert answer.status_code == 422
    assert "Lead is told after cover" in answer.content.decode()


def test_an_empty_list_is_no_reassurance(client: Client, reader: Clinician) -> None:
    text = text_of(client, "safety_list")

    assert "No safety flag is open" in text
    assert "is no reassurance" in text


def test_a_patient_gets_a_named_clinician(
    client: Client, reader: Clinician, patient: Patient
) -> None:
    client.post(
        reverse("portal:named_clinician", args=[patient.public_id]), {"clinician": reader.pk}
    )

    patient.refresh_from_db()
    assert patient.named_clinician == reader


@pytest.mark.parametrize(
    "said",
    [
        {"item_9": "3", "rated_on": "31-Feb-2026"},
        {"total": "40", "self_harm": "1"},
        {"total": "2", "self_harm": "3"},
        {"total": "27", "self_harm": "0"},
    ],
)
def test_a_positive_answer_in_a_form_that_is_refused_interrupts_all_the_same(
    client: Client, patient: Patient, reader: Clinician, said: dict[str, str]
) -> None:
    address = reverse("portal:add_rating", args=[patient.public_id])
    typed = {"rated_on": "02-Nov-2026", "rated_time": "09:30", **said}

    answer = client.post(f"{address}?scale=PHQ-9", typed)

    assert answer.status_code == 422
    text = answer.content.decode()
    assert "this rating is not on record" in text
    assert "until somebody has taken over" in text
    assert not Flag.objects.exists()


def test_a_refused_form_with_a_zero_says_nothing_of_that_kind(
    client: Client, patient: Patient, reader: Clinician
) -> None:
    address = reverse("portal:add_rating", args=[patient.public_id])

    answer = client.post(f"{address}?scale=PHQ-9", {"item_9": "0", "rated_on": "31-Feb-2026"})

    assert answer.status_code == 422
    assert "not on record" not in answer.content.decode()


# What was typed and is not on record


def correction(rating: Rating, **said: object) -> dict[str, object]:
    items = {f"item_{number}": 0 for number in range(1, 9)}
    return {
        "rated_on": "02-Nov-2026",
        "rated_time": "09:30",
        "reason": "misread",
        **items,
        "item_9": 3,
    } | said


@pytest.fixture
def zero(patient: Patient, reader: Clinician) -> Rating:
    return RatingFactory.create(patient=patient, instrument="PHQ-9", total=0, items=[0] * 9)


@pytest.mark.parametrize(
    "wrong", [{"reason": ""}, {"rated_on": "31-Feb-2026"}, {"rated_on": "01-Jan-2099"}]
)
def test_a_correction_that_is_refused_interrupts_like_a_new_rating(
    client: Client, zero: Rating, wrong: dict[str, object]
) -> None:
    address = reverse("portal:correct_rating", args=[zero.patient.public_id, zero.pk])

    answer = client.post(address, correction(zero, **wrong))

    assert answer.status_code == 422
    text = answer.content.decode()
    assert "See to this person now" in text
    assert "Your site has not entered its numbers yet" in text
    assert not Flag.objects.exists()


def test_a_correction_that_somebody_has_overtaken_interrupts_too(
    client: Client, zero: Rating
) -> None:
    address = reverse("portal:correct_rating", args=[zero.patient.public_id, zero.pk])
    client.post(address, correction(zero, item_9=0, item_1=1))

    answer = client.post(address, correction(zero))

    assert answer.status_code == 422
    assert "See to this person now" in answer.content.decode()
    assert client.get(address).status_code == 404
    assert client.post(address, correction(zero, item_9=0)).status_code == 302


def test_who_was_signed_out_before_saving_is_told_that_nothing_is_on_record(
    client: Client, zero: Rating
) -> None:
    client.logout()

    answer = client.post(
        reverse("portal:add_rating", args=[zero.patient.public_id]), {"item_9": 3}, follow=True
    )

    text = answer.content.decode()
    assert "nothing of it is on record" in text
    assert "see to this person now" in text


def test_a_flag_that_follows_another_of_its_kind_says_so_and_leads_to_it(
    client: Client, flag: Flag, patient: Patient
) -> None:
    client.post(reverse("portal:outcome", args=[flag.reference]), assessed_now(flag))
    later = timezone.now()
    ingest.receive_rating(
        patient=patient,
        instrument="PHQ-9",
        rated_at=later,
        items=[*[0] * 8, 1],
        by="clinician:0",
        at=later,
    )

    text = text_of(client, "flag", Flag.objects.up().get().reference)

    assert "Returned" in text
    assert "Raised again: an earlier flag of this kind ended on" in text
    assert f'href="{reverse("portal:flag", args=[flag.reference])}"' in text
    assert "Raised again" not in text_of(client, "flag", flag.reference)
