"""What an invented laboratory reports: a seeded stream, and what a perfect receiver then holds.

Nothing of it is of a person. Numbers of patients and results begin with SIM, times are fixed, and
the same seed gives the same stream for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from random import Random

NUMBERS = "urn:soundings:simulated"
BEGIN = datetime(2026, 1, 5, 7, 0, tzinfo=UTC)
# How often something happens to a result, or to its message
CENSORED, CORRECTED, RETRACTED, REPEATED, FAULTY = 0.1, 0.25, 0.1, 0.25, 0.15
# How far a message may be overtaken, in messages
OVERTAKEN_BY = 6
MEDIAN_NG_ML, SPREAD = 32.0, 0.3  # of sIL-6R in serum, and of its logarithm


class What(StrEnum):
    """What a message brings."""

    RESULT = "result"
    CORRECTION = "correction"
    RETRACTION = "retraction"
    FAULT = "fault"


@dataclass(frozen=True)
class Saying:
    """One thing that the laboratory says of one result."""

    name: str
    patient: tuple[str, str]
    collected_at: datetime
    issued_at: datetime
    value: str
    comparator: str
    what: What
    is_repeated: bool = False


@dataclass(frozen=True)
class Stream:
    """Every message in the order of sending, and the last word on each result."""

    sayings: tuple[Saying, ...]
    last: dict[str, Saying]


def stream(
    *, seed: int, draws: int, patients: Sequence[tuple[str, str]] = (), keeps_order: bool = False
) -> Stream:
    """Make up a stream.

    Parameters
    ----------
    patients
        Numbers (system, value) that the receiver knows; without them some are made up, and a
        receiver that does not know them lets their results wait.
    keeps_order
        Let nothing that is said of one result overtake another: for a dialect that has no time of
        issue, by which a receiver could tell.
    """
    dice = Random(seed)  # noqa: S311 - made up in any case, and the same for the same seed
    known = list(patients) or [(NUMBERS, f"SIM-{seed}-{n}") for n in range(max(1, draws // 4))]
    places: list[tuple[float, Saying]] = []
    last: dict[str, Saying] = {}
    for number in range(draws):
        said = _about_one(dice, f"SIM-{seed}-{number}", known[number % len(known)], number, seed)
        last[said[-1].name] = said[-1]
        at = float(number)
        for each in said:
            at = at + 1 if keeps_order else number + dice.uniform(0, OVERTAKEN_BY)
            places.append((at, each))
            if dice.random() < REPEATED:
                places.append((at + 0.5, replace(each, is_repeated=True)))
        if dice.random() < FAULTY:
            places.append((at + 0.7, replace(said[0], what=What.FAULT, name=f"{said[0].name}-F")))
    places.sort(key=lambda place: place[0])
    return Stream(tuple(saying for _at, saying in places), last)


def _about_one(
    dice: Random, name: str, patient: tuple[str, str], number: int, seed: int
) -> list[Saying]:
    """Say a result, and perhaps correct it or take it back, a day later each."""
    collected_at = BEGIN + timedelta(hours=6 * number, minutes=seed % 347)
    first = Saying(
        name=name,
        patient=patient,
        collected_at=collected_at,
        issued_at=collected_at + timedelta(days=1),
        value=_value(dice),
        comparator="<" if dice.random() < CENSORED else "",
        what=What.RESULT,
    )
    said = [first]
    if dice.random() < CORRECTED:
        said.append(_later(said[-1], what=What.CORRECTION, value=_value(dice), comparator=""))
    if dice.random() < RETRACTED:
        said.append(_later(said[-1], what=What.RETRACTION))
    return said


def _value(dice: Random) -> str:
    return f"{MEDIAN_NG_ML * dice.lognormvariate(0, SPREAD):.2f}"


def _later(saying: Saying, **changed: object) -> Saying:
    later: Saying = replace(
        saying,
        issued_at=saying.issued_at + timedelta(days=1),
        **changed,  # type: ignore[arg-type]
    )
    return later
