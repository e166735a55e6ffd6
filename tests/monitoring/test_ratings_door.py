"""Ratings from a clinic's own system: what is taken, what is refused, what the rater is shown."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import Client

from monitoring import redis
from monitoring.models import CrisisPlan, Flag, FlagKind, FlagLevel
from patients.models import CareTeam, Laboratory, Patient, Rating, TeamKey
from patients.record.laboratories import issue_key
from patients.record.people import add_team
from patients.record.team_keys import issue_team_key, revoke_team_key
from patients.scopes import READ
from tests.conftest import MONDAY

pytestmark = pytest.mark.django_db
PHQ9 = [2, 2, 1, 2, 1, 1, 2, 0, 0]


@pytest.fixture
def key(team: CareTeam) -> str:
    return issue_team_key(team=team, name="Tablet", by="operator", at=MONDAY)


def send(key: str, body: Any = None, **change: Any) -> Any:
    message = body if body is not None else rating(**change)
    return Client().generic(
        "POST",
        "/api/v1/ratings",
        message if isinstance(message, bytes) else json.dumps(message),
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}"} if key else {},
    )


def rating(**change: Any) -> dict[str, Any]:
    plain = {
        "patient": {"system": "urn:clinic:mrn", "value": "0042"},
        "instrument": "PHQ-9",
        "rated_at": "2026-11-02T08:10:00+09:00",
        "items": PHQ9,
    }
    return {name: part for name, part in (plain | change).items() if part is not ...}


def test_a_rating_is_recorded_once_with_its_total_and_band(key: str, patient: Patient) -> None:
    first, again = send(key), send(key)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["total"] == 11
    assert first.json()["band"] == "moderate"
    assert (first.json()["state"], again.json()["state"]) == ("recorded", "known")
    found = Rating.objects.get()
    assert (found.patient, found.items) == (patient, PHQ9)
    assert found.recorded_by == f"team_key:{TeamKey.objects.get().pk}"


def test_a_zero_is_told_to_be_no_reassurance(key: str, patient: Patient) -> None:
    said = send(key).json()["self_harm"]

    assert (said["answer"], said["urgency"], said["flag"]) == (0, None, None)
    assert "no sign of safety" in said["show_at_once"][0]


def test_a_positive_answer_interrupts_with_the_sites_own_words(key: str, patient: Patient) -> None:
    CrisisPlan.objects.create(
        site=patient.team.site,
        text="Call Dr Mori.",
        numbers="Ward: 1234",
        out_of_hours="Nobody.",
        changed_at=MONDAY,
    )

    answer = send(key, items=[*PHQ9[:8], 3])

    assert answer.status_code == 201
    said = answer.json()["self_harm"]
    flag = Flag.objects.up().get(patient=patient)
    assert (flag.kind, flag.level) == (FlagKind.SAFETY, FlagLevel.SAFETY)
    assert (said["urgency"], said["flag"]) == ("immediate", str(flag.reference))
    assert said["show_at_once"][1:] == ["Call Dr Mori.", "Ward: 1234", "Nobody."]
    assert "do not leave the person alone" in said["show_at_once"][0]


def test_it_needs_neither_broker_nor_worker(
    key: str, patient: Patient, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(redis, "_line", redis._Line())

    answer = send(key, items=[*PHQ9[:8], 1])

    assert answer.status_code == 201
    assert Flag.objects.up().get(patient=patient).kind == FlagKind.SAFETY


def test_the_answer_to_the_item_may_stand_beside_a_total(key: str, patient: Patient) -> None:
    answer = send(key, instrument="MADRS", items=..., total=30, self_harm=4)

    assert answer.status_code == 201
    assert answer.json()["self_harm"]["urgency"] == "immediate"


def test_a_total_that_proves_a_positive_answer_is_answered_like_one(
    key: str, patient: Patient
) -> None:
    said = send(key, items=..., total=26).json()["self_harm"]

    assert (said["answer"], said["urgency"]) == (2, "urgent")
    assert "until somebody has taken over" in said["show_at_once"][1]


def test_an_incomplete_form_has_no_total_and_its_positive_answer_counts(
    key: str, patient: Patient
) -> None:
    answer = send(key, items=[None, *PHQ9[1:8], 2])

    assert (answer.json()["total"], answer.json()["band"]) == (None, None)
    assert Flag.objects.up().exists()


def test_a_time_without_an_offset_is_read_at_the_site(key: str, patient: Patient) -> None:
    send(key, rated_at="2026-11-02T08:10")

    assert Rating.objects.get().rated_at.isoformat() == "2026-11-01T23:10:00+00:00"


@pytest.mark.parametrize(
    ("change", "pointer", "detail"),
    [
        ({"items": [4, *PHQ9[1:]]}, "/items/0", "item 1: 4 is not a whole number from 0 to 3"),
        ({"items": [-1, *PHQ9[1:]]}, "/items/0", "item 1: -1 is not a whole number from 0 to 3"),
        ({"items": PHQ9[:8]}, "/items", "PHQ-9 has 9 items, not 8"),
        ({"items": ["2", *PHQ9[1:]]}, "/items/0", "must be a whole number"),
        ({"items": [True, *PHQ9[1:]]}, "/items/0", "must be a whole number"),
        ({"items": [1.5, *PHQ9[1:]]}, "/items/0", "must be a whole number"),
        ({"items": ..., "total": 28}, "", "the total must be a whole number from 0 to 27"),
        ({"total": 12}, "", "the items add up to 11, not to 12"),
        ({"items": ...}, "", "must hold items or a total"),
        ({"items": ..., "total": 3, "self_harm": 4}, "", "item 9 must be a whole number from 0"),
        ({"items": ..., "total": 1, "self_harm": 3}, "", "item 9 alone is 3, more than the total"),
        ({"self_harm": 2}, "", "item 9 says 0, and beside it stands 2"),
        ({"instrument": "BDI"}, "", "“BDI” is not a scale we know; known: QIDS-SR16"),
        ({"rated_at": "2031-01-01T08:00:00Z"}, "/rated_at", "the rating is dated in the future"),
        ({"rated_at": "0026-11-02T08:00:00Z"}, "/rated_at", "must not lie before 1950"),
        ({"rated_at": "2026-02-30T08:00:00Z"}, "/rated_at", "is no day and time of any calendar"),
        ({"rated_at": "2026-11-02"}, "/rated_at", "must be a date with a time"),
        ({"mood": "low"}, "/mood", "is not a field of this message"),
        ({"patient": {"system": "urn:clinic:mrn", "value": "9"}}, "/patient/value", "no patient"),
        ({"patient": ...}, "/patient", "is missing"),
    ],
)
def test_what_cannot_be_is_refused_with_a_plain_sentence(
    key: str, patient: Patient, change: dict[str, Any], pointer: str, detail: str
) -> None:
    answer = send(key, **change)

    assert answer.status_code == 422, answer.content
    [fault] = answer.json()["errors"]
    assert fault["pointer"] == pointer
    assert detail in fault["detail"]
    assert not Rating.objects.exists()


def test_all_that_is_wrong_with_a_rating_is_said_at_once(key: str, patient: Patient) -> None:
    answer = send(
        key,
        patient={"system": "urn:clinic:mrn", "value": "9"},
        rated_at="2031-01-01T08:00:00Z",
        items=[4, *PHQ9[1:]],
    )

    assert [fault["pointer"] for fault in answer.json()["errors"]] == [
        "/patient/value",
        "/rated_at",
        "/items/0",
    ]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"a":1,"a":2}', b"\xff", b"null"])
def test_what_is_no_message_is_refused(key: str, patient: Patient, body: bytes) -> None:
    assert send(key, body).status_code in {400, 422}
    assert not Rating.objects.exists()


def test_another_answer_of_the_same_moment_is_no_repeat(key: str, patient: Patient) -> None:
    send(key)

    answer = send(key, items=[0] * 9)

    assert answer.status_code == 409
    assert "other answers" in answer.json()["title"]
    assert Rating.objects.get().total == 11


def test_a_key_opens_its_own_team_only(patient: Patient) -> None:
    zone = patient.team.site.zone
    elsewhere = add_team(site="Minami clinic", name="Ward 1", zone=zone, by="operator", at=MONDAY)
    other = issue_team_key(team=elsewhere, name="Tablet", by="operator", at=MONDAY)

    answer = send(other)

    assert answer.status_code == 422
    assert "no patient of this care team has this number" in answer.content.decode()


def test_only_a_live_key_of_a_team_opens(
    key: str, patient: Patient, team: CareTeam, laboratory: Laboratory
) -> None:
    laboratory_key = issue_key(laboratory=laboratory, by="operator", at=MONDAY)
    assert send("").status_code == 401
    assert send("tms_wrong").status_code == 401
    assert send(laboratory_key).status_code == 401

    revoke_team_key(team=team, name="Tablet", by="operator", at=MONDAY + timedelta(hours=1))

    assert send(key).status_code == 401


def test_a_key_of_a_team_opens_no_laboratorys_door(key: str) -> None:
    answer = Client().post(
        "/api/v1/results",
        "{}",
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )

    assert answer.status_code == 401


def test_an_operator_issues_and_revokes_it(team: CareTeam) -> None:
    out = StringIO()
    call_command("issue_team_key", "Tablet", "--team", "Ward 3", stdout=out)
    assert out.getvalue().splitlines()[-1].startswith("tms_")

    with pytest.raises(CommandError, match="has a live key of this team"):
        call_command("issue_team_key", "Tablet", "--team", "Ward 3")
    with pytest.raises(CommandError, match="Ward 9"):
        call_command("issue_team_key", "Tablet", "--team", "Ward 9")
    call_command("revoke_team_key", "Tablet", "--team", "Ward 3", stdout=out)
    with pytest.raises(CommandError, match="has no live key"):
        call_command("revoke_team_key", "Tablet", "--team", "Ward 3")
    assert TeamKey.objects.get().revoked_by.startswith("operator:")


def test_a_system_that_sends_too_fast_is_told_to_wait_and_others_are_not(
    key: str, team: CareTeam, patient: Patient, settings: LazySettings
) -> None:
    redis.ask(lambda line: line.flushdb())
    settings.RATINGS_PER_MINUTE = 2
    other = issue_team_key(team=team, name="Other", by="operator", at=MONDAY)

    answers = [send(key) for _ in range(5)]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= 1  # the clock may turn to the next minute between two
    assert 1 <= int(refused[0]["Retry-After"]) <= 60
    assert send(other).status_code == 200


def test_a_positive_answer_is_taken_however_fast_a_system_sends(
    key: str, patient: Patient, settings: LazySettings
) -> None:
    redis.ask(lambda line: line.flushdb())
    settings.RATINGS_PER_MINUTE = 2
    assert 429 in {send(key).status_code for _ in range(5)}

    answer = send(key, items=[0] * 8 + [1], rated_at="2026-11-02T09:10:00+09:00")

    assert answer.status_code == 201
    assert answer.json()["self_harm"]["show_at_once"]
    assert Flag.objects.get().kind == FlagKind.SAFETY


@pytest.mark.parametrize(
    "change",
    [
        {"items": [0] * 8 + [4]},
        {"items": [0] * 8 + [2], "rated_at": "2031-01-01T08:00:00Z"},
        {"items": [0] * 8 + [1], "mood": "low"},
        {"items": [0] * 8 + ["3"]},
        {"items": ..., "total": 2, "self_harm": 3},
        {"items": ..., "total": 27, "self_harm": 0},
        {"instrument": "BDI", "items": ..., "total": 2, "self_harm": 3},
        {"instrument": "phq 9", "items": [0] * 8 + [1]},
        {"instrument": "BDI", "items": [0] * 8 + [1]},
        {"items": [0] * 8 + [3], "patient": {"system": "urn:clinic:mrn", "value": "9"}},
    ],
)
def test_a_positive_answer_that_is_refused_interrupts_all_the_same(
    key: str, patient: Patient, change: dict[str, Any]
) -> None:
    answer = send(key, **change)

    assert answer.status_code == 422
    first, *crisis = answer.json()["show_at_once"]
    assert "not on record: see to this person now" in first
    assert "until somebody has taken over" in crisis[0]
    assert not Rating.objects.exists()


def test_other_answers_of_a_moment_that_is_on_record_interrupt_too(
    key: str, patient: Patient
) -> None:
    send(key)

    answer = send(key, items=[0] * 8 + [3])

    assert answer.status_code == 409
    assert answer.json()["show_at_once"]


def test_what_was_turned_away_unread_says_so(key: str, patient: Patient, team: CareTeam) -> None:
    reads = issue_team_key(team=team, name="Screen", scopes=READ, by="operator", at=MONDAY)

    nobody, may_not = send("tms_wrong"), send(reads, items=[0] * 8 + [3])

    assert (nobody.status_code, may_not.status_code) == (401, 403)
    assert "Nobody has read this message" in nobody.json()["show_at_once"][0]
    first, *crisis = may_not.json()["show_at_once"]
    assert "Nobody has read this message" in first
    assert "until somebody has taken over" in crisis[0]


def test_what_is_refused_without_a_positive_answer_shows_nothing(
    key: str, patient: Patient
) -> None:
    for items in ([5] + [0] * 8, [5] + [0] * 7 + [None], "words"):
        assert "show_at_once" not in send(key, items=items).json()
