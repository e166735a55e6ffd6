"""The laboratory of the demo: it prints messages such as a real one would push, day by day."""

import json
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from analytics.simulation import SimulatedCohort
from monitoring import ingest
from patients.intake.json_dialect import read_json
from patients.intake.reception import Sender

Row = Mapping[Hashable, Any]  # of the simulated results

METHOD = "ELISA (synthetic)"
# Two draws that a person must see to: the number of the patient without a draw, two of its digits
# changed about (whoever puts it right sees the patient assessed); and a unit that nobody knows
MISTYPED_FOR = "no_draw"
ODD_UNIT = "IU/mL"


@dataclass(frozen=True)
class Message:
    """The draws that were reported on one day."""

    at: datetime
    sender: Sender
    draws: tuple[dict[str, Any], ...]

    def push(self, at: datetime) -> None:
        """Bring it through the door of the laboratories."""
        body = json.dumps({"draws": self.draws}, ensure_ascii=False).encode()
        panels, _is_list = read_json(body)
        ingest.receive(panels, body=body, dialect="json", sender=self.sender, at=at)


def messages(
    cohort: SimulatedCohort,
    opened: dict[str, datetime],
    *,
    sender: Sender,
    numbers: str,
    at: datetime,
) -> Iterator[Message]:
    """Gather the reports of each day into one message; the last one cannot be placed."""
    draws: dict[tuple[str, float], list[Row]] = defaultdict(list)
    for row in cohort.results.to_dict("records"):
        draws[row["accession"], row["reported_day"]].append(row)
    reports: dict[date, list[tuple[datetime, dict[str, Any]]]] = defaultdict(list)
    for (accession, reported_day), results in draws.items():
        patient, day = results[0]["patient"], results[0]["day"]
        reported_at = opened[patient] + timedelta(days=reported_day)
        draw = {
            "accession": accession,
            "patient": {"system": numbers, "value": patient},
            "collected_at": _written(opened[patient] + timedelta(days=day)),
            "results": _results(results),
        }
        reports[reported_at.date()].append((reported_at, draw))
    for of_day in reports.values():
        yield Message(max(when for when, _ in of_day), sender, tuple(draw for _, draw in of_day))
    drawn_at = at - timedelta(days=2)
    yield Message(
        at - timedelta(days=1), sender, _unplaceable(cohort, numbers=numbers, drawn_at=drawn_at)
    )


def _written(at: datetime) -> str:
    return at.isoformat(timespec="minutes")


def _results(rows: Iterable[Row]) -> list[dict[str, str | None]]:
    return [
        {
            "analyte": row["analyte"],
            "value": row["value_text"],
            "unit": row["unit"],
            "comparator": row["comparator"] or None,
            "status": row["status"],
            "method": METHOD,
            "lot": row["lot"],
        }
        for row in rows
    ]


def _unplaceable(
    cohort: SimulatedCohort, *, numbers: str, drawn_at: datetime
) -> tuple[dict[str, Any], ...]:
    stories = cohort.patients.set_index("story")["patient"]
    right = str(stories[MISTYPED_FOR])
    mistyped = f"{right[:-3]}{right[-2]}{right[-3]}{right[-1]}"
    plain = cohort.patients[cohort.patients["story"] == ""]["patient"].iloc[0]
    last = cohort.results.tail(4).assign(status="final", comparator="")
    return (
        {
            "accession": f"{right}-P1",
            "patient": {"system": numbers, "value": mistyped},
            "collected_at": _written(drawn_at),
            "results": _results(last.to_dict("records")),
        },
        {
            "accession": f"{plain}-P2",
            "patient": {"system": numbers, "value": str(plain)},
            "collected_at": _written(drawn_at),
            "results": [{"analyte": "sIL-6R", "value": "31.4", "unit": ODD_UNIT}],
        },
    )
