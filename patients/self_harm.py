"""The item on self-harm of each scale, as data: which it is, and how quickly a person must act.

The levels are a proposal that each site's clinical lead signs off. An item from 0 to 3 asks for a
person the same day at 1, urgently at 2, at once at 3. HAM-D item 3 reaches to 4 and MADRS item 10
to 6, so each of their answers is given its level by what it stands for: HAM-D 3 are ideas or
gestures and 4 attempts; MADRS 2 are fleeting thoughts, 4 common thoughts without a plan, 6 explicit
plans. A zero has no level, and is no reassurance.
"""

from dataclasses import dataclass
from enum import StrEnum


class SafetyLevel(StrEnum):
    """How quickly a person must act; later members are the more urgent."""

    SAME_DAY = "same_day"
    URGENT = "urgent"
    IMMEDIATE = "immediate"

    @property
    def rank(self) -> int:
        return list(SafetyLevel).index(self)


_DAY, _URGENT, _NOW = SafetyLevel


@dataclass(frozen=True)
class SelfHarmItem:
    """One item: its number on the scale, and the level of each answer from 1 upwards."""

    number: int
    levels: tuple[SafetyLevel, ...]

    @property
    def highest(self) -> int:
        return len(self.levels)

    def level(self, answer: int | None) -> SafetyLevel | None:
        """Say how quickly a person must act on this answer; None for a zero and for no answer."""
        return self.levels[answer - 1] if answer else None


SELF_HARM_ITEMS = {
    "QIDS-SR16": SelfHarmItem(12, (_DAY, _URGENT, _NOW)),
    "PHQ-9": SelfHarmItem(9, (_DAY, _URGENT, _NOW)),
    "HAM-D17": SelfHarmItem(3, (_DAY, _URGENT, _NOW, _NOW)),
    "MADRS": SelfHarmItem(10, (_DAY, _DAY, _URGENT, _URGENT, _NOW, _NOW)),
}
