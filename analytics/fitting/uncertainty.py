"""How sure the variances are that a number of patients would leave behind."""

import numpy as np
from scipy.linalg import block_diag

from analytics.evidence import PRIOR_PATIENTS
from analytics.fitting.model import DRAWS_PER_PRIOR_PATIENT
from analytics.fitting.sufficient import Floats


def wishart_uncertainty(D: Floats, s2: Floats, *, patients: float = PRIOR_PATIENTS.value) -> Floats:
    """Give the uncertainty of D and s² that k = `patients` whose lines are known would leave.

    Cov(D_ij, D_kl) = (D_ik D_jl + D_il D_jk) / k, and 2 s⁴ / 5k for each residual variance.
    """
    i, j = np.tril_indices(len(D))
    of_D = D[np.ix_(i, i)] * D[np.ix_(j, j)] + D[np.ix_(i, j)] * D[np.ix_(j, i)]
    of_s2 = np.diag(2 * s2**2 / DRAWS_PER_PRIOR_PATIENT)
    return np.asarray(block_diag(of_D, of_s2)) / patients
