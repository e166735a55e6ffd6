"""Within what results are comparable: one laboratory, one kit, one fluid."""

import numpy as np

from analytics.tables import Bools, Column, Ints, Objects


def labels(words: Objects) -> tuple[Ints, tuple[str, ...]]:
    """Number words by their place in the alphabet, and list them."""
    listed = words.tolist()
    known = tuple(sorted(set(listed)))
    places = {word: place for place, word in enumerate(known)}
    return np.array([places[word] for word in listed], dtype=np.int64), known


def name_segments(given: dict[str, Column], patient: Ints, analyte: Ints) -> Objects:
    """Name the segment of each result, with the fluid that was measured where it is known.

    A change of fluid must be said: where it is not stated, it is that of the result before in the
    same laboratory and kit, or of the first that states one. Not so where the patient would then
    have two results of one moment in one segment.

    Parameters
    ----------
    given : dict
        The columns of the results.
    patient, analyte : array of int
        Whose they are, and of what.

    Returns
    -------
    array of str
    """
    segment, matrix, drawn = given["segment"], given["matrix"], given["drawn_at"]
    if not any(matrix.tolist()):
        return segment
    kit, _ = labels(segment)
    order = np.lexsort((matrix, drawn, kit, analyte, patient))
    is_first = np.ones(len(order), dtype=np.bool_)
    for key in (patient, analyte, kit):
        is_first[1:] &= key[order][1:] == key[order][:-1]
    is_first[1:] = ~is_first[1:]
    # With another result at the same moment, what is not stated is left alone
    crowded = np.zeros(len(order), dtype=np.bool_)
    crowded[1:] = ~is_first[1:] & (drawn[order][1:] == drawn[order][:-1])
    crowded[:-1] |= crowded[1:]
    stated = matrix[order] != ""
    fluid = matrix[order][_source(stated, is_first)]
    fluid[crowded & ~stated] = ""
    named = np.empty(len(order), dtype=object)
    named[order] = [
        f"{one}/{each}" if each else one
        for one, each in zip(segment[order].tolist(), fluid.tolist(), strict=True)
    ]
    return named


def _source(stated: Bools, is_first: Bools) -> Ints:
    """Say from which row each takes its fluid: itself, the last before, or the first after."""
    size = len(stated)
    place, begins = np.arange(size), np.flatnonzero(is_first)
    series = np.cumsum(is_first) - 1
    ends = np.append(begins[1:], size)
    before = np.maximum.accumulate(np.where(stated, place, -1))
    after = np.minimum.accumulate(np.where(stated, place, size)[::-1])[::-1]
    if_after = np.where(after < ends[series], after, place)
    return np.where(before >= begins[series], before, if_after)
