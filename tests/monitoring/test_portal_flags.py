"""The page of a flag: looking changes nothing, acting says who, and nobody acts on old news."""

import pytest
from django.test import Client
from django.urls import reverse

from monitoring import flags
from monitoring.models import Flag, FlagEvent, FlagState, ResolveReason
from patients.models import Audit, Clinician
from tests.factories import (
    MONDAY,
    AssessmentFactory,
    ClinicianFactory,
    FlagEventFactory,
    FlagFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def flag() -> Flag:
    raised = FlagFactory.create()
    FlagEventFactory.create(flag=raised)
    return raised


@pytest.fixture
def reader(client: Client, flag: Flag) -> Clinician:
    member = ClinicianFactory.create(teams=[flag.patient.team])
    client.force_login(member)
    return member


def page(flag: Flag, act: str = "flag") -> str:
    return reverse(f"portal:{act}", args=[flag.reference])


def test_looking_at_a_flag_changes_nothing_but_the_trail(
    client: Client, flag: Flag, reader: Clinician
) -> None:
    answer = client.get(page(flag))

    assert answer.status_code == 200
    assert "risen above the patient’s own set-point" in answer.content.decode()
    assert Flag.objects.get().state == FlagState.RAISED
    assert FlagEvent.objects.count() == 1
    line = Audit.objects.get(verb="view_flag")
    assert (line.patient_id, line.by) == (flag.patient_id, f"clinician:{reader.pk}")


def test_acts_are_not_to_be_had_by_asking(client: Client, flag: Flag, reader: Clinician) -> None:
    for act in ("see_flag", "acknowledge_flag", "resolve_flag"):
        answer = client.get(page(flag, act))

        assert answer.status_code == 405
        assert f'href="{page(flag)}"' in answer.content.decode()  # and not a white window


def test_a_flag_is_marked_as_seen(client: Client, flag: Flag, reader: Clinician) -> None:
    answer = client.post(page(flag, "see_flag"), {"version": flag.version})

    assert answer.headers["Location"] == page(flag)
    assert Flag.objects.get().state == FlagState.SEEN
    assert FlagEvent.objects.latest("pk").by == reader


def test_a_flag_is_acknowledged_with_a_reason_and_a_plan(
    client: Client, flag: Flag, reader: Clinician
) -> None:
    said = {
        "acknowledge-version": flag.version,
        "acknowledge-reason": "reviewing",
        "acknowledge-plan": "Check the dose on Thursday.",
    }

    answer = client.post(page(flag, "acknowledge_flag"), said, follow=True)

    assert Flag.objects.get().state == FlagState.ACKNOWLEDGED
    text = answer.content.decode()
    assert f"Acknowledged by {reader}: I am reviewing this patient" in text
    assert "Check the dose on Thursday." in text


def test_an_acknowledgement_without_a_reason_comes_back_with_what_was_typed(
    client: Client, flag: Flag, reader: Clinician
) -> None:
    said = {"acknowledge-version": flag.version, "acknowledge-plan": "Thursday"}

    answer = client.post(page(flag, "acknowledge_flag"), said)

    assert answer.status_code == 422
    assert "There is a problem" in answer.content.decode()
    assert "Thursday" in answer.content.decode()
    assert Flag.objects.get().state == FlagState.RAISED


def test_whoever_acts_on_old_news_is_told_who_was_there_before(
    client: Client, flag: Flag, reader: Clinician
) -> None:
    colleague = ClinicianFactory.create(full_name="Dr Faster")
    flags.see(flag=flag, version=flag.version, by=colleague, at=MONDAY)
    said = {
        "acknowledge-version": flag.version,
        "acknowledge-reason": "reviewing",
        "acknowledge-plan": "Thursday",
    }

    answer = client.post(page(flag, "acknowledge_flag"), said)

    assert answer.status_code == 422
    text = answer.content.decode()
    assert "Dr Faster" in text
    assert "Thursday" in text
    assert f'name="acknowledge-version" value="{flag.version + 1}"' in text
    assert Flag.objects.get().state == FlagState.SEEN


def test_a_resolved_flag_offers_no_act_and_tells_its_story(
    client: Client, flag: Flag, reader: Clinician
) -> None:
    flags.resolve(
        flag=flag,
        version=flag.version,
        reason=ResolveReason.NOT_USEFUL,
        plan="",
        by=reader,
        at=MONDAY,
    )

    text = client.get(page(flag)).content.decode()

    assert f"Resolved by {reader}: This flag was not useful" in text
    assert "<form" not in text.partition("<main")[2].partition("</main")[0]


def test_a_flag_names_the_rules_and_the_policy_that_it_was_raised_by(
    client: Client, flag: Flag, reader: Clinician
) -> None:
    flag.raised_by = AssessmentFactory.create(patient=flag.patient, rules="non-remission-3+4wk")
    flag.save()

    text = client.get(page(flag)).content.decode()

    policy = flag.raised_by.policy
    assert f"Raised by the rules non-remission-3+4wk and the policy {policy}." in text
