"""What is news about a flag: a reason that it has not had, or one that presses more."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from analytics import FlagReason
from monitoring.models import Flag, FlagKind, FlagLevel

# A flag that a person has resolved stays down this long while nothing new speaks for it
QUIET_AFTER_RESOLVING = timedelta(days=28)

# These go with another reason and have no hysteresis of their own: by themselves no news
_BESIDE_OTHERS = frozenset({FlagReason.BIOMARKER_AGREES, FlagReason.ADEQUACY_NOT_KNOWN})


def new_among(reasons: Iterable[str], known: Iterable[str]) -> list[str]:
    """Give the reasons that are evidence of their own and were not known."""
    known = {*known, *_BESIDE_OTHERS}
    return [each for each in reasons if each not in known]


def may_be_raised(
    before: Sequence[Flag],
    level: FlagLevel,
    reasons: Sequence[str],
    since: datetime | None,
    *,
    at: datetime,
) -> bool:
    """Tell whether this is news: nothing is open, and nobody has just settled as much.

    Every correction is a fact of its own; having settled one settles no other.
    """
    if not before:
        return True
    last = before[-1]
    if last.resolved_at is None:
        return False
    quiet_from = at - QUIET_AFTER_RESOLVING
    if (
        last.kind == FlagKind.CORRECTED
        or last.lapsed_at is not None
        or last.resolved_at <= quiet_from
        or (since is not None and since > last.resolved_at)
    ):
        return True
    settled = {
        reason
        for flag in before
        if flag.resolved_at is not None and flag.resolved_at > quiet_from
        for reason in flag.reasons
    }
    return _presses_more(last, level) or bool(new_among(reasons, settled))


def escalates(before: Sequence[Flag], level: FlagLevel) -> bool:
    """Tell whether an open flag that was for the digest has become one to be told at once."""
    return bool(before) and before[-1].resolved_at is None and _presses_more(before[-1], level)


def _presses_more(flag: Flag, level: FlagLevel) -> bool:
    return flag.level == FlagLevel.WATCH and level == FlagLevel.HIGH
