"""A cohort for research, without names: six tables as the core takes them, and who asked for them.

No name, number, birth date, place, free text or genotype leaves. Patients are numbered anew and in
no order, and every time counts from the first dose, which is put on one day for all.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from django.db import transaction

from analytics import NEVER, History, estimate_cohort
from analytics.columns import US_PER_WEEK
from analytics.definitions import Rules
from analytics.doses import TABLE_VERSION
from analytics.moments import microseconds
from monitoring.history import histories_of
from monitoring.site_rules import rules_of_patients
from patients import audit
from patients.models import Patient

FIRST_DOSE = np.datetime64("2000-01-03T00:00:00", "us")  # a Monday; of everybody
_TIMES = {"started_at", "stopped_at", "drawn_at", "rated_at", "adequate_from"}
# The calendar of the site, what a gene says, and what somebody has typed
_LEFT_OUT = {"local_day", "ill_since", "rs2228145", "drug", "dose_table"}


class NobodyToExport(Exception):
    """No patient of the team has a first dose on record."""


@dataclass(frozen=True)
class Export:
    """What was written: how many patients, and how many were left out for want of a first dose."""

    patients: int
    without_first_dose: int


@transaction.atomic
def export_cohort(
    patients: Sequence[Patient], *, into: Path, recipient: str, purpose: str, by: str, at: datetime
) -> Export:
    """Write the tables of these patients into a new folder; the trail names each of them."""
    history = histories_of([patient.pk for patient in patients])
    starts = _starts(history, at=at)
    if not starts:
        raise NobodyToExport
    numbers = list(range(1, len(starts) + 1))
    random.SystemRandom().shuffle(numbers)
    names = _Names(starts, dict(zip(starts, numbers, strict=True)))
    tables = {name: names.of(getattr(history, name)) for name in _TABLES}
    rules = rules_of_patients(list(starts), at=at)
    tables["outcomes"] = _outcomes(history, names, rules, at=at)
    exported = [patient for patient in patients if patient.pk in starts]
    audit.write_all(
        [
            {
                "verb": "export_without_names",
                "subject": f"patient:{patient.public_id}",
                "patient_id": patient.pk,
                "detail": {"recipient": recipient, "purpose": purpose},
            }
            for patient in exported
        ],
        by=by,
        at=at,
    )
    into.mkdir(mode=0o700)
    for name, table in tables.items():
        table.to_csv(into / f"{name}.csv", index=False)
    manifest = {
        # No nearer: less the weeks of following it would be the day of the first dose
        "exported_in": at.year,
        "recipient": recipient,
        "purpose": purpose,
        "patients": len(exported),
        "synthetic_patients": sum(patient.is_synthetic for patient in exported),
        "outcome": "is_resistant: meets the rule of the site at the end of following",
        "rules": sorted({each.version for each in rules.values()}),
        "least_doses": sorted(set(map(_least_doses, history.dose_table.tolist()))),
        "first_dose_of_everybody": str(FIRST_DOSE),
    }
    (into / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
    return Export(len(exported), len(patients) - len(exported))


_TABLES = ("patients", "results", "ratings", "trials", "events", "doses")


def _starts(history: History, *, at: datetime) -> dict[int, int]:
    """Give the first dose of everybody who has had one, in microseconds."""
    pairs = zip(history.patient_ids.tolist(), history.started_us.tolist(), strict=True)
    now = microseconds(at)
    return {patient: start for patient, start in pairs if start != NEVER and start <= now}


class _Names:
    """Turns what names somebody, or tells when, into what does not."""

    def __init__(self, starts: dict[int, int], numbers: dict[int, int]) -> None:
        self.starts, self.numbers = starts, numbers
        self.trials: dict[int, tuple[int, int]] = {}  # new number, and the patient's first dose
        self.laboratories: dict[str, str] = {}
        self.lots: dict[int, dict[str, str]] = {}  # by patient: a lot that is shared tells a date

    def of(self, given: Any) -> pd.DataFrame:
        """Give one table without names; rows of people without a first dose are left out."""
        columns: Mapping[str, Any] = given if given is not None else {}
        table = pd.DataFrame({name: list(values) for name, values in columns.items()})
        if table.empty:
            return table.drop(columns=list(_LEFT_OUT & {*table.columns}))
        table = self._shift(table)
        if "lot" in table:
            table["lot"] = list(map(self._lot, table["patient_id"], table["lot"]))
        if "segment" in table:
            table["laboratory"] = [self._laboratory(each) for each in table["laboratory"]]
            table["segment"] = [self._segment(each) for each in table["segment"]]
        if "drug" in table:
            table = table.assign(drug=table["atc"])
        kept = table.drop(columns=list((_LEFT_OUT - {"drug"}) & {*table.columns}))
        return kept.sort_values(list(kept.columns[:2]), kind="stable").reset_index(drop=True)

    def _shift(self, table: pd.DataFrame) -> pd.DataFrame:
        if "patient_id" in table:
            table = table[table["patient_id"].isin(list(self.starts))]
            start = table["patient_id"].map(self.starts)
            if "trial_id" in table:
                found = zip(table["trial_id"], start, strict=True)
                self.trials = {old: (n, at) for n, (old, at) in enumerate(found, start=1)}
            table = table.assign(patient_id=table["patient_id"].map(self.numbers))
        else:
            table = table[table["trial_id"].isin(list(self.trials))]
            start = table["trial_id"].map(lambda old: self.trials[old][1])
        if "trial_id" in table:
            table = table.assign(trial_id=table["trial_id"].map(lambda old: self.trials[old][0]))
        times = {name: _since(table[name], start) for name in _TIMES & {*table.columns}}
        return table.assign(**times)

    def _segment(self, segment: str) -> str:
        laboratory, slash, kit = segment.partition("/")
        return self._laboratory(laboratory) + slash + kit

    def _laboratory(self, word: str) -> str:
        return self.laboratories.setdefault(word, f"laboratory {len(self.laboratories) + 1}")

    def _lot(self, patient: int, word: str) -> str:
        known = self.lots.setdefault(patient, {})
        return known.setdefault(word, f"lot {len(known) + 1}") if word else ""


def _since(times: "pd.Series[Any]", start: "pd.Series[Any]") -> list[str]:
    """Count times from the first dose of their patient, which is put on one day for all."""
    return [
        "" if each == NEVER else f"{FIRST_DOSE + np.timedelta64(each - first, 'us')}Z"
        for each, first in zip(times.tolist(), start.tolist(), strict=True)
    ]


def _least_doses(version: str) -> str:
    """Name the table of least doses without the day of its change; each trial names its dose."""
    _text, is_changed, number = version.rpartition("(")
    if not is_changed:
        return version or TABLE_VERSION
    return f"{TABLE_VERSION}, change {number.removesuffix(')')} of the site"


def _outcomes(
    history: History, names: _Names, rules: Mapping[int, Rules], *, at: datetime
) -> pd.DataFrame:
    """Say who meets the rule of their site now, and which that is.

    What became of whom when is for the researcher to define.
    """
    now = microseconds(at)
    by_version = {each.version: each for each in rules.values()}
    rows = [
        {
            "patient_id": names.numbers[found.patient_id],
            "is_resistant": bool(found.course and found.course.status.startswith("meets TRD rule")),
            "rules": version,
            "resolved_week": "",
            "followed_weeks": (now - names.starts[found.patient_id]) // US_PER_WEEK,
        }
        for version, each in by_version.items()
        for found in estimate_cohort(history, at=at, rules=each)
        if found.patient_id in names.starts and rules[found.patient_id].version == version
    ]
    return pd.DataFrame(rows).sort_values("patient_id")
