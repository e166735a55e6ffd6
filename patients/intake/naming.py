"""The names of results: claimed first, so that one name is one result however many messages race.

A name is a row with a unique constraint. Inserting it either makes it or waits for whoever is just
making it; from there to the commit nobody else reads or writes the result behind it.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from patients.intake.order_names import RESULT_NAMES, drawn_at, named_at
from patients.intake.reports import ADDRESS, DrawReport, Identifier, ResultReport
from patients.statements import Question, as_rows

# The public name that we gave a result is an address too, for the laboratory that owns it
_CLAIM = """
INSERT INTO patients_resultname AS kept (laboratory_id, system, value, line)
SELECT %(laboratory)s, asked.system, coalesce(
           (SELECT exact.value FROM patients_resultname AS exact
             WHERE exact.laboratory_id = %(laboratory)s AND exact.system = asked.system
               AND exact.value = asked.exact),
           asked.value), coalesce(
           (SELECT result.public_id FROM patients_result AS result
              JOIN patients_draw AS draw ON draw.id = result.draw_id
             WHERE result.public_id = asked.address AND draw.laboratory_id = %(laboratory)s
             LIMIT 1),
           (SELECT result.line FROM patients_parkedresult AS result
              JOIN patients_parked AS parked ON parked.id = result.parked_id
             WHERE result.line = asked.address AND parked.laboratory_id = %(laboratory)s
             LIMIT 1),
           asked.line)
  FROM json_to_recordset(%(names)s::json)
    AS asked (system text, value text, exact text, line uuid, address uuid)
 ORDER BY asked.system, asked.value
    ON CONFLICT (laboratory_id, system, value)
    DO UPDATE SET value = excluded.value, is_alias = FALSE
RETURNING kept.system, kept.value, kept.line
"""
_RENAME = """
UPDATE patients_resultname AS name SET line = joined.line
  FROM json_to_recordset(%(names)s::json) AS joined (system text, value text, line uuid)
 WHERE name.laboratory_id = %(laboratory)s
   AND (name.system, name.value) = (joined.system, joined.value)
"""


class Claim(NamedTuple):
    """The result that the names of a report mean.

    `is_known` says that the laboratory has used one of them before; `is_torn`, that they mean
    different results.
    """

    line: UUID
    is_known: bool = False
    is_torn: bool = False


class Names:
    """The names in one message, and the results that they mean."""

    def __init__(self, reports: Sequence[DrawReport]) -> None:
        self._proposed: dict[tuple[str, str], UUID] = {}
        # Under these instead, where they are known: names that hold the time of the draw
        self._exact: dict[tuple[str, str], str] = {}
        self._alone: list[list[UUID]] = []
        for report in reports:
            fresh = [uuid4() for _ in report.results]
            self._alone.append(fresh)
            for line, name in _names(report, fresh):
                self._proposed.setdefault((name.system, name.value), line)
                if name.system == RESULT_NAMES:
                    exact = named_at(name, drawn_at(report)).value
                    self._exact.setdefault((name.system, name.value), exact)
        self._new = frozenset(self._proposed.values())
        self._kept: dict[tuple[str, str], UUID] = {}
        self._claimed: frozenset[tuple[str, str]] = frozenset()

    def claim(self, *, laboratory_id: int) -> list[Question]:
        """Ask for the names; a message without any costs nothing."""
        if not self._proposed:
            return []
        asked = sorted(self._proposed.items())
        return [
            (
                _CLAIM,
                {
                    "laboratory": laboratory_id,
                    "names": as_rows(
                        {
                            "system": system,
                            "value": value,
                            "exact": self._exact_if_alone(system, value),
                            "line": line,
                            "address": _address(system, value),
                        }
                        for (system, value), line in asked
                    ),
                },
            )
        ]

    def read(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Take in what the names mean."""
        self._kept = {(system, value): line for system, value, line in rows}
        self._claimed = frozenset(self._kept)
        for system, value in self._exact:
            row = self._row_of(system, value)
            if row in self._kept:
                self._kept[system, value] = self._kept[row]

    def _exact_if_alone(self, system: str, value: str) -> str | None:
        """Give the name to look for first; one that is asked for itself is left to whoever asks."""
        exact = self._exact.get((system, value))
        return None if (system, exact) in self._proposed else exact

    def _row_of(self, system: str, value: str) -> tuple[str, str]:
        """Say under which name of a result a name is kept."""
        if (system, value) in self._claimed:
            return system, value
        return system, self._exact.get((system, value), value)

    def of(self, place: int, position: int, result: ResultReport) -> Claim:
        """Say which result a report means; one without a name is a new one."""
        if not result.names:
            return Claim(self._alone[place][position])
        meant = [self._kept[name.system, name.value] for name in result.names]
        known = list(dict.fromkeys(line for line in meant if line not in self._new))
        return Claim((known or meant)[0], is_known=bool(known), is_torn=len(known) > 1)

    def rename(
        self, meant: Sequence[tuple[ResultReport, UUID]], *, laboratory_id: int
    ) -> list[Question]:
        """Let further names of a result mean it too, where they do not yet."""
        wrong = {
            (name.system, name.value): line
            for result, line in meant
            for name in result.names
            if self._kept[name.system, name.value] != line
        }
        if not wrong:
            return []
        self._kept |= wrong
        return [
            (
                _RENAME,
                {
                    "laboratory": laboratory_id,
                    "names": as_rows(
                        {"system": system, "value": value, "line": line}
                        for name, line in wrong.items()
                        for system, value in [self._row_of(*name)]
                    ),
                },
            )
        ]


def names_in(reports: Sequence[DrawReport]) -> list[tuple[str, str]]:
    """Give every name of a result in these reports, once, and each with the time of its draw."""
    found = (
        (each.system, each.value)
        for report in reports
        for result in report.results
        for name in result.names
        for each in (name, named_at(name, drawn_at(report)))
    )
    return list(dict.fromkeys(found))


def _names(report: DrawReport, fresh: Sequence[UUID]) -> Iterator[tuple[UUID, Identifier]]:
    for line, result in zip(fresh, report.results, strict=True):
        for name in result.names:
            yield line, name


def _address(system: str, value: str) -> UUID | None:
    if system != ADDRESS:
        return None
    try:
        return UUID(value)
    except ValueError:
        return None
