"""The front door: a history in, one frozen estimate per patient out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from math import exp, isnan
from typing import Any

import numpy as np
import pandas as pd

from analytics.allocation import ALLOCATIONS, allocate
from analytics.columns import ANALYTES, GENOTYPES, SIL6R, freeze
from analytics.course_readouts import read_courses
from analytics.courses import Courses, assess_courses
from analytics.definitions import RULES, STATES, ClinicalState, Rules
from analytics.elementwise import FEW, entry_by_entry, where
from analytics.estimate import Estimate, Outcome
from analytics.genotype import GenotypeZ, genotype_adjusted
from analytics.histories import History
from analytics.known import known_by
from analytics.looks import among_all
from analytics.moments import microseconds as to_microseconds
from analytics.policy import CURRENT_POLICY, Policy, Signs, WantedFlag, wanted_flags
from analytics.readouts import read_contributions, read_left_out, read_trajectories, read_waived
from analytics.releases import Release, load_shipped, mark_of
from analytics.risk import Risk, assess_risk
from analytics.tables import NEVER, Bools, Floats, Ints, column_of
from analytics.tracking import follow
from analytics.tracks import Tracks
from analytics.validity import Readings, read

CURRENT_RELEASE = load_shipped("published-prior-1")
_SIL6R = ANALYTES.index(SIL6R)


OUTCOMES = tuple(Outcome)
_ESTIMATED, _RULE_MET, _NOT_ENOUGH, _NOT_ASSESSABLE = range(len(OUTCOMES))
_MEETS_RULE = STATES.index(ClinicalState.MEETS_TRD_RULE)


@dataclass(frozen=True)
class Estimates:
    """The estimates of a cohort, sorted by patient_id; iterating gives each :class:`Estimate`.

    The numbers are held in columns that nobody can write to; :attr:`table` shows them as a
    DataFrame of one's own.
    """

    history: History = field(repr=False)
    outcome: Ints
    courses: Courses = field(repr=False)
    risk: Risk = field(repr=False)
    allocation: Ints = field(repr=False)
    tracks: Tracks = field(repr=False)
    readings: Readings = field(repr=False)
    segments: tuple[str, ...] = field(repr=False)
    flags: dict[int, tuple[WantedFlag, ...]] = field(repr=False)
    release: Release = field(repr=False)
    policy: Policy = field(repr=False)
    rules: Rules = field(repr=False)
    at_us: int = field(repr=False)  # since 1970 UTC

    def __post_init__(self) -> None:
        """Freeze the numbers, not the attributes alone."""
        freeze(self.outcome, self.courses, self.risk, self.allocation, self.readings)
        freeze(*vars(self.tracks).values())

    @property
    def patient_ids(self) -> Ints:
        """Give the ids of the patients, in order."""
        return self.history.patient_ids

    def __len__(self) -> int:
        """Count the patients."""
        return len(self.patient_ids)

    @cached_property
    def _columns(self) -> dict[str, Any]:
        risk, known = self.risk, self.outcome == _ESTIMATED

        def shown(of: Floats) -> Floats:
            return np.where(known, of, np.nan)

        return {
            "patient_id": self.patient_ids,
            "outcome": np.array([o.value for o in OUTCOMES], dtype=object)[self.outcome],
            "state": np.array([s.value for s in STATES], dtype=object)[self.courses.state],
            "weeks_on_therapy": self.courses.weeks_on_therapy,
            "probability": shown(risk.probability),
            "probability_low": shown(risk.low),
            "probability_high": shown(risk.high),
            "probability_without_biomarker": shown(risk.probability_without),
            "without_biomarker_low": shown(risk.without_low),
            "without_biomarker_high": shown(risk.without_high),
            "prior_log_odds": shown(np.full(len(known), risk.prior)),
            "local_prevalence_log_odds": shown(np.full(len(known), risk.local)),
            "symptoms_log_odds": shown(risk.symptoms),
            **self._marker_columns(shown),
            "caution_log_odds": shown(risk.caution),
            "biomarker_log_odds": shown(risk.marker),
            **self._sil6r_columns(),
        }

    def _marker_columns(self, shown: Callable[[Floats], Floats]) -> dict[str, Any]:
        """Give what each analyte adds; zero for those that tell the groups not apart."""
        pieces = dict(zip(self.release.informative, self.risk.pieces, strict=True))
        none = np.zeros(len(self))
        names = zip(ANALYTES, ("sil6r", "il6", "tnf", "crp"), strict=True)
        return {f"{word}_log_odds": shown(pieces.get(name, none)) for name, word in names}

    def _sil6r_columns(self) -> dict[str, Any]:
        tracks = self.tracks
        mine = np.flatnonzero((tracks.analyte == _SIL6R) & (tracks.n_scored > 0))
        where = tracks.patient[mine]

        def spread(of: Floats) -> Floats:
            column = np.full(len(self), np.nan)
            column[where] = of[mine]
            return column

        counts = np.zeros(len(self), dtype=np.int64)
        counts[where] = tracks.n_scored[mine]
        standing = tracks.standing
        return {
            "sil6r_draws_scored": counts,
            "sil6r_ng_ml": spread(np.exp(standing.level)),
            "sil6r_low_ng_ml": spread(np.exp(standing.level_low)),
            "sil6r_high_ng_ml": spread(np.exp(standing.level_high)),
            "sil6r_slope_per_week": spread(standing.slope),
            "sil6r_slope_low": spread(standing.slope_low),
            "sil6r_slope_high": spread(standing.slope_high),
            "sil6r_probability_rising": spread(standing.rising),
        }

    @property
    def table(self) -> pd.DataFrame:
        """Give one row per patient; a copy, so that nobody changes ours."""
        return pd.DataFrame(self._columns)

    def _genotypes(self) -> dict[int, GenotypeZ]:
        """Place sIL-6R among people of the same genotype, where one is on record."""
        known, tracks, found = self.history.genotype, self.tracks, dict[int, GenotypeZ]()
        if not known.any():
            return found
        marker = self.release.markers[SIL6R]
        mine = (tracks.analyte == _SIL6R) & (tracks.n_scored > 0) & (known[tracks.patient] > 0)
        for row in np.flatnonzero(mine).tolist():
            place, segment = int(tracks.patient[row]), self.segments[int(tracks.segment[row])]
            found[place] = genotype_adjusted(
                exp(float(tracks.standing.level[row])),
                genotype=GENOTYPES[int(known[place])],
                typical_ng_ml=exp(marker.mean[0] + marker.levels.get(segment, 0.0)),
                is_local=segment in marker.levels,
            )
        return found

    def _numbers(self) -> Iterator[tuple[Any, ...]]:
        courses, risk = self.courses, self.risk
        return zip(
            self.patient_ids.tolist(),
            self.outcome.tolist(),
            courses.state.tolist(),
            courses.weeks_on_therapy.tolist(),
            risk.probability.tolist(),
            risk.low.tolist(),
            risk.high.tolist(),
            risk.probability_without.tolist(),
            risk.without_low.tolist(),
            risk.without_high.tolist(),
            self.allocation.tolist(),
            strict=True,
        )

    def __iter__(self) -> Iterator[Estimate]:
        """Give each patient's estimate."""
        courses, risk = self.courses, self.risk
        trajectories = read_trajectories(self.tracks, self.readings, self.segments)
        left_out, waived = read_left_out(self.readings), read_waived(self.readings)
        genotypes, taught = self._genotypes(), self.release.learned_from
        pieces_of = read_contributions(
            risk, courses, self.tracks, self.release, self.outcome == _ESTIMATED
        )
        fixed = self.release.basis, self.release.version, self.policy.version, self.rules.version
        courses_of = read_courses(courses, self.history, at_us=self.at_us, rules=self.rules)
        columns = zip(self._numbers(), pieces_of, courses_of, strict=True)
        for place, (row, pieces, course) in enumerate(columns):
            pid, outcome, state, weeks, p, low, high, without, w_low, w_high, share = row
            known = outcome == _ESTIMATED
            yield Estimate(
                pid,
                OUTCOMES[outcome],
                STATES[state],
                None if isnan(weeks) else weeks,
                p if known else None,
                low if known else None,
                high if known else None,
                without if known else None,
                w_low if known else None,
                w_high if known else None,
                ALLOCATIONS[share] if known else None,
                trajectories.get(place, ()),
                pieces,
                left_out.get(place, ()),
                self.flags.get(place, ()),
                *fixed,
                course,
                waived.get(place, ()),
                genotypes.get(place),
                has_taught=bool(taught) and mark_of(pid, self.release.version) in taught,
            )


def estimate_cohort(
    history: History,
    *,
    at: datetime,
    release: Release = CURRENT_RELEASE,
    policy: Policy = CURRENT_POLICY,
    rules: Rules = RULES,
) -> Estimates:
    """Estimate every patient of a cohort at a moment.

    Deterministic, and independent between patients: a patient's numbers are the same
    bit for bit, alone or among a million, whatever the order of the rows.

    Parameters
    ----------
    history : History
        What is known.
    at : datetime
        The moment, with a time zone; facts that are later are not used.
    release : Release
        The model.
    policy : Policy
        Thresholds of the flags.
    rules : Rules
        The definitions.

    Returns
    -------
    Estimates
        One entry per patient, sorted by patient_id.

    Raises
    ------
    TimeIsNaive
        ``at`` is no datetime, or has no time zone.
    TimeIsOffTheRecord
        ``at`` lies before 1900 or after 2200.
    TypeError
        One of the others is not of its kind: a name instead of a release, a table instead of a
        history.
    """
    at_us = to_microseconds(at)
    _refuse_others(history=history, release=release, policy=policy, rules=rules)
    history = known_by(history, at_us)
    readings, is_blocked = read(history, at_us=at_us)
    courses = assess_courses(history, at_us=at_us, rules=rules)
    started = courses.started
    segments = history.result_columns.segments
    tracks, marker, readings = follow(
        readings,
        started_us=started,
        at_us=at_us,
        segments=segments,
        release=release,
        policy=policy,
    )
    risk = assess_risk(marker, courses.early, release)
    outcome, is_assessed = entry_by_entry(
        _outcome,
        *(started, marker.variance, courses.early, courses.state),
        *(is_blocked, courses.is_bipolar | courses.is_psychotic),
    )
    (marker_z,) = entry_by_entry(
        partial(among_all, release.law.share), marker.value, marker.information
    )
    signs = _signs(tracks, policy, is_assessed.astype(np.bool_), is_blocked, marker_z)
    return Estimates(
        history=history,
        outcome=outcome.astype(np.int64),
        courses=courses,
        risk=risk,
        allocation=allocate(risk, policy),
        tracks=tracks,
        readings=readings,
        segments=segments,
        flags=wanted_flags(signs, risk, courses, policy),
        release=release,
        policy=policy,
        rules=rules,
        at_us=at_us,
    )


_KINDS = {
    "history": (History, "a History(patients=..., results=..., ...)"),
    "release": (Release, "a Release, as load(path) or load_shipped(name) gives it"),
    "policy": (Policy, "a Policy"),
    "rules": (Rules, "Rules, as in RULE_SETS"),
}


def _refuse_others(**given: object) -> None:
    for name, value in given.items():
        kind, wanted = _KINDS[name]
        if not isinstance(value, kind):
            shown = repr(value) if isinstance(value, str) else type(value).__name__
            raise TypeError(f"{name}: {shown}; wanted: {wanted}")


def _outcome(
    started: Any, marker_variance: Any, early: Any, state: Any, is_blocked: Any, is_left_out: Any
) -> tuple[Any, ...]:
    """Give the outcome, and whether a probability is assessed, as floats or entry by entry."""
    in_episode = started != NEVER
    is_out = is_blocked | (is_left_out & in_episode)
    has_evidence = in_episode & ((marker_variance > 0) | (early >= 0))
    otherwise = where(has_evidence, _ESTIMATED, _NOT_ENOUGH)
    outcome = where(is_out, _NOT_ASSESSABLE, where(state == _MEETS_RULE, _RULE_MET, otherwise))
    return outcome, where(is_out, False, has_evidence)  # noqa: FBT003 - what it is if so


def _signs(
    tracks: Tracks, policy: Policy, is_assessed: Bools, is_blocked: Bools, marker_z: Floats
) -> Signs:
    if len(tracks.analyte) <= FEW:
        return _few_signs(tracks, policy, is_assessed, is_blocked, marker_z)
    n_patients, is_sil6r = len(is_blocked), tracks.analyte == _SIL6R
    rise, limit = column_of(np.nan, n_patients), column_of(np.nan, n_patients)
    mine = is_sil6r & (tracks.n_scored >= policy.rise_draws)
    mine &= tracks.changes.span_weeks >= policy.rise_weeks
    of = tracks.patient[mine]
    rise[of], limit[of] = tracks.changes.since_set_point[mine], tracks.changes.limit[mine]
    held = np.zeros(n_patients, dtype=np.bool_)
    held[tracks.patient[tracks.is_latest_held & is_sil6r]] = True
    return Signs(
        is_assessed=is_assessed,
        is_blocked=is_blocked,
        is_held=held,
        rise=rise,
        rise_limit=limit,
        marker_z=marker_z,
    )


def _few_signs(
    tracks: Tracks, policy: Policy, is_assessed: Bools, is_blocked: Bools, marker_z: Floats
) -> Signs:
    """As :func:`_signs`, track by track."""
    changes, size = tracks.changes, len(is_blocked)
    rise, limit, held = [np.nan] * size, [np.nan] * size, [False] * size
    columns = zip(
        tracks.patient.tolist(),
        tracks.analyte.tolist(),
        tracks.n_scored.tolist(),
        tracks.is_latest_held.tolist(),
        changes.span_weeks.tolist(),
        changes.since_set_point.tolist(),
        changes.limit.tolist(),
        strict=True,
    )
    for patient, analyte, count, is_held, weeks, change, most in columns:
        if analyte != _SIL6R:
            continue
        held[patient] = is_held
        if count >= policy.rise_draws and weeks >= policy.rise_weeks:
            rise[patient], limit[patient] = change, most
    return Signs(
        is_assessed=is_assessed,
        is_blocked=is_blocked,
        is_held=np.array(held, dtype=np.bool_),
        rise=np.array(rise, dtype=np.float64),
        rise_limit=np.array(limit, dtype=np.float64),
        marker_z=marker_z,
    )
