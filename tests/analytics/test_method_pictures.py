"""The pictures of the method: what the code draws is what the document shows and says."""

import re
from pathlib import Path

import pytest

from analytics.method_pictures import PICTURES, draw, write

ROOT = Path(__file__).resolve().parents[2]
METHOD = ROOT / "docs/explanation/method.md"
NUMBER = re.compile(r"-?\d+\.\d+")


def rounded(svg: str) -> list[str]:
    """Round the coordinates, so that the last digit of another processor does not count."""
    return NUMBER.sub(lambda found: f"{float(found[0]):.0f}", svg).splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_the_document_shows_what_the_code_draws(name: str, tmp_path: Path) -> None:
    drawn = write(name, tmp_path)

    kept = ROOT / "docs/pictures" / drawn.name
    assert rounded(drawn.read_text()) == rounded(kept.read_text()), "make method-pictures"
    assert f"(../pictures/{drawn.name})" in METHOD.read_text()


def said() -> str:
    """The words of the document, without its line breaks."""
    return " ".join(METHOD.read_text().replace("−", "-").split())


def test_the_document_says_of_the_seed_study_what_its_picture_shows() -> None:
    figures = draw("seed-study")[1]

    area = "| area under the ROC curve | {auc:.2f} | {auc_low:.2f} to {auc_high:.2f} |"
    assert area.format(**figures) in said()
    assert f"at the midpoint | {figures['sensitivity']:.2f} |" in said()


def test_the_document_says_of_the_example_what_its_pictures_show() -> None:
    line, risk = draw("trajectory")[1], draw("pieces")[1]

    assert (
        f"least squares says {line['own_slope']:+.1%} a week, we say {line['slope']:+.1%} with an "
        f"interval from {line['slope_low']:.1%} to {line['slope_high']:+.1%}, "
        f"which is a probability of {line['rising']:.0%}"
    ).replace("%", " %") in said()
    assert (
        f"Without the marker the probability is {risk['without']:.0%}, with it "
        f"{risk['probability']:.0%} ({100 * risk['low']:.0f} to {risk['high']:.0%})"
    ).replace("%", " %") in said()


def test_the_document_says_of_changes_what_its_picture_shows() -> None:
    figures = draw("changes")[1]

    limits = f"differ by {figures['up']:+.0%} or {figures['down']:+.0%}".replace("%", " %")
    assert limits in said()
    assert f"will call {figures['naive_8']:.0%}".replace("%", " %") in said()
    assert f"at {figures['kept_8']:.0%}".replace("%", " %") in said()


@pytest.mark.slow
def test_the_document_says_of_synthetic_cohorts_what_its_pictures_show() -> None:
    ranking, benefit = draw("ranking")[1], draw("benefit")[1]

    assert (
        f"The area is {ranking['with']:.2f} with the marker and {ranking['without']:.2f} without"
    ) in said()
    assert f"(at 20 %: {benefit['gap']:+.3f} per patient)" in said()
    assert f"and costs (at 20 %: {benefit['null']:+.3f})" in said()
