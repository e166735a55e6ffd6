"""The explanation of an assessment on record: one structure for pages, printed reports and the API.

It is made from what the assessment says, by the rules that it names, and never from the record of
another day.
"""

from zoneinfo import ZoneInfo

from analytics.definitions import NoSuchRules
from analytics.explanation import Explanation, explain
from monitoring.history import estimate_of
from monitoring.models import RiskAssessment


def explanation_of(assessment: RiskAssessment | None, *, zone: ZoneInfo) -> Explanation | None:
    """Explain an assessment by the calendar of its site; None where nothing could be estimated."""
    estimate = estimate_of(assessment)
    if assessment is None or estimate is None:
        return None
    try:
        return explain(estimate, made_at=assessment.made_at, zone=zone)
    except NoSuchRules:
        return None
