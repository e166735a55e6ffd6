"""The page of one flag in words: why, what speaks against it, what to check, what was done."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics import Estimate
from monitoring import flags, review_words
from monitoring.history import estimate_of
from monitoring.models import Flag, FlagKind, FlagState
from monitoring.portal import draw_words, words
from monitoring.portal.presenters.banner import Banner
from monitoring.portal.presenters.flags import FlagCard, Step, steps_of
from monitoring.portal.presenters.risk import Risk, risk_of

# An interval wider than this says little (in people of a hundred)
WIDE_INTERVAL = 40


@dataclass(frozen=True)
class FlagPage:
    """Everything that portal/flag.html prints, but for the forms."""

    banner: Banner
    card: FlagCard
    risk: Risk | None
    versions: str
    against: list[str]
    checks: list[str]
    steps: list[Step]
    may_see: bool
    may_acknowledge: bool
    may_resolve: bool
    may_snooze: bool
    version: int

    @classmethod
    def of(cls, flag: Flag, *, at: datetime) -> "FlagPage":
        """Put a flag into words, with the numbers of the assessment that raised it."""
        patient = flag.patient
        estimate = estimate_of(flag.raised_by)
        steps = flags.STEPS[FlagState(flag.state)]
        return cls(
            banner=Banner.of(
                patient,
                numbers=[each.value for each in patient.identifiers.all()],
                today=at.astimezone(patient.team.site.zone).date(),
            ),
            card=FlagCard.of(flag, estimate=estimate),
            risk=risk_of(flag.raised_by, estimate) if flag.raised_by else None,
            versions=_versions(flag),
            against=_against(estimate),
            checks=review_words.checklist(flag.kind),
            steps=steps_of(flag),
            may_see=FlagState.SEEN in steps,
            may_acknowledge=FlagState.ACKNOWLEDGED in steps,
            may_resolve=FlagState.RESOLVED in steps,
            may_snooze=FlagState.SNOOZED in steps and flag.kind != FlagKind.SAFETY,
            version=flag.version,
        )


def _versions(flag: Flag) -> str:
    """Name what it was raised by; a flag of a rating or of the plan of visits rests on no rules."""
    by = flag.raised_by
    if by is None or not by.rules:
        return ""
    return _("Raised by the rules %(rules)s and the policy %(policy)s.") % {
        "rules": by.rules,
        "policy": by.policy,
    }


def _against(estimate: Estimate | None) -> list[str]:
    """Say what should make a reader doubt."""
    if estimate is None:
        return []
    said = []
    low, high = estimate.probability_low, estimate.probability_high
    if low is not None and high is not None and (high - low) * 100 > WIDE_INTERVAL:
        said.append(
            _("The interval is wide: %(interval)s of 100.")
            % {"interval": words.interval(low, high)}
        )
    left_out = [part for part in estimate.left_out if part.reasons != (draw_words.CENSORED,)]
    if left_out:
        said.append(
            ngettext(
                "%(n)d result was not scored: %(reasons)s.",
                "%(n)d results were not scored: %(reasons)s.",
                len(left_out),
            )
            % {
                "n": len(left_out),
                "reasons": "; ".join(
                    dict.fromkeys(draw_words.left_out_reason(part.reason) for part in left_out)
                ),
            }
        )
    if words.trajectory_of(estimate, words.SIL6R) is not None:
        said.append(
            _("sIL-6R is not validated: its weight is back-calculated from one study of 42 people.")
        )
    return said
