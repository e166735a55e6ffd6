"""Published vectors: what is given, what is expected, and who says so; ours or a stranger's."""

from monitoring.vectors.answers import KINDS, answer
from monitoring.vectors.files import Case, VectorsAreUnfit, read_vectors
from monitoring.vectors.matching import Difference, first_difference
from monitoring.vectors.shapes import GivenIsUnfit

__all__ = [
    "KINDS",
    "Case",
    "Difference",
    "GivenIsUnfit",
    "VectorsAreUnfit",
    "answer",
    "first_difference",
    "read_vectors",
]
