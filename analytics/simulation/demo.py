"""The demo cohort: sixty synthetic people, a few of them with a story worth showing."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.random import Generator

from analytics.simulation.cohort import generators, realise
from analytics.simulation.laboratory import DRAW_WEEKS
from analytics.simulation.people import SEGMENT, describe, set_scenario, truth_of
from analytics.simulation.priors import Scenario, SimulationPriors
from analytics.simulation.stories import STORIES, apply_stories
from analytics.simulation.symptoms import RATING_WEEKS
from analytics.simulation.tables import SimulatedCohort
from analytics.simulation.treatment import make_events

# Fewer gaps than in a research simulation, so that a first look shows whole courses; and a lot
# lasts four months, as where a laboratory buys for a year, so that few draws are the first of one.
DEMO_PRIORS = SimulationPriors(
    missed_draw_share=0.10,
    missed_rating_share=0.05,
    intolerance_share=0.05,
    haemolysis_share=0.02,
    lot_weeks=18.0,
)
COURSES: Mapping[str, int] = {
    "remitting": 22,
    "slow": 11,
    "resistant": 13,
    "noisy": 7,
    "interfered": 7,
}
# What disturbs the readings of the interfered, besides those whose story says it.
DISTURBANCES = ("infection", "surgery", "ect", "steroid", "vaccination", "infection")
FULL_DAYS = 168.0


def simulate_demo_cohort(*, seed: int) -> SimulatedCohort:
    """Simulate the demo cohort: 60 synthetic patients over up to 24 weeks.

    Parameters
    ----------
    seed : int
        The same seed gives the same cohort, bit for bit. The stories hold for every seed.

    Returns
    -------
    SimulatedCohort
        Under the scenario "gap". `patients.story` names what a patient is there to show (the
        keys of `STORIES`) and is "" for the rest. About two thirds have been followed for 24
        weeks, the others for less; nothing is known after `patients.followed_days`, so the
        caller places each first dose that many days before the present.

    Raises
    ------
    BadSimulation
        The seed is negative.
    """
    rngs = generators(seed)
    patients, truth = _cast(rngs["people"])
    events = _disturbances(patients, rngs["events"])
    # A story is told on a whole course and cut afterwards, so that chance cannot take its draw.
    whole = patients["followed_days"].mask(patients["story"] != "", FULL_DAYS)
    cohort = realise(
        patients=patients.assign(followed_days=whole),
        truth=truth,
        events=events,
        scenario=Scenario.GAP,
        seed=seed,
        priors=DEMO_PRIORS,
        visits=(DRAW_WEEKS, RATING_WEEKS),
        rngs=rngs,
    )
    told = apply_stories(replace(cohort, patients=patients))
    return told.known_by(patients.set_index("patient")["followed_days"])


def _cast(rng: Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give every patient a course, a story if there is one, and a time of following."""
    shown = np.repeat(list(COURSES), list(COURSES.values()))
    n = len(shown)
    latent = np.where(np.isin(shown, ["noisy", "interfered"]), "", shown)
    fill = rng.choice(["remitting", "slow", "resistant"], n, p=[0.5, 0.2, 0.3])
    course = np.where(latent == "", fill, latent)
    improves = (course == "remitting") | ((course == "resistant") & (rng.random(n) < 0.4))
    story = np.full(n, "", dtype=object)
    for name, cast in STORIES.items():
        free = np.flatnonzero((shown == cast.course) & (story == ""))
        place = free[0]
        story[place], course[place], improves[place] = name, cast.latent, cast.improves_early
    truth = truth_of(course=course, improves_early=improves, priors=DEMO_PRIORS, rng=rng)
    noisy = shown == "noisy"
    truth["is_noisy"] = noisy
    cv = np.where(noisy, DEMO_PRIORS.noisy_within_cv, DEMO_PRIORS.sil6r_within_cv)
    truth["within_cv"] = cv
    set_scenario(truth, scenario=Scenario.GAP, priors=DEMO_PRIORS)
    days = np.where(rng.random(n) < 0.65, FULL_DAYS, np.floor(rng.uniform(10, 160, n)))
    days = np.where(story == "", days, [_story_days(name) for name in story])
    for name, cast in STORIES.items():
        for column, value in cast.truth.items():
            truth.loc[story == name, column] = value
    patients = describe(truth["patient"].to_numpy(), days=days, rng=rng)
    # The present is the same day for all, so who has been followed longer came in earlier.
    patients["enrolled_day"] = FULL_DAYS - patients["followed_days"]
    patients.insert(1, "course", shown)
    return patients.assign(segment=SEGMENT, story=story.astype(str)), truth


def _story_days(name: str) -> float:
    return STORIES[name].followed_days if name else FULL_DAYS


def _disturbances(patients: pd.DataFrame, rng: Generator) -> pd.DataFrame:
    """Disturb the interfered without a story, each in its own way; the stories bring theirs."""
    plain = patients[(patients["course"] == "interfered") & (patients["story"] == "")]
    tables = []
    for place, (key, days) in enumerate(zip(plain["patient"], plain["followed_days"], strict=True)):
        start = np.round(np.array([min(days * 0.5, 56.0)]))
        tables.append(
            make_events(
                patients=np.array([key]),
                kind=DISTURBANCES[place % len(DISTURBANCES)],
                start=start,
                stop=start + 12.0,
                rng=rng,
            )
        )
    for name, cast in STORIES.items():
        keys = patients.loc[patients["story"] == name, "patient"].to_numpy()
        tables.extend(
            make_events(
                patients=keys,
                kind=event.kind,
                start=np.array([event.start_day]),
                stop=np.array([event.stop_day]),
                rng=rng,
                atc=event.atc,
            )
            for event in cast.events
        )
    return pd.concat(tables, ignore_index=True)
