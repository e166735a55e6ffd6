"""The frozen tables a simulated cohort is made of, and how they are placed on the calendar."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.simulation.priors import Scenario, SimulationPriors

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
ITEMS = tuple(f"q{number}" for number in range(1, 17))


class BadPlacement(ValueError):
    """The cohort cannot be placed on the calendar as asked."""


class HistoryTables(NamedTuple):
    """The five tables the front door of analytics takes, with times in UTC."""

    patients: pd.DataFrame
    results: pd.DataFrame
    ratings: pd.DataFrame
    trials: pd.DataFrame
    events: pd.DataFrame


@dataclass(frozen=True)
class SimulatedCohort:
    """A synthetic cohort with its truth; times are days since each patient's first dose.

    Attributes
    ----------
    scenario, seed, priors
        What the cohort was made from; the same three give the same tables, bit for bit.
    patients : DataFrame
        patient (key), course, sex, birth_year, family, given (invented, "Synthetic-..."),
        enrolled_day (suggested day of the first dose since the cohort opened), followed_days
        (nothing is known after this day), segment (laboratory and kit), story ("" or what the
        patient is there to show).
    draws : DataFrame
        accession (unique), patient, day, is_haemolysed.
    results : DataFrame
        accession, patient, day, analyte, value_text (as a laboratory prints it), value (the same
        as a number), comparator ("" or "<" or ">"), unit, status, lot, segment, reported_day,
        latent_value (the reading without rounding and limits), true_level (without noise, lot
        and event; only for sIL-6R, else NaN). A corrected result is a second row that was
        reported later.
    ratings : DataFrame
        patient, day, instrument ("QIDS-SR16"), q1 to q16 (0 to 3), total, true_score.
    trials : DataFrame
        patient, trial (unique), drug, atc, start_day, stop_day (NaN: running), stop_reason,
        adequate_day (first day on an adequate dose, NaN: never).
    dose_steps : DataFrame
        trial, day, dose_mg.
    events : DataFrame
        patient, kind, start_day, stop_day (NaN: lasting), atc, is_recorded (the clinic knows),
        and per analyte what the event truly adds to the ln reading, e.g. `ln IL-6`.
    truth : DataFrame
        One row per patient: course, is_resistant, improves_early, c_alleles, baseline_score,
        person_ln, slope_per_week, effect_ln_week_0, effect_ln_week_12, resolved_day (first day
        of true remission, NaN: none while followed), and the fractions of improvement.
    """

    scenario: Scenario
    seed: int
    priors: SimulationPriors
    patients: pd.DataFrame
    draws: pd.DataFrame
    results: pd.DataFrame
    ratings: pd.DataFrame
    trials: pd.DataFrame
    dose_steps: pd.DataFrame
    events: pd.DataFrame
    truth: pd.DataFrame

    def known_by(self, days: "pd.Series[float]") -> Self:
        """Cut every patient's facts at a day: what the record holds by then.

        Parameters
        ----------
        days : Series of float
            Days since the first dose, indexed by patient key; all patients must be there.

        Returns
        -------
        SimulatedCohort
            The same people; later facts are gone and stops that lie ahead are open again.

        Raises
        ------
        BadPlacement
            A patient has no day.
        """
        last = self._per_patient(days, "day to cut at")
        results = self.results[self.results["reported_day"] <= self.results["patient"].map(last)]
        trials = self.trials[self.trials["start_day"] <= self.trials["patient"].map(last)].copy()
        ahead = trials["stop_day"] > trials["patient"].map(last)
        trials["stop_day"] = trials["stop_day"].mask(ahead)
        trials["stop_reason"] = trials["stop_reason"].mask(ahead, "")
        trials.loc[trials["adequate_day"] > trials["patient"].map(last), "adequate_day"] = np.nan
        trial_last = trials.set_index("trial")["patient"].map(last)
        steps = self.dose_steps[self.dose_steps["day"] <= self.dose_steps["trial"].map(trial_last)]
        events = self.events[self.events["start_day"] <= self.events["patient"].map(last)].copy()
        events.loc[events["stop_day"] > events["patient"].map(last), "stop_day"] = np.nan
        return replace(
            self,
            patients=self.patients.assign(followed_days=self.patients["patient"].map(last)),
            draws=_up_to(self.draws, last),
            results=results.reset_index(drop=True),
            ratings=_up_to(self.ratings, last),
            trials=trials.reset_index(drop=True),
            dose_steps=steps.reset_index(drop=True),
            events=events.reset_index(drop=True),
        )

    def history_tables(self, first_dose_at: "datetime | pd.Series[pd.Timestamp]") -> HistoryTables:
        """Place the cohort on the calendar in the shape the front door takes.

        Parameters
        ----------
        first_dose_at : datetime or Series of Timestamp
            One aware moment for all, or one per patient key.

        Returns
        -------
        HistoryTables
            patient_id is the position of the patient in `patients`, counted from 1; of several
            reports of one result only the last is kept; unrecorded events are left out.

        Raises
        ------
        BadPlacement
            A moment is naive or missing.
        """
        start = self._starts(first_dose_at)
        number = pd.Series(np.arange(1, len(self.patients) + 1), index=self.patients["patient"])
        latest = self.results.sort_values("reported_day", kind="stable").drop_duplicates(
            ["accession", "analyte"], keep="last"
        )
        recorded = self.events[self.events["is_recorded"]]
        dose = self.dose_steps.sort_values("day", kind="stable").groupby("trial")["dose_mg"].last()

        def base(table: pd.DataFrame, days: dict[str, str], *keep: str) -> pd.DataFrame:
            opened = table["patient"].map(start)
            out: dict[str, pd.Series[Any]] = {
                "patient_id": table["patient"].map(number).astype("int64")
            }
            out |= {name: table[name] for name in keep}
            out |= {
                name: opened + pd.to_timedelta(table[day], unit="D").astype("timedelta64[us]")
                for name, day in days.items()
            }
            return pd.DataFrame(out).reset_index(drop=True)

        trials = base(
            self.trials,
            {"started_at": "start_day", "stopped_at": "stop_day", "adequate_from": "adequate_day"},
            "drug", "atc", "stop_reason", "trial",
        ).rename(columns={"trial": "trial_id"})  # fmt: skip
        return HistoryTables(
            patients=pd.DataFrame({"patient_id": number, "started_at": start}).reset_index(
                drop=True
            ),
            results=base(
                latest, {"drawn_at": "day"}, "analyte", "value", "comparator", "status", "segment"
            ),
            ratings=base(self.ratings, {"rated_at": "day"}, "instrument", "total").astype(
                {"total": float}
            ),
            trials=trials.assign(dose_mg=trials["trial_id"].map(dose)),
            events=base(recorded, {"started_at": "start_day", "stopped_at": "stop_day"}, "kind"),
        )

    def _starts(
        self, first_dose_at: "datetime | pd.Series[pd.Timestamp]"
    ) -> "pd.Series[pd.Timestamp]":
        if isinstance(first_dose_at, datetime):
            first_dose_at = pd.Series(
                [pd.Timestamp(first_dose_at)] * len(self.patients), index=self.patients["patient"]
            )
        placed = self._per_patient(first_dose_at, "moment of the first dose")
        if getattr(placed.dtype, "tz", None) is None:
            raise BadPlacement("first_dose_at is naive; give moments with their time zone")
        in_utc: pd.Series[pd.Timestamp] = placed.dt.tz_convert("UTC").dt.as_unit("us")
        return in_utc

    def _per_patient(self, values: "pd.Series[Any]", what: str) -> "pd.Series[Any]":
        keys = self.patients["patient"]
        missing = keys[~keys.isin(values.dropna().index)]
        if len(missing):
            raise BadPlacement(
                f"patient {missing.iloc[0]} has no {what}; give one value for each patient key"
            )
        return values.reindex(keys)


def _up_to(table: pd.DataFrame, last: "pd.Series[float]") -> pd.DataFrame:
    return table[table["day"] <= table["patient"].map(last)].reset_index(drop=True)
