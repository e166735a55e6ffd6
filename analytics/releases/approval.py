"""The gate before a trained model: enough events, its evidence on the card, and a person's word.

What comes along with the program has passed its makers' tests. Any other release is used only with
an approval, which is of that one file and of no other.
"""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from analytics.releases.checks import need_release
from analytics.releases.model import Release

# Nothing is fitted on fewer (Riley 2020, PROBAST; M)
LEAST_EVENTS = 100
TRAINED_ON_LABELS = "local labels"
# What the card of a trained model says besides the items that every card has
EVIDENCE = {
    "events": f"how many of those it learned from were resistant, at least {LEAST_EVENTS}",
    "calibration": "intercept and slope with their intervals, in whom it has not seen",
    "decision_curve": "net benefit against treating all and none, and against no marker",
}
_FIELDS = ("release", "checksum", "approved_by", "approved_on", "reason")


class NotApproved(ValueError):
    """A release that may not be used; says why not, and what would be right."""


@dataclass(frozen=True, slots=True)
class Approval:
    """Who has approved which release, when, and why.

    Parameters
    ----------
    release, checksum : str
        The version, and the checksum in its file: of another file the approval says nothing.
    approved_by : str
        The person who answers for it.
    approved_on : date
        The day.
    reason : str
        What it was approved on: the validation, and the committee.
    """

    release: str
    checksum: str
    approved_by: str
    approved_on: date
    reason: str


def read_approval(text: str) -> Approval:
    """Read an approval from its JSON.

    Parameters
    ----------
    text : str
        An object with the fields of :class:`Approval`, each a text.

    Returns
    -------
    Approval

    Raises
    ------
    NotApproved
        A field is missing, empty or of another kind.
    """
    if not isinstance(text, str):
        raise NotApproved(f"the approval is {type(text).__name__}; wanted: its text, in JSON")
    try:
        said = json.loads(text, object_pairs_hook=_once)
    except NotApproved:
        raise
    except (TypeError, ValueError, RecursionError) as fault:
        raise NotApproved(f"the approval is not JSON: {fault}") from fault
    if not isinstance(said, dict) or said.keys() != set(_FIELDS):
        raise NotApproved(f"the approval must be an object with {', '.join(_FIELDS)}")
    for name in _FIELDS:
        if not isinstance(said[name], str) or not said[name].strip():
            raise NotApproved(f"the approval's {name} must be a text")
    return Approval(**{**said, "approved_on": _day(said["approved_on"])})


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a field that stands twice, of which JSON readers silently take the last."""
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise NotApproved(f"the approval says {name!r} twice; wanted: each field once")
    return dict(pairs)


def _day(text: Any) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as fault:
        raise NotApproved(f"the approval's approved_on is {text!r}; wanted: 2026-11-28") from fault


def refuse_unapproved(release: Release, approval: Approval) -> None:
    """Refuse a release that may not be used.

    Parameters
    ----------
    release : Release
        As read from its file.
    approval : Approval
        As read from its own.

    Raises
    ------
    NotApproved
    """
    need_release(release)
    _need_approval(approval)
    if (approval.release, approval.checksum) != (release.version, release.checksum):
        raise NotApproved(
            f"the approval is of {approval.release} ({approval.checksum[:12]}…), "
            f"and not of {release.version} ({release.checksum[:12]}…)"
        )
    if release.learned_from or release.basis == TRAINED_ON_LABELS:
        _refuse_unproven(release)


def _need_approval(given: object) -> None:
    if not isinstance(given, Approval):
        raise NotApproved(f"{type(given).__name__}; wanted: an Approval, as read_approval gives it")


def _refuse_unproven(release: Release) -> None:
    missing = [
        f"{name} ({what})" for name, what in EVIDENCE.items() if not release.card.get(name, "")
    ]
    if missing:
        raise NotApproved(f"the card of {release.version} lacks {'; '.join(missing)}")
    said = release.card["events"].strip()
    if not (said.isascii() and said.isdigit()):
        raise NotApproved(f"the card's events are {said!r}; wanted: a whole number")
    if int(said) < LEAST_EVENTS:
        raise NotApproved(f"{release.version} has {said} events; wanted: at least {LEAST_EVENTS}")
    if int(said) > len(release.learned_from):
        raise NotApproved(
            f"{release.version} has {said} events among {len(release.learned_from)} patients "
            "whose outcomes it says it learned from; wanted: not more events than patients"
        )
