"""Picks each patient's first trial, or the one that speaks, out of the columns of all trials."""

import numpy as np

from analytics.adequacy import EpisodeTrials
from analytics.tables import NEVER, Bools, Column, Ints, column_of


class Places:
    """Picks each patient's first trial, or the current one, out of the columns of all trials.

    The current trial is the latest of those that run, else the latest: one that was tried for some
    days beside another that goes on takes nothing from it.
    """

    def __init__(self, trials: EpisodeTrials, started: Ints) -> None:
        """Find each patient's first trial and the current one; all with an episode have one."""
        self.started, self.has = started, started != NEVER
        self._patient = trials.patient
        self._runs = trials.stopped_us == NEVER
        [those] = self.has.nonzero()
        self._those = None if len(those) == len(started) else those
        self._has_one_each = self._those is None and len(trials.patient) == len(started)
        if not self._has_one_each:
            self._first = trials.patient.searchsorted(those)
            current = trials.patient.searchsorted(np.arange(len(started)), side="right") - 1
            [running] = self._runs.nonzero()
            current[trials.patient[running]] = running  # in order of time: the latest one stays
            self._current = current[those]

    def first(self, column: Column, missing: float) -> Column:
        """Give each patient's first trial's entry."""
        return column if self._has_one_each else self._spread(column[self._first], missing)

    def current(self, column: Column, missing: float) -> Column:
        """Give the entry of each patient's current trial."""
        return column if self._has_one_each else self._spread(column[self._current], missing)

    def any_current(self, holds: Bools) -> Bools:
        """Tell of whom something holds of any trial that runs, or of the current one."""
        if self._has_one_each:
            return holds
        speaks = self._runs.copy()
        speaks[self._current] = True
        found = np.zeros(len(self.has), dtype=np.bool_)
        found[self._patient[holds & speaks]] = True
        return found

    def _spread(self, entries: Column, missing: float) -> Column:
        if self._those is None:
            return entries
        found = column_of(missing, len(self.has), entries.dtype)
        found[self._those] = entries
        return found
