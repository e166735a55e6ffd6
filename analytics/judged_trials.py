"""What the ratings say of each trial: early non-improvement, non-response, failure, relapse."""

from typing import NamedTuple

import numpy as np

from analytics.adequacy import EpisodeTrials, TrialAdequacy, is_before
from analytics.columns import US_PER_DAY, US_PER_HOUR, days_between_visits, through_day
from analytics.definitions import ADEQUACIES, Adequacy, Failure, Rules
from analytics.ratings import PrimaryRatings
from analytics.ready import constant, ready_for_few
from analytics.symptoms import (
    improvement,
    is_beyond_noise,
    is_ill,
    is_remission,
)
from analytics.tables import NEVER, Bools, Floats, Ints, column_of, is_any
from analytics.told_ratings import Beginnings, Told, judged_until, least_time, told_of_trials

_ADEQUATE = ADEQUACIES.index(Adequacy.ADEQUATE)
_NOT_YET = ADEQUACIES.index(Adequacy.NOT_YET)


class JudgedTrials(NamedTuple):
    """What the ratings say about each trial.

    Little gained after four weeks at an adequate dose is no response, and failure once the trial
    was adequate; where there had been response or remission in the trial it is a response lost.
    """

    baseline: Floats
    comparable: Floats  # the same where a share of it says something; NaN: none, or in remission
    improvement: Floats  # by the last rating that can judge the trial; NaN: none
    early: Ints
    early_row: Ints
    is_early: Bools
    is_early_kept: Bools
    is_failed: Bools
    is_failed_kept: Bools
    is_counted: Bools  # its failure is that of a treatment of its own
    counted_with: Ints  # number of the trial whose failure counts instead; 0: none
    is_same_drug: Bools  # as that one; else it ran together with it
    is_non_response: Bools
    is_non_response_kept: Bools
    is_response_lost: Bools
    is_response_lost_kept: Bools
    may_raise: Bools  # a flag: where it was raised and lowered before, by what is no chance
    had_worked: Bools  # from its fourth week on, or there was nothing to gain
    began_well: Bools  # in remission: then no share of the baseline says anything
    began_mild: Bools  # under what its scale calls an episode: then nothing fails
    baseline_row: Ints  # among the ratings; -1: none
    judged_row: Ints  # of the last rating that can judge the trial; -1: none


def judge_trials(
    trials: EpisodeTrials,
    adequacy: TrialAdequacy,
    ratings: PrimaryRatings,
    scale_of: Ints,
    started: Ints,
    rules: Rules,
) -> JudgedTrials:
    """Compare each trial's ratings with its baseline.

    Parameters
    ----------
    trials, adequacy : EpisodeTrials, TrialAdequacy
        The trials, and what they are worth.
    ratings : PrimaryRatings
    scale_of : array of int
        Each patient's scale.
    started : array of int
        First dose of each patient, or ``NEVER``.
    rules : Rules
        Shares, weeks and days.

    Returns
    -------
    JudgedTrials
    """
    size = len(trials.patient)
    if not len(ratings.key):
        return not_judged(size)
    baseline_row, *later = _rows_that_tell(trials, ratings, started, rules)
    # No rating is compared with itself, or with a later one
    early_row, since_row = (np.where(row > baseline_row, row, -1) for row in later)
    scale = scale_of[trials.patient]
    began = _beginnings(baseline_row, ratings, scale, rules)
    gain, since = (improvement(ratings, row, began.comparable) for row in (early_row, since_row))
    # A comparison with NaN is False: what is not known has not failed.
    early = np.where(np.isnan(gain), -1, gain < rules.early_improvement)
    is_early = (early == 1) & (since < rules.early_improvement)
    told = told_of_trials(trials, adequacy, ratings, began, scale, rules)
    may_fail = _may_fail(adequacy, told, rules)
    may_fail &= ~began.mild[told.trial] | _is_worse(told, began.total, rules)
    by_now = _is_long_enough(trials, adequacy, told, rules)
    failed, failed_kept = _said(told, may_fail & ~told.had_responded, size, rules)
    silent, silent_kept = _said(told, by_now & ~told.had_responded, size, rules)
    lost, lost_kept = _said(told, by_now & told.had_responded, size, rules)
    judged_row = _last_row(told, size)
    return JudgedTrials(
        baseline=began.total,
        comparable=began.comparable,
        improvement=improvement(ratings, judged_row, began.total),
        early=early,
        early_row=early_row,
        is_early=is_early,
        is_early_kept=is_early | _is_early_held(trials, told, rules),
        is_failed=failed,
        is_failed_kept=failed_kept,
        is_counted=failed,
        counted_with=column_of(0, size, np.int64),
        is_same_drug=column_of(value=False, size=size, dtype=np.bool_),
        is_non_response=silent,
        is_non_response_kept=silent_kept,
        is_response_lost=lost,
        is_response_lost_kept=lost_kept,
        may_raise=_may_raise(told, told.is_poor & (may_fail | by_now), size, rules),
        had_worked=_of_any(told, told.had_responded, size) | began.well,
        began_well=began.well,
        began_mild=began.mild,
        baseline_row=baseline_row,
        judged_row=judged_row,
    )


def _beginnings(row: Ints, ratings: PrimaryRatings, scale: Ints, rules: Rules) -> Beginnings:
    """Read what each trial is compared with."""
    total = ratings.totals(row)
    total[total <= 0] = np.nan
    well = is_remission(total, scale) & (rules.spares_the_well)
    mild = ~is_ill(total, scale) & ~np.isnan(total) & _spares_the_mild(rules)
    return Beginnings(row, total, np.where(well, np.nan, total), well, mild)


@ready_for_few
def not_judged(size: int) -> JudgedTrials:
    """Say what no rating says of some trials.

    Parameters
    ----------
    size : int
        How many trials.

    Returns
    -------
    JudgedTrials
    """
    unknown, nothing = constant(np.nan, size), constant(-1, size, np.int64)
    no = constant(value=False, size=size, dtype=np.bool_)
    none = constant(0, size, np.int64)
    return JudgedTrials(
        *(unknown, unknown, unknown, nothing, nothing),
        *(no, no, no, no, no, none, no),
        *(no, no, no, no, no, no, no, no),
        *(nothing, nothing),
    )


def _rows_that_tell(
    trials: EpisodeTrials, ratings: PrimaryRatings, started: Ints, rules: Rules
) -> Ints:
    """Find each trial's baseline, and its latest rating in the early days, and since."""
    day, start = US_PER_DAY, trials.started_us
    after = judged_until(trials, rules)
    early_from = start + rules.early_from_days * day
    # One that ran before the first dose on record has that day's baseline
    begin = np.where(is_before(trials, started), started[trials.patient], start)
    return ratings.latest(
        np.concatenate([trials.patient] * 3),
        not_after=np.concatenate(
            [through_day(begin, rules.baseline_after_days), _early_to(trials, rules), after]
        ),
        not_before=np.concatenate(
            [
                start - rules.baseline_before_days * day,
                *(early_from, early_from),
            ]
        ),
    ).reshape(3, -1)


def _early_to(trials: EpisodeTrials, rules: Rules) -> Ints:
    return np.minimum(
        through_day(trials.started_us, rules.early_to_days),
        through_day(trials.end_us, rules.grace_days),
    )


def _spares_the_mild(rules: Rules) -> bool:
    """Tell whether mild symptoms at the start make no failure: of a share, yes; of remission, no.

    Whoever gained much on one treatment begins the next one with little, and is not in remission.
    """
    return rules.spares_the_well and rules.failure is not Failure.NON_REMISSION


def _is_worse(told: Told, baseline: Floats, rules: Rules) -> Bools:
    """Tell which ratings speak of an episode where it had begun mild, by more than noise."""
    rise = told.total - baseline[told.trial]
    return is_ill(told.total, told.scale) & is_beyond_noise(rise, told.scale, rules)


def _last_row(told: Told, size: int) -> Ints:
    """Give the row of the last rating that can judge each trial; -1: none."""
    found = column_of(-1, size, np.int64)
    found[told.trial[told.has_decided]] = told.row[told.has_decided]  # by time: the last one stays
    return found


def _none(size: int) -> Bools:
    return constant(value=False, size=size, dtype=np.bool_)


def _of_any(told: Told, holds: Bools, size: int) -> Bools:
    """Tell of which trials something holds of a rating."""
    found = np.zeros(size, dtype=np.bool_)
    found[told.trial[holds]] = True
    return found


def _said(told: Told, may_be: Bools, size: int, rules: Rules) -> tuple[Bools, Bools]:
    """Tell of which trials the last rating says it, and which are held to it by an earlier one."""
    says = told.is_poor & may_be
    if not is_any(says):
        return _none(size), _none(size)
    said = _of_any(told, says & told.is_last, size)
    return said, said | _is_held(told, says, rules.clear_improvement, size, rules)


def _is_early_held(trials: EpisodeTrials, told: Told, rules: Rules) -> Bools:
    """Tell which trials had gained little in the early days, and are held to it since."""
    size = len(trials.patient)
    if not is_any(told.is_little):
        return _none(size)
    was_early = told.is_little & (told.rated_us <= _early_to(trials, rules)[told.trial])
    is_held = _is_held(told, told.is_little, rules.early_clear_improvement, size, rules)
    return _of_any(told, was_early, size) & is_held


def _is_held(told: Told, says: Bools, clear: float, size: int, rules: Rules) -> Bools:
    """Tell which trials have a rating that raises a flag, and since then none that lowers it."""
    raising, lowering = _raising_and_lowering(told, says, clear, rules)
    if not is_any(lowering):
        return _of_any(told, raising, size)
    place = np.arange(len(says))
    raised, lowered = column_of(-1, size, np.int64), column_of(-1, size, np.int64)
    raised[told.trial[raising]] = place[raising]  # in order of time: the latest one stays
    lowered[told.trial[lowering]] = place[lowering]
    return np.asarray(raised > lowered)


def _raising_and_lowering(
    told: Told, says: Bools, clear: float, rules: Rules
) -> tuple[Bools, Bools]:
    """Tell which ratings raise a flag, and which lower it.

    It is lowered by ratings over the limit from the first to the last of some days, for one alone
    may be the noise of the scale; or by response or remission after a fall beyond that noise.
    """
    is_over = (told.gained >= clear) | told.is_well
    if not is_any(is_over):  # as with most who have failed
        return says, is_over
    raising = says & ~is_over
    before = _latest(told, raising)
    fall = told.total[before] - told.total
    at_once = told.is_well & (before >= 0) & is_beyond_noise(fall, told.scale, rules)
    return raising, is_over & (_lasts(told, is_over, rules) | at_once)


def _latest(told: Told, holds: Bools) -> Ints:
    """Give the latest rating of the same trial of which something held; -1: none."""
    if not len(holds):
        return np.arange(0)
    found = np.maximum.accumulate(np.where(holds, np.arange(len(holds)), -1))
    return np.where((found >= 0) & (told.trial[found] == told.trial), found, -1)


def _lasts(told: Told, holds: Bools, rules: Rules) -> Bools:
    """Tell at which ratings something has held unbroken for the days of the rules."""
    begins = holds.copy()
    begins[1:] &= ~holds[:-1] | (told.trial[1:] != told.trial[:-1])
    since = _latest(told, begins)
    return holds & (days_between_visits(told.rated_us - told.rated_us[since]) >= rules.clear_days)


def _may_raise(told: Told, says: Bools, size: int, rules: Rules) -> Bools:
    """Tell by which trials a flag may be raised: once lowered, by what lasts or is beyond noise."""
    if not is_any(says):
        return _none(size)
    raising, lowering = _raising_and_lowering(told, says, rules.clear_improvement, rules)
    if not is_any(lowering):
        return _of_any(told, told.is_last & says, size)
    lowered = _latest(told, lowering & (_latest(told, raising) >= 0))
    rise = told.total - told.total[lowered]
    anew = _lasts(told, says, rules) | is_beyond_noise(rise, told.scale, rules)
    return _of_any(told, told.is_last & says & ((lowered < 0) | anew), size)


def _may_fail(adequacy: TrialAdequacy, told: Told, rules: Rules) -> Bools:
    """Tell which ratings come when the trial was adequate, or shortly before."""
    from_us = adequacy.judged_from_us - rules.grace_days * US_PER_DAY
    is_adequate = adequacy.adequacy == _ADEQUATE
    may: Bools = told.has_decided & is_adequate[told.trial] & (told.rated_us >= from_us[told.trial])
    return may


def _is_long_enough(
    trials: EpisodeTrials, adequacy: TrialAdequacy, told: Told, rules: Rules
) -> Bools:
    """Tell which ratings come after enough weeks at an adequate dose for a decision point."""
    runs = adequacy.runs
    has_run = runs.from_us != NEVER
    from_us = np.where(has_run, runs.from_us, trials.started_us)
    to_us = np.where(has_run & ~adequacy.is_overridden, runs.to_us, trials.end_us)
    judged = (adequacy.adequacy == _ADEQUATE) | (adequacy.adequacy == _NOT_YET)
    judged &= has_run | adequacy.is_overridden
    until = np.minimum(told.rated_us, to_us[told.trial])
    long_enough = until - from_us[told.trial] >= least_time(rules) - US_PER_HOUR
    return np.asarray(long_enough & judged[told.trial] & told.has_decided)
