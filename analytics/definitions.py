"""What the clinic's words mean, as versioned data: states and rule sets with their days.

No risk enters here, and nothing is applied here; that is done in ``adequacy``, ``symptoms`` and
``courses``. What a total of a scale means is declared with the scale, in ``instruments``.
"""

import re
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from analytics.evidence import EARLY_IMPROVEMENT_SHARE

_MEETS = "meets TRD rule"


class ClinicalState(StrEnum):
    """Where a patient stands in therapy; what is further along the course wins."""

    NO_EPISODE = "no episode"
    NO_TRIAL = "no trial running"
    NO_TRIAL_RECORDED = "no trial recorded"
    ON_TRIAL_1 = "on trial 1"
    ON_TRIAL_2 = "on trial 2"
    ON_TRIAL_3 = "on trial 3"
    ON_TRIAL_4 = "on trial 4"
    ON_LATER_TRIAL = "on trial 5 or later"
    EARLY_NON_IMPROVEMENT = "early non-improvement"
    TRIAL_1_INADEQUATE = "trial 1 inadequate"
    TRIAL_2_INADEQUATE = "trial 2 inadequate"
    TRIAL_3_INADEQUATE = "trial 3 inadequate"
    TRIAL_4_INADEQUATE = "trial 4 inadequate"
    LATER_TRIAL_INADEQUATE = "trial 5 or later inadequate"
    TRIAL_1_FAILED = "trial 1 failed (adequate)"
    TRIAL_2_FAILED = "trial 2 failed (adequate)"
    TRIAL_3_FAILED = "trial 3 failed (adequate)"
    TRIAL_4_FAILED = "trial 4 failed (adequate)"
    LATER_TRIAL_FAILED = "trial 5 or later failed (adequate)"
    MEETS_TRD_RULE = _MEETS
    RESPONSE = "response"
    REMISSION = "remission"
    RECOVERY = "recovery"
    RELAPSE = "relapse"

    @classmethod
    def _missing_(cls, value: object) -> "ClinicalState | None":
        # On record, the rule is named by its version: "meets TRD rule eu-pearl-1"
        if isinstance(value, str) and value.startswith(f"{_MEETS} "):
            return cls.MEETS_TRD_RULE
        return None

    def worded(self, version: str) -> str:
        """Give the words for the record; the rule that is met is named by its version."""
        return f"{self.value} {version}" if self is ClinicalState.MEETS_TRD_RULE else self.value


STATES = tuple(ClinicalState)


class Adequacy(StrEnum):
    """Whether a trial was one that could have worked."""

    ADEQUATE = "adequate"
    NOT_YET = "not yet"  # it is running, and may still become adequate
    INADEQUATE = "inadequate"
    INDETERMINATE = "indeterminate"  # stopped early or not tolerated: never a failure
    UNKNOWN = "unknown"  # the dose, or what would be enough of it, is not on record


ADEQUACIES = tuple(Adequacy)


class SymptomState(StrEnum):
    """What the latest rating of the primary scale says against the baseline."""

    NOT_RATED = "not rated"
    NOT_COMPARABLE = "no baseline to compare with"
    NON_RESPONSE = "non-response"
    PARTIAL_RESPONSE = "partial response"
    RESPONSE = "response"
    REMISSION = "remission"
    RECOVERY = "recovery"
    RELAPSE = "relapse"


SYMPTOM_STATES = tuple(SymptomState)


class Failure(StrEnum):
    """What counts as the failure of an adequate trial."""

    LITTLE_IMPROVEMENT = "less than a share of the baseline gained"
    NON_REMISSION = "remission not reached"


@dataclass(frozen=True, slots=True)
class Rules:
    """The figures behind the words, and the days on which they were in force.

    A change of any is a new version with a day of its own; a version that was in force is never
    changed, so that an assessment of its day can still be read by it. Weeks are of 7 days.

    Parameters
    ----------
    name, version : str
        The line of rules, and the version that is printed with every output.
    effective_from : date
        The first day on which it is in force.
    failed_trials : int
        Adequate trials of the episode that must have failed.
    failure : Failure
        What their failure means; ``failure_improvement`` is the share for the first kind.
    adequate_weeks : float
        Weeks at an adequate dose without a break that make a trial adequate; at least
        ``least_weeks``, before which a stopped trial is indeterminate.
    clear_improvement, early_clear_improvement, clear_days : float, float, int
        A flag that is up is lowered by ratings that gain so much, or show response or remission,
        from the first to the last of so many days; 0: by one. So a total that trembles by the
        noise of its scale lowers and raises nothing. Response or remission after a fall beyond
        that noise lowers it at once. Once lowered, it is raised anew by ratings for as many days,
        or by a rise beyond the noise.
    noise_share_of_range : float
        The noise of a scale that declares no smallest change that matters, as a share of its range:
        that of the PHQ-9, 5 of 27 points, two standard errors (Löwe 2004).
    recovery_weeks : float
        Weeks of remission without a break that are a recovery.
    decision_days : tuple
        Each decision point's week, and the days of the trial whose latest rating is read for it.
    excludes_bipolar, excludes_psychotic_disorders : bool
        Whether the rule for resistance leaves out people with bipolar disorder (F30, F31), or with
        a psychotic one (F20 to F29). A depression with psychotic symptoms is neither.
    counts_treatments : bool
        Whether failures are counted by treatments: one drug once, and of trials that ran together
        for ``together_days`` one; those of the episode before its first dose on record count.
    spares_the_well : bool
        Whether a total in the range of remission is no failure, nor the loss of what a trial had
        gained since it could be judged: a response, or remission by the variant; nor anything of a
        trial that began in remission or, where a share of the baseline is asked for, with mild
        symptoms that became no episode since.
    together_days : int
        From so many days on two trials are one in combination; less is a change from one to the
        other.
    augmentation_atc, beside_atc : tuple of str
        Beginnings of the ATC codes that augment where nobody has said what they are, and codes
        that stand beside a trial whatever they were recorded as: esketamine and ketamine.
    """

    name: str
    version: str
    effective_from: date
    source: str
    failed_trials: int = 2
    failure: Failure = Failure.LITTLE_IMPROVEMENT
    failure_improvement: float = 0.25
    clear_improvement: float = 0.40
    adequate_weeks: float = 6.0
    least_weeks: float = 4.0
    decision_weeks: float = 4.0
    early_improvement: float = EARLY_IMPROVEMENT_SHARE.value
    early_clear_improvement: float = 0.35
    clear_days: int = 6
    noise_share_of_range: float = 5 / 27
    early_from_days: int = 11
    early_to_days: int = 32
    recovery_weeks: float = 16.0
    decision_days: tuple[tuple[int, int, int], ...] = (
        (2, 11, 20),
        (4, 21, 34),
        (6, 35, 52),
        (9, 53, 73),
        (12, 74, 98),
    )
    baseline_before_days: int = 28
    baseline_after_days: int = 4
    grace_days: int = 3
    after_stop_days: int = 7
    excludes_bipolar: bool = True
    excludes_psychotic_disorders: bool = True
    counts_treatments: bool = True
    spares_the_well: bool = True
    together_days: int = 28
    augmentation_atc: tuple[str, ...] = ("N05", "H03")
    beside_atc: tuple[str, ...] = ("N06AX27", "N01AX03", "N01AX14")
    intolerance_reasons: tuple[str, ...] = (
        "intolerance",
        "intolerable",
        "side effects",
        "side_effects",
        "adverse_event",
        "adverse effects",
    )
    non_adherence_reasons: tuple[str, ...] = ("non_adherence", "non-adherence")

    def __post_init__(self) -> None:
        """Refuse a duration under the least that any definition takes for adequate."""
        if self.adequate_weeks < self.least_weeks:
            message = (
                f"{self.version}: adequate_weeks is {self.adequate_weeks:g}; "
                f"wanted: at least {self.least_weeks:g}"
            )
            raise ValueError(message)

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values, for whoever reads an assessment by it."""
        content = asdict(self)
        content["effective_from"] = self.effective_from.isoformat()
        content["failure"] = self.failure.value
        for key, value in content.items():
            if isinstance(value, tuple):
                content[key] = list(value)
        content["decision_days"] = [list(each) for each in self.decision_days]
        return content


_DELPHI = (
    "EU-PEARL Delphi consensus, Sforzini 2022, PMC9095475 table 1 (V): two adequate treatments "
    "with less than 25 % improvement in the episode, not bipolar; stopped before the end of week 4 "
    "is no failure. Six weeks as in the MGH-ATRQ (M)."
)
_NON_REMISSION = (
    "Not remitted after two adequate treatments (STAR*D steps, Rush 2006); a variant, less rare "
    "than the consensus. Six weeks as in the MGH-ATRQ (M)."
)
CONSENSUS, NON_REMISSION = "eu-pearl", "non-remission"
# Before: one rating lowered a flag, the last one alone judged a trial, and esketamine was a trial
_BY_THE_LAST_RATING: dict[str, Any] = {
    "clear_improvement": 0.30,
    "early_clear_improvement": 0.25,
    "clear_days": 0,
    "spares_the_well": False,
    "beside_atc": (),
}
RULE_SETS: tuple[Rules, ...] = (
    Rules(
        CONSENSUS,
        "eu-pearl-1",
        date(2026, 11, 23),
        _DELPHI,
        excludes_bipolar=False,
        excludes_psychotic_disorders=False,
        counts_treatments=False,
        augmentation_atc=("N05",),
        **_BY_THE_LAST_RATING,
    ),
    Rules(
        CONSENSUS,
        "eu-pearl-2",
        date(2026, 11, 27),
        _DELPHI,
        excludes_psychotic_disorders=False,
        counts_treatments=False,
        augmentation_atc=("N05",),
        **_BY_THE_LAST_RATING,
    ),
    Rules(CONSENSUS, "eu-pearl-3", date(2026, 11, 28), _DELPHI, **_BY_THE_LAST_RATING),
    Rules(CONSENSUS, "eu-pearl-4", date(2026, 11, 28), _DELPHI),
    Rules(
        NON_REMISSION,
        "non-remission-1",
        date(2026, 11, 27),
        _NON_REMISSION,
        failure=Failure.NON_REMISSION,
        excludes_psychotic_disorders=False,
        counts_treatments=False,
        augmentation_atc=("N05",),
        **_BY_THE_LAST_RATING,
    ),
    Rules(
        NON_REMISSION,
        "non-remission-2",
        date(2026, 11, 28),
        _NON_REMISSION,
        failure=Failure.NON_REMISSION,
        **_BY_THE_LAST_RATING,
    ),
    Rules(
        NON_REMISSION,
        "non-remission-3",
        date(2026, 11, 28),
        _NON_REMISSION,
        failure=Failure.NON_REMISSION,
    ),
)


class NoSuchRules(LookupError):
    """No rule set has this name, version or day."""


def rules_on(day: date, *, name: str = CONSENSUS) -> Rules:
    """Give the rules of a line that are in force on a day.

    Parameters
    ----------
    day : date
        The day, by the clock of the site.
    name : str
        The line: :data:`CONSENSUS` or :data:`NON_REMISSION`.

    Returns
    -------
    Rules

    Raises
    ------
    NoSuchRules
        No rules of that name were in force.
    """
    known = [rules for rules in RULE_SETS if rules.name == name and rules.effective_from <= day]
    if not known:
        raise NoSuchRules(f"no rules {name!r} on {day.isoformat()}")
    # Of two of one day, the later replaced the earlier on it
    return max(reversed(known), key=lambda rules: rules.effective_from)


_WEEKS = re.compile(r"(?P<base>.+)\+(?P<weeks>\d+(\.\d+)?)wk")


def with_weeks(rules: Rules, weeks: float) -> Rules:
    """Give rules with another least duration of an adequate trial, named so: eu-pearl-4+4wk.

    Parameters
    ----------
    rules : Rules
        The rules as published.
    weeks : float
        Weeks at an adequate dose that a site asks for; at least ``rules.least_weeks``.

    Returns
    -------
    Rules
        The same, where these are the weeks of the rules already.

    Raises
    ------
    ValueError
        Fewer weeks than any definition takes for adequate.
    """
    if weeks == rules.adequate_weeks:
        return rules
    return replace(rules, adequate_weeks=weeks, version=f"{rules.version}+{weeks:g}wk")


def rules_of(version: str) -> Rules:
    """Give the rules of a version, whether in force or past, with the weeks that it names.

    Parameters
    ----------
    version : str
        As printed with an output.

    Returns
    -------
    Rules

    Raises
    ------
    NoSuchRules
        The version is not known.
    """
    for rules in RULE_SETS:
        if rules.version == version:
            return rules
    if named := _WEEKS.fullmatch(version):
        return with_weeks(rules_of(named["base"]), float(named["weeks"]))
    raise NoSuchRules(f"no rules of version {version!r}")


RULES = rules_of("eu-pearl-4")
