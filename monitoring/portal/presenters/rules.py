"""What a set of rules says, in a sentence."""

from django.utils.translation import gettext as _

from analytics.definitions import Failure, Rules


def rules_in_words(rules: Rules) -> str:
    """Say how many treatments must have failed, what a failure is, and after how many weeks."""
    if rules.failure is Failure.NON_REMISSION:
        failed = _("without remission")
    else:
        failed = _("with less than %(share)g %% improvement") % {
            "share": rules.failure_improvement * 100
        }
    return _("%(number)d treatments %(failed)s after %(weeks)g weeks at an adequate dose") % {
        "number": rules.failed_trials,
        "failed": failed,
        "weeks": rules.adequate_weeks,
    }
