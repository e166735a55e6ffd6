"""The marks of a chart: one shape per series, another for every standing that is not plain use."""

from monitoring.charts.figures import Level, Shape, Standing, Tone
from monitoring.charts.svg import num, paint, text

RADIUS = 4.2


def _outline(shape: Shape, x: float, y: float, radius: float, colours: str) -> str:
    if shape is Shape.CIRCLE:
        return f'<circle cx="{num(x)}" cy="{num(y)}" r="{num(radius)}" {colours}/>'
    if shape is Shape.SQUARE:
        side = radius * 1.8
        return (
            f'<rect x="{num(x - side / 2)}" y="{num(y - side / 2)}" '
            f'width="{num(side)}" height="{num(side)}" {colours}/>'
        )
    reach = radius * 1.3
    return (
        f'<path d="M{num(x)} {num(y - reach)}l{num(reach)} {num(reach)}l{num(-reach)} {num(reach)}'
        f'l{num(-reach)} {num(-reach)}z" {colours}/>'
    )


def _triangle(x: float, y: float, colours: str) -> str:
    return f'<path d="M{num(x)} {num(y - 5.6)}l5.6 9.8h-11.2z" stroke-linejoin="round" {colours}/>'


def _cross(x: float, y: float, colours: str) -> str:
    return f'<path d="M{num(x - 4)} {num(y - 4)}l8 8m0 -8l-8 8" {colours}/>'


def symbol(shape: Shape, tone: Tone, standing: Standing, x: float, y: float) -> str:
    """Draw the mark of one value."""
    hollow = paint(fill="paper", stroke=tone, width=1.8)
    match standing:
        case Standing.USED:
            return _outline(shape, x, y, RADIUS, paint(fill=tone, stroke="paper", width=1.2))
        case Standing.BELOW | Standing.ABOVE:
            sign = "<" if standing is Standing.BELOW else ">"
            beside = text(x - 7, y + 4, sign, size=12, fill=tone, anchor="end", is_bold=True)
            return _outline(shape, x, y, RADIUS, hollow) + beside
        case Standing.CAUTION:
            return _triangle(x, y, hollow)
        case Standing.EXCLUDED:
            return _cross(x, y, paint(stroke=tone, width=1.8))
        case Standing.CORRECTED:
            ghost = paint(fill="paper", stroke="slate", width=1)
            dashed = f'{ghost} stroke-dasharray="2 1.5"'
            return _outline(shape, x, y, RADIUS, dashed)


def pennant(x: float, y: float, level: Level) -> str:
    """Draw a flag on its pole; a high one is filled, one to watch is hollow."""
    fill = str(level) if level is Level.HIGH else "paper"
    return (
        f'<path d="M{num(x)} {num(y + 6)}v-12" {paint(stroke=str(level), width=1.5)}/>'
        f'<path d="M{num(x)} {num(y - 6)}l9 3.5l-9 3.5z" stroke-linejoin="round" '
        f"{paint(fill=fill, stroke=str(level), width=1.5)}/>"
    )


def missed(x: float, bottom: float) -> str:
    """Draw the notch of something that was due and did not come."""
    colours = paint(fill="paper", stroke="soft", width=1.3)
    return f'<path d="M{num(x)} {num(bottom - 1)}l-4 -7h8z" {colours}/>'
