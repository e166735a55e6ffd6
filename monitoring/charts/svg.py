"""How a chart is written down: escaped text, short numbers, paint by name."""

import re
from functools import cache
from html import escape

# Characters that neither HTML nor XML allows in a text.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_FIRST_WIDE = 0x2E80  # from here on characters are as wide as they are high

# The light scheme, as attributes: a PDF writer reads no style sheet inside an image. On a page the
# rules .f-… and .s-… of charts.css override them and follow the reader's scheme.
PAINTS = {
    "paper": "#ffffff",
    "ink": "#11232c",
    "soft": "#475a64",
    "grid": "#e3eaeb",
    "frame": "#a9b9be",
    "depth": "#0a5f7a",
    "plum": "#8a2a77",
    "moss": "#3e6b1f",
    "slate": "#4f6470",
    "depth-pale": "#d9ecf2",
    "plum-pale": "#f4e4f1",
    "moss-pale": "#e7f0df",
    "slate-pale": "#e4eaec",
    "range": "#ebf1dd",
    "watch": "#a86500",
    "high": "#bd1c49",
    "event": "#8a7a5c",
    "event-pale": "#f3ecdd",
}


def say(text: str) -> str:
    """Escape a text for content and for attributes."""
    return escape(_FORBIDDEN.sub("\ufffd", text))


def num(value: float) -> str:
    """Write a coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


@cache
def paint(*, fill: str | None = None, stroke: str | None = None, width: float = 1.0) -> str:
    """Give the attributes that colour an element, as classes and as light-scheme values."""
    classes = []
    attributes = []
    if fill is None:
        attributes.append('fill="none"')
    else:
        classes.append(f"f-{fill}")
        attributes.append(f'fill="{PAINTS[fill]}"')
    if stroke is not None:
        classes.append(f"s-{stroke}")
        attributes.append(f'stroke="{PAINTS[stroke]}" stroke-width="{num(width)}"')
    return f'class="{" ".join(classes)}" {" ".join(attributes)}'


def line(
    x1: float, y1: float, x2: float, y2: float, *, stroke: str, width: float = 1.0, dash: str = ""
) -> str:
    """Draw one straight line."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<path d="M{num(x1)} {num(y1)}L{num(x2)} {num(y2)}" '
        f"{paint(stroke=stroke, width=width)}{dashed}/>"
    )


def rect(x: float, y: float, width: float, height: float, colours: str) -> str:
    """Draw one rectangle with the colours that paint() gave."""
    return (
        f'<rect x="{num(x)}" y="{num(y)}" width="{num(width)}" height="{num(height)}" {colours}/>'
    )


def text(
    x: float,
    y: float,
    content: str,
    *,
    size: float = 12,
    fill: str = "soft",
    anchor: str = "start",
    is_bold: bool = False,
) -> str:
    """Write one line of text."""
    anchored = "" if anchor == "start" else f' text-anchor="{anchor}"'
    bold = ' font-weight="600"' if is_bold else ""
    return (
        f'<text x="{num(x)}" y="{num(y)}" font-size="{num(size)}"{anchored}{bold} '
        f"{paint(fill=fill)}>{say(content)}</text>"
    )


def width_of(content: str, *, size: float = 12, is_bold: bool = False) -> float:
    """Estimate how wide a text will be, rather too wide than too narrow."""
    wide = 0 if content.isascii() else sum(ord(letter) >= _FIRST_WIDE for letter in content)
    ems = 0.54 * (len(content) - wide) + wide
    return ems * size * (1.07 if is_bold else 1.0)


def wrap(content: str, *, room: float, size: float = 12) -> list[str]:
    """Break a text into lines that fit the room; a word is never cut."""
    lines: list[str] = []
    for word in content.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer, size=size) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
