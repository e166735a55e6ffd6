"""Why an assessment says what it says, in words: one set of sections for the page and the PDF."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.explanation import Decision, Explanation, Input, InputKind
from analytics.findings import LeftOut
from monitoring import review_words
from monitoring.charts import clinical_date
from monitoring.models import RiskAssessment
from monitoring.portal import dates, draw_words, words
from monitoring.portal.presenters.banner import capitalised
from monitoring.portal.presenters.course import (
    decided_in_words,
    decision_section,
    standing_section,
    trials_section,
)
from monitoring.portal.presenters.sections import Section
from monitoring.portal.presenters.staging import staging_section


@dataclass(frozen=True)
class ExplanationPage:
    """Everything that the page and the PDF print."""

    made: str
    sections: tuple[Section, ...]

    @classmethod
    def of(
        cls, found: Explanation, assessment: RiskAssessment, *, zone: ZoneInfo
    ) -> "ExplanationPage":
        """Put an explanation into words."""
        sections = (
            _said(found),
            *course_sections(found),
            _inputs(found, zone=zone),
            _exclusions(found, zone=zone),
            _evidence(found),
            _changes(found),
            _to_consider(found),
            _versions(found),
            _sources(found),
        )
        return cls(
            made=dates.plain_moment(assessment.made_at),
            sections=tuple(section for section in sections if section.rows or section.note),
        )


def course_sections(found: Explanation | None) -> tuple[Section, ...]:
    """Give what the patient's own page shows of an explanation too: the course by the rules."""
    if found is None:
        return ()
    sections = []
    if found.course is not None:
        sections.append(standing_section(found.course, status=found.status))
        if found.course.trial is not None:
            sections.append(trials_section(found.course, found.decisions))
        if found.course.decision_points:
            sections.append(decision_section(found.course))
    if found.staging is not None:
        sections.append(staging_section(found.staging))
    return tuple(sections)


def _said(found: Explanation) -> Section:
    rows = [(_("State"), capitalised(words.state(found.state)) if found.state else _("Not known"))]
    p, low, high = found.probability, found.probability_low, found.probability_high
    without = found.probability_without_biomarker
    if p is not None and low is not None and high is not None:
        rows.append((_("Probability"), f"{words.of_100(p)} ({words.interval(low, high)})"))
    else:
        rows.append((_("Probability"), _("No number is given")))
    if without is not None and found.difference is not None:
        rows.append((_("Without the biomarker"), words.of_100(without)))
        points = round(found.difference * 100)
        rows.append((_("Difference"), f"{points:+d} ".replace("-", "−") + _("of 100")))
    rows.append((_("Basis of the model"), found.basis))
    if found.has_taught:
        taught = _("The model was trained on this patient’s own outcome: this is no prediction.")
        rows.append((_("Beware"), taught))
    return Section(_("What is said"), "", (), tuple(rows))


GRADES = gettext_lazy(
    "Grades: V read in the source itself, V-sec in a secondary page, M general knowledge, "
    "D derived here."
)
_KINDS: dict[InputKind, Promise] = {
    InputKind.RESULT: gettext_lazy("Latest result"),
    InputKind.EARLIER_RESULT: gettext_lazy("Earlier result"),
    InputKind.RATING: gettext_lazy("Latest rating"),
    InputKind.JUDGING_RATING: gettext_lazy("Rating that judged a trial"),
    InputKind.BASELINE: gettext_lazy("Rating at baseline"),
    InputKind.TRIAL: gettext_lazy("Trial"),
}


def _inputs(found: Explanation, *, zone: ZoneInfo) -> Section:
    head = (_("What"), _("Of what"), _("Value"), _("Date"), _("Age then"))
    rows = tuple(_input(each, zone=zone) for each in found.inputs)
    note = "" if rows else _("Nothing usable was on record.")
    return Section(_("What it was made from"), note, head, rows)


def _input(each: Input, *, zone: ZoneInfo) -> tuple[str, ...]:
    value = f"{each.value:g}" if isinstance(each.value, float) else str(each.value)
    unit = "" if each.unit == "{score}" else each.unit
    if each.kind is InputKind.TRIAL:
        value = capitalised(value)
    return (
        str(_KINDS[each.kind]),
        each.what,
        f"{value} {unit}".strip(),
        _day(each.at, zone=zone),
        "–" if each.age_days is None else dates.duration(max(each.age_days, 0)),
    )


def _day(at: datetime | None, *, zone: ZoneInfo) -> str:
    return "–" if at is None else clinical_date(at.astimezone(zone).date())


def _exclusions(found: Explanation, *, zone: ZoneInfo) -> Section:
    said = {each.drawn_at: each for each in found.decisions if each.drawn_at is not None}
    rows = [_left_out(part, said.get(part.drawn_at), zone=zone) for part in found.exclusions]
    rows += [
        (
            part.analyte,
            _day(part.drawn_at, zone=zone),
            _("scored by a person’s word"),
            _with_word(_reasons(part), said.get(part.drawn_at)),
        )
        for part in found.waived
    ]
    told = {part.drawn_at for part in (*found.exclusions, *found.waived)}
    rows += [
        ("–", _day(at, zone=zone), _("used after a person’s word"), decided_in_words(each))
        for at, each in said.items()
        if at not in told
    ]
    note = "" if rows else _("Nothing: every result was scored.")
    head = (_("Analyte"), _("Drawn"), _("Validity"), _("Why"))
    return Section(_("What was left out, and why"), note, head, tuple(rows))


def _left_out(part: LeftOut, decision: Decision | None, *, zone: ZoneInfo) -> tuple[str, ...]:
    validity = {
        "valid": _("valid, but no part of this comparison"),
        "caution": _("caution"),
        "excluded": _("excluded"),
    }.get(part.validity, "–")
    why = _with_word(_reasons(part), decision)
    return (part.analyte, _day(part.drawn_at, zone=zone), validity, why)


def _with_word(reasons: str, decision: Decision | None) -> str:
    return reasons if decision is None else f"{reasons}. {decided_in_words(decision)}"


def _reasons(part: LeftOut) -> str:
    return "; ".join(draw_words.left_out_reason(code) for code in part.reasons)


def _evidence(found: Explanation) -> Section:
    rows = tuple((words.contribution(part), words.weight(part)) for part in found.contributions)
    return Section(_("What each piece of evidence adds"), "", (_("Evidence"), _("Weight")), rows)


def _changes(found: Explanation) -> Section:
    rows = tuple((review_words.would_change(each),) for each in found.would_change)
    return Section(_("What would change it"), "", (), rows)


def _to_consider(found: Explanation) -> Section:
    seen: dict[str, None] = {}
    for kind in found.checklists:
        seen.update(dict.fromkeys(review_words.checklist(kind.value)))
    note = _("Questions, never instructions: what follows is decided by the clinician.")
    return Section(_("To consider"), note if seen else "", (), tuple((each,) for each in seen))


def _versions(found: Explanation) -> Section:
    names = {
        "model": _("Model"),
        "policy": _("Policy"),
        "rules": _("Rules"),
        "evidence": _("Constants as printed below"),
        "least doses": _("Least adequate doses (not an ATHF table)"),
    }
    rows = tuple((names.get(name, name), version) for name, version in found.versions.items())
    note = _("An assessment is kept, and explained, by the rules of its day.")
    return Section(_("Versions"), note, (_("What"), _("Version")), rows)


def _sources(found: Explanation) -> Section:
    rows: Iterator[tuple[str, ...]] = (
        (
            each.name.replace("_", " "),
            "–" if each.value is None else with_unit(each.value, each.unit),
            each.grade or "–",
            each.source,
            "–" if each.read_on is None else clinical_date(each.read_on),
        )
        for each in found.citations
    )
    return Section(_("Sources and their grade"), str(GRADES), sources_head(), tuple(rows))


def sources_head() -> tuple[str, ...]:
    """Name the columns of a list of figures with their sources."""
    return (_("Figure"), _("Value"), _("Grade"), _("Source"), _("Read on"))


def with_unit(value: float, unit: str) -> str:
    """Write a figure with its unit; a pure number has none."""
    return f"{value:g}" if unit in {"", "1"} else f"{value:g} {unit}"
