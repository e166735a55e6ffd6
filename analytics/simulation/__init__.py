"""Synthetic cohorts with known truth: for tests of the method, and for the demo."""

from analytics.simulation.cohort import (
    DEFAULT_PRIORS,
    BadSimulation,
    generators,
    simulate_cohort,
)
from analytics.simulation.demo import DEMO_PRIORS, simulate_demo_cohort
from analytics.simulation.priors import PROVENANCE, BadPriors, Scenario, SimulationPriors
from analytics.simulation.stories import STORIES
from analytics.simulation.symptoms import qids_total
from analytics.simulation.tables import BadPlacement, HistoryTables, SimulatedCohort

__all__ = [
    "DEFAULT_PRIORS", "DEMO_PRIORS", "PROVENANCE", "STORIES", "BadPlacement", "BadPriors",
    "BadSimulation", "HistoryTables", "Scenario", "SimulatedCohort", "SimulationPriors",
    "generators", "qids_total", "simulate_cohort", "simulate_demo_cohort",
]  # fmt: skip
