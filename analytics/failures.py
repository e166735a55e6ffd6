"""How many treatments have failed: each drug once, and of trials that ran together one."""

from typing import NamedTuple

import numpy as np

from analytics.adequacy import EpisodeTrials
from analytics.columns import US_PER_DAY, US_PER_HOUR
from analytics.definitions import Rules
from analytics.histories import History
from analytics.tables import Bools, Floats, Ints


class Counting(NamedTuple):
    """Which failed trials are a failed treatment of their own, and with which another was counted.

    ``counted_with`` is the number of the trial whose failure counts instead; 0: its own does.
    """

    is_counted: Bools
    counted_with: Ints
    is_same_drug: Bools  # not of one that ran together with it


def counted_failures(
    trials: EpisodeTrials, history: History, is_failed: Bools, rules: Rules
) -> Counting:
    """Tell which failed trials are a failed treatment of their own.

    The earlier trial counts. One of the same drug is not another treatment; one that ran together
    with a trial that counts is a combination, whose failure was counted already.

    Parameters
    ----------
    trials : EpisodeTrials
        The trials, by patient and start.
    history : History
        Their drugs.
    is_failed : array of bool
        Which were adequate and failed.
    rules : Rules
        Whether treatments are counted, and how long a change from one to the other may take.

    Returns
    -------
    Counting
    """
    counted = is_failed.copy()
    instead = np.zeros(len(is_failed), dtype=np.int64)
    is_same_drug = np.zeros(len(is_failed), dtype=np.bool_)
    counting = Counting(counted, instead, is_same_drug)
    [failed] = is_failed.nonzero()
    if not rules.counts_treatments or len(failed) < 2:
        return counting
    of = trials.patient[failed]
    has_others = np.zeros(len(of), dtype=np.bool_)
    same = of[1:] == of[:-1]
    has_others[1:] |= same
    has_others[:-1] |= same
    atc = history.trial_columns.atc
    until: dict[int, list[tuple[str, int, int, int]]] = {}
    least = rules.together_days * US_PER_DAY - US_PER_HOUR  # the clocks may have changed
    for row in failed[has_others].tolist():
        source = trials.source[row]
        drug = str(atc[source]) if source >= 0 else ""
        start, end = int(trials.started_us[row]), int(trials.end_us[row])
        before = until.setdefault(int(trials.patient[row]), [])
        for other, began, ended, number in before:
            is_same = bool(drug) and drug == other
            if is_same or min(end, ended) - max(start, began) >= least:
                counted[row], instead[row], is_same_drug[row] = False, number, is_same
                break
        else:
            before.append((drug, start, end, int(trials.number[row])))
    return counting


def failed_treatments(
    trials: EpisodeTrials, is_counted: Bools, earlier: Floats, started: Ints, rules: Rules
) -> Ints:
    """Count each patient's failed treatments of the episode.

    Parameters
    ----------
    trials : EpisodeTrials
        The trials.
    is_counted : array of bool
        Which of them are a failed treatment of their own.
    earlier : array of float
        Those that failed before the first dose on record, as a person states; NaN: not known.
    started : array of int
        First dose of each patient, or ``NEVER``.
    rules : Rules
        Whether the earlier ones count.

    Returns
    -------
    array of int
    """
    failed: Ints = np.bincount(trials.patient[is_counted], minlength=len(started))
    if rules.counts_treatments:
        failed = failed + np.nan_to_num(earlier).astype(np.int64)
    return failed
