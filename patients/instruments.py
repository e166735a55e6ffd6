"""The symptom scales as data: how items become a total, and what the total means.

Item texts are not shipped: rights to the electronic use of the QIDS wording are not settled, so
items are known by number and domain, and a site may supply its own licensed wording.
"""

from collections.abc import Sequence
from dataclasses import dataclass

QIDS_SR16 = "QIDS-SR16"


class ItemFault(Exception):
    """An answer that the scale does not have; says which item and what would be right."""

    def __init__(self, item: int, answer: object, highest: int) -> None:
        super().__init__(f"item {item}: {answer!r} is not a whole number from 0 to {highest}")
        self.item, self.answer, self.highest = item, answer, highest


@dataclass(frozen=True)
class Instrument:
    """A scale: its domains each count once, by the highest of their items."""

    code: str
    n_items: int
    highest_answer: int
    highest_total: int
    domains: tuple[tuple[int, ...], ...]
    domain_names: tuple[str, ...]
    self_harm_item: int
    remission_at_most: int
    source: str

    def check(self, answers: Sequence[int | None]) -> None:
        """Refuse answers that the scale does not have; None is an answer that was not given."""
        if len(answers) != self.n_items:
            message = f"{self.code} has {self.n_items} items, not {len(answers)}"
            raise ValueError(message)
        for number, answer in enumerate(answers, start=1):
            is_whole = isinstance(answer, int) and not isinstance(answer, bool)
            if answer is not None and not (is_whole and 0 <= answer <= self.highest_answer):
                raise ItemFault(number, answer, self.highest_answer)

    def total(self, answers: Sequence[int | None]) -> int | None:
        """Add the domains up; None when a missing answer could change the sum.

        A domain with a missing answer still counts when another of its answers is already the
        highest there is. Nothing is ever imputed.
        """
        self.check(answers)
        total = 0
        for domain in self.domains:
            given = [answers[number - 1] for number in domain]
            known = [answer for answer in given if answer is not None]
            if len(known) < len(given) and self.highest_answer not in known:
                return None
            total += max(known)
        return total

    def self_harm_answer(self, answers: Sequence[int | None]) -> int | None:
        """Give the answer to the item on self-harm."""
        return answers[self.self_harm_item - 1]


INSTRUMENTS = {
    QIDS_SR16: Instrument(
        code=QIDS_SR16,
        n_items=16,
        highest_answer=3,
        highest_total=27,
        domains=((1, 2, 3, 4), (5,), (6, 7, 8, 9), (10,), (11,), (12,), (13,), (14,), (15, 16)),
        domain_names=(
            "sleep",
            "sad mood",
            "appetite and weight",
            "concentration",
            "view of self",
            "thoughts of death or suicide",
            "general interest",
            "energy",
            "psychomotor",
        ),
        self_harm_item=12,
        remission_at_most=5,
        source="Rush et al. 2003, Biol Psychiatry 54:573; Trivedi et al. 2006 for the cut-offs",
    ),
}
