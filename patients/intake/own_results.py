"""What a laboratory may read: its own results, by the names that it or we gave them.

Every question is asked for one laboratory, and another's results do not exist for it.
"""

from dataclasses import dataclass
from typing import Self
from uuid import UUID

from patients.intake.reports import ADDRESS
from patients.models import Inbound, Parked, ParkedResult, Result, ResultName


@dataclass(frozen=True)
class OwnResult:
    """One result of a laboratory, on record or waiting, with all its versions.

    Attributes
    ----------
    line
        Our public name of the result; the same for all versions.
    addresses
        The ids that the laboratory chose for it.
    names
        All other names, as (system, value).
    versions
        As they came, numbered from 1; one of them is current, which need not be the last. Empty
        while the result waits for a person.
    parked
        The draws that brought it and wait, were matched or were rejected, the oldest first.
    """

    line: UUID
    addresses: tuple[str, ...]
    names: tuple[tuple[str, str], ...]
    versions: tuple[Result, ...]
    parked: tuple[Parked, ...]

    @property
    def current(self) -> Result | None:
        """Give the version that counts."""
        return next((each for each in self.versions if each.superseded_at is None), None)

    @property
    def version(self) -> int:
        """Say which version an ETag names: the current one's number, which If-Match must name."""
        current = self.current
        return len(self.parked) if current is None else current.version

    @classmethod
    def of(cls, line: UUID, *, laboratory_id: int) -> Self | None:
        """Read one result; None when this laboratory has none of that name."""
        versions = Result.objects.filter(public_id=line, draw__laboratory=laboratory_id)
        parked = Parked.objects.filter(results__line=line, laboratory=laboratory_id)
        names = ResultName.objects.filter(line=line, laboratory=laboratory_id)
        told = list(names.order_by("pk").values_list("system", "value"))
        found = cls(
            line=line,
            addresses=tuple(value for system, value in told if system == ADDRESS),
            names=tuple((system, value) for system, value in told if system != ADDRESS),
            versions=tuple(versions.select_related("analyte", "draw__patient").order_by("version")),
            parked=tuple(parked.order_by("pk")),
        )
        return found if found.versions or found.parked else None


def by_address(address: str, *, laboratory_id: int) -> OwnResult | None:
    """Find a result by its id: the one that the laboratory chose, or our public name."""
    line = (
        ResultName.objects.filter(laboratory=laboratory_id, system=ADDRESS, value=address)
        .values_list("line", flat=True)
        .first()
    )
    if line is None:
        try:
            line = UUID(address)
        except ValueError:
            return None
    return OwnResult.of(line, laboratory_id=laboratory_id)


def by_name(value: str, *, system: str | None, laboratory_id: int) -> list[OwnResult]:
    """Find results by an identifier; without a system in any numbering of this laboratory."""
    names = ResultName.objects.filter(laboratory=laboratory_id, value=value)
    names = names.exclude(system=ADDRESS) if system is None else names.filter(system=system)
    found = (
        OwnResult.of(line, laboratory_id=laboratory_id)
        for line in dict.fromkeys(names.order_by("pk").values_list("line", flat=True))
    )
    return [each for each in found if each is not None]


def message_of(version: Result) -> tuple[Inbound | None, str]:
    """Give the raw message that brought a version, and where in it the result stands."""
    return version.inbound or version.draw.inbound, version.pointer


def position_in(parked: Parked, *, line: UUID) -> int:
    """Say which result of a parked draw has this public name."""
    return ParkedResult.objects.get(parked=parked, line=line).position
