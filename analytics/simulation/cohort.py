"""A cohort with known truth under one of four scenarios, from a seed."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.random import Generator, SeedSequence, default_rng

from analytics.scalars import is_real, is_whole
from analytics.simulation.laboratory import DRAW_WEEKS, measure, sample_draws
from analytics.simulation.people import sample_people, true_score
from analytics.simulation.priors import Scenario, SimulationPriors
from analytics.simulation.symptoms import RATING_WEEKS, sample_ratings
from analytics.simulation.tables import FloatArray, SimulatedCohort
from analytics.simulation.treatment import sample_events, sample_trials

PARTS = ("people", "draws", "ratings", "trials", "events", "results")
REMISSION_SCORE = 5.5  # a latent score below it is read as 5 or less: QIDS-SR16 remission [V]
MOST_PATIENTS, MOST_WEEKS = 10_000_000, 520
DEFAULT_PRIORS = SimulationPriors()


class BadSimulation(ValueError):
    """The cohort cannot be simulated as asked; the message names what would be right."""


def simulate_cohort(
    *,
    n_patients: int,
    seed: int,
    scenario: Scenario | str,
    weeks: float = 24.0,
    draw_weeks: Sequence[float] = DRAW_WEEKS,
    rating_weeks: Sequence[float] = RATING_WEEKS,
    priors: SimulationPriors = DEFAULT_PRIORS,
) -> SimulatedCohort:
    """Simulate a synthetic cohort whose truth is known.

    Parameters
    ----------
    n_patients : int
        How many patients, at least 1.
    seed : int
        The same seed, scenario and settings give the same tables, bit for bit.
    scenario : Scenario or str
        "null", "trait", "falls" or "gap": see :class:`Scenario`.
    weeks : float, default: 24
        How long each patient is followed from the first dose.
    draw_weeks, rating_weeks : sequence of float
        Planned visits in weeks since the first dose; those after `weeks` do not happen.
    priors : SimulationPriors
        Every figure that is drawn from; see `PROVENANCE` for sources.

    Returns
    -------
    SimulatedCohort
        Tables in days since the first dose, with the truth beside them.

    Raises
    ------
    BadSimulation
        A setting is outside what it can mean.
    """
    chosen = checked_scenario(scenario)
    if not is_whole(n_patients, least=1) or n_patients > MOST_PATIENTS:
        raise BadSimulation(
            f"n_patients is {n_patients}; it must be at least 1, a whole number, and "
            f"{MOST_PATIENTS:,} at most"
        )
    if not (is_real(weeks) and 0 < weeks <= MOST_WEEKS):
        raise BadSimulation(
            f"weeks is {weeks}; it must be greater than 0, and {MOST_WEEKS} at most"
        )
    if not isinstance(priors, SimulationPriors):
        raise BadSimulation(f"priors is {type(priors).__name__}; it must be SimulationPriors")
    for name, visits in (("draw_weeks", draw_weeks), ("rating_weeks", rating_weeks)):
        _check_visits(name, visits)
    rngs = generators(seed)
    patients, truth = sample_people(
        n_patients=n_patients, scenario=chosen, priors=priors, days=7 * weeks, rng=rngs["people"]
    )
    events = sample_events(
        truth,
        followed_days=patients["followed_days"].to_numpy(),
        priors=priors,
        rng=rngs["events"],
    )
    return realise(
        patients=patients.assign(story=""),
        truth=truth,
        events=events,
        scenario=chosen,
        seed=seed,
        priors=priors,
        visits=(draw_weeks, rating_weeks),
        rngs=rngs,
    )


def realise(
    *,
    patients: pd.DataFrame,
    truth: pd.DataFrame,
    events: pd.DataFrame,
    scenario: Scenario,
    seed: int,
    priors: SimulationPriors,
    visits: tuple[Sequence[float], Sequence[float]],
    rngs: dict[str, Generator],
) -> SimulatedCohort:
    """Let people with a known truth be drawn, rated and treated."""
    followed = patients["followed_days"].to_numpy(dtype=float)
    draws = sample_draws(patients, at_weeks=visits[0], priors=priors, rng=rngs["draws"])
    ratings = sample_ratings(
        truth, followed_days=followed, at_weeks=visits[1], priors=priors, rng=rngs["ratings"]
    )
    trials, steps = sample_trials(truth, followed_days=followed, priors=priors, rng=rngs["trials"])
    results = measure(
        draws, patients=patients, truth=truth, events=events, priors=priors, rng=rngs["results"]
    )
    interfered = patients["patient"].isin(events.loc[events["kind"] == "il6r_blocker", "patient"])
    patients = patients.assign(course=patients["course"].mask(interfered, "interfered"))
    return SimulatedCohort(
        scenario=scenario,
        seed=seed,
        priors=priors,
        patients=patients,
        draws=draws,
        results=results,
        ratings=ratings,
        trials=trials,
        dose_steps=steps,
        events=events,
        truth=truth.assign(resolved_day=_first_remission(truth, followed)),
    )


def generators(seed: int) -> dict[str, Generator]:
    """Give one independent stream per part, so that a change in one leaves the others alone.

    Parameters
    ----------
    seed : int
        0 or a positive whole number.

    Returns
    -------
    dict
        A generator for each of :data:`PARTS`.

    Raises
    ------
    BadSimulation
        The seed is none.
    """
    if not is_whole(seed, least=0):
        raise BadSimulation(f"seed is {seed}; it must be 0 or a positive whole number")
    streams = SeedSequence(seed).spawn(len(PARTS))
    return {part: default_rng(stream) for part, stream in zip(PARTS, streams, strict=True)}


def checked_scenario(scenario: Scenario | str) -> Scenario:
    """Read the name of a scenario, or refuse it."""
    try:
        return Scenario(scenario)
    except (ValueError, TypeError):
        known = ", ".join(repr(str(each)) for each in Scenario)
        raise BadSimulation(f"scenario is {scenario!r}; it must be one of {known}") from None


def _check_visits(name: str, visits: Sequence[float]) -> None:
    if np.ndim(visits) != 1:  # a bare word has none
        raise BadSimulation(f"{name} is {visits!r}; it must be a list of weeks")
    for place, week in enumerate(visits):
        if not (is_real(week) and week >= 0):
            raise BadSimulation(f"{name}[{place}] is {week}; a visit is at week 0 or later")
    if any(b <= a for a, b in pairwise(visits)):
        raise BadSimulation(f"{name} is {list(visits)}; visits must rise, each week once")


def _first_remission(truth: pd.DataFrame, followed: FloatArray) -> FloatArray:
    """First day on which the latent score is in remission; NaN if none while followed."""
    first = np.full(len(truth), np.nan)
    for day in range(int(followed.max(initial=0)), -1, -1):
        score = true_score(truth, np.full(len(truth), day / 7))
        first = np.where((score < REMISSION_SCORE) & (day <= followed), float(day), first)
    return first
