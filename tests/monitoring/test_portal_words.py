"""Every code of the core has a sentence, and no other code has one."""

import pytest

from analytics import (
    Allocation,
    ClinicalState,
    Contribution,
    EvidenceKind,
    FlagReason,
    Reason,
)
from monitoring import review_words
from monitoring.models import FlagKind
from monitoring.portal import draw_words, flag_words, parked_words, words
from patients.intake.reasons import Reason as ParkedReason

FACTS: dict[EvidenceKind, dict[str, float | int | str | None]] = {
    EvidenceKind.PRIOR: {"prevalence": 0.3, "basis": "prior only"},
    EvidenceKind.SYMPTOMS: {
        "instrument": "QIDS-SR16",
        "baseline_total": 18.0,
        "total": 17.0,
        "improvement": 1 / 18,
        "is_improved": 0,
        "rated_at": "2026-10-12T08:00:00+00:00",
    },
    EvidenceKind.BIOMARKER: {
        "analyte": "sIL-6R",
        "level": 41.04,
        "slope_per_week": 0.006,
        "probability_rising": 0.71,
        "n_scored": 5,
        "log_odds_sd": 0.4,
    },
    EvidenceKind.LOCAL_PREVALENCE: {"prevalence": 0.42},
    EvidenceKind.CAUTION: {},
}


@pytest.mark.parametrize("code", list(ClinicalState))
def test_every_state_has_words(code: ClinicalState) -> None:
    assert words.state(code.value)


@pytest.mark.parametrize("code", list(FlagReason))
def test_every_reason_of_a_flag_has_a_sentence(code: FlagReason) -> None:
    said = flag_words.flag_reason(code.value, kind=FlagKind.TRENDING, estimate=None)

    assert said.endswith(".")


@pytest.mark.parametrize("code", [*(each.value for each in Reason), draw_words.CENSORED])
def test_every_reason_to_leave_a_result_out_has_words(code: str) -> None:
    assert draw_words.left_out_reason(code)


@pytest.mark.parametrize("code", list(Allocation))
def test_every_allocation_has_words(code: Allocation) -> None:
    assert words.allocation(code)


@pytest.mark.parametrize("code", list(ParkedReason))
def test_every_reason_to_park_has_a_sentence_with_the_laboratorys_own_word(
    code: ParkedReason,
) -> None:
    said = parked_words.parked_reason(f"{code.value}: IU/mL")

    assert said.endswith(".")
    assert "%(" not in said


@pytest.mark.parametrize("kind", list(EvidenceKind))
def test_every_piece_of_evidence_has_a_sentence_and_a_weight(kind: EvidenceKind) -> None:
    part = Contribution(kind, 0.27, FACTS[kind])

    assert words.contribution(part).endswith(".")
    assert "+0.27" in words.weight(part)


@pytest.mark.parametrize("kind", list(FlagKind))
def test_every_kind_of_flag_has_something_to_consider_and_a_short_name(kind: FlagKind) -> None:
    assert review_words.checklist(kind)
    assert words.SHORT_FLAGS[kind]


def test_a_code_that_nobody_has_put_into_words_is_refused() -> None:
    with pytest.raises(words.UnknownCode):
        flag_words.flag_reason("full_moon", kind=FlagKind.TRENDING, estimate=None)
    with pytest.raises(words.UnknownCode):
        draw_words.left_out_reason("full_moon")
    with pytest.raises(words.UnknownCode):
        parked_words.parked_reason("full_moon")
    with pytest.raises(words.UnknownCode):
        words.state("full moon")


def test_a_record_that_could_not_be_computed_names_the_fault() -> None:
    said = flag_words.flag_reason("HistoryIsUnfit", kind=FlagKind.NOT_ASSESSABLE, estimate=None)

    assert "HistoryIsUnfit" in said


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0.412, "about 41 of 100"),
        (0.001, "fewer than 1 of 100"),
        (0.9999, "more than 99 of 100"),
    ],
)
def test_a_probability_is_people_of_a_hundred_and_never_a_certainty(
    probability: float, said: str
) -> None:
    assert words.of_100(probability) == said


def test_a_factor_on_the_odds_is_the_exponential_of_the_log_odds() -> None:
    doubled = Contribution(EvidenceKind.BIOMARKER, 0.6931, FACTS[EvidenceKind.BIOMARKER])

    assert words.weight(doubled) == "odds × 2.00 (log-odds +0.69)"


def test_a_change_carries_its_sign() -> None:
    assert words.percent(0.22) == "+22 %"
    assert words.percent(-0.05) == "−5 %"


@pytest.mark.parametrize("change", [0.0, -0.0, -0.004, 0.004])
def test_no_change_has_no_sign(change: float) -> None:
    assert words.percent(change) == "0 %"


@pytest.mark.parametrize(
    "code",
    [FlagReason.NON_RESPONSE, FlagReason.TRIAL_FAILED, FlagReason.RESPONSE_LOST],
)
def test_by_the_variant_a_flag_speaks_of_remission_and_of_no_share(code: FlagReason) -> None:
    kind = FlagKind.TRENDING

    consensus = flag_words.flag_reason(code.value, kind=kind, estimate=None, rules="eu-pearl-4")
    variant = flag_words.flag_reason(
        code.value, kind=kind, estimate=None, rules="non-remission-3+4wk"
    )

    assert "25 %" in consensus
    assert "remission" in variant
    assert "%" not in variant
