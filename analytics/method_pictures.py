"""The pictures of docs/explanation/method.md, drawn by the code that they explain.

``python -m analytics.method_pictures docs/pictures`` (`make method-pictures`) writes them anew.
All patients in them are synthetic and come from fixed seeds; the same code draws the same files.
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats
from scipy.special import logit

from analytics import Estimate, EvidenceKind, History, Outcome, estimate_cohort
from analytics.changes import MOST_LOOKS, false_alarm_rate, reference_change, widened_z
from analytics.comparison import seed_study
from analytics.evaluation import calibrate, net_benefit_gain, roc_area
from analytics.evidence import CVA_SIL6R, CVI_SIL6R
from analytics.findings import prediction_band
from analytics.plots import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    draw_calibration,
    draw_decision_curve,
    draw_roc,
)
from analytics.policy import CURRENT_POLICY
from analytics.simulation import simulate_cohort
from analytics.trajectories import Z95

FIRST_DOSE = datetime(2026, 1, 5, 8, tzinfo=UTC)
TIME = "datetime64[us, UTC]"
STYLE: Any = {  # matplotlib types its keys one by one
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "legend.frameon": False,
    "legend.fontsize": 10,
    "svg.hashsalt": "soundings",
    "svg.fonttype": "path",
}
Figures = dict[str, float]


class NothingToDraw(ValueError):
    """The example that a picture shows gives no estimate."""


def draw_seed_study() -> tuple[Figure, Figures]:
    """Draw how far the two groups of the seed study overlap, and the ROC curve that implies."""
    found = seed_study()[0]
    figure, (left, right) = _canvas(2)
    means = {"resistant (n = 25)": 37.6, "remitted (n = 17)": 31.1}
    at = np.linspace(5, 65, 400)
    for (name, mean), colour, style in zip(means.items(), (ORANGE, BLUE), ("--", "-"), strict=True):
        density = stats.norm.pdf(at, mean, found.pooled_sd)
        left.plot(at, density, color=colour, linestyle=style, linewidth=2, label=name)
        left.fill_between(at, density, color=colour, alpha=0.15)
    left.axvline(found.cut, color=GREY, linestyle=":", label=f"midpoint {found.cut:.1f}")
    left.set(xlabel="sIL-6R, ng/mL", yticks=[], title="What the two groups look like")
    left.set_ylim(0, left.get_ylim()[1] * 1.35)
    left.legend(loc="upper left")
    false = np.linspace(0, 1, 200)
    curves = {0.5: found.cohens_d, 0.0: found.cohens_d_low, 1.0: found.cohens_d_high}
    low, high = (stats.norm.cdf(stats.norm.ppf(false) + curves[place]) for place in (0.0, 1.0))
    right.fill_between(false, low, high, color=BLUE, alpha=0.2, label="95 % interval")
    middle = stats.norm.cdf(stats.norm.ppf(false) + curves[0.5])
    right.plot(false, middle, color=BLUE, linewidth=2, label=f"area {found.auc:.2f}")
    right.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="no information")
    right.set(xlabel="1 - specificity", ylabel="sensitivity", title="What that is worth")
    right.set_aspect("equal")
    right.legend(loc="lower right")
    return figure, {
        "auc": found.auc,
        "auc_low": found.auc_low,
        "auc_high": found.auc_high,
        "sensitivity": found.sensitivity,
    }


def example() -> tuple[pd.DataFrame, Estimate]:
    """Give the draws of one synthetic patient and what is said of them at week 12."""
    weeks = [0.0, 2.0, 4.0, 8.0, 12.0]
    values = [33.1, 36.9, 34.2, 41.5, 43.0]
    drawn = pd.Series([FIRST_DOSE + timedelta(weeks=at) for at in weeks], dtype=TIME)
    results = pd.DataFrame(
        {"patient_id": 1, "drawn_at": drawn, "value": values, "analyte": "sIL-6R",
         "comparator": "", "status": "final", "segment": "laboratory A, kit 1"}
    )  # fmt: skip
    rated = pd.Series([FIRST_DOSE + timedelta(weeks=at) for at in (0, 2, 4)], dtype=TIME)
    ratings = pd.DataFrame(
        {"patient_id": 1, "rated_at": rated, "instrument": "QIDS-SR16", "total": [17.0, 16.0, 15.0]}
    )
    patients = pd.DataFrame({"patient_id": [1], "started_at": pd.Series([FIRST_DOSE], dtype=TIME)})
    history = History(patients=patients, results=results, ratings=ratings)
    (found,) = estimate_cohort(history, at=FIRST_DOSE + timedelta(weeks=12))
    return results.assign(weeks=weeks), found


def draw_trajectory() -> tuple[Figure, Figures]:
    """Draw a patient's draws, the line learned from them and from the others, and what is next."""
    draws, estimate = example()
    line = estimate.trajectories[0]
    figure, (ax,) = _canvas(1)
    at = np.linspace(0, 16, 100)
    band = prediction_band(line, at)
    ax.fill_between(at, band.low, band.high, color=BLUE, alpha=0.15, label="a new draw, 95 %")
    ax.plot(at, band.middle, color=BLUE, linewidth=2, label="the line we draw")
    own = np.polyfit(draws["weeks"], np.log(draws["value"]), 1)
    ax.plot(at, np.exp(np.polyval(own, at)), color=ORANGE, linestyle="--",
            label="least squares, these draws alone")  # fmt: skip
    ax.plot(draws["weeks"], draws["value"], "o", color="black", label="draws")
    ax.axvline(12, color=GREY, linestyle=":")
    ax.annotate("today", (12, ax.get_ylim()[0]), (12.2, ax.get_ylim()[0] + 1), color=GREY)
    ax.set(xlabel="weeks since the first dose", ylabel="sIL-6R, ng/mL")
    ax.legend(loc="upper left")
    return figure, {
        "slope": line.slope_per_week,
        "slope_low": line.slope_low,
        "slope_high": line.slope_high,
        "own_slope": float(own[0]),
        "rising": line.probability_rising,
    }


PIECES = {
    EvidenceKind.PRIOR: "where everybody starts",
    EvidenceKind.SYMPTOMS: "no early improvement",
    EvidenceKind.BIOMARKER: "sIL-6R",
    EvidenceKind.CAUTION: "taken back: unsure weight",
}


def draw_pieces() -> tuple[Figure, Figures]:
    """Draw how one probability is put together, piece by piece."""
    _, estimate = example()
    figure, (ax,) = _canvas(1)
    total, names = 0.0, []
    for place, piece in enumerate(estimate.contributions):
        colour = ORANGE if piece.log_odds > 0 else BLUE
        ax.barh(place, piece.log_odds, left=total, color=colour, height=0.55)
        total += piece.log_odds
        told = f"{piece.log_odds:+.2f}".replace("-", "−").replace("−0.00", "0.00")
        names.append(f"{PIECES[piece.evidence]}\n{told}")
        ax.plot([total, total], [place - 0.28, place + 1.28], color=GREY, linewidth=1)
    end = len(names)
    p, low, high = estimate.probability, estimate.probability_low, estimate.probability_high
    without = estimate.probability_without_biomarker
    if p is None or low is None or high is None or without is None:
        raise NothingToDraw("the example has no estimate")
    logits = logit([low, p, high])
    ax.errorbar(total, end, xerr=[[total - logits[0]], [logits[2] - total]], fmt="o",
                color="black", capsize=5)  # fmt: skip
    names.append(f"together: {p:.0%}\n({low:.0%} to {high:.0%})")
    ax.axvline(float(logit(without)), color=GREEN, linestyle="--",
               label=f"without the marker: {without:.0%}")  # fmt: skip
    ax.set_yticks(range(end + 1), names)
    ax.invert_yaxis()
    shown = np.array([0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9])
    ax.set_xticks(logit(shown), [f"{each:.0%}" for each in shown])
    ax.set_xlabel("probability of meeting the rule (scale: log-odds)")
    ax.legend(loc="lower left")
    return figure, {"probability": p, "low": low, "high": high, "without": without}


def draw_changes() -> tuple[Figure, Figures]:
    """Draw how often a steady person seems changed, and the limits that prevent it."""
    figure, (left, right) = _canvas(2)
    looks = np.arange(1, 8)
    naive = [false_alarm_rate(z=Z95, looks=int(each)) for each in looks]
    planned = CURRENT_POLICY.planned_looks
    wide = widened_z(looks=min(planned, MOST_LOOKS), alpha=CURRENT_POLICY.rise_alpha)
    kept = [false_alarm_rate(z=wide, looks=int(each)) for each in looks]
    left.plot(looks + 1, 100 * np.array(naive), "o--", color=ORANGE, label="limit for one look")
    left.plot(looks + 1, 100 * np.array(kept), "o-", color=BLUE, label="widened for all looks")
    left.axhline(5, color=GREY, linestyle=":")
    left.set(xlabel="draws", ylabel="steady people called changed, %", ylim=(0, 28))
    left.legend(loc="upper left")
    within, assay = CVI_SIL6R.value, CVA_SIL6R.value
    one = reference_change(within_cv=within, assay_cv=assay)
    several = reference_change(within_cv=within, assay_cv=assay, z=wide)
    for place, (limit, colour) in enumerate(((one, ORANGE), (several, BLUE))):
        right.plot([place] * 2, [100 * limit.low, 100 * limit.high], color=colour, linewidth=8)
        for end in (limit.low, limit.high):
            right.annotate(f"{100 * end:+.0f} %", (place + 0.1, 100 * end), va="center")
    gap = 100 * (37.6 / 31.1 - 1)
    right.axhline(gap, color=GREEN, linestyle="--", label=f"gap of the two groups, {gap:+.0f} %")
    right.axhline(0, color=GREY, linewidth=1)
    right.set_xticks([0, 1], ["two draws", f"{planned + 1} draws"])
    right.set(xlim=(-0.6, 1.7), ylim=(-70, 140), ylabel="change that chance explains, %")
    right.legend(loc="upper left")
    return figure, {"naive_8": naive[-1], "kept_8": kept[-1], "up": one.high, "down": one.low}


def _told(scenario: str, *, week: int) -> pd.DataFrame:
    """Give outcome and probabilities of 2,000 synthetic patients at a landmark."""
    cohort = simulate_cohort(n_patients=2000, seed=3, scenario=scenario)
    history = History(**cohort.history_tables(FIRST_DOSE)._asdict())
    table = estimate_cohort(history, at=FIRST_DOSE + timedelta(weeks=week)).table
    table = table.assign(is_resistant=cohort.truth["is_resistant"].to_numpy())
    return table[table["outcome"] == Outcome.ESTIMATED.value]


def draw_ranking() -> tuple[Figure, Figures]:
    """Draw ROC and calibration where the published gap is true, at week 4."""
    told = _told("gap", week=4)
    figure, (left, right) = _canvas(2)
    scores = {
        "with sIL-6R": told["probability"],
        "without": told["probability_without_biomarker"],
    }
    draw_roc(left, told["is_resistant"], scores)
    draw_calibration(right, told["is_resistant"], told["probability"], n_groups=8)
    fit = calibrate(told["is_resistant"], told["probability"])
    areas = [roc_area(told["is_resistant"], score).auc for score in scores.values()]
    return figure, {"with": areas[0], "without": areas[1], "slope": fit.slope}


def draw_benefit() -> tuple[Figure, Figures]:
    """Draw decision curves where the marker means something, and where it means nothing."""
    figure, axes = _canvas(2)
    figures = {}
    titles = {"gap": "if the published gap is true", "null": "if sIL-6R means nothing"}
    for ax, (scenario, title) in zip(axes, titles.items(), strict=True):
        told = _told(scenario, week=12)
        labels, both = told["is_resistant"], ("probability", "probability_without_biomarker")
        names = ("with sIL-6R", "without")
        draw_decision_curve(ax, labels, {n: told[c] for n, c in zip(names, both, strict=True)})
        ax.set_title(title)
        gain = net_benefit_gain(
            labels, *(told[c] for c in both), seed=1, thresholds=[0.2], n_bootstrap=200
        )
        figures[scenario] = float(gain["gain"].iloc[0])
    return figure, figures


PICTURES: dict[str, Callable[[], tuple[Figure, Figures]]] = {
    "seed-study": draw_seed_study,
    "trajectory": draw_trajectory,
    "pieces": draw_pieces,
    "changes": draw_changes,
    "ranking": draw_ranking,
    "benefit": draw_benefit,
}


def _canvas(columns: int) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(9.0, 4.4), layout="constrained")
    axes = figure.subplots(1, columns, squeeze=False)
    return figure, list(axes[0])


def draw(name: str) -> tuple[Figure, Figures]:
    """Draw one picture by its name, with the figures that the document takes from it."""
    with mpl.rc_context(STYLE):
        return PICTURES[name]()


def write(name: str, folder: Path) -> Path:
    """Draw one picture into a folder as SVG, without the date that would make it another file."""
    path = folder / f"method-{name}.svg"
    with mpl.rc_context(STYLE):
        figure, _ = PICTURES[name]()
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    return path


if __name__ == "__main__":
    for each in PICTURES:
        write(each, Path(sys.argv[1]))
