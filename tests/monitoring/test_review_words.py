"""Every check and every lever has a sentence, and none of them names a treatment."""

import re

import pytest

from analytics.checklists import CHECKLISTS, REVIEW, Check
from analytics.explanation import Change, Lever
from analytics.findings import Fact
from analytics.policy import FlagKind
from monitoring import review_words

FACTS: dict[str, Fact] = {
    "probability": 0.31,
    "difference": 0.02,
    "instrument": "PHQ-9",
    "at_most": 4,
    "rules": "eu-pearl-3",
    "from_day": 11,
    "to_day": 32,
    "trial": 1,
    "drug": "sertraline",
    "results": 2,
    "scored": 1,
    "needed": 3,
}
TREATMENT = re.compile(r"\b(switch|increase|augment|add|start|stop|prescribe)\b", re.IGNORECASE)


@pytest.mark.parametrize("check", list(Check))
def test_every_check_has_words_that_name_no_treatment(check: Check) -> None:
    words = str(review_words.CHECKS[check])

    assert words
    assert not TREATMENT.search(words)


@pytest.mark.parametrize("lever", list(Lever))
def test_every_lever_has_words_that_name_no_treatment(lever: Lever) -> None:
    words = review_words.would_change(Change(lever, FACTS))

    assert words
    assert "%(" not in words
    assert not TREATMENT.search(words)


@pytest.mark.parametrize("kind", list(FlagKind))
def test_every_kind_of_flag_goes_through_the_seven_checks(kind: FlagKind) -> None:
    assert set(REVIEW) <= set(CHECKLISTS[kind])
