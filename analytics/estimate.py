"""All that is said of one patient at one moment, as one frozen value that goes to JSON and back."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from analytics.allocation import Allocation
from analytics.course_findings import Course
from analytics.definitions import ClinicalState
from analytics.findings import Contribution, LeftOut, Trajectory
from analytics.genotype import GenotypeZ
from analytics.policy import WantedFlag


class Outcome(StrEnum):
    """What could be said of a patient.

    Whoever meets the rule already is not given a probability of coming to meet it.
    """

    ESTIMATED = "estimated"
    RULE_MET = "rule_met"
    NOT_ENOUGH_DATA = "not_enough_data"
    NOT_ASSESSABLE = "not_assessable"


@dataclass(frozen=True, slots=True)
class Estimate:
    """All that is said of one patient at one moment; see the module's front door.

    The probabilities are None unless ``outcome`` is estimated. ``contributions`` add up,
    in their order, to the log-odds of ``probability``. ``waived`` are the results scored by a
    person's word in spite of a caution; ``genotype`` is exploratory and part of nothing else.
    """

    patient_id: int
    outcome: Outcome
    state: ClinicalState
    weeks_on_therapy: float | None
    probability: float | None
    probability_low: float | None
    probability_high: float | None
    probability_without_biomarker: float | None
    without_biomarker_low: float | None
    without_biomarker_high: float | None
    allocation: Allocation | None
    trajectories: tuple[Trajectory, ...]
    contributions: tuple[Contribution, ...]
    left_out: tuple[LeftOut, ...]
    wanted_flags: tuple[WantedFlag, ...]
    basis: str
    release_version: str
    policy_version: str
    rules_version: str
    # What assessments of 2026-11-26 and before did not say
    course: Course | None = None
    waived: tuple[LeftOut, ...] = ()
    genotype: GenotypeZ | None = None
    has_taught: bool = False  # the release was trained on this patient's own outcome

    @property
    def state_words(self) -> str:
        """Give the words for the state, with the version of a rule that is met."""
        return self.state.worded(self.rules_version)

    def as_json_text(self) -> str:
        """Give it as the text of a JSON object, its fields in the order above."""
        content = {name: getattr(self, name) for name in Estimate.__slots__}
        content["state"] = self.state_words
        return orjson.dumps(content).decode()

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        content: dict[str, Any] = orjson.loads(self.as_json_text())
        return content

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Estimate":
        """Read back what :meth:`as_json` gave."""
        fields = dict(content)
        fields["outcome"] = Outcome(content["outcome"])
        fields["state"] = ClinicalState(content["state"])
        if content["allocation"] is not None:
            fields["allocation"] = Allocation(content["allocation"])
        fields["trajectories"] = tuple(map(Trajectory.from_json, content["trajectories"]))
        fields["contributions"] = tuple(map(Contribution.from_json, content["contributions"]))
        fields["left_out"] = tuple(map(LeftOut.from_json, content["left_out"]))
        fields["wanted_flags"] = tuple(map(WantedFlag.from_json, content["wanted_flags"]))
        fields["waived"] = tuple(map(LeftOut.from_json, content.get("waived", ())))
        if content.get("course") is not None:
            fields["course"] = Course.from_json(content["course"])
        if content.get("genotype") is not None:
            fields["genotype"] = GenotypeZ.from_json(content["genotype"])
        return cls(**fields)
