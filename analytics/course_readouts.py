"""Spells the columns of trials and ratings out as the course of each patient."""

from collections.abc import Iterator
from math import isfinite
from typing import Any

import numpy as np

from analytics.adequacy import least_doses
from analytics.columns import ADHERENCES
from analytics.course_findings import (
    Course,
    DecisionReading,
    DoseGiven,
    TrialVerdict,
    current_trial,
)
from analytics.courses import Courses, decision_points
from analytics.definitions import ADEQUACIES, SYMPTOM_STATES, Adequacy, ClinicalState, Rules
from analytics.doses import TABLE_VERSION
from analytics.histories import History
from analytics.readouts import moment_of
from analytics.staging_facts import staging_facts
from analytics.tables import NEVER

_NEVER_COUNTED = (Adequacy.INADEQUATE, Adequacy.INDETERMINATE)


def read_courses(
    courses: Courses, history: History, *, at_us: int, rules: Rules
) -> Iterator[Course]:
    """Give each patient's course.

    Parameters
    ----------
    courses : Courses
        As assessed.
    history : History
        What they were assessed of.
    at_us : int
        The moment, in microseconds since 1970 UTC.
    rules : Rules
        The rules by which they were assessed.

    Yields
    ------
    Course
    """
    trials: dict[int, list[TrialVerdict]] = {}
    for place, verdict in zip(
        courses.trials.patient.tolist(), _verdicts(courses, history, at_us), strict=True
    ):
        trials.setdefault(place, []).append(verdict)
    decisions = _decisions(courses, rules)
    symptoms = courses.symptoms
    rows = zip(
        courses.meets_rule.tolist(),
        courses.failed_trials.tolist(),
        courses.instrument.tolist(),
        courses.baseline_total.tolist(),
        symptoms.latest_total.tolist(),
        symptoms.latest_us.tolist(),
        symptoms.improvement.tolist(),
        symptoms.state.tolist(),
        history.dose_table.tolist(),
        staging_facts(history, courses, at_us=at_us, rules=rules),
        strict=True,
    )
    for place, (meets, failed, scale, baseline, total, at, *others) in enumerate(rows):
        gained, state, dose_table, staging = others
        mine = tuple(trials.get(place, ()))
        now = current_trial(mine)
        status = ClinicalState.MEETS_TRD_RULE.worded(rules.version) if meets else ""
        reached = [
            one.adequate_at
            for one in mine
            if one.adequate_at is not None and one.adequacy not in _NEVER_COUNTED
        ]
        yield Course(
            status=status or (now.words if now else ClinicalState.NO_EPISODE.value),
            failed_trials=failed,
            first_adequate_at=min(reached, default=None),
            instrument=courses.instruments[scale] if scale >= 0 else "",
            baseline_total=_known(baseline),
            baseline_at=mine[0].baseline_at if mine and isfinite(baseline) else None,
            latest_total=_known(total),
            latest_at=None if at == NEVER else moment_of(at),
            improvement=_known(gained),
            symptoms=SYMPTOM_STATES[state],
            trials=mine,
            decisions=decisions.get(place, ()),
            staging=staging,
            dose_table=dose_table or TABLE_VERSION,
        )


def _known(value: float) -> float | None:
    return value if isfinite(value) else None


def _verdicts(courses: Courses, history: History, at_us: int) -> Iterator[TrialVerdict]:
    trials, judged, adequacy = courses.trials, courses.judged, courses.adequacy
    known, facts = history.trial_columns, list(_facts(history, at_us))
    ids, drugs, atcs = known.trial_id.tolist(), known.drug.tolist(), known.atc.tolist()
    least = least_doses(known).tolist()
    rows = zip(
        trials.source.tolist(),
        trials.stop_reason.tolist(),
        trials.number.tolist(),
        trials.started_us.tolist(),
        trials.stopped_us.tolist(),
        adequacy.adequacy.tolist(),
        adequacy.is_overridden.tolist(),
        adequacy.runs.weeks.tolist(),
        adequacy.runs.reached_us.tolist(),
        judged.baseline.tolist(),
        judged.improvement.tolist(),
        judged.is_failed.tolist(),
        _countings(courses),
        _ratings_behind(courses),
        strict=True,
    )
    for source, reason, number, start, stop, worth, overridden, weeks, *by_rating in rows:
        reached, baseline, gained, failed, counting, ratings = by_rating
        is_real, worth_word = source >= 0, ADEQUACIES[worth]
        yield TrialVerdict(
            number=number,
            trial_id=ids[source] if is_real else None,
            drug=drugs[source] if is_real else "",
            atc=atcs[source] if is_real else "",
            started_at=moment_of(start),
            stopped_at=None if stop == NEVER else moment_of(stop),
            words=trial_words(number, worth_word, is_running=stop == NEVER, is_failed=failed)
            if is_real
            else ClinicalState.NO_TRIAL_RECORDED.value,
            adequacy=worth_word,
            is_overridden=overridden,
            weeks_at_dose=weeks,
            least_mg=_known(least[source]) if is_real else None,
            adequate_at=None if reached == NEVER else moment_of(reached),
            baseline_total=_known(baseline),
            improvement=_known(gained),
            is_failed=failed,
            stop_reason=reason,
            **counting,
            **ratings,
            **(facts[source] if is_real else {}),
        )


def _facts(history: History, at_us: int) -> Iterator[dict[str, Any]]:
    """Give what the adequacy of each course rests on, as it is on record at the moment."""
    known, doses = history.trial_columns, history.dose_columns
    steps: dict[int, list[DoseGiven]] = {}
    rows = zip(doses.trial.tolist(), doses.started_us.tolist(), doses.dose_mg.tolist(), strict=True)
    for trial, started, dose in rows:
        if started > at_us:
            continue
        steps.setdefault(trial, []).append(DoseGiven(moment_of(started), dose))
    for place, (started, dose, adherence, own) in enumerate(
        zip(
            known.started_us.tolist(),
            known.dose_mg.tolist(),
            known.adherence.tolist(),
            known.least_mg.tolist(),
            strict=True,
        )
    ):
        alone = [DoseGiven(moment_of(started), dose)] if isfinite(dose) else []
        yield {
            "adherence": ADHERENCES[adherence],
            "doses": tuple(steps.get(place, alone)),
            "is_least_of_site": isfinite(own),
        }


def _countings(courses: Courses) -> Iterator[dict[str, Any]]:
    """Give what decides whether the failure of each trial counts."""
    judged = courses.judged
    rows = zip(
        judged.is_failed.tolist(),
        judged.is_counted.tolist(),
        judged.counted_with.tolist(),
        judged.is_same_drug.tolist(),
        judged.had_worked.tolist(),
        judged.began_mild.tolist(),
        courses.adequacy.was_not_taken.tolist(),
        strict=True,
    )
    for failed, counted, instead, is_same, worked, mild, not_taken in rows:
        yield {
            "is_counted": counted or not failed,
            "counted_with": instead or None,
            "is_same_drug": is_same,
            "had_worked": worked,
            "began_mild": mild,
            "was_not_taken": not_taken,
        }


def _ratings_behind(courses: Courses) -> Iterator[dict[str, Any]]:
    """Give the days of each trial's baseline and of the rating that judged it, and its total."""
    judged, ratings = courses.judged, courses.ratings
    rows = zip(
        ratings.times(judged.baseline_row).tolist(),
        ratings.times(judged.judged_row).tolist(),
        ratings.totals(judged.judged_row).tolist(),
        strict=True,
    )
    for baseline, at, total in rows:
        yield {
            "baseline_at": None if baseline == NEVER else moment_of(baseline),
            "judged_at": None if at == NEVER else moment_of(at),
            "judged_total": _known(total),
        }


def trial_words(number: int, adequacy: Adequacy, *, is_running: bool, is_failed: bool) -> str:
    """Give the words on one trial; it is never said to have failed unless it was adequate.

    Parameters
    ----------
    number : int
        Its number in the episode, from 1.
    adequacy : Adequacy
        What it was worth.
    is_running, is_failed : bool
        Whether it runs; whether it was adequate and symptoms did not improve enough.

    Returns
    -------
    str
    """
    if is_failed:
        return f"trial {number} failed (adequate)"
    if adequacy is Adequacy.INADEQUATE:
        return f"trial {number} inadequate"
    if is_running:
        return f"on trial {number}"
    if adequacy is Adequacy.ADEQUATE:
        return f"trial {number} ended (adequate)"
    return f"trial {number} {adequacy.value}"


def _decisions(courses: Courses, rules: Rules) -> dict[int, tuple[DecisionReading, ...]]:
    """Give each patient's decision points that were rated."""
    found: dict[int, tuple[DecisionReading, ...]] = {}
    points = decision_points(courses, rules)
    for week, rows, readings in zip(points.weeks, points.row, points.reading, strict=True):
        rated = np.flatnonzero(rows >= 0)
        for place, reading, at, total in zip(
            rated.tolist(),
            readings[rated].tolist(),
            courses.ratings.times(rows[rated]).tolist(),
            courses.ratings.totals(rows[rated]).tolist(),
            strict=True,
        ):
            one = DecisionReading(week, SYMPTOM_STATES[reading], moment_of(at), total)
            found[place] = (*found.get(place, ()), one)
    return found
