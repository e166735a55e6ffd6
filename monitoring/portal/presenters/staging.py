"""The Maudsley staging in words: what is known of each part, its points, and what is missing."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.explanation import Staged
from analytics.staging import MOST, Part, StagingFacts
from monitoring.portal.presenters.banner import capitalised
from monitoring.portal.presenters.sections import Section
from patients.models import EpisodeSeverity


def staging_section(staged: Staged) -> Section:
    """Give the score with its parts; incomplete, it has none, and says what is missing."""
    score, facts = staged.score, staged.facts
    named = {
        Part.DURATION: (_("Duration of the episode"), score.duration, _duration(facts)),
        Part.SEVERITY: (_("Severity"), score.severity, _severity(facts)),
        Part.FAILURES: (_("Adequate trials that failed"), score.failures, _failures(facts)),
        Part.AUGMENTATION: (
            _("Augmentation"),
            score.augmentation,
            _given(is_given=facts.is_augmented),
        ),
        Part.ECT: (_("Electroconvulsive therapy"), score.ect, _given(is_given=facts.has_ect)),
    }
    if score.total is None:
        note = _("No score: %(missing)s.") % {
            "missing": "; ".join(_missing(Part(part), facts) for part in score.missing)
        }
    else:
        note = _("Score %(total)d of %(most)d: %(band)s.") % {
            "total": score.total,
            "most": MOST,
            "band": {"mild": _("mild"), "moderate": _("moderate"), "severe": _("severe")}[
                score.band or ""
            ],
        }
    rows = tuple(
        (name, known, "–" if points is None else str(points))
        for name, points, known in named.values()
    )
    return Section(_("Maudsley staging"), note, (_("Part"), _("On record"), _("Points")), rows)


def _duration(facts: StagingFacts) -> str:
    if facts.duration_months is None:
        return _("Not known")
    months = int(facts.duration_months)
    return ngettext("%(n)d full month", "%(n)d full months", months) % {"n": months}


def _severity(facts: StagingFacts) -> str:
    if not facts.severity:
        return _("Not known")
    return capitalised(str(EpisodeSeverity(facts.severity).label))


def _failures(facts: StagingFacts) -> str:
    here = _("%(n)d on record here") % {"n": facts.failed_here}
    if facts.failed_before is None:
        return _("%(here)s; before the first dose here: not known") % {"here": here}
    return _("%(here)s, %(before)d before the first dose here") % {
        "here": here,
        "before": facts.failed_before,
    }


def _given(*, is_given: bool | None) -> str:
    if is_given is None:
        return _("Not known")
    return _("Given") if is_given else _("None on record")


def _missing(part: Part, facts: StagingFacts) -> str:
    """Say what would have to be known for a part."""
    match part:
        case Part.DURATION:
            return _("it is not on record since when the patient has been ill")
        case Part.SEVERITY:
            return _("the severity is not on record")
        case Part.FAILURES if facts.failed_before is None:
            return _("it is not on record how many adequate trials failed before the first dose")
        case Part.FAILURES:
            return _("no adequate trial has failed, and the staging begins with one")
        case Part.AUGMENTATION:
            return _("no trial is on record, so whether one was augmented is not known")
        case Part.ECT:
            return _("no trial is on record, so whether ECT was given is not known")
