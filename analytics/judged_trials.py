"""What the ratings say of each trial: early, at the decision points, and whether it has failed."""

from typing import NamedTuple

import numpy as np

from analytics.adequacy import EpisodeTrials, TrialAdequacy, is_before
from analytics.columns import US_PER_DAY, US_PER_WEEK
from analytics.definitions import ADEQUACIES, Adequacy, Rules
from analytics.ratings import PrimaryRatings
from analytics.ready import constant, ready_for_few
from analytics.symptoms import had_worked, has_failed, improvement, is_well
from analytics.tables import NEVER, Bools, Floats, Ints, column_of

_ADEQUATE = ADEQUACIES.index(Adequacy.ADEQUATE)
_NOT_YET = ADEQUACIES.index(Adequacy.NOT_YET)


class JudgedTrials(NamedTuple):
    """What the ratings say about each trial."""

    baseline: Floats
    improvement: Floats  # by the last rating that can judge the trial; NaN: none
    early: Ints
    early_row: Ints
    is_early: Bools
    is_early_kept: Bools
    is_failed: Bools
    is_failed_kept: Bools
    had_worked: Bools  # before its last rating, or by it
    is_counted: Bools  # its failure is that of a treatment of its own
    counted_with: Ints  # number of the trial whose failure counts instead; 0: none
    is_same_drug: Bools  # as that one; else it ran together with it
    is_non_response: Bools
    is_non_response_kept: Bools


def judge_trials(
    trials: EpisodeTrials,
    adequacy: TrialAdequacy,
    ratings: PrimaryRatings,
    scale_of: Ints,
    started: Ints,
    rules: Rules,
) -> JudgedTrials:
    """Compare each trial's ratings with its baseline."""
    if not len(ratings.key):
        return not_judged(len(trials.patient))
    baseline_row, early_row, since_row, last_row = _rows_that_tell(trials, ratings, started, rules)
    baseline = ratings.totals(baseline_row)
    baseline[baseline <= 0] = np.nan
    gain = improvement(ratings, early_row, baseline)
    scale, total = scale_of[trials.patient], ratings.totals(last_row)
    is_early = gain < rules.early_improvement
    is_early &= ~is_well(ratings.totals(early_row), scale, rules)
    since = improvement(ratings, since_row, baseline)
    # A comparison with NaN is False: what is not known has not failed.
    last = improvement(ratings, last_row, baseline)
    poor = has_failed(total, last, scale, rules)
    kept = poor | ((last < rules.clear_improvement) & ~is_well(total, scale, rules))
    rated, grace = ratings.times(last_row), rules.grace_days * US_PER_DAY
    may_fail = (adequacy.adequacy == _ADEQUATE) & (rated >= adequacy.judged_from_us - grace)
    first_row = ratings.first_since(trials.patient, _decided(trials, rules))
    worked = had_worked(ratings, (first_row, last_row), baseline, scale, rules)
    may_fail &= ~worked
    by_now = _is_long_enough(trials, adequacy, rated, rules)
    early = is_early.astype(np.int64)
    early[np.isnan(gain)] = -1
    return JudgedTrials(
        baseline=baseline,
        improvement=last,
        early=early,
        early_row=early_row,
        is_early=is_early & (since < rules.early_improvement),
        is_early_kept=np.maximum(gain, since) < rules.early_clear_improvement,
        is_failed=poor & may_fail,
        is_failed_kept=kept & may_fail,
        had_worked=worked,
        is_counted=poor & may_fail,
        counted_with=column_of(0, len(poor), np.int64),
        is_same_drug=column_of(value=False, size=len(poor), dtype=np.bool_),
        is_non_response=poor & by_now,
        is_non_response_kept=kept & by_now,
    )


def _rows_that_tell(
    trials: EpisodeTrials, ratings: PrimaryRatings, started: Ints, rules: Rules
) -> Ints:
    """Find each trial's baseline, and its latest rating in the early days, since, and lately."""
    day, start, end = US_PER_DAY, trials.started_us, trials.end_us
    after, grace = end + rules.after_stop_days * day, rules.grace_days * day
    early_from = start + rules.early_from_days * day
    early_to = np.minimum(start + rules.early_to_days * day, end + grace)
    decision = _decided(trials, rules)
    # One that ran before the first dose on record has that day's baseline
    begin = np.where(is_before(trials, started), started[trials.patient], start)
    return ratings.latest(
        np.concatenate([trials.patient] * 4),
        not_after=np.concatenate([begin + rules.baseline_after_days * day, early_to, after, after]),
        not_before=np.concatenate(
            [start - rules.baseline_before_days * day, early_from, early_from, decision]
        ),
    ).reshape(4, -1)


def _decided(trials: EpisodeTrials, rules: Rules) -> Ints:
    """Give the moment from which on a rating can judge each trial."""
    weeks, grace = int(rules.decision_weeks * US_PER_WEEK), rules.grace_days * US_PER_DAY
    return np.asarray(trials.started_us + weeks - grace)


@ready_for_few
def not_judged(size: int) -> JudgedTrials:
    """Say what no rating says of a trial."""
    unknown, nothing = constant(np.nan, size), constant(-1, size, np.int64)
    no = constant(value=False, size=size, dtype=np.bool_)
    none = constant(0, size, np.int64)
    return JudgedTrials(
        *(unknown, unknown, nothing, nothing, no, no, no, no, no, no, none, no, no, no)
    )


def _is_long_enough(
    trials: EpisodeTrials, adequacy: TrialAdequacy, rated: Ints, rules: Rules
) -> Bools:
    """Tell where the rating comes after enough weeks at an adequate dose for a decision point."""
    runs = adequacy.runs
    least = int(rules.decision_weeks * US_PER_WEEK) - rules.grace_days * US_PER_DAY
    has_run = runs.from_us != NEVER
    from_us = trials.started_us.copy()
    from_us[has_run] = runs.from_us[has_run]
    known = has_run | adequacy.is_overridden
    judged = (adequacy.adequacy == _ADEQUATE) | (adequacy.adequacy == _NOT_YET)
    until = np.minimum(rated, trials.end_us)
    long_enough: Bools = judged & known & (rated != NEVER) & (until - from_us >= least)
    return long_enough
