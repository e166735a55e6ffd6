"""Laboratories and their keys."""

import hashlib
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from patients.models import Audit, Laboratory, LaboratoryKey
from patients.record.laboratories import (
    KeyNotFound,
    LaboratoryExists,
    NoPlaceForKey,
    add_laboratory,
    issue_key,
    revoke_keys,
)
from tests.conftest import MONDAY

pytestmark = pytest.mark.django_db


def _issue(laboratory: Laboratory) -> str:
    return issue_key(laboratory=laboratory, by="operator:ola", at=MONDAY)


def test_a_laboratory_name_is_taken_once(laboratory: Laboratory) -> None:
    with pytest.raises(LaboratoryExists):
        add_laboratory(
            name=laboratory.name,
            zone=ZoneInfo("UTC"),
            pushes_per_minute=None,
            by="operator:ola",
            at=MONDAY,
        )

    laboratory.refresh_from_db()
    assert laboratory.time_zone == "Asia/Tokyo"


def test_only_a_digest_of_a_key_stays(laboratory: Laboratory) -> None:
    key = _issue(laboratory)

    kept = LaboratoryKey.objects.get()
    assert kept.sha256 == hashlib.sha256(key.encode()).hexdigest()
    assert kept.hint == key[:8]
    assert key not in str(LaboratoryKey.objects.values().get())
    assert key not in str(list(Audit.objects.values()))


def test_a_key_is_long_enough_that_nobody_guesses_it(laboratory: Laboratory) -> None:
    key = _issue(laboratory)

    assert key.startswith("snd_")
    assert len(key) >= len("snd_") + 43  # 256 bits take 43 characters of base 64


def test_two_keys_live_at_once_so_that_a_change_has_no_gap(laboratory: Laboratory) -> None:
    first, second = _issue(laboratory), _issue(laboratory)

    assert first != second
    assert LaboratoryKey.objects.filter(revoked_at=None).count() == 2


def test_a_third_key_waits_for_a_revoked_one(laboratory: Laboratory) -> None:
    first = _issue(laboratory)
    _issue(laboratory)
    with pytest.raises(NoPlaceForKey):
        _issue(laboratory)

    revoke_keys(laboratory=laboratory, beginning=first[:8], by="operator:ola", at=MONDAY)

    assert _issue(laboratory) != first


def test_a_revoked_key_says_when_and_by_whom(laboratory: Laboratory) -> None:
    key = _issue(laboratory)
    later = MONDAY + timedelta(days=7)

    hints = revoke_keys(laboratory=laboratory, beginning=None, by="operator:ola", at=later)

    kept = LaboratoryKey.objects.get()
    assert hints == [key[:8]]
    assert (kept.revoked_at, kept.revoked_by) == (later, "operator:ola")
    assert Audit.objects.get(verb="revoke_key").subject == f"key:{kept.pk}"


def test_a_key_that_is_not_there_is_not_revoked_in_silence(laboratory: Laboratory) -> None:
    _issue(laboratory)

    with pytest.raises(KeyNotFound):
        revoke_keys(laboratory=laboratory, beginning="snd_!!!!", by="operator:ola", at=MONDAY)

    assert LaboratoryKey.objects.get().revoked_at is None
