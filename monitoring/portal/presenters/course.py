"""A course in words: the first adequate trial, the symptoms, and each critical decision point."""

from collections.abc import Iterator, Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.definitions import SymptomState
from analytics.explained_course import (
    DecisionPoint,
    ExplainedCourse,
    ExplainedTrial,
    Unread,
)
from analytics.explanation import Decision
from monitoring.charts import clinical_date
from monitoring.portal import dates, words
from monitoring.portal.presenters.banner import capitalised
from monitoring.portal.presenters.sections import Section
from patients.models import StopReason

_FOUND: dict[SymptomState | Unread, Promise] = {
    SymptomState.NOT_RATED: gettext_lazy("not rated"),
    SymptomState.NOT_COMPARABLE: gettext_lazy("rated, with no baseline to compare with"),
    SymptomState.NON_RESPONSE: gettext_lazy("non-response"),
    SymptomState.PARTIAL_RESPONSE: gettext_lazy("partial response"),
    SymptomState.RESPONSE: gettext_lazy("response"),
    SymptomState.REMISSION: gettext_lazy("remission"),
    SymptomState.RECOVERY: gettext_lazy("recovery"),
    SymptomState.RELAPSE: gettext_lazy("relapse"),
    Unread.TO_COME: gettext_lazy("to come"),
    Unread.DUE: gettext_lazy("due, not rated yet"),
    Unread.ENDED: gettext_lazy("the trial had ended"),
}


def standing_section(course: ExplainedCourse, *, status: str) -> Section:
    """Say where the patient stands by trials and by symptoms."""
    rows = [(_("Trials"), capitalised(status))] if status else []
    if course.trial is not None:  # outside an episode nothing is judged
        rows.append((_("Failed treatments"), _failed(course)))
        rows.append((_("Adequacy"), _reached(course)))
        rows.append((_("Symptoms"), capitalised(_symptoms(course))))
    return Section(_("Where the course stands"), "", (), tuple(rows))


def _failed(course: ExplainedCourse) -> str:
    said = _("%(failed)d; the rule asks for %(wanted)d") % {
        "failed": course.failed_trials,
        "wanted": course.failed_wanted,
    }
    if not course.failed_before:
        return said
    before = _("%(before)d of them stated from before the first dose here")
    return f"{said}; {before % {'before': course.failed_before}}"


_DECIDED: dict[str, Promise] = {
    "score": gettext_lazy("Scored in spite of it"),
    "release": gettext_lazy("Checked and released"),
    "keep_out": gettext_lazy("Kept out"),
    "adequate": gettext_lazy("Judged adequate by a person, not by the rule"),
    "inadequate": gettext_lazy("Judged inadequate by a person, not by the rule"),
    "indeterminate": gettext_lazy("Judged indeterminate by a person, not by the rule"),
}


def decided_in_words(decision: Decision) -> str:
    """Say what a person decided about a draw or a trial, why, who and when."""
    return _("%(what)s: “%(reason)s” (%(who)s, %(when)s)") % {
        "what": _DECIDED[decision.verdict],
        "reason": decision.reason,
        "who": decision.by,
        "when": dates.plain_moment(decision.at),
    }


def trials_section(course: ExplainedCourse, decisions: Sequence[Decision]) -> Section:
    """Say of each trial what it was worth, and whether it counts as a failed treatment."""
    head = (
        _("Trial"),
        _("Days"),
        _("Taken"),
        _("By the rule"),
        _("Weeks at an adequate dose"),
        _("Change"),
        _("Failed treatment"),
    )
    judged = {each.trial: decided_in_words(each) for each in decisions if each.trial is not None}
    rows = tuple(tuple(_trial(each, judged.get(each.number, ""))) for each in course.trials)
    return Section(_("Trials, one by one"), "", head, rows)


def _trial(trial: ExplainedTrial, judged: str) -> Iterator[str]:
    name = trial.drug or trial.atc
    yield f"{trial.number}, {name}" if name else str(trial.number)
    end = _("running") if trial.stopped_on is None else clinical_date(trial.stopped_on)
    yield f"{clinical_date(trial.started_on)} – {end}"
    yield capitalised(_taken(trial)) or "–"
    yield f"{capitalised(trial.words)}. {judged}" if judged else capitalised(trial.words)
    yield _weeks_at_dose(trial)
    yield _change(trial)
    yield capitalised(trial.counting)


def _change(trial: ExplainedTrial) -> str:
    """Say what was gained, and between which two ratings."""
    if trial.improvement is None:
        return "–"
    change = words.percent(-trial.improvement)
    if trial.judged_total is None or trial.judged_on is None or trial.baseline_on is None:
        return change  # an old record names no day
    return _("%(change)s (%(base)g on %(begun)s, %(total)g on %(day)s)") % {
        "change": change,
        "base": trial.baseline_total,
        "begun": clinical_date(trial.baseline_on),
        "total": trial.judged_total,
        "day": clinical_date(trial.judged_on),
    }


def _taken(trial: ExplainedTrial) -> str:
    """Say what the adequacy rests on: doses, adherence, and why it was stopped."""
    said = [
        _("%(dose)g mg from %(day)s")
        % {"dose": each.dose_mg, "day": clinical_date(each.started_on)}
        for each in trial.doses
    ]
    if trial.adherence:
        said.append(_("adherence %(how)s") % {"how": trial.adherence})
    if trial.stop_reason:
        known = dict(StopReason.choices)
        why = known.get(trial.stop_reason, trial.stop_reason)
        said.append(_("stopped: %(why)s") % {"why": why})
    return "; ".join(said)


def _weeks_at_dose(trial: ExplainedTrial) -> str:
    if trial.least_mg is None:
        return "–"
    words = _("%(weeks)g (%(least)g mg or more)")
    if trial.is_least_of_site:
        words = _("%(weeks)g (%(least)g mg or more, the site’s own)")
    return words % {"weeks": trial.weeks_at_dose, "least": trial.least_mg}


def _reached(course: ExplainedCourse) -> str:
    if course.first_adequate_on is None and course.failed_before:
        return _("No trial on record here has been adequate so far")
    if course.first_adequate_on is None:
        return _("No trial has been adequate so far")
    day = clinical_date(course.first_adequate_on)
    return _("First adequate trial reached on %(day)s") % {"day": day}


def _symptoms(course: ExplainedCourse) -> str:
    found = str(_FOUND[course.symptoms])
    if course.latest_total is None or course.latest_on is None:
        return found
    said = _("%(found)s: %(scale)s %(total)g on %(day)s") % {
        "found": found,
        "scale": course.instrument,
        "total": course.latest_total,
        "day": clinical_date(course.latest_on),
    }
    if course.baseline_total is None or course.improvement is None:
        return said
    return _("%(said)s, %(base)g at baseline (%(change)s)") % {
        "said": said,
        "base": course.baseline_total,
        "change": words.percent(-course.improvement),
    }


def decision_section(course: ExplainedCourse) -> Section:
    """Say what was found at each critical decision point of the latest trial."""
    head = (_("Week"), _("Days that count"), _("Found"), _("Rated"), _("Total"), _("Change"))
    note = _("Of trial %(number)d%(drug)s. A reason to look, never a rule for treatment.") % {
        "number": course.trial or 1,
        "drug": f", {course.drug}" if course.drug else "",
    }
    rows = tuple(tuple(_point(each)) for each in course.decision_points)
    return Section(_("Critical decision points"), note, head, rows)


def _point(point: DecisionPoint) -> Iterator[str]:
    yield str(point.week)
    yield f"{clinical_date(point.opens_on)} – {clinical_date(point.closes_on)}"
    yield capitalised(str(_FOUND[point.found]))
    yield "–" if point.rated_on is None else clinical_date(point.rated_on)
    yield "–" if point.total is None else f"{point.total:g}"
    yield "–" if point.improvement is None else words.percent(-point.improvement)
