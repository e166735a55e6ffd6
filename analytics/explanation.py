"""Why an estimate says what it says: one structure for pages, the API and printed reports.

Made from an estimate and what persons had said of its facts by then, so that an old one is
explained by the rules and the words of its day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from math import floor
from typing import Any

import orjson

from analytics import evidence
from analytics.checklists import CHECKLISTS, Check
from analytics.course_findings import current_trial
from analytics.definitions import Adequacy, Rules, rules_of
from analytics.estimate import Estimate
from analytics.evidence import Constant
from analytics.explained_course import ExplainedCourse, explained_course
from analytics.findings import Contribution, EvidenceKind, Fact, LeftOut
from analytics.policy import CURRENT_POLICY, FlagKind
from analytics.readouts import moment_of
from analytics.reasons import Reason, Validity
from analytics.staging import SOURCES as STAGING_SOURCES
from analytics.staging import Staging, StagingFacts
from instruments import INSTRUMENTS

_ROUNDING = 1e-9


class InputKind(StrEnum):
    """What an estimate rests on."""

    RESULT = "result"
    EARLIER_RESULT = "earlier_result"
    RATING = "rating"
    BASELINE = "baseline"
    JUDGING_RATING = "judging_rating"
    TRIAL = "trial"


@dataclass(frozen=True, slots=True)
class Input:
    """One thing that was looked at: its value, its day, and its age when it was looked at."""

    kind: InputKind
    what: str
    value: float | str
    unit: str
    at: datetime | None
    age_days: int | None


@dataclass(frozen=True, slots=True)
class Citation:
    """One figure with its source and its grade: V, V-sec, M or D."""

    name: str
    value: float | None
    unit: str
    grade: str
    source: str
    read_on: date | None


class Lever(StrEnum):
    """What would change the estimate."""

    WITHOUT_BIOMARKER = "without_biomarker"
    RATING_FOR_EARLY_IMPROVEMENT = "rating_for_early_improvement"
    RATING_FOR_NO_FAILURE = "rating_for_no_failure"
    RATING_FOR_REMISSION = "rating_for_remission"
    ONE_MORE_FAILED_TRIAL = "one_more_failed_trial"
    FIRST_RATING = "first_rating"
    RECORD_DOSE = "record_dose"
    OVERRIDE_CAUTION = "override_caution"
    CONFIRM_RESULT = "confirm_result"
    MORE_DRAWS = "more_draws"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that would change the estimate, with the figures to say it with."""

    lever: Lever
    facts: dict[str, Fact]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about a draw or a trial, as it stood when the estimate was made.

    ``verdict`` of a draw is ``score`` (in spite of a caution), ``release`` (after a check) or
    ``keep_out``; of a trial ``adequate``, ``inadequate`` or ``indeterminate``. One of ``drawn_at``
    and ``trial``, its number, says of what.
    """

    verdict: str
    drawn_at: datetime | None
    trial: int | None
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Staged:
    """The Maudsley staging of the episode: what is known, and the score with its parts."""

    facts: StagingFacts
    score: Staging


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that an estimate rests on.

    ``difference`` is what the marker makes of the probability; None where there is none.
    ``has_taught``: the model was trained on this patient's own outcome, so the figure is no
    prediction.
    ``staging`` is None without an episode, and where the assessment did not write it down.
    ``versions`` name the model, the policy, the rules, the scale and the table of least doses.
    ``decisions`` are what persons said of its draws and trials, with reason, name and time.
    ``checklists`` are what to go through for each flag that is wanted: checks, never a treatment.
    """

    made_at: datetime
    outcome: str
    state: str
    status: str
    probability: float | None
    probability_low: float | None
    probability_high: float | None
    probability_without_biomarker: float | None
    difference: float | None
    has_taught: bool
    basis: str
    course: ExplainedCourse | None
    staging: Staged | None
    versions: dict[str, str]
    rules: dict[str, Any]
    inputs: tuple[Input, ...]
    exclusions: tuple[LeftOut, ...]
    waived: tuple[LeftOut, ...]
    decisions: tuple[Decision, ...]
    contributions: tuple[Contribution, ...]
    citations: tuple[Citation, ...]
    would_change: tuple[Change, ...]
    checklists: dict[FlagKind, tuple[Check, ...]]

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        content: dict[str, Any] = orjson.loads(orjson.dumps(self, option=orjson.OPT_NON_STR_KEYS))
        return content


def explain(
    estimate: Estimate,
    *,
    made_at: datetime,
    zone: tzinfo = UTC,
    decisions: tuple[Decision, ...] = (),
) -> Explanation:
    """Explain an estimate.

    Parameters
    ----------
    estimate : Estimate
        As made, or as read back from a record.
    made_at : datetime
        When it was made; ages are counted up to then.
    zone : tzinfo
        That of the site, by whose calendar days are told.
    decisions : tuple of Decision
        What persons had said of its draws and trials by then.

    Returns
    -------
    Explanation

    Raises
    ------
    NoSuchRules
        The estimate was made by rules that are not known here.
    """
    rules = rules_of(estimate.rules_version)
    course = estimate.course
    p, without = estimate.probability, estimate.probability_without_biomarker
    versions = {
        "evidence": evidence.VERSION,
        "model": estimate.release_version,
        "policy": estimate.policy_version,
        "rules": estimate.rules_version,
    }
    if course is not None and course.instrument in INSTRUMENTS:
        versions[course.instrument] = INSTRUMENTS[course.instrument].version
    if course is not None and course.dose_table:
        versions["least doses"] = course.dose_table
    return Explanation(
        made_at=made_at,
        outcome=estimate.outcome.value,
        state=estimate.state_words,
        status="" if course is None else course.status,
        probability=p,
        probability_low=estimate.probability_low,
        probability_high=estimate.probability_high,
        probability_without_biomarker=without,
        difference=None if p is None or without is None else p - without,
        has_taught=estimate.has_taught,
        basis=estimate.basis,
        course=explained_course(course, rules, made_at=made_at, zone=zone),
        staging=_staged(estimate),
        versions=versions,
        rules=rules.as_json(),
        inputs=tuple(_inputs(estimate, made_at)),
        exclusions=estimate.left_out,
        waived=estimate.waived,
        decisions=decisions,
        contributions=estimate.contributions,
        citations=tuple(_citations(estimate, rules)),
        would_change=tuple(_changes(estimate, rules)),
        checklists={flag.kind: CHECKLISTS[flag.kind] for flag in estimate.wanted_flags},
    )


def _staged(estimate: Estimate) -> Staged | None:
    facts = None if estimate.course is None else estimate.course.staging
    return None if facts is None else Staged(facts, facts.staged())


def _inputs(estimate: Estimate, made_at: datetime) -> Iterator[Input]:
    def dated(
        kind: InputKind, what: str, value: float | str, unit: str, at: datetime | None
    ) -> Input:
        age = None if at is None else (made_at - at) // timedelta(days=1)
        return Input(kind, what, value, unit, at, age)

    for line in estimate.trajectories:
        value = _as_reported(line.latest_value, line.latest_comparator)
        yield dated(InputKind.RESULT, line.analyte, value, line.unit, line.latest_at)
        for us, number, comparator in reversed(line.draws[:-1]):
            value, at = _as_reported(number, comparator), moment_of(us)
            yield dated(InputKind.EARLIER_RESULT, line.analyte, value, line.unit, at)
    course = estimate.course
    if course is None:
        return
    if course.baseline_total is not None:
        yield dated(
            InputKind.BASELINE,
            *(course.instrument, course.baseline_total, "{score}", course.baseline_at),
        )
    if course.latest_total is not None:
        yield dated(
            InputKind.RATING, course.instrument, course.latest_total, "{score}", course.latest_at
        )
    for trial in course.trials:
        yield dated(InputKind.TRIAL, trial.drug or trial.atc, trial.words, "", trial.started_at)
        if trial.judged_total is not None:
            what = f"{course.instrument}, trial {trial.number}"
            yield dated(
                *(InputKind.JUDGING_RATING, what, trial.judged_total, "{score}", trial.judged_at)
            )


def _as_reported(value: float, comparator: str) -> float | str:
    return f"{comparator} {value:g}" if comparator else value


_RESTS_ON: dict[EvidenceKind, tuple[Constant, ...]] = {
    EvidenceKind.PRIOR: (
        evidence.TRD_PREVALENCE,
        evidence.TRD_PREVALENCE_LOW,
        evidence.TRD_PREVALENCE_HIGH,
    ),
    EvidenceKind.SYMPTOMS: (
        evidence.EARLY_IMPROVEMENT_SHARE,
        evidence.EARLY_SENSITIVITY,
        evidence.EARLY_SPECIFICITY,
        evidence.EARLY_NON_IMPROVEMENT_LOG_ODDS,
        evidence.EARLY_IMPROVEMENT_LOG_ODDS,
    ),
    EvidenceKind.BIOMARKER: (
        evidence.SEED_N_RESISTANT,
        evidence.SEED_N_REMITTED,
        evidence.CONTRAST_LN,
        evidence.CONTRAST_SHRINKAGE,
        evidence.BIOMARKER_CAP,
        evidence.CVI_SIL6R,
        evidence.CVA_SIL6R,
    ),
    EvidenceKind.CAUTION: (evidence.CONTRAST_SE,),
}


def _citations(estimate: Estimate, rules: Rules) -> Iterator[Citation]:
    yield Citation(f"rules {rules.version}", None, "", "", rules.source, rules.effective_from)
    for part in estimate.contributions:
        for each in _RESTS_ON.get(part.evidence, ()):
            yield Citation(
                each.name, each.value, each.unit, each.grade.value, each.source, each.read_on
            )
    for line in estimate.trajectories:
        if line.assay_cv is not None:
            name = f"assay variation of {line.analyte} by this kit, for the limits of change"
            why = "stated by the laboratory in its profile; the model itself keeps its own figure"
            yield Citation(name, line.assay_cv, "1", "", why, None)
    if estimate.course is not None and estimate.course.instrument in INSTRUMENTS:
        scale = INSTRUMENTS[estimate.course.instrument]
        for source in scale.sources:
            name = f"{scale.code}: {source.what}"
            yield Citation(name, None, "", source.grade, source.source, None)
    if estimate.course is not None and estimate.course.staging is not None:
        for name, text, grade in STAGING_SOURCES:
            yield Citation(name, None, "", grade, text, None)


def _changes(estimate: Estimate, rules: Rules) -> Iterator[Change]:
    p, without = estimate.probability, estimate.probability_without_biomarker
    if p is not None and without is not None:
        facts: dict[str, Fact] = {"probability": without, "difference": p - without}
        yield Change(Lever.WITHOUT_BIOMARKER, facts)
    yield from _by_rating(estimate, rules)
    yield from _by_trials(estimate, rules)
    yield from _by_draws(estimate)


def _by_rating(estimate: Estimate, rules: Rules) -> Iterator[Change]:
    course = estimate.course
    known = {part.evidence for part in estimate.contributions}
    if estimate.probability is not None and EvidenceKind.SYMPTOMS not in known:
        yield Change(
            Lever.FIRST_RATING, {"from_day": rules.early_from_days, "to_day": rules.early_to_days}
        )
    trial = None if course is None else current_trial(course.trials)
    if course is None or trial is None:
        return
    baseline = trial.baseline_total
    kinds = {flag.kind for flag in estimate.wanted_flags}
    for kind, lever, share in (
        (
            FlagKind.EARLY_NON_IMPROVEMENT,
            Lever.RATING_FOR_EARLY_IMPROVEMENT,
            rules.early_improvement,
        ),
        (
            FlagKind.TRENDING_TO_RESISTANCE,
            Lever.RATING_FOR_NO_FAILURE,
            rules.failure_improvement,
        ),
    ):
        if kind in kinds and baseline is not None:
            at_most = floor(baseline * (1 - share) + _ROUNDING)
            yield Change(lever, {"instrument": course.instrument, "at_most": at_most})
    if course.instrument in INSTRUMENTS:
        limit = INSTRUMENTS[course.instrument].remission_at_most
        if course.latest_total is None or course.latest_total > limit:
            facts: dict[str, Fact] = {"instrument": course.instrument, "at_most": limit}
            yield Change(Lever.RATING_FOR_REMISSION, facts)


def _by_trials(estimate: Estimate, rules: Rules) -> Iterator[Change]:
    course = estimate.course
    if course is None:
        return
    if course.failed_trials == rules.failed_trials - 1:
        yield Change(Lever.ONE_MORE_FAILED_TRIAL, {"rules": rules.version})
    for trial in course.trials:
        if trial.adequacy is Adequacy.UNKNOWN:
            yield Change(Lever.RECORD_DOSE, {"trial": trial.number, "drug": trial.drug})


def _by_draws(estimate: Estimate) -> Iterator[Change]:
    cautions = sum(part.validity == Validity.CAUTION for part in estimate.left_out)
    if cautions:
        yield Change(Lever.OVERRIDE_CAUTION, {"results": cautions})
    held = sum(part.reasons == (Reason.IMPLAUSIBLE.value,) for part in estimate.left_out)
    if held:
        yield Change(Lever.CONFIRM_RESULT, {"results": held})
    scored = max((line.n_scored for line in estimate.trajectories), default=0)
    if scored < CURRENT_POLICY.rise_draws:
        facts: dict[str, Fact] = {"scored": scored, "needed": CURRENT_POLICY.rise_draws}
        yield Change(Lever.MORE_DRAWS, facts)
