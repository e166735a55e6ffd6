"""That whatever is written or drawn can be seen, in the light and in the dark scheme."""

import re
from pathlib import Path

import pytest

from monitoring.charts.svg import PAINTS

STATIC = Path(__file__).parents[2] / "monitoring" / "static" / "soundings"


def tokens() -> dict[str, tuple[str, str]]:
    """The colours of tokens.css: name -> (light, dark)."""
    pattern = r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)"
    found = re.findall(pattern, (STATIC / "tokens.css").read_text())
    return {name: (light, dark) for name, light, dark in found}


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2."""

    def luminance(colour: str) -> float:
        channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("name", PAINTS)
def test_every_paint_follows_the_scheme_on_the_page(name: str) -> None:
    rules = (STATIC / "charts.css").read_text()

    assert tokens()[f"chart-{name}"][0] == PAINTS[name]
    assert f".f-{name} {{" in rules
    assert f".s-{name} {{" in rules


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("mark", ["depth", "plum", "moss", "slate", "watch", "high", "focus"])
def test_marks_stand_out_from_paper_and_bands(mark: str, scheme: int) -> None:
    # WCAG 2.2, 1.4.11: graphical objects need 3:1 against what lies beside them
    colours = tokens()
    grounds = ["paper", "depth-pale", "range", "event-pale"]

    ratios = [
        contrast(colours[f"chart-{mark}"][scheme], colours[f"chart-{ground}"][scheme])
        for ground in grounds
    ]

    assert min(ratios) >= 3


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *[(text, ground) for text in ("ink", "ink-soft", "accent") for ground in ("paper",)],
        *[(text, ground) for text in ("ink", "ink-soft", "accent") for ground in ("surface",)],
        *[(text, "sunken") for text in ("ink", "ink-soft")],
        *[("accent", "accent-pale"), ("ink", "accent-pale"), ("on-accent", "accent")],
        *[
            (f"{tone}-text", f"{tone}-pale")
            for tone in ("urgent", "attention", "waiting", "done", "neutral")
        ],
        *[(f"{tone}-text", "surface") for tone in ("urgent", "attention", "waiting", "done")],
    ],
)
def test_text_can_be_read_in_both_schemes(text: str, ground: str, scheme: int) -> None:
    # WCAG 2.2, 1.4.3: text needs 4.5:1
    colours = tokens()

    assert contrast(colours[text][scheme], colours[ground][scheme]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("edge", ["line-control", "focus", "urgent-mark", "attention-mark"])
def test_edges_of_controls_can_be_seen_in_both_schemes(edge: str, scheme: int) -> None:
    colours = tokens()

    for ground in ("paper", "surface"):
        assert contrast(colours[edge][scheme], colours[ground][scheme]) >= 3
