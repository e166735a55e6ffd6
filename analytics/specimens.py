"""What was seen of a specimen: haemolysis, matrix, kit, thaws, lot and hour of the draw."""

import numpy as np

from analytics.columns import ANALYTES, HAEMOLYSES, ResultColumns
from analytics.reasons import BIT, Reason
from analytics.tables import Bools, Floats, Ints, Objects

# Markers are largely unchanged between thaw 1 and 2, not between 2 and 3 (Huang 2017, V)
THAWS = 3
# IL-6 has a morning trough (V); ARUP asks for the same hour in longitudinal comparison (V); 3 h (M)
HOURS_OFF = 3.0
_GROSS, _MODERATE = HAEMOLYSES.index("gross"), HAEMOLYSES.index("moderate")


def mark_specimens(results: ResultColumns, known: Bools | slice, reasons: Ints) -> None:
    """Add to the reasons what speaks against the specimens themselves.

    A person's word, gross haemolysis, a wrong matrix, an unknown kit, a zero and a duplicate
    exclude; moderate haemolysis, a sample that its laboratory called unfit, three thaws or more,
    the first result of a new lot, and an hour more than three hours off the patient's own (the
    median of the hours of their draws) are cautions.

    Parameters
    ----------
    results : ResultColumns
        The results.
    known : array of bool or slice
        Those that are known at the moment.
    reasons : array of int
        Masks of the known ones; changed in place.
    """
    seen = results.specimens
    if seen is None:
        return
    for reason, is_so in (
        (Reason.KEPT_OUT, seen.is_kept_out[known]),
        (Reason.WRONG_MATRIX, seen.is_matrix_wrong[known]),
        (Reason.UNKNOWN_KIT, seen.is_kit_unknown[known]),
        (Reason.ZERO, seen.is_zero[known]),
        (Reason.DUPLICATE, seen.is_duplicate[known]),
        (Reason.GROSS_HAEMOLYSIS, seen.haemolysis[known] == _GROSS),
        (Reason.HAEMOLYSIS, seen.haemolysis[known] == _MODERATE),
        (Reason.UNSUITABLE, seen.is_unsuitable[known]),
        (Reason.THAWED, seen.freeze_thaw_cycles[known] >= THAWS),
        (Reason.NEW_LOT, _is_new_lot(results, seen.lot[known], known)),
        (Reason.OTHER_HOUR, _is_other_hour(results, seen.local_hour[known], known)),
    ):
        reasons[is_so] |= BIT[reason]


def _is_new_lot(results: ResultColumns, lot: Objects, known: Bools | slice) -> Bools:
    """Mark the first result of each further lot of one analyte and segment; a lot is new once."""
    found = np.zeros(len(lot), dtype=np.bool_)
    rows = np.flatnonzero(lot != "")
    if len(rows) < 2:
        return found
    series = results.patient[known][rows] * len(ANALYTES) + results.analyte[known][rows]
    series = series * len(results.segments) + results.segment[known][rows]
    order = np.lexsort((results.drawn_us[known][rows], series))
    names, codes = np.unique(lot[rows].astype(str), return_inverse=True)
    those = series[order] * len(names) + codes[order]
    is_first_of_lot = np.zeros(len(order), dtype=np.bool_)
    is_first_of_lot[np.unique(those, return_index=True)[1]] = True
    is_first_of_series = np.ones(len(order), dtype=np.bool_)
    is_first_of_series[1:] = series[order][1:] != series[order][:-1]
    found[rows[order[is_first_of_lot & ~is_first_of_series]]] = True
    return found


def _is_other_hour(results: ResultColumns, hour: Floats, known: Bools | slice) -> Bools:
    """Mark the draws at an hour of the day that is not the patient's own."""
    found = np.zeros(len(hour), dtype=np.bool_)
    rows = np.flatnonzero(~np.isnan(hour))
    if len(rows) == 0:
        return found
    patient, drawn = results.patient[known][rows], results.drawn_us[known][rows]
    # Several results of a draw have one hour: it counts once
    is_draw = np.ones(len(rows), dtype=np.bool_)
    is_draw[1:] = (patient[1:] != patient[:-1]) | (drawn[1:] != drawn[:-1])
    draws = rows[is_draw]
    order = np.lexsort((hour[draws], patient[is_draw]))
    whose = patient[is_draw][order]
    first = np.searchsorted(whose, patient, side="left")
    last = np.searchsorted(whose, patient, side="right") - 1
    own = hour[draws[order[(first + last) // 2]]]
    apart = np.abs(hour[rows] - own)
    found[rows] = np.minimum(apart, 24 - apart) > HOURS_OFF
    return found
