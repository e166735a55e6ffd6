"""Which trials could have worked: dose, weeks at dose, adherence, and why it was stopped."""

from dataclasses import dataclass

import numpy as np

from analytics.columns import (
    ADHERENCES,
    OVERRIDES,
    TRIAL_KINDS,
    US_PER_DAY,
    US_PER_WEEK,
    TrialColumns,
    first_that_holds,
)
from analytics.definitions import ADEQUACIES, Adequacy, Rules
from analytics.doses import DOSE_TABLE
from analytics.histories import History
from analytics.tables import NEVER, Bools, Floats, Ints, Objects

_ADEQUATE, _NOT_YET, _INADEQUATE, _INDETERMINATE, _UNKNOWN = range(len(ADEQUACIES))
_LATE = np.iinfo(np.int64).max
_POOR = ADHERENCES.index("poor")
_BY_ATC, _ANTIDEPRESSANT = TRIAL_KINDS.index(""), TRIAL_KINDS.index("antidepressant")
_BY_OVERRIDE = np.array([-1] + [ADEQUACIES.index(Adequacy(word)) for word in OVERRIDES[1:]])


@dataclass(frozen=True, slots=True)
class EpisodeTrials:
    """Antidepressant trials of the episode, numbered within each patient from 1.

    ``source`` is the row of the trial in the history; -1 where the first dose of the episode
    stands in for a trial that is not on record.
    """

    patient: Ints
    source: Ints
    number: Ints
    started_us: Ints
    stopped_us: Ints
    end_us: Ints  # the stop, or the moment while it runs
    adequate_us: Ints  # a day of adequacy that was given instead of doses
    stop_reason: Objects


@dataclass(frozen=True, slots=True)
class DoseRuns:
    """How long each trial was at an adequate dose without a break.

    ``reached_us`` is the day on which the weeks of the rules were full, ``from_us`` the first day
    of the run that was the first to fill them, else of the latest run; NEVER: none.
    """

    weeks: Floats  # of the longest run
    from_us: Ints
    reached_us: Ints
    is_adequate_now: Bools
    is_unknown: Bools


@dataclass(frozen=True, slots=True)
class TrialAdequacy:
    """What each trial was worth."""

    adequacy: Ints  # position in ADEQUACIES
    runs: DoseRuns
    is_overridden: Bools
    judged_from_us: Ints  # from when on a rating can show that an adequate trial has failed


def episode_trials(history: History, started: Ints, at_us: int, rules: Rules) -> EpisodeTrials:
    """Take the antidepressant trials of the episode; the first dose stands in where none is.

    Augmentation, combination, ECT, ketamine, TMS and psychotherapy stand beside them and are
    none of their own.

    Parameters
    ----------
    history : History
        The cohort.
    started : array of int
        First dose of each patient, or ``NEVER``.
    at_us : int
        The moment; later starts and stops are not known.
    rules : Rules
        Which ATC codes augment.

    Returns
    -------
    EpisodeTrials
    """
    trials = history.trial_columns
    start_of = started[trials.patient]
    keep = (trials.started_us <= at_us) & (start_of != NEVER)
    keep &= trials.started_us >= start_of - 7 * US_PER_DAY
    keep &= ~is_beside(trials, rules)
    has_trial = np.zeros(len(started), dtype=np.bool_)
    has_trial[trials.patient[keep]] = True
    bare = np.flatnonzero((started != NEVER) & ~has_trial)
    never = np.full(len(bare), NEVER)
    patient = np.concatenate([trials.patient[keep], bare])
    order = np.argsort(patient, kind="stable")
    patient = patient[order]
    stops = np.concatenate([trials.stopped_us[keep], never])[order]
    stops = np.where(stops > at_us, NEVER, stops)
    adequate = np.concatenate([trials.adequate_us[keep], never])[order]
    reason = np.concatenate([trials.stop_reason[keep], np.full(len(bare), "", dtype=object)])
    return EpisodeTrials(
        patient=patient,
        source=np.concatenate([np.flatnonzero(keep), np.full(len(bare), -1)])[order],
        number=np.arange(len(patient)) - np.searchsorted(patient, patient) + 1,
        started_us=np.concatenate([trials.started_us[keep], started[bare]])[order],
        stopped_us=stops,
        end_us=np.where(stops == NEVER, at_us, stops),
        adequate_us=np.where(adequate > at_us, NEVER, adequate),
        stop_reason=reason[order],
    )


def is_beside(trials: TrialColumns, rules: Rules) -> Bools:
    """Tell which courses stand beside a trial and are none: by their kind, else by the ATC code.

    Parameters
    ----------
    trials : TrialColumns
        The courses.
    rules : Rules
        Which ATC codes augment.

    Returns
    -------
    array of bool
    """
    augments = [code.startswith(rules.augmentation_atc) for code in trials.atc.tolist()]
    by_atc = np.array(augments, dtype=np.bool_)
    by_kind = trials.kind != _ANTIDEPRESSANT
    return np.where(trials.kind == _BY_ATC, by_atc, by_kind)


def judge_adequacy(
    trials: EpisodeTrials, history: History, at_us: int, rules: Rules
) -> TrialAdequacy:
    """Judge each trial.

    A clinician's override stands. Else: not tolerated, or stopped before the least weeks, is
    indeterminate; poor adherence, or a dose under the table, makes it inadequate once it has
    ended or run for the weeks of the rules; at or above the table for these weeks without a
    break it is adequate.

    Parameters
    ----------
    trials : EpisodeTrials
        The trials.
    history : History
        Their doses, adherence and overrides.
    at_us : int
        The moment.
    rules : Rules
        Weeks and reasons.

    Returns
    -------
    TrialAdequacy
    """
    known = history.trial_columns
    runs = _dose_runs(trials, history, at_us, rules)
    reasons = [reason.lower() for reason in trials.stop_reason.tolist()]
    not_tolerated = _among(reasons, rules.intolerance_reasons)
    adherence = _of_source(known.adherence, trials.source, 0)
    not_taken = (adherence == _POOR) | _among(reasons, rules.non_adherence_reasons)
    override = _BY_OVERRIDE[_of_source(known.override, trials.source, 0)]
    full = int(rules.adequate_weeks * US_PER_WEEK)
    length = trials.end_us - trials.started_us
    has_stopped = trials.stopped_us != NEVER
    is_early_stop = has_stopped & (length < int(rules.least_weeks * US_PER_WEEK))
    has_reached = runs.reached_us != NEVER
    may_still = ~has_stopped & ((length < full) | (runs.is_adequate_now & ~not_taken))
    adequacy = first_that_holds(
        [
            (has_stopped & (not_tolerated | is_early_stop), _INDETERMINATE),
            (not_taken & ~may_still, _INADEQUATE),
            (has_reached & ~not_taken, _ADEQUATE),
            (runs.is_unknown, _UNKNOWN),
            (may_still, _NOT_YET),
        ],
        _INADEQUATE,
    )
    adequacy = np.where(override >= 0, override, adequacy)
    least = trials.started_us + int(rules.least_weeks * US_PER_WEEK)
    return TrialAdequacy(
        adequacy=adequacy,
        runs=runs,
        is_overridden=override >= 0,
        judged_from_us=np.where(has_reached, runs.reached_us, least),
    )


def _among(reasons: list[str], known: tuple[str, ...]) -> Bools:
    return np.array([reason in known for reason in reasons], dtype=np.bool_)


def _of_source(column: Ints, source: Ints, missing: int) -> Ints:
    if len(column) == 0:
        return np.full(len(source), missing, dtype=np.int64)
    return np.where(source >= 0, column[source], missing)


def least_doses(trials: TrialColumns) -> Floats:
    """Give each course's least adequate daily dose in mg: the site's, else the table's.

    Parameters
    ----------
    trials : TrialColumns
        The courses.

    Returns
    -------
    array of float
        Infinite where neither knows the drug: then no dose is known to be enough.
    """
    if len(trials.atc) == 0:
        return np.empty(0)
    listed = [
        DOSE_TABLE[code].least_mg if code in DOSE_TABLE else np.inf for code in trials.atc.tolist()
    ]
    return np.where(np.isnan(trials.least_mg), np.array(listed), trials.least_mg)


def _dose_runs(trials: EpisodeTrials, history: History, at_us: int, rules: Rules) -> DoseRuns:
    """Cut each trial into stretches of one dose, and join those that were enough."""
    trial, start, is_enough, is_unknown = _stretches(trials, history, at_us)
    size = len(trials.patient)
    is_first = np.ones(len(trial), dtype=np.bool_)
    is_first[1:] = trial[1:] != trial[:-1]
    is_last = np.ones(len(trial), dtype=np.bool_)
    is_last[:-1] = is_first[1:]
    end = trials.end_us[trial]
    end[:-1] = np.where(is_last[:-1], end[:-1], np.minimum(start[1:], end[:-1]))
    begins = is_enough.copy()
    begins[1:] &= is_first[1:] | ~is_enough[:-1]
    run_trial, run_start = trial[begins], start[begins]
    run_end = np.empty(len(run_trial), dtype=np.int64)
    run_end[np.cumsum(begins)[is_enough] - 1] = end[is_enough]  # the last stretch stays
    length = np.maximum(run_end - run_start, 0)
    longest = np.zeros(size, dtype=np.int64)
    np.maximum.at(longest, run_trial, length)
    full = int(rules.adequate_weeks * US_PER_WEEK)
    reached = np.full(size, _LATE)
    is_full = length >= full
    np.minimum.at(reached, run_trial[is_full], run_start[is_full] + full)
    has_reached = reached != _LATE
    from_us = np.full(size, NEVER)
    from_us[run_trial] = run_start  # in order of time: the latest run stays
    now = np.zeros(size, dtype=np.bool_)
    now[trial[is_last]] = is_enough[is_last]
    return DoseRuns(
        weeks=longest / US_PER_WEEK,
        from_us=np.where(has_reached, reached - full, from_us),
        reached_us=np.where(has_reached, reached, NEVER),
        is_adequate_now=now,
        is_unknown=is_unknown,
    )


def _stretches(
    trials: EpisodeTrials, history: History, at_us: int
) -> tuple[Ints, Ints, Bools, Bools]:
    """Give trial, start and "enough" of every stretch; and the trials of which too little is known.

    A trial without dose steps is one stretch: from the day of adequacy that was given, or from
    its start at its one dose.
    """
    size, known, doses = len(trials.patient), history.trial_columns, history.dose_columns
    least = np.full(size, np.inf)
    dose = np.full(size, np.nan)
    real = trials.source >= 0
    least[real] = least_doses(known)[trials.source[real]]
    dose[real] = known.dose_mg[trials.source[real]]
    declared = trials.adequate_us != NEVER
    step_trial, step_start, step_dose = _steps(trials, history, at_us)
    has_steps = np.zeros(size, dtype=np.bool_)
    has_steps[step_trial] = True
    alone = np.flatnonzero(~has_steps | declared)
    stepped = ~declared[step_trial]
    trial = np.concatenate([step_trial[stepped], alone])
    start = np.concatenate(
        [
            step_start[stepped],
            np.where(declared[alone], trials.adequate_us[alone], trials.started_us[alone]),
        ]
    )
    enough = np.concatenate(
        [
            step_dose[stepped] >= least[step_trial[stepped]],
            declared[alone] | (dose[alone] >= least[alone]),
        ]
    )
    unknown = ~declared & (np.isinf(least) | (np.isnan(dose) & ~has_steps))
    if len(doses.trial) == 0:
        return trial, start, enough, unknown
    order = np.lexsort((start, trial))
    return trial[order], start[order], enough[order], unknown


def _steps(trials: EpisodeTrials, history: History, at_us: int) -> tuple[Ints, Ints, Floats]:
    """Give the dose steps known at the moment, of the trials of the episode."""
    doses = history.dose_columns
    place = np.full(len(history.trial_columns.patient), -1, dtype=np.int64)
    real = trials.source >= 0
    place[trials.source[real]] = np.flatnonzero(real)
    mine = place[doses.trial]
    keep = (mine >= 0) & (doses.started_us <= at_us)
    return mine[keep], doses.started_us[keep], doses.dose_mg[keep]
