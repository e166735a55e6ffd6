"""The Maudsley staging of a patient is read from the record, and incomplete it has no score."""

from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from analytics import Estimate, HistoryIsUnfit
from analytics.explanation import Staged, explain
from analytics.staging import months_between
from tests.analytics.cohorts import (
    TIME,
    estimate_one,
    events_table,
    patients_table,
    ratings_table,
    trials_table,
    week,
)

NO_GAIN = ratings_table([20, 19], weeks=[0, 7])
# Points by hand, from BMC Psychiatry 2018, s12888-018-1679-x table 3


def patients(**known: Any) -> pd.DataFrame:
    ill_since = pd.Series([known.pop("ill_since", week(-60))], dtype=TIME)
    given = {"severity": "moderate", "earlier_failures": 2.0, **known}
    return patients_table().assign(ill_since=ill_since, **given)


def staged(**tables: Any) -> Staged:
    given = {"patients": patients(), "ratings": NO_GAIN, "trials": trials_table(), **tables}
    found = estimate_one(at=week(8), **given)
    staging = explain(found, made_at=week(8)).staging
    assert staging is not None
    return staging


def test_the_score_is_the_sum_of_its_parts() -> None:
    found = staged()

    # 15 months 2, moderate 3, one failed here and two before 2, no augmentation, no ECT
    assert (found.facts.failed_here, found.facts.failed_before) == (1, 2)
    score = found.score
    assert (score.duration, score.severity, score.failures) == (2, 3, 2)
    assert (score.augmentation, score.ect) == (0, 0)
    assert (score.total, score.band, score.missing) == (7, "moderate", ())


@pytest.mark.parametrize(
    ("unknown", "missing"),
    [
        ({"ill_since": None}, "duration"),
        ({"severity": ""}, "severity"),
        ({"earlier_failures": float("nan")}, "failures"),
    ],
)
def test_what_is_not_known_is_named_and_there_is_no_score(
    unknown: dict[str, Any], missing: str
) -> None:
    found = staged(patients=patients(**unknown))

    assert found.score.total is None
    assert found.score.band is None
    assert found.score.missing == (missing,)


@pytest.mark.parametrize("hour", [1, 12, 23])
@pytest.mark.parametrize(
    "zone",
    [
        "Pacific/Honolulu",
        "America/Los_Angeles",
        "Europe/Berlin",
        "Asia/Tokyo",
        "Pacific/Auckland",
        "Pacific/Tongatapu",
        "Pacific/Chatham",
    ],
)
def test_a_year_is_one_by_the_calendar_of_the_site(zone: str, hour: int) -> None:
    there = ZoneInfo(zone)
    now = datetime(2026, 3, 2, hour, tzinfo=there)

    for day, points in ((date(2025, 3, 2), 1), (date(2025, 3, 1), 2)):  # 12 months; and a day more
        since = pd.Timestamp(datetime.combine(day, time(), there).astimezone(UTC))
        found = estimate_one(at=now, patients=patients(ill_since=since), trials=trials_table())
        staging = explain(found, made_at=now).staging
        assert staging is not None
        assert staging.score.duration == points


def test_a_bare_episode_lacks_every_part() -> None:
    found = explain(estimate_one(), made_at=week(12)).staging

    assert found is not None
    assert found.score.missing == ("duration", "severity", "failures", "augmentation", "ect")


def test_before_any_failure_there_is_no_score() -> None:
    found = staged(patients=patients(earlier_failures=0.0), ratings=ratings_table([20], weeks=[0]))

    assert found.score.missing == ("failures",)


@pytest.mark.parametrize(
    ("kind", "atc", "points"),
    [
        ("augmentation", "N05AN01", (1, 0)),
        ("", "N05AN01", (1, 0)),  # lithium, by its code
        ("ect", "", (0, 1)),
        ("combination", "N06AX11", (0, 0)),
        ("psychotherapy", "", (0, 0)),
    ],
)
def test_augmentation_and_ect_count_one_each(kind: str, atc: str, points: tuple[int, int]) -> None:
    beside = trials_table(((3, 5),), first_id=2, kind=kind, atc=atc, drug="")
    trials = pd.concat([trials_table(kind="antidepressant"), beside], ignore_index=True)

    score = staged(trials=trials).score

    assert (score.augmentation, score.ect) == points


@pytest.mark.parametrize(("at", "points"), [(-30, 1), (-80, 0)])
def test_ect_counts_from_the_day_on_which_the_illness_began(at: float, points: int) -> None:
    assert staged(events=events_table("ect", start=at)).score.ect == points


@pytest.mark.parametrize(
    ("until", "months"),
    [
        (date(2025, 11, 27), 11.97),
        (date(2025, 11, 28), 12),
        (date(2025, 11, 29), 12.03),
        (date(2024, 11, 27), 0),
    ],
)
def test_months_are_counted_by_the_calendar(until: date, months: float) -> None:
    assert months_between(date(2024, 11, 28), until) == pytest.approx(months, abs=0.01)


def test_a_severity_that_is_not_one_is_refused() -> None:
    with pytest.raises(HistoryIsUnfit, match="severity"):
        staged(patients=patients(severity="dire"))


def test_an_assessment_that_did_not_write_it_down_is_still_read() -> None:
    found = estimate_one(patients=patients())
    content = found.as_json()
    assert Estimate.from_json(content) == found
    del content["course"]["staging"]

    assert explain(Estimate.from_json(content), made_at=week(12)).staging is None
