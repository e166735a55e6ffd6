"""The law of the informative markers of a release, as plain numbers ready for arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass

Row = tuple[float, ...]
Square = tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class GroupLaw:
    """How persons of one group vary, where the groups do not share it.

    Parameters
    ----------
    between : q x q
        Covariance of persons about the group's line.
    residual : tuple of float, length K
        Variance of one result about the person's line.
    variance_terms : tuple
        As in :class:`Law`, of this group's parameters.
    """

    between: Square
    residual: Row
    variance_terms: tuple[tuple[int, int, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Law:
    """How K markers behave together; q = 2K (level and slope of each marker in turn).

    Plain floats in tuples: multiplied with a float they give a float, with an array an array, bit
    for bit the same.

    Parameters
    ----------
    residual : tuple of float, length K
        Variance of one result about the person's line.
    delta : tuple of float, length q
        Resistant less remitting, shrunk.
    delta_covariance : q x q
        Its uncertainty, shrunk.
    between : q x q
        Covariance of persons within a group.
    mean_covariance : q x q
        Uncertainty of the population's lines.
    variance_terms : tuple
        (i, j, factor) of the quadratic form in the gradient by the variance parameters: the lower
        triangle of ``between`` row by row, then ``residual``.
    share, prior_log_odds : float
        Share of the resistant in the population that the lines describe, and its log-odds.
    ramp_weeks : float
        Week from which the difference stays as it is.
    groups : tuple of GroupLaw or None
        Of the remitting and of the resistant, where they vary differently.
    """

    residual: Row
    delta: Row
    delta_covariance: Square
    between: Square
    mean_covariance: Square
    variance_terms: tuple[tuple[int, int, float], ...]
    share: float
    prior_log_odds: float
    ramp_weeks: float
    groups: tuple[GroupLaw, GroupLaw] | None = None


def square(triangle: Sequence[float]) -> Square:
    """Write a lower triangle, given row by row, out as the symmetric matrix."""
    size = int(((8 * len(triangle) + 1) ** 0.5 - 1) / 2)
    if size * (size + 1) // 2 != len(triangle):
        raise ValueError(f"{len(triangle)} numbers; wanted: a lower triangle of 1, 3, 6, 10, ...")
    at = [[max(i, j) * (max(i, j) + 1) // 2 + min(i, j) for j in range(size)] for i in range(size)]
    return tuple(tuple(triangle[place] for place in row) for row in at)


def triangle_of(matrix: Sequence[Sequence[float]]) -> Row:
    """Give the lower triangle of a symmetric matrix, row by row."""
    return tuple(float(matrix[i][j]) for i in range(len(matrix)) for j in range(i + 1))


def scaled(matrix: Square, factor: float) -> Square:
    """Multiply every entry."""
    return tuple(tuple(factor * entry for entry in row) for row in matrix)


def quadratic_terms(covariance: Sequence[Sequence[float]]) -> tuple[tuple[int, int, float], ...]:
    """Give what is not zero of g'Vg: (i, j, factor) with i <= j."""
    return tuple(
        (i, j, covariance[i][j] * (1.0 if i == j else 2.0))
        for i in range(len(covariance))
        for j in range(i, len(covariance))
        if covariance[i][j] != 0
    )
