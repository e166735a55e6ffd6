"""The statistical core against its yardsticks, in one run: only the ratios count.

Run with `make bench-analytics`; python -m bench.analytics --write puts the table into
docs/reference/performance.md. One thread throughout; times are processor seconds, the best of
several runs taken in turn, so that other work on the machine touches both sides alike. The long
fits of statsmodels are run once.
"""

import os
import platform
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from statsmodels.regression.mixed_linear_model import MixedLM

from analytics import History, estimate_cohort
from analytics.columns import US_PER_WEEK
from analytics.evidence import BETWEEN_SD_SIL6R, CVA_SIL6R, CVI_SIL6R, SLOPE_SD_SIL6R
from analytics.fitting import fit_growth, score_rows, summarise_arrays
from analytics.releases import load_shipped

Floats = npt.NDArray[np.float64]
DRAWS = 8
NATION = 1_000_000
START = pd.Timestamp("2026-01-05", tz="UTC")
GIB = 2**30
PAGE = Path("docs/reference/performance.md")
BEGIN, END = "<!-- the core -->", "<!-- end of the core -->"


@dataclass(frozen=True)
class Rows:
    """Synthetic draws of one marker, in the order of the patients."""

    patient: npt.NDArray[np.int64]
    weeks: Floats
    level: Floats
    is_resistant: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    what: str
    ours: str
    yardstick: str
    ratio: float
    wanted: str
    is_met: bool


def cohort(patients: int, *, seed: int = 1) -> Rows:
    """Draw a cohort with the spreads of the evidence file; every third patient is resistant."""
    rng = np.random.default_rng(seed)
    is_resistant = np.arange(patients) % 3 == 0
    patient = np.repeat(np.arange(patients), DRAWS)
    weeks = np.tile(2.0 * np.arange(DRAWS), patients) + rng.uniform(0, 0.5, patients * DRAWS)
    start = 3.45 + 0.095 * is_resistant + rng.normal(0, BETWEEN_SD_SIL6R.value, patients)
    slope = 0.008 * is_resistant + rng.normal(0, SLOPE_SD_SIL6R.value, patients)
    noise = rng.normal(0, np.hypot(CVI_SIL6R.value, CVA_SIL6R.value), patients * DRAWS)
    return Rows(patient, weeks, start[patient] + slope[patient] * weeks + noise, is_resistant)


def race(times: int, *works: Callable[[], object]) -> list[float]:
    """Run the works in turn, several times; return the shortest processor time of each, in s."""
    shortest = [float("inf")] * len(works)
    for _ in range(times):
        for place, work in enumerate(works):
            begun = time.process_time()
            work()
            shortest[place] = min(shortest[place], time.process_time() - begun)
    return shortest


def fit(rows: Rows) -> None:
    statistics = summarise_arrays(
        patient=rows.patient,
        weeks=rows.weeks,
        level=rows.level,
        patient_ids=np.arange(len(rows.is_resistant)),
    )
    found = fit_growth(statistics, group=rows.is_resistant)
    if not found.is_converged:
        raise ArithmeticError(found.message)


def refit_with_statsmodels(rows: Rows) -> None:
    resistant = rows.is_resistant[rows.patient].astype(float)
    one = np.ones_like(rows.weeks)
    fixed = np.column_stack([one, rows.weeks, resistant, resistant * rows.weeks])
    random = np.column_stack([one, rows.weeks])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        MixedLM(rows.level, fixed, rows.patient, exog_re=random).fit(reml=True)


def fit_line(patients: int, *, times: int, wanted: float) -> Line:
    rows = cohort(patients)
    (ours,) = race(9, lambda: fit(rows))
    (theirs,) = race(times, lambda: refit_with_statsmodels(rows))
    return Line(
        f"REML fit, {patients:,} patients, against MixedLM",
        f"{1e3 * ours:.1f} ms",
        f"{theirs:.2f} s",
        theirs / ours,
        f">= {wanted:.0f}",
        theirs / ours >= wanted,
    )


def mean_and_sd(rows: Rows) -> tuple[Floats, Floats]:
    size = len(rows.is_resistant)
    n = np.bincount(rows.patient, minlength=size)
    mean = np.bincount(rows.patient, weights=rows.level, minlength=size) / n
    square = np.bincount(rows.patient, weights=rows.level * rows.level, minlength=size) / n
    return mean, np.sqrt(np.maximum(square - mean * mean, 0) * n / (n - 1))


def score(rows: Rows, *, with_interval: bool) -> None:
    score_rows(
        patient=rows.patient,
        weeks=rows.weeks,
        level=rows.level,
        n_patients=len(rows.is_resistant),
        release=load_shipped("published-prior-1"),
        with_interval=with_interval,
    )


def scoring_lines() -> list[Line]:
    rows, quarter = cohort(NATION), cohort(NATION // 4)

    def four_quarters(*, with_interval: bool) -> None:
        # As long a run as the whole, so that neither is the luckier one; a quarter of it counts.
        for _ in range(4):
            score(quarter, with_interval=with_interval)

    plain, lean, full, small_lean, small_full = race(
        6,
        lambda: mean_and_sd(rows),
        lambda: score(rows, with_interval=False),
        lambda: score(rows, with_interval=True),
        lambda: four_quarters(with_interval=False),
        lambda: four_quarters(with_interval=True),
    )
    small_lean, small_full = small_lean / 4, small_full / 4
    lines = []
    for name, ours, small, most in (
        ("", lean, small_lean, 3.0),
        (" with intervals", full, small_full, 8.0),
    ):
        for what, yardstick, wanted in (
            (f"scoring 1e6 patients{name}, against mean and SD", plain, most),
            (f"the same{name}, 1e6 against 250,000 patients", small, 4.4),
        ):
            ratio = ours / yardstick
            times = f"{1e3 * ours:.0f} ms", f"{1e3 * yardstick:.0f} ms"
            lines.append(Line(what, *times, ratio, f"<= {wanted}", ratio <= wanted))
    return lines


def estimate_nation() -> None:
    """Put the nation through the front door, from DataFrames."""
    rows, us = cohort(NATION), START.value // 1000
    patients = pd.DataFrame(
        {"patient_id": np.arange(NATION), "started_at": _moments(np.full(NATION, us))}
    )
    results = pd.DataFrame(
        {
            "patient_id": rows.patient,
            "drawn_at": _moments(us + (rows.weeks * US_PER_WEEK).astype(np.int64)),
            "value": np.exp(rows.level),
        }
    ).assign(analyte="sIL-6R", comparator="", status="final", segment="synthetic laboratory, kit A")
    del rows
    history = History(patients=patients, results=results)
    found = estimate_cohort(history, at=datetime(2026, 6, 1, tzinfo=UTC))
    if len(found.table) != NATION:
        raise ArithmeticError("somebody was left out")


def _moments(us: npt.NDArray[np.int64]) -> "pd.Series[pd.Timestamp]":
    return pd.Series(us.view("datetime64[us]")).dt.tz_localize("UTC")


def memory_line(what: str, flag: str) -> Line:
    """Do it in a process of its own and ask for its peak, tables included."""
    asked = [sys.executable, "-m", "bench.analytics", flag]
    peak = int(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)
    return Line(
        f"peak memory, {what} 1e6 patients, against 2 GiB",
        f"{peak / GIB:.2f} GiB",
        "2 GiB",
        peak / (2 * GIB),
        "<= 1",
        peak <= 2 * GIB,
    )


def one_patient() -> dict[str, pd.DataFrame]:
    drawn = [START + pd.Timedelta(weeks=2 * k) for k in range(DRAWS)]
    levels = np.random.default_rng(1).lognormal(3.5, 0.2, DRAWS)
    return {
        "patients": pd.DataFrame(
            {"patient_id": [1], "started_at": pd.Series([START]).astype("datetime64[us, UTC]")}
        ),
        "results": pd.DataFrame(
            {
                "patient_id": 1,
                "analyte": "sIL-6R",
                "drawn_at": pd.Series(drawn).astype("datetime64[us, UTC]"),
                "value": levels,
                "comparator": "",
                "status": "final",
                "segment": "synthetic laboratory, kit A",
            }
        ),
    }


def with_therapy(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Add four ratings and a trial to one patient."""
    rated = pd.Series([START + pd.Timedelta(weeks=week) for week in (0, 2, 4, 8)])
    started = pd.Series([START]).astype("datetime64[us, UTC]")
    return tables | {
        "ratings": pd.DataFrame(
            {
                "patient_id": 1,
                "instrument": "QIDS-SR16",
                "rated_at": rated.astype("datetime64[us, UTC]"),
                "total": [20.0, 18.0, 15.0, 14.0],
            }
        ),
        "trials": pd.DataFrame(
            {
                "patient_id": [1],
                "trial_id": [1],
                "drug": ["sertraline"],
                "atc": ["N06AB06"],
                "started_at": started,
                "stopped_at": pd.Series([pd.NaT], dtype="datetime64[us, UTC]"),
                "stop_reason": [""],
                "dose_mg": [100.0],
                "adequate_from": started,
            }
        ),
    }


def as_arrays(frame: pd.DataFrame) -> dict[str, npt.NDArray[Any]]:
    """Give a table as the road does: times as microseconds since 1970 UTC, texts as objects."""
    return {
        name: frame[name].to_numpy("datetime64[us]").view(np.int64)
        if name.endswith("_at")
        else frame[name].to_numpy(object if frame[name].dtype == "str" else None)
        for name in map(str, frame)
    }


def front_door_lines() -> list[Line]:
    tables, at = one_patient(), datetime(2026, 5, 1, tzinfo=UTC)
    arrays = {name: as_arrays(frame) for name, frame in tables.items()}
    history, treated = History(**tables), with_therapy(tables)
    # How long MixedLM searches depends on the draw, by half as much again: no one cohort tells.
    refitted = [cohort(200, seed=seed) for seed in range(1, 10)]
    works: dict[str, Callable[[], object]] = {
        "estimate alone": lambda: estimate_cohort(history, at=at),
        "with arrays checked": lambda: estimate_cohort(History(**arrays), at=at),
        "with DataFrames checked": lambda: estimate_cohort(History(**tables), at=at),
        "and spelled out in words": lambda: list(estimate_cohort(History(**tables), at=at)),
        "with ratings and a trial": lambda: estimate_cohort(History(**treated), at=at),
    }
    theirs = median(race(2, *[partial(refit_with_statsmodels, rows) for rows in refitted]))
    return [
        Line(
            f"cohort of one, {name}, against MixedLM on 200",
            f"{1e3 * ours:.2f} ms",
            f"{theirs:.2f} s",
            theirs / ours,
            f">= {wanted}" if wanted else "told, not wanted",
            theirs / ours >= wanted,
        )
        for (name, work), wanted in zip(works.items(), (2000, 2000, 2000, 0, 0), strict=True)
        for ours in race(2000, work)
    ]


def show(lines: list[Line]) -> None:
    print(f"{'':58}{'ours':>10}{'yardstick':>11}{'ratio':>9}  wanted")
    for line in lines:
        verdict = "" if line.is_met else "  MISSED"
        print(
            f"{line.what:58}{line.ours:>10}{line.yardstick:>11}"
            f"{line.ratio:>9.4g}  {line.wanted}{verdict}"
        )


def write(lines: list[Line]) -> None:
    """Put the table in place of the last one."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    told = [
        f"Measured on {date.today().isoformat()}, {platform.python_implementation()} "  # noqa: DTZ011 - the day of whoever measures
        f"{platform.python_version()}, one thread.",
        "",
        "| the core | ours | yardstick | ratio | wanted |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {each.what} | {each.ours} | {each.yardstick} | {each.ratio:,.4g} | {each.wanted} |"
            for each in lines
        ),
    ]
    table = "\n".join(told)
    PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}")


def with_one_thread() -> None:
    """Start again with the threads of linear algebra set, which must be before numpy is loaded."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    if any(os.environ.get(name) != "1" for name in names):
        os.environ.update(dict.fromkeys(names, "1"))
        os.execv(sys.executable, [sys.executable, "-m", "bench.analytics", *sys.argv[1:]])


def main() -> int:
    with_one_thread()
    if {"--only-score", "--only-estimate"} & set(sys.argv):
        if "--only-score" in sys.argv:
            score(cohort(NATION), with_interval=True)
        else:
            estimate_nation()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
        return 0
    lines = [
        *scoring_lines(),
        memory_line("scoring", "--only-score"),
        memory_line("front door from DataFrames,", "--only-estimate"),
        *front_door_lines(),
        fit_line(1_000, times=2, wanted=150),
        fit_line(10_000, times=1, wanted=600),
    ]
    show(lines)
    if "--write" in sys.argv:
        write(lines)
    return 0 if all(line.is_met for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
