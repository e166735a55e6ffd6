"""Whose label is whose: the groups of patients, by their place or by their name."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.fitting.sufficient import SufficientStatistics

Labels = Sequence[Any] | npt.NDArray[Any] | Mapping[Any, Any] | pd.Series
Values = npt.NDArray[Any]


class UnidentifiableFit(ValueError):
    """The draws cannot tell the parameters apart; the message says which and what is missing."""


def read_groups(group: Labels | None, statistics: SufficientStatistics) -> Values:
    """Read the group of each patient of the statistics.

    Parameters
    ----------
    group : sequence, mapping or Series, optional
        A label for each patient in the order of `statistics.patient_ids`; or by patient_id, in a
        mapping, or in a Series whose index holds every patient. Default: all in group 0.
    statistics : SufficientStatistics
        Of N patients.

    Returns
    -------
    ndarray, shape (N,)

    Raises
    ------
    UnidentifiableFit
        A patient has no label, or words and numbers stand side by side.
    """
    if group is None:
        return np.zeros(len(statistics), dtype=np.int64)
    labels = np.asarray(_by_patient(group, statistics.patient_ids))
    if labels.shape != (len(statistics),):
        raise UnidentifiableFit(f"group of shape {labels.shape}: one label a patient is needed")
    missing = np.asarray(pd.isna(labels))
    if missing.any():
        row = int(np.flatnonzero(missing)[0])
        raise UnidentifiableFit(
            f"group of patient {statistics.patient_ids[row]}: {labels[row]} - a label is needed"
        )
    kinds = sorted({type(label).__name__ for label in labels.tolist()})
    if "str" in kinds and len(kinds) > 1:
        raise UnidentifiableFit(f"group: {' and '.join(kinds)}; wanted: words, or numbers")
    return labels


def _by_patient(group: Labels, patient_ids: Values) -> Any:
    if isinstance(group, pd.Series):
        if group.index.is_unique and len(group) and pd.Index(patient_ids).isin(group.index).all():
            return group.loc[patient_ids]
        return group
    if not isinstance(group, Mapping):
        return group
    for patient in patient_ids.tolist():
        if patient not in group:
            raise UnidentifiableFit(f"group of patient {patient}: not given - a label is needed")
    return [group[patient] for patient in patient_ids.tolist()]
