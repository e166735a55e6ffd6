"""How a scale is declared, checked when it is read, and scored."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

SCALES = Path(__file__).parent / "scales"
RATERS = ("self", "clinician")
GRADES = ("V", "V-sec", "M", "D")


class ItemFault(Exception):
    """An answer that the scale does not have; says which item and what would be right."""

    def __init__(self, item: int, answer: object, highest: int) -> None:
        super().__init__(f"item {item}: {answer!r} is not a whole number from 0 to {highest}")
        self.item, self.answer, self.highest = item, answer, highest


class InstrumentIsUnfit(ValueError):
    """A declaration contradicts itself; says which, and in what."""


class SafetyLevel(StrEnum):
    """How soon somebody must look at an answer to the item on self-harm."""

    SAME_DAY = "same_day"
    URGENT = "urgent"
    IMMEDIATE = "immediate"


@dataclass(frozen=True, slots=True)
class SelfHarm:
    """The item on self-harm, and from which answer on it asks for which haste."""

    item: int
    levels: tuple[tuple[int, SafetyLevel], ...]

    def level(self, answer: int | None) -> SafetyLevel | None:
        """Say how soon somebody must look; None for zero or no answer, which is no reassurance."""
        reached = [
            level for lowest, level in self.levels if answer is not None and answer >= lowest
        ]
        return reached[-1] if reached else None


@dataclass(frozen=True, slots=True)
class Band:
    """The totals that are called by one word of severity."""

    name: str
    lowest: int
    highest: int


@dataclass(frozen=True, slots=True)
class DecisionPoint:
    """The totals by which a critical decision point is read, for the scale they were made for."""

    remission_at_most: int
    partial_at_most: int


@dataclass(frozen=True, slots=True)
class Source:
    """Where a figure was read, and how well that founds it (V, V-sec, M, D)."""

    what: str
    source: str
    grade: str


@dataclass(frozen=True)
class Instrument:
    """A scale: its domains each count once, by the highest of their items.

    Totals are whole points. `response_share` and `partial_share` are shares of the baseline by
    which a total must have fallen; `rank` is the place in the choice of a primary scale where
    nobody has chosen.
    """

    code: str
    version: str
    rater: str
    rank: int
    highest_answers: tuple[int, ...]
    domains: tuple[tuple[int, ...], ...]
    domain_names: tuple[str, ...]
    highest_total: int
    self_harm: SelfHarm
    bands: tuple[Band, ...]
    remission_at_most: int
    response_share: float
    partial_share: float
    relapse_at_least: int
    decision_point: DecisionPoint | None
    smallest_change: int | None
    item_texts: tuple[str, ...]
    answer_texts: tuple[str, ...]
    sources: tuple[Source, ...]

    @property
    def n_items(self) -> int:
        return len(self.highest_answers)

    @property
    def self_harm_item(self) -> int:
        return self.self_harm.item

    @property
    def ill_at_least(self) -> int:
        """Give the total from which on it speaks of an episode: moderate, or a relapse if less."""
        moderate = [band.lowest for band in self.bands if band.name == "moderate"]
        return min([self.relapse_at_least, *moderate])

    @cached_property
    def names_of_items(self) -> tuple[str, ...]:
        """Name every item by its domain, in the order of the scale."""
        named = {
            item: name
            for items, name in zip(self.domains, self.domain_names, strict=True)
            for item in items
        }
        return tuple(named[item] for item in range(1, self.n_items + 1))

    def check(self, answers: Sequence[int | None]) -> None:
        """Refuse answers that the scale does not have; None is an answer that was not given."""
        if len(answers) != self.n_items:
            message = f"{self.code} has {self.n_items} items, not {len(answers)}"
            raise ValueError(message)
        given = zip(answers, self.highest_answers, strict=True)
        for number, (answer, highest) in enumerate(given, start=1):
            is_whole = isinstance(answer, int) and not isinstance(answer, bool)
            if answer is not None and not (is_whole and 0 <= answer <= highest):
                raise ItemFault(number, answer, highest)

    def check_total(self, total: object) -> None:
        """Refuse a total that the scale does not have."""
        is_whole = isinstance(total, int) and not isinstance(total, bool)
        if not (is_whole and 0 <= total <= self.highest_total):  # type: ignore[operator]
            message = f"{self.code}: {total!r} is not a whole number from 0 to {self.highest_total}"
            raise ValueError(message)

    def total(self, answers: Sequence[int | None]) -> int | None:
        """Add the domains up; None when a missing answer could change the sum.

        A domain with a missing answer still counts when another of its answers is already the
        highest that is left. Nothing is ever imputed.
        """
        self.check(answers)
        total = 0
        for domain in self.domains:
            known = [answer for number in domain if (answer := answers[number - 1]) is not None]
            missing = [
                self.highest_answers[number - 1] for number in domain if answers[number - 1] is None
            ]
            if missing and max(known, default=-1) < max(missing):
                return None
            total += max(known)
        return total

    def self_harm_answer(self, answers: Sequence[int | None]) -> int | None:
        """Give the answer to the item on self-harm."""
        return answers[self.self_harm.item - 1]

    def least_self_harm(self, total: int) -> int:
        """Give the least answer to the item on self-harm that a total allows.

        A total that all other items together cannot reach proves a positive answer.
        """
        domain = next(each for each in self.domains if self.self_harm.item in each)
        if len(domain) > 1 or not 0 <= total <= self.highest_total:
            return 0
        others = self.highest_total - self.highest_answers[self.self_harm.item - 1]
        return max(0, total - others)

    def band(self, total: int) -> Band:
        """Give the word for the severity of a total."""
        self.check_total(total)
        return next(band for band in self.bands if band.lowest <= total <= band.highest)


def load_instruments(folder: Path = SCALES) -> dict[str, Instrument]:
    """Read every declared scale, in the order of their ranks.

    Raises
    ------
    InstrumentIsUnfit
        A declaration contradicts itself, or two have the same code or rank.
    """
    found = [
        instrument_from_json(json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(folder.glob("*.json"))
    ]
    found.sort(key=lambda each: each.rank)
    for name in ("code", "rank"):
        values = [getattr(each, name) for each in found]
        if len(set(values)) != len(values):
            message = f"two scales of one {name}: {values}"
            raise InstrumentIsUnfit(message)
    return {each.code: each for each in found}


def instrument_from_json(content: dict[str, Any]) -> Instrument:
    """Read one declaration, and check that it agrees with itself.

    Raises
    ------
    InstrumentIsUnfit
        A field is missing, unknown or of another shape, or two contradict each other.
    """
    name = content.get("code", "a scale without a code")
    wanted = {each.name for each in fields(Instrument)} - {"domain_names"}
    if content.keys() != wanted:
        strange = [f"{each}: there is no such field" for each in sorted(content.keys() - wanted)]
        missing = [f"{each}: missing" for each in sorted(wanted - content.keys())]
        message = f"{name}: {'; '.join(strange + missing)}"
        raise InstrumentIsUnfit(message)
    try:
        found = _read(content)
        faults = [fault for fault, is_so in _faults(found) if is_so]
    except (TypeError, KeyError, IndexError, ValueError, AttributeError) as fault:
        message = f"{name}: a field has another shape than in the scales shipped ({fault})"
        raise InstrumentIsUnfit(message) from fault
    if faults:
        message = f"{name}: {faults[0]}"
        raise InstrumentIsUnfit(message)
    return found


def _read(content: dict[str, Any]) -> Instrument:
    given = dict(content)
    domains = given.pop("domains")
    point = given.pop("decision_point")
    harm = given.pop("self_harm")
    levels = tuple((each["at_least"], SafetyLevel(each["level"])) for each in harm["levels"])
    return Instrument(
        domains=tuple(tuple(each["items"]) for each in domains),
        domain_names=tuple(each["name"] for each in domains),
        self_harm=SelfHarm(item=harm["item"], levels=levels),
        bands=tuple(Band(**each) for each in given.pop("bands")),
        decision_point=None if point is None else DecisionPoint(**point),
        sources=tuple(Source(**each) for each in given.pop("sources")),
        highest_answers=tuple(given.pop("highest_answers")),
        item_texts=tuple(given.pop("item_texts")),
        answer_texts=tuple(given.pop("answer_texts")),
        **given,
    )


def _faults(one: Instrument) -> list[tuple[str, bool]]:
    items = sorted(item for domain in one.domains for item in domain)
    sum_of_domains = sum(max(one.highest_answers[i - 1] for i in d) for d in one.domains)
    edges = [(band.lowest, band.highest) for band in one.bands]
    follow = all(later == earlier + 1 for (_, earlier), (later, _) in pairwise(edges))
    lowest = [each for each, _ in one.self_harm.levels]
    haste = [list(SafetyLevel).index(level) for _, level in one.self_harm.levels]
    has_item = one.self_harm.item in items
    most = one.highest_answers[one.self_harm.item - 1] if has_item else 0
    return [
        ("every item belongs to one domain", items != list(range(1, one.n_items + 1))),
        (f"the item on self-harm is one of the {one.n_items} items", not has_item),
        (
            f"the levels of self-harm are answers that the item has, up to {most}",
            has_item and any(each > most for each in lowest),
        ),
        ("a graver answer on self-harm asks for no less haste", haste != sorted(haste)),
        (
            "remission and relapse are totals of the scale",
            not (one.remission_at_most >= 0 and one.relapse_at_least <= one.highest_total),
        ),
        ("the domains add up to the highest total", sum_of_domains != one.highest_total),
        (
            "the bands follow each other from 0 to the highest total",
            not follow or edges[0][0] != 0 or edges[-1][1] != one.highest_total,
        ),
        ("the levels of self-harm rise from 1", lowest != sorted(set(lowest)) or lowest[:1] != [1]),
        ("remission lies below relapse", one.remission_at_most >= one.relapse_at_least),
        ("a partial response is less than a response", one.partial_share >= one.response_share),
        ("the rater is one we know", one.rater not in RATERS),
        ("item texts are all or none", len(one.item_texts) not in (0, one.n_items)),
        ("every source has a grade", any(each.grade not in GRADES for each in one.sources)),
        ("a declaration names its sources", not one.sources),
    ]
