"""Evaluation as pictures: ROC, calibration, net benefit; scikit-learn's displays where it has one.

Not imported by the rest of analytics: whoever asks for no picture does not load matplotlib.
Colours are told apart without colour vision too (Okabe and Ito), and line styles differ.
"""

from collections.abc import Mapping, Sequence

import numpy.typing as npt
from matplotlib.axes import Axes
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import RocCurveDisplay

from analytics.evaluation import calibration_curve, decision_curve, roc_area
from analytics.evaluation.decision import USUAL_THRESHOLDS

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#007A5A", "#595959"
COLOURS = (BLUE, ORANGE, GREEN)
STYLES = ("-", "--", "-.")


def draw_roc(ax: Axes, labels: npt.ArrayLike, scores: Mapping[str, npt.ArrayLike]) -> None:
    """Draw ROC curves of the same patients, each with its area and DeLong interval.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    labels : array_like of bool
        True or 1 for the patients with the outcome.
    scores : dict of str to array_like
        At most three, by the name that the legend shows; higher means more likely.

    Raises
    ------
    EvaluationIsUnfit
        See :func:`analytics.evaluation.roc_area`.
    """
    for (name, score), colour, style in zip(scores.items(), COLOURS, STYLES, strict=False):
        area = roc_area(labels, score)
        reach = "all alike" if area.is_constant else f"{area.low:.2f} to {area.high:.2f}"
        told = f"{name}: {area.auc:.2f} ({reach})"
        RocCurveDisplay.from_predictions(
            labels,
            score,
            ax=ax,
            name=None,
            drop_intermediate=False,
            curve_kwargs={"color": colour, "linestyle": style, "label": told, "linewidth": 2},
        )
    ax.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="no information: 0.50")
    ax.set_xlabel("1 - specificity")
    ax.set_ylabel("sensitivity")
    ax.set_aspect("equal")
    ax.legend(loc="lower right", title="area (95 % interval)")


def draw_calibration(
    ax: Axes, labels: npt.ArrayLike, probabilities: npt.ArrayLike, *, n_groups: int = 10
) -> None:
    """Draw told against found risk, in groups of equal size with Wilson intervals.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    labels : array_like of bool
        True or 1 for the patients with the outcome.
    probabilities : array_like of float
        From 0 to 1.
    n_groups : int, default: 10
        Groups by quantiles of the probability.

    Raises
    ------
    EvaluationIsUnfit
        See :func:`analytics.evaluation.calibration_curve`.
    """
    table = calibration_curve(labels, probabilities, n_groups=n_groups)
    CalibrationDisplay.from_predictions(
        labels,
        probabilities,
        n_bins=n_groups,
        strategy="quantile",
        ax=ax,
        name="found",
        color=BLUE,
        ref_line=False,
    )
    reach = [table["found"] - table["found_low"], table["found_high"] - table["found"]]
    ax.errorbar(table["told"], table["found"], yerr=reach, fmt="none", ecolor=BLUE, capsize=3)
    ax.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="told = found")
    ax.set_xlabel("probability told (mean of each group)")
    ax.set_ylabel("share found resistant")
    ax.set_aspect("equal")
    ax.legend(loc="upper left")


def draw_decision_curve(
    ax: Axes,
    labels: npt.ArrayLike,
    probabilities: Mapping[str, npt.ArrayLike],
    *,
    thresholds: Sequence[float] = USUAL_THRESHOLDS,
) -> None:
    """Draw net benefit against the risk from which one would act.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    labels : array_like of bool
        True or 1 for the patients with the outcome.
    probabilities : dict of str to array_like
        At most three, by the name that the legend shows; from 0 to 1.
    thresholds : sequence of float
        Each above 0 and below 1.

    Raises
    ------
    EvaluationIsUnfit
        See :func:`analytics.evaluation.decision_curve`.
    """
    top = 0.0
    for (name, told), colour, style in zip(probabilities.items(), COLOURS, STYLES, strict=False):
        curve = decision_curve(labels, told, thresholds=thresholds)
        ax.plot(
            curve["threshold"],
            curve["net_benefit"],
            color=colour,
            linestyle=style,
            linewidth=2,
            label=name,
        )
        ax.plot(
            curve["threshold"],
            curve["treat_all"],
            color=GREY,
            linestyle=":",
            label="act on everyone" if top == 0 else None,
        )
        top = max(top, float(curve["net_benefit"].max()))
    ax.axhline(0, color=GREY, linewidth=1, label="act on nobody")
    ax.set_ylim(-0.05, max(top * 1.15, 0.05))
    ax.set_xlabel("risk from which one would act")
    ax.set_ylabel("net benefit per patient")
    ax.legend(loc="upper right")
