"""A list of patients becomes patients on the record: all rows or none; the known are left alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from django.db import transaction

from monitoring import ingest, wake
from monitoring.imports import cells
from monitoring.imports.numbers import find_numbers
from monitoring.imports.tables import Fault, FileIsFaulty, Row, read_table
from patients.models import CareTeam, Sex
from patients.record.patients import IdentifierTaken, enrol

COLUMNS = ("system", "value", "family", "given", "birth_date", "sex", "started_on")
EARLIEST_START = date(1950, 1, 1)  # the first antidepressants came later


class Verdict(StrEnum):
    NEW = "new"
    KNOWN = "known"


@dataclass(frozen=True)
class Enrolment:
    """One row of the list: a patient as the clinic knows them."""

    row: int
    system: str
    value: str
    family_name: str
    given_name: str
    birth_date: date | None
    sex: Sex
    started_on: date | None
    verdict: Verdict


def read_patients(data: bytes, *, team: CareTeam, at: datetime) -> list[Enrolment]:
    """Read the list and say of each row whether the patient is new; nothing is written.

    Raises
    ------
    FileIsFaulty
        When anything in the file is wrong; every fault is named.
    """
    rows = read_table(data, required=COLUMNS)
    today = at.astimezone(team.site.zone).date()
    known = find_numbers(rows).keys()
    faults: list[Fault] = []
    first_row: dict[tuple[str, str], int] = {}
    enrolments = []
    for row in rows:
        number = (row.cells["system"], row.cells["value"])
        if number in first_row:
            faults.append(row.fault("value", f"stands in row {first_row[number]} already"))
        first_row.setdefault(number, row.number)
        verdict = Verdict.KNOWN if number in known else Verdict.NEW
        if (found := _read_row(row, today=today, verdict=verdict, faults=faults)) is not None:
            enrolments.append(found)
    if faults:
        raise FileIsFaulty(faults)
    return enrolments


def _read_row(row: Row, *, today: date, verdict: Verdict, faults: list[Fault]) -> Enrolment | None:
    before = len(faults)
    system = row.read("system", cells.text(at_most=200), faults)
    value = row.read("value", cells.text(at_most=100), faults)
    family = row.read("family", cells.text(at_most=100), faults)
    given = row.read("given", cells.text(at_most=100), faults)
    born = row.read("birth_date", cells.day(from_day=cells.EARLIEST_BIRTH, to_day=today), faults)
    sex = row.read("sex", cells.sex, faults)
    start = row.read("started_on", cells.day(from_day=EARLIEST_START, to_day=today), faults)
    if born is not None and start is not None and start < born:
        faults.append(row.fault("started_on", f"must not come before the birth on {born}"))
    if len(faults) > before or system is None or value is None or family is None or given is None:
        return None
    return Enrolment(
        row=row.number,
        system=system,
        value=value,
        family_name=family,
        given_name=given,
        birth_date=born,
        sex=sex or Sex.UNKNOWN,
        started_on=start,
        verdict=verdict,
    )


@transaction.atomic
def enrol_patients(
    enrolments: Sequence[Enrolment], *, team: CareTeam, by: str, at: datetime
) -> int:
    """Enrol those who are new, all or none; say how many.

    They are written in the order of their numbers: in the order of the file, two files that name
    the same people would wait for each other.
    """
    new = [each for each in enrolments if each.verdict == Verdict.NEW]
    for each in sorted(new, key=lambda each: (each.system, each.value)):
        try:
            enrol(
                team=team,
                identifiers=[(each.system, each.value)],
                family_name=each.family_name,
                given_name=each.given_name,
                birth_date=each.birth_date,
                sex=each.sex,
                started_on=each.started_on,
                by=by,
                at=at,
            )
        except IdentifierTaken as fault:
            wanted = "somebody else has just enrolled a patient with this number; try again"
            raise FileIsFaulty([Fault(each.row, "value", each.value, wanted)]) from fault
    if new:
        ingest.replay_parked(at=at)
        transaction.on_commit(wake.wake_workers)
    return len(new)
