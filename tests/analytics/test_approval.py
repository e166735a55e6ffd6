"""A trained model needs enough events, its evidence, and an approval of that one file."""

import json
from dataclasses import replace

import pytest

from analytics import CURRENT_RELEASE, Release
from analytics.releases import dump, parse
from analytics.releases.approval import (
    Approval,
    NotApproved,
    read_approval,
    refuse_unapproved,
)

EVIDENCE = {"events": "120", "calibration": "slope 0.9 (0.7 to 1.1)", "decision_curve": "+0.01"}


def trained(**card: str) -> Release:
    release = replace(
        CURRENT_RELEASE,
        version="my-clinic-1",
        basis="local labels",
        fingerprint="of these data",
        card=CURRENT_RELEASE.card | EVIDENCE | card,
        learned_from=frozenset(map(str, range(300))),
    )
    return parse(dump(release))


def approval_of(approved: Release, **changed: str) -> Approval:
    said = {
        "release": approved.version,
        "checksum": approved.checksum,
        "approved_by": "Dr A",
        "approved_on": "2026-11-28",
        "reason": "Validated",
    }
    return read_approval(json.dumps(said | changed))


def test_a_model_with_its_evidence_and_its_approval_may_be_used() -> None:
    release = trained()

    refuse_unapproved(release, approval_of(release))


@pytest.mark.parametrize(
    ("card", "told"),
    [
        ({"events": "99"}, "has 99 events; wanted: at least 100"),
        ({"events": "many"}, "wanted: a whole number"),
        ({"events": "301"}, "301 events among 300 patients"),
        ({"events": ""}, r"lacks events \(how many"),
        ({"calibration": ""}, "lacks calibration"),
        ({"decision_curve": ""}, "lacks decision_curve"),
    ],
)
def test_a_trained_model_without_enough_behind_it_is_refused(
    card: dict[str, str], told: str
) -> None:
    release = trained(**card)

    with pytest.raises(NotApproved, match=told):
        refuse_unapproved(release, approval_of(release))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"checksum": "0" * 64}, "and not of my-clinic-1"),
        ({"release": "another"}, "the approval is of another"),
    ],
)
def test_an_approval_is_of_one_file(changed: dict[str, str], told: str) -> None:
    release = trained()

    with pytest.raises(NotApproved, match=told):
        refuse_unapproved(release, approval_of(release, **changed))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not JSON"),
        ("[]", "must be an object"),
        ('{"release": "x"}', "must be an object with release, checksum"),
        (
            '{"release": "x", "checksum": "y", "approved_by": " ", "approved_on": "2026-11-28",'
            ' "reason": "z"}',
            "approved_by must be a text",
        ),
        (
            '{"release": "x", "checksum": "y", "approved_by": "A", "approved_on": "28.11.2026",'
            ' "reason": "z"}',
            "wanted: 2026-11-28",
        ),
    ],
)
def test_an_approval_that_is_none_is_refused(text: str, told: str) -> None:
    with pytest.raises(NotApproved, match=told):
        read_approval(text)
