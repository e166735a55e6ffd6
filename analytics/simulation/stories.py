"""The demo's stories: who is cast for each, and what is set so that it shows for every seed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from analytics.simulation.symptoms import qids_total
from analytics.simulation.tables import SimulatedCohort

NEVER = float("nan")


@dataclass(frozen=True)
class StoryEvent:
    """An event that the story needs."""

    kind: str
    start_day: float
    stop_day: float = NEVER
    atc: str = ""


@dataclass(frozen=True)
class Cast:
    """Which course the story is told in, and what is set in the truth of its patient."""

    course: str
    latent: str
    improves_early: bool
    followed_days: float = 168.0
    truth: Mapping[str, float] = field(default_factory=dict)
    events: tuple[StoryEvent, ...] = ()


_FLAT = {"slope_per_week": 0.0, "within_cv": 0.08}
STORIES: Mapping[str, Cast] = {
    # sIL-6R multiplies under tocilizumab; the readings after it mean nothing.
    "il6r_blocker": Cast(
        "interfered",
        "resistant",
        improves_early=False,
        events=(StoryEvent("il6r_blocker", 70.0, atc="L04AC07"),),
    ),
    # A feverish day: hs-CRP 48 mg/L, IL-6 high, sIL-6R a little up.
    "infection": Cast(
        "interfered",
        "remitting",
        improves_early=True,
        events=(StoryEvent("infection", 52.0, 64.0),),
    ),
    # No event on record, yet hs-CRP says that something is on.
    "unexplained_crp": Cast("interfered", "slow", improves_early=False),
    # No improvement and a steady rise of sIL-6R: the trend the product looks for.
    "drifting_non_improver": Cast(
        "resistant",
        "resistant",
        improves_early=False,
        truth={"slope_per_week": 0.040, "within_cv": 0.05, "person_ln": 3.45},
    ),
    # The marker rises while the symptoms remit: watch, not high.
    "drifting_but_well": Cast(
        "remitting",
        "remitting",
        improves_early=True,
        truth={"slope_per_week": 0.038, "within_cv": 0.05, "person_ln": 3.40},
    ),
    # No improvement under a flat marker: symptoms alone carry the flag.
    "flat_non_improver": Cast("resistant", "resistant", improves_early=False, truth=_FLAT),
    # Remission by week 9, ill again by week 20.
    "relapse": Cast(
        "remitting",
        "remitting",
        improves_early=True,
        truth={
            "baseline_score": 17.0,
            "improved_w8": 0.80,
            "improved_w12": 0.82,
            "improved_w24": -0.05,
        },
    ),
    # The first value was ten times too high; the laboratory corrected it two days later.
    "corrected_result": Cast("remitting", "remitting", improves_early=True, truth=_FLAT),
    # IL-6 below the limit of quantification.
    "censored_il6": Cast("remitting", "remitting", improves_early=True),
    # A value nobody believes: held for checking, never corrected.
    "implausible_result": Cast("noisy", "remitting", improves_early=True, truth=_FLAT),
    # Thoughts of death on the form: item 12 is 2.
    "suicidal_item": Cast("resistant", "resistant", improves_early=False, followed_days=45.0),
    # The last result is preliminary.
    "preliminary_result": Cast("slow", "slow", improves_early=False, followed_days=88.0),
    # Two weeks in, nothing has moved: the earliest moment that says anything.
    "early_non_improver": Cast("resistant", "resistant", improves_early=False, followed_days=17.0),
    "one_draw": Cast("slow", "slow", improves_early=False, followed_days=9.0),
    "no_draw": Cast("slow", "slow", improves_early=False, followed_days=30.0),
}


def apply_stories(cohort: SimulatedCohort) -> SimulatedCohort:
    """Set in the tables what each story needs, whatever chance has dealt."""
    for name, tell in _TELLERS.items():
        key = cohort.patients.loc[cohort.patients["story"] == name, "patient"].iloc[0]
        cohort = tell(cohort, key)
    order = ["patient", "day", "accession"]
    return replace(
        cohort,
        draws=cohort.draws.sort_values(order, ignore_index=True),
        results=cohort.results.sort_values(order, kind="stable", ignore_index=True),
    )


def _near(cohort: SimulatedCohort, key: str, day: float) -> str:
    """Give the accession of the patient's draw nearest to a day."""
    mine = cohort.draws[cohort.draws["patient"] == key]
    nearest = int((mine["day"] - day).abs().to_numpy().argmin())
    return str(mine["accession"].iloc[nearest])


def _reprinted(
    results: pd.DataFrame, *, accession: str, analyte: str, text: str, comparator: str = ""
) -> pd.DataFrame:
    """Print another value for one result."""
    results = results.copy()
    here = (results["accession"] == accession) & (results["analyte"] == analyte)
    results.loc[here, "value_text"] = text
    results.loc[here, "value"] = float(text)
    results.loc[here, "comparator"] = comparator
    results.loc[here, "latent_value"] = float(text)
    return results


def _drawn_again(cohort: SimulatedCohort, key: str, day: float) -> SimulatedCohort:
    """Move the patient's nearest draw onto a day, in good condition, with all four analytes."""
    accession = _near(cohort, key, day)
    draws, results = cohort.draws.copy(), cohort.results.copy()
    draws.loc[draws["accession"] == accession, ["day", "is_haemolysed"]] = [day, False]
    here = results["accession"] == accession
    results.loc[here, "reported_day"] += day - results.loc[here, "day"]
    results.loc[here, "day"] = day
    whole = results.groupby("accession")["analyte"].transform("nunique") == 4
    lacking = sorted({"sIL-6R", "IL-6", "TNF-α", "hs-CRP"} - set(results.loc[here, "analyte"]))
    added = results[whole & ~here & results["analyte"].isin(lacking)].drop_duplicates("analyte")
    mine = results[here].iloc[0]
    for column in ("accession", "patient", "day", "reported_day", "segment"):
        added = added.assign(**{column: mine[column]})
    table = pd.concat([results, added], ignore_index=True)
    return replace(cohort, draws=draws, results=table)


def _infection(cohort: SimulatedCohort, key: str) -> SimulatedCohort:
    cohort = _drawn_again(cohort, key, 56.05)
    accession = _near(cohort, key, 56.05)
    results = _reprinted(cohort.results, accession=accession, analyte="hs-CRP", text="48.0")
    results = _reprinted(results, accession=accession, analyte="IL-6", text="14.60")
    return replace(cohort, results=results)


def _unexplained_crp(cohort: SimulatedCohort, key: str) -> SimulatedCohort:
    cohort = _drawn_again(cohort, key, 112.05)
    accession = _near(cohort, key, 112.05)
    results = _reprinted(cohort.results, accession=accession, analyte="hs-CRP", text="22.5")
    return replace(cohort, results=results)


def _censored_il6(cohort: SimulatedCohort, key: str) -> SimulatedCohort:
    cohort = _drawn_again(cohort, key, 84.05)
    limit = f"{cohort.priors.il6_limit:.2f}"
    results = _reprinted(
        cohort.results,
        accession=_near(cohort, key, 84.05),
        analyte="IL-6",
        text=limit,
        comparator="<",
    )
    return replace(cohort, results=results)


def _corrected_result(cohort: SimulatedCohort, key: str) -> SimulatedCohort:
    cohort = _drawn_again(cohort, key, 84.05)
    results = cohort.results
    accession = _near(cohort, key, 84.05)
    here = (results["accession"] == accession) & (results["analyte"] == "sIL-6R")
    right = results[here].assign(status="corrected")
    right["reported_day"] += 2.0
    wrong = f"{float(right['value'].iloc[0]) * 10:.1f}"
    results = _reprinted(results, accession=accession, analyte="sIL-6R", text=wrong)
    results = pd.concat([results, right], ignore_index=True)
    return replace(cohort, results=results)


def _implausible_result(cohort: SimulatedCohort, key: str) -> SimulatedCohort:
    cohort = _drawn_again(cohort, key, 140.05)
    accession = _near(cohort, key, 140.05)
    results = _reprinted(cohort.results, accession=accession, analyte="sIL-6R", text="151.0")
    return replace(cohort, results=results)


def _suicidal_item(cohort: SimulatedCohort, key: str) -> SimulatedCohort:
    ratings = cohort.ratings.copy()
    mine = ratings[(ratings["patient"] == key) & (ratings["day"] <= 45)]
    ratings.loc[mine.index[-1], "q12"] = 2
    ratings["total"] = qids_total(ratings)
    return replace(cohort, ratings=ratings)


def _preliminary_result(cohort: SimulatedCohort, key: str) -> SimulatedCohort:
    cohort = _drawn_again(cohort, key, 84.05)
    results = cohort.results.copy()
    here = results["accession"] == _near(cohort, key, 84.05)
    results.loc[here, "status"] = "preliminary"
    return replace(cohort, results=results)


def _one_draw(cohort: SimulatedCohort, key: str) -> SimulatedCohort:
    cohort = _drawn_again(cohort, key, 0.05)
    return _without_draws(cohort, key, spare=_near(cohort, key, 0.05))


def _no_draw(cohort: SimulatedCohort, key: str) -> SimulatedCohort:
    return _without_draws(cohort, key, spare="")


def _without_draws(cohort: SimulatedCohort, key: str, *, spare: str) -> SimulatedCohort:
    draws, results = cohort.draws, cohort.results
    return replace(
        cohort,
        draws=draws[(draws["patient"] != key) | (draws["accession"] == spare)],
        results=results[(results["patient"] != key) | (results["accession"] == spare)],
    )


_TELLERS: Mapping[str, Callable[[SimulatedCohort, str], SimulatedCohort]] = {
    "infection": _infection,
    "unexplained_crp": _unexplained_crp,
    "censored_il6": _censored_il6,
    "corrected_result": _corrected_result,
    "implausible_result": _implausible_result,
    "suicidal_item": _suicidal_item,
    "preliminary_result": _preliminary_result,
    "one_draw": _one_draw,
    "no_draw": _no_draw,
}
