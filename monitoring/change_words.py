"""What a change of a result means, in one phrase that pages, reports and the API share."""

from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.real_changes import RealChange, Verdict, WhyNot
from monitoring.charts import clinical_date

_MOST_DIGITS = 3
_SENTENCES: dict[tuple[Verdict, int], Promise] = {
    (Verdict.WITHIN, 1): gettext_lazy(
        "up %(percent)s %% since %(day)s, within expected variation (%(low)s to %(high)s)"
    ),
    (Verdict.WITHIN, 0): gettext_lazy(
        "unchanged since %(day)s, within expected variation (%(low)s to %(high)s)"
    ),
    (Verdict.WITHIN, -1): gettext_lazy(
        "down %(percent)s %% since %(day)s, within expected variation (%(low)s to %(high)s)"
    ),
    (Verdict.BEYOND, 1): gettext_lazy(
        "up %(percent)s %% since %(day)s, beyond expected variation (%(low)s to %(high)s)"
    ),
    (Verdict.BEYOND, -1): gettext_lazy(
        "down %(percent)s %% since %(day)s, beyond expected variation (%(low)s to %(high)s)"
    ),
}


def in_words(change: RealChange, *, zone: ZoneInfo) -> str:
    """Say it: up 22 % since 13-Oct-2026, within expected variation (−37 % to +58 %)."""
    if change.verdict is Verdict.NOT_COMPARABLE:
        return _why_not(change.why_not)
    if change.change is None or change.since is None or change.low is None or change.high is None:
        raise ValueError(change)
    digits = _digits(change.change, (change.low, change.high))
    moved = round(change.change * 100, digits)
    facts = {
        "percent": f"{abs(moved):.{digits}f}",
        "day": clinical_date(change.since.astimezone(zone).date()),
        "low": _signed(change.low, digits),
        "high": _signed(change.high, digits),
    }
    direction = (moved > 0) - (moved < 0)
    return str(_SENTENCES[change.verdict, direction]) % facts


def _digits(change: float, limits: tuple[float, float]) -> int:
    """Give the decimals that tell a change from the limits it is held against; mostly none."""
    for digits in range(_MOST_DIGITS):
        if all(round(change * 100, digits) != round(each * 100, digits) for each in limits):
            return digits
    return _MOST_DIGITS


def _why_not(code: WhyNot) -> str:
    match code:
        case WhyNot.FIRST:
            return _("first result of this laboratory and kit: nothing to compare with")
        case WhyNot.BOUND:
            return _("only a bound is known: no change can be given")
        case WhyNot.NOT_SCORED | WhyNot.NONE:
            return _("not scored: not compared")


def _signed(change: float, digits: int) -> str:
    return f"{change * 100:+.{digits}f} %".replace("-", "−")
