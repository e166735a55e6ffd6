"""Reads out of a history what the Maudsley staging counts of each episode."""

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from analytics.columns import EVENT_KINDS, SEVERITIES, TRIAL_KINDS, US_PER_DAY, US_PER_HOUR
from analytics.courses import Courses
from analytics.definitions import Rules
from analytics.histories import History
from analytics.staging import StagingFacts, months_between
from analytics.tables import NEVER, Bools, Ints

_BY_ATC, _AUGMENTATION, _ECT = (TRIAL_KINDS.index(kind) for kind in ("", "augmentation", "ect"))
_ECT_EVENT = EVENT_KINDS.index("ect")
_EPOCH = date(1970, 1, 1)
_FARTHEST_EAST = 13 * US_PER_HOUR + 45 * US_PER_HOUR // 60  # Chatham Islands in summer
_DAYS_BEFORE = 7  # a course that began so shortly before the first dose belongs to the episode


def staging_facts(
    history: History, courses: Courses, *, at_us: int, rules: Rules
) -> Iterator[StagingFacts | None]:
    """Give what is known of each patient's episode for its staging.

    Augmentation and ECT count from the day on which the illness began. Where no trial is on
    record, that neither is on record says nothing; where one is, it says that there was none.

    Parameters
    ----------
    history : History
    courses : Courses
        As assessed of this history.
    at_us : int
        The moment, in microseconds since 1970 UTC; later facts are not used.
    rules : Rules
        Which ATC codes augment.

    Yields
    ------
    StagingFacts or None
        None where there is no episode.
    """
    is_known, is_augmented, has_ect = _beside(history, courses, at_us, rules)
    trials, size = courses.trials, len(courses.started)
    rows = zip(
        (courses.started != NEVER).tolist(),
        history.ill_since_us.tolist(),
        history.severity.tolist(),
        np.bincount(trials.patient[courses.judged.is_counted], minlength=size).tolist(),
        history.earlier_failures.tolist(),
        is_known.tolist(),
        is_augmented.tolist(),
        has_ect.tolist(),
        strict=True,
    )
    for has_episode, ill_since, severity, failed, before, known, augmented, ect in rows:
        if not has_episode:
            yield None
            continue
        yield StagingFacts(
            duration_months=None if ill_since == NEVER else _months_since(ill_since, at_us),
            severity=SEVERITIES[severity],
            failed_here=failed,
            failed_before=None if before != before else int(before),
            is_augmented=augmented or (False if known else None),
            has_ect=ect or (False if known else None),
        )


def _months_since(midnight_us: int, at_us: int) -> float:
    """Count the months from a day of a site to the day that it is there now.

    How far east the site lies is read from when the day began: at midnight there. From Hawaii to
    the Chatham Islands no two places are a day apart.
    """
    east = -midnight_us % US_PER_DAY
    if east > _FARTHEST_EAST:
        east -= US_PER_DAY
    since, today = (
        _EPOCH + timedelta(days=(us + east) // US_PER_DAY) for us in (midnight_us, at_us)
    )
    return months_between(since, today)


def _beside(
    history: History, courses: Courses, at_us: int, rules: Rules
) -> tuple[Bools, Bools, Bools]:
    """Tell of whom a trial is on record, and who was given an augmentation, and ECT."""
    size = len(courses.started)
    is_known, is_augmented, has_ect = np.zeros((3, size), dtype=np.bool_)
    real = courses.trials.source >= 0
    is_known[courses.trials.patient[real]] = True
    since = courses.started - _DAYS_BEFORE * US_PER_DAY
    told = history.ill_since_us != NEVER
    since[told] = np.minimum(since[told], history.ill_since_us[told])

    def given(patient: Ints, started: Ints, those: Bools) -> Ints:
        in_time = (started >= since[patient]) & (started <= at_us)
        return patient[those & in_time]

    trials, events = history.trial_columns, history.event_columns
    if len(trials.patient):
        by_atc = [code.startswith(rules.augmentation_atc) for code in trials.atc.tolist()]
        augments = trials.kind == _AUGMENTATION
        augments |= (trials.kind == _BY_ATC) & np.array(by_atc, dtype=np.bool_)
        is_augmented[given(trials.patient, trials.started_us, augments)] = True
        has_ect[given(trials.patient, trials.started_us, trials.kind == _ECT)] = True
    if len(events.patient):
        has_ect[given(events.patient, events.started_us, events.kind == _ECT_EVENT)] = True
    return is_known, is_augmented, has_ect
