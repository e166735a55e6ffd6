"""How sIL-6R stands among people of one genotype: exploratory, and part of no estimate.

A high value in one person may be nothing but genotype; only change within a person is free of it.
"""

from dataclasses import dataclass
from math import log, sqrt
from typing import Any

from analytics.columns import GENOTYPES
from analytics.evidence import (
    ALLELE_FREQUENCY,
    BETWEEN_VARIANCE_SIL6R,
    GENOTYPE_EFFECT_LN,
    GENOTYPE_SHARE,
)
from analytics.scalars import is_real


@dataclass(frozen=True, slots=True)
class GenotypeZ:
    """Standard deviations from what is typical of everybody, and of this genotype.

    Exploratory: it moves no probability and raises no flag. ``is_local`` tells whether what is
    typical was taken from the laboratory's own draws; otherwise it is the published level of
    another assay, and z is shifted by whatever lies between the two.
    """

    genotype: str
    z: float
    z_adjusted: float
    is_local: bool

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "GenotypeZ":
        """Read it back from plain JSON values."""
        return cls(**content)


def genotype_adjusted(
    level_ng_ml: float, *, genotype: str, typical_ng_ml: float, is_local: bool = False
) -> GenotypeZ:
    """Place a level among people of the same rs2228145 genotype.

    (ln level - ln typical - b (n - 2 q)) / sqrt((1 - share) variance), with n copies of the C
    allele, b per copy, q its frequency.

    Parameters
    ----------
    level_ng_ml : float
        The person's level.
    genotype : str
        AA, AC or CC.
    typical_ng_ml : float
        The level typical of the population in this laboratory, all genotypes.
    is_local : bool
        Whether that is known of this laboratory.

    Returns
    -------
    GenotypeZ

    Raises
    ------
    ValueError
        The genotype is none of the three, or a level is no concentration.
    """
    if not isinstance(genotype, str) or genotype not in GENOTYPES[1:]:
        message = f"genotype {genotype!r}; wanted: {', '.join(GENOTYPES[1:])}"
        raise ValueError(message)
    for name, value in (("level_ng_ml", level_ng_ml), ("typical_ng_ml", typical_ng_ml)):
        if not is_real(value) or not value > 0:
            message = f"{name}: {value!r}; wanted: a concentration above zero"
            raise ValueError(message)
    apart = log(level_ng_ml / typical_ng_ml)
    copies = GENOTYPES.index(genotype) - 1
    expected = GENOTYPE_EFFECT_LN.value * (copies - 2 * ALLELE_FREQUENCY.value)
    variance = BETWEEN_VARIANCE_SIL6R.value
    return GenotypeZ(
        genotype=genotype,
        z=apart / sqrt(variance),
        z_adjusted=(apart - expected) / sqrt((1 - GENOTYPE_SHARE.value) * variance),
        is_local=is_local,
    )
