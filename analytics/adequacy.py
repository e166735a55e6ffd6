"""Which trials could have worked: dose, weeks at dose, adherence, and why it was stopped."""

from typing import NamedTuple

import numpy as np

from analytics.columns import (
    ADHERENCES,
    OVERRIDES,
    TRIAL_KINDS,
    US_PER_DAY,
    US_PER_HOUR,
    US_PER_WEEK,
    TrialColumns,
    by_calendar,
    first_that_holds,
)
from analytics.definitions import ADEQUACIES, Adequacy, Rules
from analytics.doses import DOSE_TABLE
from analytics.histories import History
from analytics.ready import constant, ready_for_few
from analytics.tables import NEVER, Bools, Column, Floats, Ints, Objects, column_of

_ADEQUATE, _NOT_YET, _INADEQUATE, _INDETERMINATE, _UNKNOWN = range(len(ADEQUACIES))
_LEEWAY = 7 * US_PER_DAY  # a first dose is often dated a few days after the trial
_POOR = ADHERENCES.index("poor")
_BY_ATC, _ANTIDEPRESSANT = TRIAL_KINDS.index(""), TRIAL_KINDS.index("antidepressant")
_BY_OVERRIDE = np.array([-1] + [ADEQUACIES.index(Adequacy(word)) for word in OVERRIDES[1:]])


class EpisodeTrials(NamedTuple):
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


class DoseRuns(NamedTuple):
    """How long each trial was at an adequate dose without a break.

    ``reached_us`` is the day on which the weeks of the rules were full, ``from_us`` the first day
    of the run that was the first to fill them, else of the latest run; ``to_us`` the end of the
    latest run. NEVER: none.
    """

    weeks: Floats  # of the longest run
    from_us: Ints
    reached_us: Ints
    to_us: Ints
    is_adequate_now: Bools
    is_unknown: Bools


class TrialAdequacy(NamedTuple):
    """What each trial was worth."""

    adequacy: Ints  # position in ADEQUACIES
    runs: DoseRuns
    is_overridden: Bools
    judged_from_us: Ints  # from when on a rating can show that an adequate trial has failed
    was_not_taken: Bools  # poor adherence, or stopped because of it


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
    if not len(trials.patient):
        return _stand_ins(started, at_us)
    source = _of_episode(trials, started, at_us, rules)
    patient, begun = trials.patient[source], trials.started_us[source]
    is_bare = started != NEVER
    is_bare[patient] = False
    [bare] = is_bare.nonzero()
    if len(bare):
        patient = np.concatenate([patient, bare])
        order = patient.argsort(kind="stable")
        patient = patient[order]
        source = np.concatenate([source, column_of(-1, len(bare), np.int64)])[order]
        begun = np.concatenate([begun, started[bare]])[order]
    stops = _of_source(trials.stopped_us, source, NEVER)
    reasons = _of_source(trials.stop_reason, source, "")
    reasons[stops > at_us] = ""
    stops[stops > at_us] = NEVER
    ends = stops.copy()
    ends[stops == NEVER] = at_us
    adequate = _of_source(trials.adequate_us, source, NEVER)
    adequate[adequate > at_us] = NEVER
    return EpisodeTrials(
        patient=patient,
        source=source,
        number=np.arange(1, len(patient) + 1) - patient.searchsorted(patient),
        started_us=begun,
        stopped_us=stops,
        end_us=ends,
        adequate_us=adequate,
        stop_reason=reasons,
    )


def _stand_ins(started: Ints, at_us: int) -> EpisodeTrials:
    """Let the first dose of each episode stand in for its trials, where none is on record."""
    [bare] = (started != NEVER).nonzero()
    size = len(bare)
    never = constant(NEVER, size, np.int64)
    return EpisodeTrials(
        patient=bare,
        source=constant(-1, size, np.int64),
        number=constant(1, size, np.int64),
        started_us=started if size == len(started) else started[bare],
        stopped_us=never,
        end_us=constant(at_us, size, np.int64),
        adequate_us=never,
        stop_reason=constant("", size, np.object_),
    )


def _of_episode(trials: TrialColumns, started: Ints, at_us: int, rules: Rules) -> Ints:
    """Find the trials of the episode that are known at the moment.

    One that had begun before the first dose on record, and ran still, is a trial of the episode.
    """
    start_of = started[trials.patient]
    keep = (trials.started_us <= at_us) & (start_of != NEVER)
    runs_on = (trials.stopped_us == NEVER) | (trials.stopped_us > start_of)
    keep &= (trials.started_us >= start_of - _LEEWAY) | runs_on
    keep &= ~is_beside(trials, rules)
    rows: Ints = keep.nonzero()[0]
    return rows


def is_before(trials: EpisodeTrials, started: Ints) -> Bools:
    """Tell which trials had begun long before the first dose on record.

    Parameters
    ----------
    trials : EpisodeTrials
        The trials of the episode.
    started : array of int
        First dose of each patient, or ``NEVER``.

    Returns
    -------
    array of bool
    """
    return np.asarray(trials.started_us < started[trials.patient] - _LEEWAY)


def is_beside(trials: TrialColumns, rules: Rules) -> Bools:
    """Tell which courses stand beside a trial and are none: by their kind, else by the ATC code.

    Esketamine does whatever it was recorded as: its code is among those of antidepressants.

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
    codes = trials.atc.tolist()
    augments = [code.startswith(rules.augmentation_atc) for code in codes]
    by_atc = np.array(augments, dtype=np.bool_)
    is_beside: Bools = trials.kind != _ANTIDEPRESSANT
    is_unsaid = trials.kind == _BY_ATC
    is_beside[is_unsaid] = by_atc[is_unsaid]
    return is_beside | np.array([code in rules.beside_atc for code in codes], dtype=np.bool_)


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
    if not len(known.patient):
        return _of_stand_ins(trials, rules)
    runs = _dose_runs(trials, history, at_us, rules)
    reasons = [reason.lower() for reason in trials.stop_reason.tolist()]
    not_tolerated = _among(reasons, rules.intolerance_reasons)
    adherence = _of_source(known.adherence, trials.source, 0)
    not_taken = (adherence == _POOR) | _among(reasons, rules.non_adherence_reasons)
    override = _BY_OVERRIDE[_of_source(known.override, trials.source, 0)]
    full = int(rules.adequate_weeks * US_PER_WEEK)
    length = trials.end_us - trials.started_us + US_PER_HOUR  # the clocks may have changed
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
    is_overridden = override >= 0
    adequacy[is_overridden] = override[is_overridden]
    judged_from = trials.started_us + int(rules.least_weeks * US_PER_WEEK)
    judged_from[has_reached] = runs.reached_us[has_reached]
    return TrialAdequacy(
        adequacy=adequacy,
        runs=runs,
        is_overridden=is_overridden,
        judged_from_us=judged_from,
        was_not_taken=not_taken,
    )


def _of_stand_ins(trials: EpisodeTrials, rules: Rules) -> TrialAdequacy:
    """Say what is known of the worth of trials that are not on record: nothing."""
    adequacy, runs, is_overridden = _nothing_known(len(trials.patient))
    judged_from = trials.started_us + int(rules.least_weeks * US_PER_WEEK)
    return TrialAdequacy(adequacy, runs, is_overridden, judged_from, is_overridden)


@ready_for_few
def _nothing_known(size: int) -> tuple[Ints, DoseRuns, Bools]:
    never, no = constant(NEVER, size, np.int64), constant(value=False, size=size, dtype=np.bool_)
    is_unknown = constant(value=True, size=size, dtype=np.bool_)
    nothing = constant(0.0, size)
    runs = DoseRuns(nothing, never, never, never, is_adequate_now=no, is_unknown=is_unknown)
    return constant(_UNKNOWN, size, np.int64), runs, no


def _among(reasons: list[str], known: tuple[str, ...]) -> Bools:
    return np.array([reason in known for reason in reasons], dtype=np.bool_)


def _of_source(column: Column, source: Ints, missing: object) -> Column:
    if len(column) == 0:
        return column_of(missing, len(source), column.dtype)
    found = column[source]
    found[source < 0] = missing
    return found


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
    least = np.array(
        [
            DOSE_TABLE[code].least_mg if code in DOSE_TABLE else np.inf
            for code in trials.atc.tolist()
        ],
        dtype=np.float64,
    )
    has_own = ~np.isnan(trials.least_mg)
    least[has_own] = trials.least_mg[has_own]
    return least


def _dose_runs(trials: EpisodeTrials, history: History, at_us: int, rules: Rules) -> DoseRuns:
    """Cut each trial into stretches of one dose, and join those that were enough."""
    trial, start, is_enough, is_unknown = _stretches(trials, history, at_us)
    size = len(trials.patient)
    is_first, is_last = np.empty((2, len(trial)), dtype=np.bool_)
    is_first[:1] = is_last[-1:] = True
    is_first[1:] = is_last[:-1] = trial[1:] != trial[:-1]
    end = trials.end_us[trial]
    [goes_on] = (~is_last).nonzero()
    end[goes_on] = np.minimum(start[goes_on + 1], end[goes_on])
    begins = is_enough.copy()
    begins[1:] &= is_first[1:] | ~is_enough[:-1]
    run_trial, run_start = trial[begins], start[begins]
    run_end = np.empty(len(run_trial), dtype=np.int64)
    run_end[np.cumsum(begins)[is_enough] - 1] = end[is_enough]  # the last stretch stays
    length = by_calendar(np.maximum(run_end - run_start, 0))
    longest = np.zeros(size, dtype=np.int64)
    np.maximum.at(longest, run_trial, length)
    full = int(rules.adequate_weeks * US_PER_WEEK)
    [fulls] = (length >= full).nonzero()
    reached, from_us, to_us = (column_of(NEVER, size, np.int64) for _ in range(3))
    filled = np.minimum(run_start + full, run_end)  # where the clocks changed, an hour less
    reached[run_trial[fulls[::-1]]] = filled[fulls[::-1]]  # backwards: the first stays
    from_us[run_trial] = run_start  # in order of time: the latest run stays
    to_us[run_trial] = run_end
    from_us[run_trial[fulls[::-1]]] = run_start[fulls[::-1]]
    now = np.zeros(size, dtype=np.bool_)
    now[trial[is_last]] = is_enough[is_last]
    return DoseRuns(
        weeks=longest / US_PER_WEEK,
        from_us=from_us,
        reached_us=reached,
        to_us=to_us,
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
    least = _of_source(least_doses(known), trials.source, np.inf)
    dose = _of_source(known.dose_mg, trials.source, np.nan)
    declared = trials.adequate_us != NEVER
    step_trial, step_start, step_dose = _steps(trials, history, at_us)
    has_steps = np.zeros(size, dtype=np.bool_)
    has_steps[step_trial] = True
    [alone] = (~has_steps | declared).nonzero()
    stepped = ~declared[step_trial]
    trial = np.concatenate([step_trial[stepped], alone])
    begun = trials.started_us.copy()
    begun[declared] = trials.adequate_us[declared]
    start = np.concatenate([step_start[stepped], begun[alone]])
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
    place = column_of(-1, len(history.trial_columns.patient), np.int64)
    [real] = (trials.source >= 0).nonzero()
    place[trials.source[real]] = real
    mine = place[doses.trial]
    keep = (mine >= 0) & (doses.started_us <= at_us)
    return mine[keep], doses.started_us[keep], doses.dose_mg[keep]
