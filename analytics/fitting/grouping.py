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
        mapping, or in a Series that is indexed so. Default: all in group 0.
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
        return _by_index(group, patient_ids)
    if not isinstance(group, Mapping):
        return group
    for patient in patient_ids.tolist():
        if patient not in group:
            raise UnidentifiableFit(f"group of patient {patient}: not given - a label is needed")
    return [group[patient] for patient in patient_ids.tolist()]


def _by_index(group: pd.Series, patient_ids: Values) -> pd.Series:
    """Read a Series by its index; one that was only numbered through is in the patients' order."""
    lacking = patient_ids[~pd.Index(patient_ids).isin(group.index)].tolist()
    if len(lacking) and group.index.equals(pd.RangeIndex(len(patient_ids))):
        return group
    if len(lacking):
        raise UnidentifiableFit(
            f"group of patient {lacking[0]!r}: not in the index of the Series - a label of every "
            "patient by patient_id is needed, or an array in the order of the statistics"
        )
    if not group.index.is_unique:
        twice = group.index[group.index.duplicated()][0]
        raise UnidentifiableFit(f"group of patient {twice!r}: stands twice - one label is needed")
    return group.loc[patient_ids]
