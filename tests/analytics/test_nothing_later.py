"""What lies after the moment of an estimate is neither used by it nor told."""

import pandas as pd
import pytest

from tests.analytics.cohorts import TIME, estimate_one, ratings_table, trials_table, week

RATINGS = ratings_table([20, 19, 18], weeks=[0, 4, 8])
UNDECLARED = pd.Series([pd.NaT], dtype=TIME)


def steps(*given: tuple[float, float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "trial_id": 1,
            "started_at": pd.Series([week(at) for at, _ in given], dtype=TIME),
            "dose_mg": [dose for _, dose in given],
        }
    )


@pytest.mark.parametrize("reason", ["non_adherence", "adverse_effects", "no effect"])
def test_a_later_stop_and_a_later_dose_change_nothing(reason: str) -> None:
    later = trials_table(((0, 20),), adequate_from=UNDECLARED, stop_reason=reason)
    running = trials_table(adequate_from=UNDECLARED)

    seen = estimate_one(at=week(10), trials=later, doses=steps((0, 100), (12, 25)), ratings=RATINGS)
    known = estimate_one(at=week(10), trials=running, doses=steps((0, 100)), ratings=RATINGS)

    assert seen == known
    assert seen.course is not None
    assert [each.dose_mg for each in seen.course.trials[0].doses] == [100]
    assert seen.course.trials[0].stop_reason == ""


def test_from_the_stop_on_its_reason_counts() -> None:
    stopped = trials_table(((0, 9),), adequate_from=UNDECLARED, stop_reason="non_adherence")

    seen = estimate_one(at=week(10), trials=stopped, doses=steps((0, 100)), ratings=RATINGS)

    assert seen.course is not None
    assert seen.course.trials[0].stop_reason == "non_adherence"
    assert seen.course.trials[0].adequacy == "inadequate"
