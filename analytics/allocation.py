"""Three states by the interval of a probability: high, low, or undecided while it spans the cut."""

from enum import StrEnum

import numpy as np

from analytics.columns import first_that_holds
from analytics.elementwise import FEW
from analytics.policy import Policy
from analytics.risk import Risk
from analytics.tables import Ints


class Allocation(StrEnum):
    """Where the interval lies against the cut-off; undecided while it spans it."""

    HIGH = "high"
    LOW = "low"
    UNDECIDED = "undecided"


ALLOCATIONS = tuple(Allocation)


def allocate(risk: Risk, policy: Policy) -> Ints:
    """Allocate only where the whole interval clears the cut-off (Hughes 2017, Stat Med 36:3858).

    Parameters
    ----------
    risk : Risk
        Probabilities with intervals.
    policy : Policy
        The cut-off.

    Returns
    -------
    array of int
        Positions in :data:`ALLOCATIONS`.
    """
    cut = policy.allocation_probability
    high, low, undecided = range(len(ALLOCATIONS))
    if len(risk.low) <= FEW:
        rows = zip(risk.low.tolist(), risk.high.tolist(), strict=True)
        found = [high if one > cut else low if other < cut else undecided for one, other in rows]
        return np.array(found, dtype=np.int64)
    return first_that_holds([(risk.low > cut, high), (risk.high < cut, low)], undecided)
