"""Within what results are comparable: one laboratory, one kit, one fluid."""

from typing import NamedTuple

import numpy as np

from analytics.ready import constant
from analytics.tables import Bools, Column, Ints, Objects, is_blank


class Segments(NamedTuple):
    """The segment of each result, and whether its kit is a guess from the others."""

    names: Objects
    is_kit_assumed: Bools


def labels(words: Objects) -> tuple[Ints, tuple[str, ...]]:
    """Number words by their place in the alphabet, and list them."""
    listed = words.tolist()
    known = tuple(sorted(set(listed)))
    if len(known) == 1:
        return constant(0, len(listed), np.int64), known
    places = {word: place for place, word in enumerate(known)}
    return np.array([places[word] for word in listed], dtype=np.int64), known


def name_segments(given: dict[str, Column], patient: Ints, analyte: Ints) -> Segments:
    """Name the segment of each result, with the kit and the fluid where they are known.

    A change of kit or fluid must be said: where either is not stated, it is that of the result
    before (of the same laboratory; of the same laboratory and kit), or of the first that states
    one. Not so where the patient would then have two results of one moment in one segment.

    Parameters
    ----------
    given : dict
        The columns of the results. A ``segment`` that is the ``laboratory`` states no kit.
    patient, analyte : array of int
        Whose they are, and of what.

    Returns
    -------
    Segments
    """
    segment, assumed = _with_kit(given, patient, analyte)
    matrix = given["matrix"]
    if is_blank(matrix) or not any(matrix.tolist()):
        return Segments(segment, assumed)
    series = patient, analyte, labels(segment)[0]
    fluid = _inherited(matrix, given["drawn_at"], series)
    named = np.empty(len(segment), dtype=object)
    named[:] = [
        f"{one}/{each}" if each else one
        for one, each in zip(segment.tolist(), fluid.tolist(), strict=True)
    ]
    return Segments(named, assumed)


def _with_kit(given: dict[str, Column], patient: Ints, analyte: Ints) -> tuple[Objects, Bools]:
    """Give the segments with the kit of the result before where none is stated; say where."""
    segment, laboratory = given["segment"], given["laboratory"]
    if is_blank(laboratory):
        return segment, constant(value=False, size=len(segment), dtype=np.bool_)
    is_silent = np.asarray(segment == laboratory, dtype=np.bool_)
    is_silent &= laboratory != ""
    if not is_silent.any() or is_silent.all():
        return segment, np.zeros(len(segment), dtype=np.bool_)
    stated = segment.copy()
    stated[is_silent] = ""
    series = patient, analyte, labels(laboratory)[0]
    kit = _inherited(stated, given["drawn_at"], series)
    is_assumed = is_silent & (kit != "")
    named = segment.copy()
    named[is_assumed] = kit[is_assumed]
    return named, is_assumed


def _inherited(words: Objects, drawn: Ints, series: tuple[Ints, ...]) -> Objects:
    """Give each what it states, else what the one before in its series does, or the first after."""
    order = np.lexsort((words, drawn, *reversed(series)))
    is_first = np.ones(len(order), dtype=np.bool_)
    for key in series:
        is_first[1:] &= key[order][1:] == key[order][:-1]
    is_first[1:] = ~is_first[1:]
    # With another result at the same moment, what is not stated is left alone
    crowded = np.zeros(len(order), dtype=np.bool_)
    crowded[1:] = ~is_first[1:] & (drawn[order][1:] == drawn[order][:-1])
    crowded[:-1] |= crowded[1:]
    stated = words[order] != ""
    found = words[order][_source(stated, is_first)]
    found[crowded & ~stated] = ""
    back = np.empty(len(order), dtype=object)
    back[order] = found
    return back


def _source(stated: Bools, is_first: Bools) -> Ints:
    """Say from which row each takes its word: itself, the last before, or the first after."""
    size = len(stated)
    place, begins = np.arange(size), np.flatnonzero(is_first)
    series = np.cumsum(is_first) - 1
    ends = np.append(begins[1:], size)
    before = np.maximum.accumulate(np.where(stated, place, -1))
    after = np.minimum.accumulate(np.where(stated, place, size)[::-1])[::-1]
    if_after = np.where(after < ends[series], after, place)
    return np.where(before >= begins[series], before, if_after)
