"""The risk in words: the number with its interval, what it is made of, and what it is without."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from analytics import Estimate, EvidenceKind
from monitoring.models import RiskAssessment
from monitoring.portal import dates, draw_words, words
from monitoring.portal.presenters.banner import capitalised


@dataclass(frozen=True)
class Risk:
    """A probability that can be shown, or why there is none."""

    figure: str
    interval: str
    without: str
    why_not: str

    @property
    def has_number(self) -> bool:
        return not self.why_not


def risk_of(assessment: RiskAssessment | None, estimate: Estimate | None) -> Risk:
    """Give the number with its interval, or the reason why no number is shown."""
    if assessment is None:
        return Risk("", "", "", _("not assessed yet"))
    p, without = assessment.probability, assessment.probability_without_biomarker
    low, high = assessment.probability_low, assessment.probability_high
    if p is None or low is None or high is None or without is None:
        faults = assessment.content.get("reasons", [])
        why_not = words.no_number(estimate, fault=", ".join(faults))
        return Risk("", "", "", capitalised(why_not))
    return Risk(
        figure=capitalised(words.of_100(p)),
        interval=f"({words.interval(low, high)})",
        without=words.of_100(without),
        why_not="",
    )


@dataclass(frozen=True)
class Piece:
    """One piece of evidence, in words and in numbers."""

    text: str
    weight: str


@dataclass(frozen=True)
class RiskBlock:
    """Everything that stands behind the number."""

    risk: Risk
    state: str
    sentence: str
    facts: list[tuple[str, str | SafeString]]
    pieces: list[Piece]
    left_out: list[str | SafeString]
    has_marker: bool
    is_outdated: bool

    @classmethod
    def of(
        cls,
        assessment: RiskAssessment,
        estimate: Estimate | None,
        *,
        zone: ZoneInfo,
        is_outdated: bool,
    ) -> "RiskBlock":
        """Put the assessment on record into words."""
        parts = estimate.contributions if estimate else ()
        return cls(
            risk=risk_of(assessment, estimate),
            state=capitalised(words.state(assessment.state)) if assessment.state else "",
            sentence=_sentence(estimate),
            facts=_facts(assessment, estimate),
            pieces=[Piece(words.contribution(part), words.weight(part)) for part in parts],
            left_out=_left_out(estimate, zone=zone),
            has_marker=any(part.evidence is EvidenceKind.BIOMARKER for part in parts),
            is_outdated=is_outdated,
        )


def _sentence(estimate: Estimate | None) -> str:
    if estimate is None or estimate.probability is None:
        return ""
    low, high = estimate.probability_low, estimate.probability_high
    if low is None or high is None:
        return ""
    return _(
        "Of 100 people with this course, %(count)d would be expected to come to meet TRD rule "
        "%(rule)s; with what is known, anything from %(low)d to %(high)d is plausible (95 %%)."
    ) % {
        "count": round(estimate.probability * 100),
        "rule": estimate.rules_version,
        "low": round(low * 100),
        "high": round(high * 100),
    }


def _facts(
    assessment: RiskAssessment, estimate: Estimate | None
) -> list[tuple[str, str | SafeString]]:
    facts: list[tuple[str, str | SafeString]] = []
    if estimate and estimate.probability is not None:
        without = estimate.probability_without_biomarker
        low, high = estimate.without_biomarker_low, estimate.without_biomarker_high
        if without is not None and low is not None and high is not None:
            facts.append(
                (
                    _("Without the biomarker"),
                    f"{words.of_100(without)} ({words.interval(low, high)})",
                )
            )
            facts.append((_("Difference"), _difference(estimate.probability - without)))
        if estimate.allocation is not None:
            facts.append((_("Against the cut-off"), words.allocation(estimate.allocation)))
    facts.append((_("Assessed"), dates.system_moment(assessment.made_at)))
    facts.append((_("Model"), assessment.model))
    facts.append((_("Policy"), assessment.policy))
    if estimate:
        facts.append((_("Rules"), estimate.rules_version))
        facts.append((_("Basis of the model"), estimate.basis))
    return facts


def _difference(change: float) -> str:
    points = round(change * 100)
    if points == 0:
        return _("The marker changes nothing worth a number")
    if points > 0:
        return _("The marker adds %(points)d of 100") % {"points": points}
    return _("The marker takes away %(points)d of 100") % {"points": -points}


def _left_out(estimate: Estimate | None, *, zone: ZoneInfo) -> list[str | SafeString]:
    parts = estimate.left_out if estimate else ()
    return [
        format_html(
            "{}, {}: {}",
            part.analyte,
            dates.clinical_moment(part.drawn_at, zone=zone),
            draw_words.left_out(part),
        )
        for part in sorted(parts, key=lambda part: part.drawn_at, reverse=True)
    ]
