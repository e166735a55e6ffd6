"""Where each patient stands in therapy: trials and symptoms brought together by the rules."""

from typing import Any, NamedTuple

import numpy as np

from analytics.adequacy import (
    EpisodeTrials,
    TrialAdequacy,
    episode_trials,
    judge_adequacy,
)
from analytics.columns import US_PER_WEEK, put, through_day
from analytics.decision_points import DecisionPoints, read_decision_points
from analytics.definitions import (
    ADEQUACIES,
    RULES,
    STATES,
    SYMPTOM_STATES,
    Adequacy,
    ClinicalState,
    Rules,
    SymptomState,
)
from analytics.failures import counted_failures, failed_treatments
from analytics.histories import History
from analytics.judged_trials import JudgedTrials, judge_trials, not_judged
from analytics.places import Places
from analytics.ratings import PrimaryRatings, primary_ratings
from analytics.ready import constant, ready_for_few
from analytics.symptoms import (
    Symptoms,
    judge_symptoms,
    not_rated,
    scale_of_patients,
)
from analytics.tables import NEVER, Bools, Floats, Ints, column_of, is_any

_NO_EPISODE, _NO_TRIAL = map(STATES.index, (ClinicalState.NO_EPISODE, ClinicalState.NO_TRIAL))
_NO_TRIAL_RECORDED = STATES.index(ClinicalState.NO_TRIAL_RECORDED)
_ON_TRIAL = STATES.index(ClinicalState.ON_TRIAL_1)
_EARLY = STATES.index(ClinicalState.EARLY_NON_IMPROVEMENT)
_MEETS_RULE = STATES.index(ClinicalState.MEETS_TRD_RULE)
_RESPONSE, _REMISSION = map(STATES.index, (ClinicalState.RESPONSE, ClinicalState.REMISSION))
_INADEQUATE_TRIAL = STATES.index(ClinicalState.TRIAL_1_INADEQUATE)
_FAILED = STATES.index(ClinicalState.TRIAL_1_FAILED)
_INADEQUATE = ADEQUACIES.index(Adequacy.INADEQUATE)
_STEP_OF_NUMBER = np.array([0, 0, 1, 2, 3, 4])  # trial 5 and later ones share their words
_RECOVERED, _RELAPSED = map(STATES.index, (ClinicalState.RECOVERY, ClinicalState.RELAPSE))
_RECOVERY = SYMPTOM_STATES.index(SymptomState.RECOVERY)
_RELAPSE = SYMPTOM_STATES.index(SymptomState.RELAPSE)


class Courses(NamedTuple):
    """Where each patient stands, one entry per patient; -1 and NaN mean not known.

    ``early`` is 1 for early non-improvement in the first trial, 0 for early
    improvement, -1 when no rating can tell. What is found of trials holds where it does of any that
    runs, or of the latest if none does; ``state``, ``trial_number`` and ``is_running`` are those of
    the current trial, the latest that runs. What ends in ``kept`` holds a flag up that is up, and
    raises none. ``is_dose_adequate`` tells it of a trial without early improvement.
    """

    state: Ints
    is_running: Bools
    weeks_on_therapy: Floats
    instrument: Ints  # position in instruments; -1: no rating
    instruments: tuple[str, ...]
    baseline_total: Floats
    early: Ints
    early_total: Floats
    early_us: Ints
    is_early_now: Bools
    is_early_kept: Bools
    is_dose_adequate: Bools
    is_non_response: Bools
    is_non_response_kept: Bools
    is_response_lost: Bools  # little is gained any more, where there had been response
    is_response_lost_kept: Bools
    is_failed: Bools
    is_failed_kept: Bools
    is_raised: Bools  # by the latest rating, and not kept only
    failed_trials: Ints
    meets_rule: Bools
    is_bipolar: Bools
    is_psychotic: Bools  # a psychotic disorder, F20 to F29
    trial_number: Ints
    is_well: Bools  # response or remission at the latest rating
    is_steadily_well: Bools  # so long, or after such a fall, that it lowers a flag
    symptoms: Symptoms
    trials: EpisodeTrials
    adequacy: TrialAdequacy
    judged: JudgedTrials
    ratings: PrimaryRatings
    scale: Ints  # position in analytics.ratings.KNOWN
    started: Ints


def assess_courses(history: History, *, at_us: int, rules: Rules = RULES) -> Courses:
    """Apply the rules to every patient.

    Parameters
    ----------
    history : History
        The cohort.
    at_us : int
        The moment, in microseconds since 1970 UTC; later facts are not used.
    rules : Rules
        The rule set.

    Returns
    -------
    Courses
    """
    started = history.started_us.copy()
    started[started > at_us] = NEVER
    ratings, instrument = primary_ratings(history, started, at_us, rules)
    scale = scale_of_patients(history.rating_columns.instruments, instrument)
    trials = episode_trials(history, started, at_us, rules)
    adequacy = judge_adequacy(trials, history, at_us, rules)
    has_facts = len(ratings.key) or len(history.trial_columns.patient)
    if not has_facts and rules.failed_trials and not is_any(history.earlier_failures > 0):
        return _of_first_doses(
            history, (ratings, instrument, scale), (trials, adequacy), started, at_us, rules
        )
    judged = judge_trials(trials, adequacy, ratings, scale, started, rules)
    counting = counted_failures(trials, history, judged.is_failed, rules)
    judged = judged._replace(**counting._asdict())
    places = Places(trials, started)
    courses = _gather(
        history, places, (ratings, instrument, scale), (trials, adequacy, judged), at_us, rules
    )
    state = _states(
        courses,
        has=places.has,
        bare=places.current(trials.source < 0, missing=False),
        inadequate=places.current(adequacy.adequacy == _INADEQUATE, missing=False),
        failed=places.current(judged.is_failed, missing=False),
    )
    return courses._replace(state=state)


def _of_first_doses(
    history: History,
    rated: tuple[PrimaryRatings, Ints, Ints],
    tried: tuple[EpisodeTrials, TrialAdequacy],
    started: Ints,
    at_us: int,
    rules: Rules,
) -> Courses:
    """Say what is known of patients without a rating or a trial: when the first dose was, if ever.

    As :func:`_gather` would; for one patient in a third of the time.
    """
    (ratings, instrument, scale), (trials, adequacy), size = rated, tried, len(started)
    running = started != NEVER
    weeks = (at_us - started) / US_PER_WEEK
    state = column_of(_NO_TRIAL_RECORDED, size, np.int64)
    if len(trials.patient) < size:
        state[~running], weeks[~running] = _NO_EPISODE, np.nan
    return Courses(
        state=state,
        is_running=running,
        weeks_on_therapy=weeks,
        instrument=instrument,
        instruments=history.rating_columns.instruments,
        is_bipolar=history.is_bipolar & rules.excludes_bipolar,
        is_psychotic=history.is_psychotic & rules.excludes_psychotic_disorders,
        trial_number=running.astype(np.int64),
        trials=trials,
        adequacy=adequacy,
        judged=not_judged(len(trials.patient)),
        ratings=ratings,
        scale=scale,
        started=started,
        **_not_known(size),
    )


@ready_for_few
def _not_known(size: int) -> dict[str, Any]:
    """Give what neither a rating nor a trial says of some patients."""
    no, unknown = constant(value=False, size=size, dtype=np.bool_), constant(np.nan, size)
    return {
        "baseline_total": unknown,
        "early": constant(-1, size, np.int64),
        "early_total": unknown,
        "early_us": constant(NEVER, size, np.int64),
        "is_early_now": no,
        "is_early_kept": no,
        "is_dose_adequate": no,
        "is_non_response": no,
        "is_non_response_kept": no,
        "is_response_lost": no,
        "is_response_lost_kept": no,
        "is_failed": no,
        "is_failed_kept": no,
        "is_raised": no,
        "failed_trials": constant(0, size, np.int64),
        "meets_rule": no,
        "is_well": no,
        "is_steadily_well": no,
        "symptoms": not_rated(size),
    }


def _gather(
    history: History,
    places: "Places",
    rated: tuple[PrimaryRatings, Ints, Ints],
    tried: tuple[EpisodeTrials, TrialAdequacy, JudgedTrials],
    at_us: int,
    rules: Rules,
) -> Courses:
    """Bring what was found of the trials together for each patient."""
    (ratings, instrument, scale), (trials, adequacy, judged) = rated, tried
    baseline, started = places.first(judged.baseline, np.nan), places.started
    comparable = places.first(judged.comparable, np.nan)
    symptoms = judge_symptoms(ratings, scale, comparable, started, at_us, rules)
    runs = trials.stopped_us == NEVER
    is_well = symptoms.is_remission | symptoms.is_response
    early_row = places.first(judged.early_row, -1)
    failed = failed_treatments(trials, judged.is_counted, history.earlier_failures, started, rules)
    is_bipolar = history.is_bipolar & rules.excludes_bipolar
    is_psychotic = history.is_psychotic & rules.excludes_psychotic_disorders
    weeks = (at_us - started) / US_PER_WEEK
    weeks[~places.has] = np.nan
    return Courses(
        state=started,  # until it is known from the rest
        is_running=places.current(runs, missing=False),
        weeks_on_therapy=weeks,
        instrument=instrument,
        instruments=history.rating_columns.instruments,
        baseline_total=baseline,
        early=places.first(judged.early, -1),
        early_total=ratings.totals(early_row),
        early_us=ratings.times(early_row),
        **_of_any_trial(judged, runs, adequacy.runs.is_adequate_now, places),
        failed_trials=failed,
        meets_rule=(failed >= rules.failed_trials) & ~(is_bipolar | is_psychotic),
        is_bipolar=is_bipolar,
        is_psychotic=is_psychotic,
        trial_number=places.current(trials.number, 0),
        is_well=is_well,
        is_steadily_well=symptoms.is_steadily_well,
        symptoms=symptoms,
        trials=trials,
        adequacy=adequacy,
        judged=judged,
        ratings=ratings,
        scale=scale,
        started=started,
    )


def _of_any_trial(
    judged: JudgedTrials, runs: Bools, is_adequate_now: Bools, places: "Places"
) -> dict[str, Bools]:
    """Tell of whom each thing holds of any trial that runs, or of the latest if none does."""
    of_any = places.any_current
    return {
        "is_early_now": of_any(judged.is_early & runs),
        "is_early_kept": of_any(judged.is_early_kept & runs),
        "is_dose_adequate": of_any(judged.is_early_kept & runs & is_adequate_now),
        "is_non_response": of_any(judged.is_non_response & runs),
        "is_non_response_kept": of_any(judged.is_non_response_kept & runs),
        "is_response_lost": of_any(judged.is_response_lost & runs),
        "is_response_lost_kept": of_any(judged.is_response_lost_kept & runs),
        "is_failed": of_any(judged.is_failed),
        "is_raised": of_any(judged.may_raise & (runs | judged.is_failed)),
        "is_failed_kept": of_any(judged.is_failed_kept),
    }


def decision_points(courses: Courses, rules: Rules = RULES) -> DecisionPoints:
    """Read the decision points of each patient's current trial.

    Parameters
    ----------
    courses : Courses
        As assessed.
    rules : Rules
        The weeks and their days.

    Returns
    -------
    DecisionPoints
    """
    trials, places = courses.trials, Places(courses.trials, courses.started)
    return read_decision_points(
        courses.ratings,
        courses.scale,
        places.current(courses.judged.comparable, np.nan),
        places.current(trials.started_us, NEVER),
        through_day(places.current(trials.end_us, NEVER), rules.grace_days),
        rules,
    )


def _states(courses: Courses, *, has: Bools, bare: Bools, inadequate: Bools, failed: Bools) -> Ints:
    """Name the state; what is further along the course of therapy wins, and is written last."""
    step = _STEP_OF_NUMBER.take(courses.trial_number, mode="clip")
    state, symptoms = _ON_TRIAL + step, courses.symptoms
    put(state, ~courses.is_running, _NO_TRIAL)
    put(state, bare, _NO_TRIAL_RECORDED)
    put(state, courses.is_early_now, _EARLY)
    state[inadequate] = _INADEQUATE_TRIAL + step[inadequate]
    state[failed] = _FAILED + step[failed]
    put(state, courses.meets_rule, _MEETS_RULE)
    put(state, symptoms.is_response, _RESPONSE)
    put(state, symptoms.is_remission, _REMISSION)
    put(state, symptoms.state == _RECOVERY, _RECOVERED)
    put(state, symptoms.state == _RELAPSE, _RELAPSED)
    put(state, ~has, _NO_EPISODE)
    return state
