"""Spells the columns of a cohort out as the values of each patient."""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from analytics.columns import ANALYTES, COMPARATORS, UNITS
from analytics.courses import Courses
from analytics.elementwise import expit
from analytics.findings import (
    Contribution,
    EvidenceKind,
    Fact,
    LeftOut,
    ScoredDraw,
    Trajectory,
)
from analytics.mixtures import StraightLine
from analytics.reasons import MEANINGLESS, reason_codes, validity_of
from analytics.releases import Release
from analytics.risk import Risk
from analytics.tables import Bools, Floats, Ints
from analytics.tracks import Tracks
from analytics.validity import Readings


def read_contributions(
    risk: Risk, courses: Courses, tracks: Tracks, release: Release, is_estimated: Bools
) -> Iterator[tuple[Contribution, ...]]:
    """Give each patient's pieces of evidence, in the order in which they add up.

    Parameters
    ----------
    risk, courses, tracks, release
        What the pieces are made of.
    is_estimated : array of bool
        Who has an estimate; the others get no pieces.

    Yields
    ------
    tuple of Contribution
    """
    prior = Contribution(
        EvidenceKind.PRIOR,
        risk.prior,
        {"prevalence": release.evidence.prevalence, "basis": release.basis},
    )
    names = release.informative
    marker_facts = [_marker_facts(tracks, name) for name in names]
    local = Contribution(
        EvidenceKind.LOCAL_PREVALENCE,
        risk.local,
        {"prevalence": float(expit(risk.prior + risk.local))},
    )
    known_to_all = (prior, local) if release.is_recalibrated else (prior,)
    rows = zip(
        is_estimated.tolist(),
        courses.early.tolist(),
        risk.symptoms.tolist(),
        zip(*(piece.tolist() for piece in risk.pieces), strict=True),
        risk.marker_sd.tolist(),
        risk.caution.tolist(),
        strict=True,
    )
    for place, (known, early, symptoms, weights, marker_sd, caution) in enumerate(rows):
        if not known:
            yield ()
            continue
        pieces = [*known_to_all]
        if early >= 0:
            facts = _symptom_facts(courses, place)
            pieces.append(Contribution(EvidenceKind.SYMPTOMS, symptoms, facts))
        unsure: dict[str, Fact] = {"log_odds_sd": marker_sd}
        own = [
            Contribution(EvidenceKind.BIOMARKER, weight, facts[place] | unsure)
            for facts, weight in zip(marker_facts, weights, strict=True)
            if place in facts
        ]
        if own:
            own.append(Contribution(EvidenceKind.CAUTION, caution, unsure))
        yield (*pieces, *own)


def _marker_facts(tracks: Tracks, name: str) -> dict[int, dict[str, Fact]]:
    mine = np.flatnonzero((tracks.analyte == ANALYTES.index(name)) & (tracks.n_scored > 0))
    rows = zip(
        tracks.patient[mine].tolist(),
        np.exp(tracks.standing.level[mine]).tolist(),
        tracks.standing.slope[mine].tolist(),
        tracks.standing.rising[mine].tolist(),
        tracks.n_scored[mine].tolist(),
        strict=True,
    )
    return {
        place: {
            "analyte": name,
            "unit": UNITS[name],
            "level": level,
            "slope_per_week": slope,
            "probability_rising": rising,
            "n_scored": n_scored,
        }
        for place, level, slope, rising, n_scored in rows
    }


def _symptom_facts(courses: Courses, place: int) -> dict[str, Fact]:
    baseline, total = float(courses.baseline_total[place]), float(courses.early_total[place])
    return {
        "instrument": courses.instruments[int(courses.instrument[place])],
        "baseline_total": baseline,
        "total": total,
        "improvement": 1 - total / baseline,
        "is_improved": int(courses.early[place] == 0),
        "rated_at": moment_of(int(courses.early_us[place])).isoformat(),
    }


def read_trajectories(
    tracks: Tracks, readings: Readings, segments: tuple[str, ...]
) -> dict[int, tuple[Trajectory, ...]]:
    """Give each patient's trajectories, one per analyte with a scored result.

    Parameters
    ----------
    tracks, readings
        The columns.
    segments : tuple of str
        Names of the segments.

    Returns
    -------
    dict
        By position of the patient.
    """
    keep = np.flatnonzero(tracks.n_scored > 0)
    found: dict[int, tuple[Trajectory, ...]] = {}
    draws = _scored_draws(readings)
    rows = zip(
        tracks.patient[keep].tolist(),
        tracks.analyte[keep].tolist(),
        tracks.segment[keep].tolist(),
        _levels(tracks, keep),
        _latest(tracks, readings, keep),
        _lines(tracks, keep),
        _changes(tracks, readings, keep),
        strict=True,
    )
    for place, analyte, segment, levels, latest, line, changes in rows:
        name = ANALYTES[analyte]
        found[place] = (
            *found.get(place, ()),
            Trajectory(
                *(name, UNITS[name], segments[segment]),
                *(*levels, *latest, *line, *changes, tuple(draws.get((place, analyte), ()))),
            ),
        )
    return found


def _scored_draws(readings: Readings) -> dict[tuple[int, int], list[ScoredDraw]]:
    """Give the scored results by patient and analyte, in order of time."""
    keep = np.flatnonzero(readings.is_scored)
    found: dict[tuple[int, int], list[ScoredDraw]] = {}
    rows = zip(
        readings.patient[keep].tolist(),
        readings.analyte[keep].tolist(),
        readings.drawn_us[keep].tolist(),
        readings.value[keep].tolist(),
        readings.comparator[keep].tolist(),
        strict=True,
    )
    for place, analyte, us, value, code in rows:
        found.setdefault((place, analyte), []).append((us, value, COMPARATORS[code]))
    return found


_Levels = tuple[datetime, float, float, float, float, float, float, float]
_Latest = tuple[int, int, int, float, str, datetime]
_OneLine = tuple[float, float, float, float]
_Line = tuple[tuple[_OneLine, ...], float | None, tuple[float, float, float], float]
_Change = tuple[
    float | None,
    int,
    float | None,
    float | None,
    float | None,
    float | None,
    float | None,
    bool,
    float | None,
    float | None,
]


def _levels(tracks: Tracks, keep: Ints) -> Iterator[_Levels]:
    standing = tracks.standing
    return zip(
        _moments(tracks.origin_us[keep]),
        np.exp(standing.level[keep]).tolist(),
        np.exp(standing.level_low[keep]).tolist(),
        np.exp(standing.level_high[keep]).tolist(),
        standing.slope[keep].tolist(),
        standing.slope_low[keep].tolist(),
        standing.slope_high[keep].tolist(),
        standing.rising[keep].tolist(),
        strict=True,
    )


def _latest(tracks: Tracks, readings: Readings, keep: Ints) -> Iterator[_Latest]:
    row = tracks.latest[keep]
    return zip(
        tracks.n_draws[keep].tolist(),
        tracks.n_scored[keep].tolist(),
        tracks.n_censored[keep].tolist(),
        readings.value[row].tolist(),
        [COMPARATORS[code] for code in readings.comparator[row].tolist()],
        _moments(readings.drawn_us[row]),
        strict=True,
    )


def _lines(tracks: Tracks, keep: Ints) -> Iterator[_Line]:
    """Give the lines of both groups where they differ, else the one."""
    lines = tracks.lines
    share = lines.share[keep]
    bend = None if np.isinf(lines.bend_weeks) else lines.bend_weeks
    rows = zip(
        share.tolist(),
        _line_rows(share, lines.resistant, keep),
        _line_rows(1 - share, lines.remitting, keep),
        zip(
            lines.v00[keep].tolist(),
            lines.v01[keep].tolist(),
            lines.v11[keep].tolist(),
            strict=True,
        ),
        lines.residual[keep].tolist(),
        strict=True,
    )
    for weight, one, other, covariance, residual in rows:
        yield (one, other) if weight > 0 else (other,), bend, covariance, residual


def _line_rows(share: Floats, line: StraightLine, keep: Ints) -> Iterator[_OneLine]:
    return zip(
        share.tolist(),
        line.level[keep].tolist(),
        line.slope[keep].tolist(),
        line.after[keep].tolist(),
        strict=True,
    )


def _changes(tracks: Tracks, readings: Readings, keep: Ints) -> Iterator[_Change]:
    """Give changes as fractions; None while there is no set-point to compare with."""
    changes = tracks.changes
    limit, change = changes.limit[keep], changes.since_set_point[keep]
    rows = zip(
        np.exp(changes.set_point[keep]).tolist(),
        changes.set_point_draws[keep].tolist(),
        np.expm1(changes.since_first[keep]).tolist(),
        np.expm1(changes.since_previous[keep]).tolist(),
        np.expm1(change).tolist(),
        np.expm1(-limit).tolist(),
        np.expm1(limit).tolist(),
        (np.abs(change) > limit).tolist(),
        changes.innovation[keep].tolist(),
        [None if cv != cv else cv for cv in readings.assay_cv[tracks.latest[keep]].tolist()],
        strict=True,
    )
    return (row if row[1] else _NO_CHANGE for row in rows)


_NO_CHANGE = (None, 0, None, None, None, None, None, False, None, None)


def read_left_out(readings: Readings) -> dict[int, tuple[LeftOut, ...]]:
    """Give each patient's results that were seen and not scored.

    Parameters
    ----------
    readings : Readings
        Judged results.

    Returns
    -------
    dict
        By position of the patient.
    """
    return _spell_out(readings, readings.reasons)


def read_waived(readings: Readings) -> dict[int, tuple[LeftOut, ...]]:
    """Give each patient's results that are scored by a person's word, with the cautions waived.

    Parameters
    ----------
    readings : Readings
        Judged results.

    Returns
    -------
    dict
        By position of the patient.
    """
    return _spell_out(readings, readings.waived)


def _spell_out(readings: Readings, masks: Ints) -> dict[int, tuple[LeftOut, ...]]:
    rows = np.flatnonzero(masks)
    found: dict[int, tuple[LeftOut, ...]] = {}
    for place, analyte, us, mask in zip(
        readings.patient[rows].tolist(),
        readings.analyte[rows].tolist(),
        readings.drawn_us[rows].tolist(),
        masks[rows].tolist(),
        strict=True,
    ):
        drawn_at, name = moment_of(us), ANALYTES[analyte]
        reasons = tuple(code.value for code in reason_codes(mask))
        part = LeftOut(
            what=f"{name} {drawn_at:%Y-%m-%d}",
            reason=reasons[0],
            reasons=reasons,
            analyte=name,
            drawn_at=drawn_at,
            is_plotted=not mask & MEANINGLESS,
            validity=validity_of(mask).value,
        )
        found[place] = (*found.get(place, ()), part)
    return found


def moment_of(us: int) -> datetime:
    """Turn microseconds since 1970 UTC into a moment.

    Parameters
    ----------
    us : int
        Microseconds.

    Returns
    -------
    datetime
        In UTC.
    """
    return datetime.fromtimestamp(us // 1_000_000, tz=UTC).replace(microsecond=us % 1_000_000)


def _moments(us: Ints) -> list[datetime]:
    naive = us.view("datetime64[us]").tolist() if len(us) else []
    return [moment.replace(tzinfo=UTC) for moment in naive]
