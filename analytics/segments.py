"""Within what results are comparable: one laboratory, one kit, one fluid."""

from typing import NamedTuple

import numpy as np

from analytics.ready import constant
from analytics.tables import NEVER, Bools, Column, Ints, Objects, is_blank


class Segments(NamedTuple):
    """The segment of each result, and whether its kit is a guess from the others.

    ``told_us`` is the latest time of a result that has told an earlier one its kit or fluid, or
    ``NEVER``: before it nobody could know.
    """

    names: Objects
    is_kit_assumed: Bools
    told_us: int


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
    one. Not so where the patient would then have two results of one moment in one segment. What a
    later result tells was not known before: see :func:`analytics.known.known_by`.

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
    segment, assumed, told_us = _with_kit(given, patient, analyte)
    matrix = given["matrix"]
    if is_blank(matrix) or not any(matrix.tolist()):
        return Segments(segment, assumed, told_us)
    series = patient, analyte, labels(segment)[0]
    fluid, fluid_us = _inherited(matrix, given["drawn_at"], series)
    named = np.empty(len(segment), dtype=object)
    named[:] = [
        f"{one}/{each}" if each else one
        for one, each in zip(segment.tolist(), fluid.tolist(), strict=True)
    ]
    return Segments(named, assumed, max(told_us, fluid_us))


def _with_kit(given: dict[str, Column], patient: Ints, analyte: Ints) -> Segments:
    """Give the segments with the kit of the result before where none is stated; say where."""
    segment, laboratory = given["segment"], given["laboratory"]
    if is_blank(laboratory):
        return Segments(segment, constant(value=False, size=len(segment), dtype=np.bool_), NEVER)
    is_silent = np.asarray(segment == laboratory, dtype=np.bool_)
    is_silent &= laboratory != ""
    if not is_silent.any() or is_silent.all():
        return Segments(segment, np.zeros(len(segment), dtype=np.bool_), NEVER)
    stated = segment.copy()
    stated[is_silent] = ""
    series = patient, analyte, labels(laboratory)[0]
    kit, told_us = _inherited(stated, given["drawn_at"], series)
    is_assumed = is_silent & (kit != "")
    named = segment.copy()
    named[is_assumed] = kit[is_assumed]
    return Segments(named, is_assumed, told_us)


def _inherited(words: Objects, drawn: Ints, series: tuple[Ints, ...]) -> tuple[Objects, int]:
    """Give each what it states, else what the one before in its series does, or the first after.

    Also the latest time of one that told an earlier.
    """
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
    source = _source(stated, is_first)
    found = words[order][source]
    found[crowded & ~stated] = ""
    tells = source[(source > np.arange(len(source))) & ~crowded]
    told_us = int(drawn[order][tells].max(initial=NEVER))
    back = np.empty(len(order), dtype=object)
    back[order] = found
    return back, told_us


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
