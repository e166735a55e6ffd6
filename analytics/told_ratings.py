"""The ratings that speak of a trial: later than its baseline, on a dose that was enough."""

from typing import NamedTuple

import numpy as np

from analytics.adequacy import EpisodeTrials, TrialAdequacy
from analytics.columns import US_PER_DAY, US_PER_WEEK, through_day
from analytics.definitions import Failure, Rules
from analytics.ratings import PrimaryRatings
from analytics.symptoms import has_failed, improvement, is_remission, is_response
from analytics.tables import NEVER, Bools, Floats, Ints, is_any


class Beginnings(NamedTuple):
    """What each trial is compared with."""

    row: Ints  # of its baseline; -1: none
    total: Floats
    comparable: Floats  # the same where a share of it says something; NaN: none, or in remission
    well: Bools  # in remission
    mild: Bools  # under what its scale calls an episode


class Told(NamedTuple):
    """The ratings that say something of each trial, by trial and time; one may speak of several."""

    row: Ints
    trial: Ints
    rated_us: Ints
    scale: Ints
    total: Floats
    gained: Floats
    is_little: Bools  # under the early share
    is_poor: Bools  # as a failure is
    is_well: Bools  # response or remission
    has_decided: Bools  # in the fourth week of the trial or later
    had_responded: Bools  # in the trial before
    is_last: Bools


def judged_until(trials: EpisodeTrials, rules: Rules) -> Ints:
    """Give the last moment at which a rating judges each trial.

    Parameters
    ----------
    trials : EpisodeTrials
        The trials.
    rules : Rules
        The days after a stop.

    Returns
    -------
    array of int
    """
    return through_day(trials.end_us, rules.after_stop_days)


def decision_from(trials: EpisodeTrials, rules: Rules) -> Ints:
    """Give the moment from which on a rating decides about each trial.

    Parameters
    ----------
    trials : EpisodeTrials
        The trials.
    rules : Rules
        Weeks and days of grace.

    Returns
    -------
    array of int
    """
    return trials.started_us + least_time(rules)


def least_time(rules: Rules) -> int:
    """Give the time from which on a decision is made.

    Parameters
    ----------
    rules : Rules
        Weeks and days of grace.

    Returns
    -------
    int
        In microseconds.
    """
    return int(rules.decision_weeks * US_PER_WEEK) - rules.grace_days * US_PER_DAY


def _was_too_low(
    trial: Ints, rated_us: Ints, trials: EpisodeTrials, adequacy: TrialAdequacy, rules: Rules
) -> Bools:
    """Tell which ratings came when the dose had been enough, and was no longer, for some days."""
    until = adequacy.runs.to_us
    has_ended = (until != NEVER) & (until < trials.end_us) & ~adequacy.is_overridden
    if not is_any(has_ended):
        return np.zeros(len(trial), dtype=np.bool_)
    late = rated_us > through_day(until, rules.after_stop_days)[trial]
    return np.asarray(late & has_ended[trial])


def told_of_trials(
    trials: EpisodeTrials,
    adequacy: TrialAdequacy,
    ratings: PrimaryRatings,
    began: Beginnings,
    scale: Ints,
    rules: Rules,
) -> Told:
    """Lay out every rating of every trial, from its early days to shortly after its end.

    What was lost, or not gained, on a dose that had become too low says nothing of the trial.

    Parameters
    ----------
    trials, adequacy : EpisodeTrials, TrialAdequacy
        The trials, and what they are worth.
    ratings : PrimaryRatings
    began : Beginnings
        What each trial is compared with.
    scale : array of int
        Position in :data:`analytics.ratings.KNOWN`.
    rules : Rules
        Days and shares.

    Returns
    -------
    Told
    """
    since = trials.started_us + rules.early_from_days * US_PER_DAY
    first = ratings.first_since(trials.patient, since)
    first = np.maximum(first, began.row + 1)  # none is compared with itself
    last = ratings.latest(trials.patient, not_after=judged_until(trials, rules), not_before=since)
    count = np.where(last < 0, 0, np.maximum(last - first + 1, 0))
    trial = np.arange(len(count)).repeat(count)
    row = first[trial] + np.arange(len(trial)) - (count.cumsum() - count)[trial]
    gained = improvement(ratings, row, began.comparable[trial])
    poor = has_failed(ratings.totals(row), gained, scale[trial], rules)
    too_low = _was_too_low(trial, ratings.times(row), trials, adequacy, rules) & poor
    if is_any(too_low):
        trial, row, gained = trial[~too_low], row[~too_low], gained[~too_low]
        poor = poor[~too_low]
    begins = trial.searchsorted(trial)
    total, rated = ratings.totals(row), ratings.times(row)
    in_remission = is_remission(total, scale[trial])
    is_well = in_remission | is_response(gained, scale[trial])
    has_decided = rated >= decision_from(trials, rules)[trial]
    had_responded = np.zeros(len(trial), dtype=np.bool_)
    if rules.spares_the_well:
        poor &= ~began.well[trial]
        counts = in_remission if rules.failure is Failure.NON_REMISSION else is_well
        known = np.zeros(len(trial) + 1, dtype=np.int64)
        (counts & has_decided).cumsum(out=known[1:])
        had_responded = known[1:] > known[begins]
    is_last = np.ones(len(trial), dtype=np.bool_)
    is_last[:-1] = trial[1:] != trial[:-1]
    return Told(
        row=row,
        trial=trial,
        rated_us=rated,
        scale=scale[trial],
        total=total,
        gained=gained,
        is_little=gained < rules.early_improvement,
        is_poor=poor,
        is_well=is_well,
        has_decided=has_decided,
        had_responded=had_responded,
        is_last=is_last,
    )
