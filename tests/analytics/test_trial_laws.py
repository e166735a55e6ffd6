"""Laws that hold for every history of trials, whatever it is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import Estimate, History, estimate_cohort
from analytics.definitions import RULES, Adequacy
from tests.analytics.cohorts import MONDAY, TIME, patients_table

DRUGS = (("sertraline", "N06AB06", 50), ("mirtazapine", "N06AX11", 15), ("lithium", "N05AN01", 900))
REASONS = ("ineffective", "intolerance", "other")
# Whether a trial was adequate is the more certain the further right
ORDER = {Adequacy.INADEQUATE: 0, Adequacy.NOT_YET: 1, Adequacy.ADEQUATE: 2}


@dataclass(frozen=True)
class Course:
    """One trial as it is told: days since the first dose, and steps of (day, mg)."""

    drug: int
    start: int
    length: int | None
    reason: str
    adherence: str
    steps: tuple[tuple[int, int], ...]


@st.composite
def courses(draw: st.DrawFn) -> tuple[Course, ...]:
    """Some trials one after the other, so that no drug overlaps itself."""
    told, day = [], 0
    for _ in range(draw(st.integers(1, 4))):
        length = draw(st.integers(1, 100))
        offsets = draw(st.sets(st.integers(0, length - 1), max_size=3)) | {0}
        steps = tuple((day + each, draw(st.integers(5, 1200))) for each in sorted(offsets))
        told.append(
            Course(
                drug=draw(st.integers(0, 2)),
                start=day,
                length=length,
                reason=draw(st.sampled_from(REASONS)),
                adherence=draw(st.sampled_from(["", "good", "partial", "poor"])),
                steps=steps,
            )
        )
        day += length + draw(st.integers(0, 20))
    if draw(st.booleans()):
        told[-1] = replace(told[-1], length=None, reason="")
    return tuple(told)


RATINGS = st.lists(
    st.tuples(st.integers(-28, 420), st.integers(0, 27)), max_size=8, unique_by=lambda one: one[0]
)


def day(number: float) -> pd.Timestamp:
    return pd.Timestamp(MONDAY + timedelta(days=number))


def times(days: list[Any]) -> "pd.Series[Any]":
    return pd.Series([None if each is None else day(each) for each in days], dtype=TIME)


def estimate(
    told: tuple[Course, ...],
    ratings: Sequence[tuple[int, int]] = (),
    *,
    at: float,
) -> Estimate:
    numbered = list(enumerate(told, start=1))
    trials = pd.DataFrame(
        {
            "patient_id": 1,
            "trial_id": [1000 - number for number, _ in numbered],
            "drug": [DRUGS[one.drug][0] for one in told],
            "atc": [DRUGS[one.drug][1] for one in told],
            "started_at": times([one.start for one in told]),
            "stopped_at": times(
                [None if one.length is None else one.start + one.length for one in told]
            ),
            "stop_reason": [one.reason for one in told],
            "dose_mg": float("nan"),
            "adequate_from": times([None] * len(told)),
            "adherence": [one.adherence for one in told],
        }
    )
    steps = [(1000 - number, *step) for number, one in numbered for step in one.steps]
    doses = pd.DataFrame(
        {
            "trial_id": [number for number, _, _ in steps],
            "started_at": times([start for _, start, _ in steps]),
            "dose_mg": [float(mg) for _, _, mg in steps],
        }
    )
    rated = pd.DataFrame(
        {
            "patient_id": pd.Series([1] * len(ratings), dtype="int64"),
            "instrument": ["QIDS-SR16"] * len(ratings),
            "rated_at": times([when for when, _ in ratings]),
            "total": [float(total) for _, total in ratings],
        }
    )
    history = History(
        patients=patients_table(), trials=trials, doses=doses, ratings=rated if ratings else None
    )
    [found] = estimate_cohort(history, at=day(at).to_pydatetime())
    return found


def verdicts(found: Estimate) -> list[tuple[int | None, Adequacy, float]]:
    assert found.course is not None
    return [(one.trial_id, one.adequacy, one.weeks_at_dose) for one in found.course.trials]


@settings(deadline=None, max_examples=60)
@given(courses(), st.integers(1, 420), st.integers(0, 2000))
def test_a_higher_dose_never_makes_a_trial_less_adequate(
    told: tuple[Course, ...], at: int, more_mg: int
) -> None:
    raised = tuple(
        replace(one, steps=tuple((start, mg + more_mg) for start, mg in one.steps)) for one in told
    )

    before, after = verdicts(estimate(told, at=at)), verdicts(estimate(raised, at=at))

    for (_, worth, weeks), (_, worth_raised, weeks_raised) in zip(before, after, strict=True):
        assert weeks_raised >= weeks
        if worth in ORDER and worth_raised in ORDER:
            assert ORDER[worth_raised] >= ORDER[worth]
        else:
            assert worth is worth_raised


@settings(deadline=None, max_examples=60)
@given(courses(), st.integers(0, 200))
def test_a_longer_trial_is_never_less_adequate(told: tuple[Course, ...], more_days: int) -> None:
    *earlier, last = told
    stopped = replace(last, length=last.length or 60, reason="ineffective")
    longer = replace(stopped, length=(stopped.length or 0) + more_days)
    at = stopped.start + (stopped.length or 0) + more_days + 1

    short = verdicts(estimate((*earlier, stopped), at=at))[-1]
    long = verdicts(estimate((*earlier, longer), at=at))[-1]

    assert long[2] >= short[2]
    if short[1] is Adequacy.ADEQUATE and stopped.drug != 2:
        assert long[1] is Adequacy.ADEQUATE


@settings(deadline=None, max_examples=60)
@given(courses(), RATINGS, st.integers(1, 420), st.randoms(use_true_random=False))
def test_the_order_in_which_facts_arrive_does_not_matter(
    told: tuple[Course, ...], ratings: list[tuple[int, int]], at: int, chance: Any
) -> None:
    # Ids are kept with their trials: only the order of the rows is another
    first = estimate(told, ratings, at=at)
    mixed = list(ratings)
    chance.shuffle(mixed)

    assert estimate(told, mixed, at=at) == first


@settings(deadline=None, max_examples=60)
@given(courses(), RATINGS, st.integers(1, 420), st.integers(0, 27))
def test_superseding_a_fact_and_superseding_back_is_the_identity(
    told: tuple[Course, ...], ratings: list[tuple[int, int]], at: int, other: int
) -> None:
    # What is current is what counts: the core sees the fact, another in its place, and it again
    superseded = [(when, other) for when, _ in ratings[:1]] + ratings[1:]

    before = estimate(told, ratings, at=at)
    between = estimate(told, superseded, at=at)
    back = estimate(told, ratings, at=at)

    assert back == before
    assert between.patient_id == before.patient_id


@settings(deadline=None, max_examples=60)
@given(courses(), RATINGS, st.integers(1, 420))
def test_nothing_fails_that_was_not_adequate(
    told: tuple[Course, ...], ratings: list[tuple[int, int]], at: int
) -> None:
    course = estimate(told, ratings, at=at).course

    assert course is not None
    for trial in course.trials:
        if trial.is_failed:
            assert trial.adequacy is Adequacy.ADEQUATE
            assert trial.weeks_at_dose >= RULES.adequate_weeks
    counted = [trial for trial in course.trials if trial.is_failed and trial.is_counted]
    assert course.failed_trials == len(counted)
    assert len({trial.atc for trial in counted}) == len(counted)
