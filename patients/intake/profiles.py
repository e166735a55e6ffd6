"""How the messages of one laboratory are to be read: what its profile says, ready for placing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import Any

from patients import units
from patients.intake.reports import Code, DrawReport, Precision, ResultReport, SeenTime, TimeRole
from patients.models import IfPreliminary, Laboratory
from patients.statements import ask

# Which of several times is that of the draw, the best first; the time of issue is none of them
DRAW_TIMES = (TimeRole.COLLECTED, TimeRole.OBSERVED, TimeRole.EFFECTIVE, TimeRole.REQUESTED)

# All that is needed to read and place what one laboratory sends, as one text. Of the codes its own
# come last, and so before everybody's.
PROFILE = """
SELECT json_build_object(
       'codes', (
         SELECT json_agg(json_build_array(system, code, pk, name, unit) ORDER BY rank, system, code)
           FROM (
             SELECT '' AS system, code, id AS pk, code AS name, unit, 0 AS rank
               FROM patients_analyte
             UNION ALL
             SELECT alias.system, alias.code, analyte.id, analyte.code, analyte.unit,
                    CASE WHEN alias.laboratory_id IS NULL THEN 1 ELSE 2 END
               FROM patients_analytealias AS alias
               JOIN patients_analyte AS analyte ON analyte.id = alias.analyte_id
              WHERE alias.laboratory_id IS NULL OR alias.laboratory_id = laboratory.id
           ) AS codes),
       'draw_times', draw_times,
       'if_preliminary', if_preliminary,
       'units', (SELECT coalesce(json_object_agg(sent, means ORDER BY sent), '{}')
                   FROM patients_unitalias WHERE laboratory_id = laboratory.id),
       'kits', (SELECT coalesce(json_agg(json_build_array(analyte_id, name, lot, used_from)
                                         ORDER BY id), '[]')
                  FROM patients_kit WHERE laboratory_id = laboratory.id),
       'ignored', ignored_codes,
       'version', profile_version)::text
  FROM patients_laboratory AS laboratory WHERE id = %(laboratory)s
"""


@dataclass(frozen=True)
class KnownAnalyte:
    """An analyte of the catalogue and the unit in which the record keeps it."""

    pk: int
    code: str = field(compare=False)
    unit: str = field(compare=False)


@dataclass(frozen=True)
class _Kit:
    name: str
    lot: str
    used_from: date | None


class Profile:
    """What the codes, units and times of one laboratory mean."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._codes = {
            (system, code): KnownAnalyte(*rest) for system, code, *rest in document["codes"]
        }
        self._if_preliminary, self._units = document["if_preliminary"], document["units"]
        self.version: int = document["version"]
        self._ignored = frozenset(
            (each.get("system", ""), each["code"]) for each in document["ignored"]
        )
        self._times = tuple(TimeRole(each) for each in document["draw_times"])
        self._kits: dict[int, list[_Kit]] = {}
        for analyte_id, name, lot, used_from in document["kits"]:
            since = date.fromisoformat(used_from) if used_from else None
            self._kits.setdefault(analyte_id, []).append(_Kit(name, lot, since))

    def analytes(self, codes: Sequence[Code]) -> set[KnownAnalyte]:
        """Say which analytes the codes of a result mean; more than one is a contradiction."""
        found = set()
        for code in codes:
            system, text = code.key
            known = self._codes.get((system, text)) or self._codes.get(("", text))
            if known is not None:
                found.add(known)
        return found

    def ignores(self, result: ResultReport) -> bool:
        """Tell whether a result is none of ours: ignored by one code, and known by no other."""
        if not self._ignored or self.analytes(result.codes):
            return False
        keys = {code.key for code in result.codes}
        return not self._ignored.isdisjoint(keys | {("", text) for _, text in keys})

    def unit(self, sent: str) -> str | None:
        """Say which unit is meant; None when nobody knows it. One that is known means itself."""
        if units.is_known(sent):
            return sent
        meant = self._units.get(sent)
        return meant if meant and units.is_known(meant) else None

    def draw_time(self, report: DrawReport) -> SeenTime | None:
        """Say when the blood was taken, if the best of the stated times is exact to the day."""
        return draw_time(report, among=self._times)

    def kit(self, result: ResultReport, *, analyte_id: int, drawn_at: datetime) -> str:
        """Name the kit: as sent, or the one that the laboratory is known to use."""
        if result.kit or result.method:
            return result.kit
        in_use = [
            each
            for each in self._kits.get(analyte_id, ())
            if each.used_from is None or each.used_from <= drawn_at.date()
        ]
        fitting = [each for each in in_use if each.lot == result.lot] or [
            each for each in in_use if not each.lot
        ]
        names = {each.name for each in fitting}
        return names.pop() if len(names) == 1 else ""

    def waits_for_final(self, result: ResultReport) -> bool:
        """Tell whether a preliminary value is shown as pending only."""
        return result.status == "preliminary" and self._if_preliminary == IfPreliminary.WAIT


@lru_cache(maxsize=100)
def read_profile(text: str) -> Profile:
    """Read what `PROFILE` gives; the same text is read once, and serves as long as it is given."""
    return Profile(json.loads(text))


def without_ignored(report: DrawReport, profile: Profile) -> tuple[DrawReport, tuple[int, ...]]:
    """Give a draw without the results that the laboratory's profile ignores, and their places.

    Of a draw that nobody wants anything of, no result is left.
    """
    ignored = {n for n, each in enumerate(report.results) if profile.ignores(each)}
    if not ignored:
        return report, ()
    kept = tuple(each for n, each in enumerate(report.results) if n not in ignored)
    return report.model_copy(update={"results": kept}), tuple(sorted(ignored))


def draw_time(report: DrawReport, *, among: Sequence[TimeRole] = DRAW_TIMES) -> SeenTime | None:
    """Say when the blood was taken, by this order of the times that may be stated."""
    stated = {time.role: time for time in reversed(report.times)}
    for role in among:
        time = stated.get(role)
        if time is not None and time.at is not None:
            return time if time.precision in {Precision.MINUTE, Precision.DAY} else None
    return None


@dataclass(frozen=True)
class MessageRules:
    """What a laboratory's profile says of its messages before they are read (HL7 v2)."""

    charset: str
    processing_ids: tuple[str, ...]
    laboratory_id: int

    def knows(self, codes: Sequence[Code]) -> bool:
        """Tell whether a code means an analyte."""
        return bool(self._profile.analytes(codes))

    @cached_property
    def _profile(self) -> Profile:
        """Read the profile; few messages ask for it before they are placed."""
        [[(profile,)]] = ask((PROFILE, {"laboratory": self.laboratory_id}))
        return read_profile(profile)


def message_rules(*, laboratory_id: int) -> MessageRules:
    """Read the rules for reading messages; any door may call this."""
    charset, ids = Laboratory.objects.values_list("charset", "processing_ids").get(pk=laboratory_id)
    return MessageRules(charset, tuple(ids), laboratory_id)
