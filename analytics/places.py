"""Picks each patient's first or latest trial out of the columns of all trials."""

import numpy as np

from analytics.adequacy import EpisodeTrials
from analytics.tables import NEVER, Column, Ints, column_of


class Places:
    """Picks each patient's first or latest trial out of the columns of all trials."""

    def __init__(self, trials: EpisodeTrials, started: Ints) -> None:
        """Find where each patient's trials begin and end; all with an episode have one."""
        self.started, self.has = started, started != NEVER
        [those] = self.has.nonzero()
        self._those = None if len(those) == len(started) else those
        self._has_one_each = self._those is None and len(trials.patient) == len(started)
        if not self._has_one_each:
            self._first = trials.patient.searchsorted(those)
            self._last = _current(trials, those)

    def first(self, column: Column, missing: float) -> Column:
        """Give each patient's first trial's entry."""
        return column if self._has_one_each else self._spread(column[self._first], missing)

    def latest(self, column: Column, missing: float) -> Column:
        """Give each patient's latest trial's entry; one that runs is later than one that ended."""
        return column if self._has_one_each else self._spread(column[self._last], missing)

    def _spread(self, entries: Column, missing: float) -> Column:
        if self._those is None:
            return entries
        found = column_of(missing, len(self.has), entries.dtype)
        found[self._those] = entries
        return found


def _current(trials: EpisodeTrials, patients: Ints) -> Ints:
    """Find the trial that is spoken of: the latest that runs, else the latest."""
    last = trials.patient.searchsorted(patients, side="right") - 1
    [running] = (trials.stopped_us == NEVER).nonzero()
    if len(running) == 0:
        return last
    of = trials.patient[running]
    place = of.searchsorted(patients, side="right") - 1
    runs = (place >= 0) & (of[place] == patients)
    return np.where(runs, running[place], last)
