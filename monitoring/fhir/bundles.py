"""A Bundle is answered entry by entry, in its order."""

from datetime import datetime

from django.utils.translation import gettext as _

from monitoring.api.permissions import OutOfScope
from monitoring.fhir import reads, writes
from monitoring.fhir.answers import Done, NotKept
from monitoring.fhir.outcomes import outcome
from monitoring.fhir.requests import Preference, scopes_for
from patients.intake.fhir.bundles import Fetch, ReadBundle, Step
from patients.intake.fhir.faults import Fault, Refused
from patients.intake.fhir.interactions import Asked, Context, Write
from patients.intake.fhir.writing import Tree, instant
from patients.intake.receipts import Sender
from patients.scopes import READ

_REASONS = {
    200: "OK",
    201: "Created",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    412: "Precondition Failed",
    422: "Unprocessable Entity",
}


def answer(
    bundle: ReadBundle,
    *,
    body: bytes,
    sender: Sender,
    preference: Preference,
    at: datetime,
    base: str,
) -> Tree:
    """Do what a Bundle asks for, and tell what became of each entry."""
    steps = [_allowed(step, bundle.kind, sender) for step in bundle.steps]
    wanted = [step for step in steps if isinstance(step, Write)]
    done = iter(
        writes.take_in(
            wanted,
            body=body,
            asked="",
            sender=sender,
            at=at,
            all_or_nothing=bundle.kind == "transaction",
        )
    )
    entries: list[Tree] = []
    for step in steps:
        if isinstance(step, Write):
            entries.append(_written(next(done), preference))
        elif isinstance(step, Context):
            said = outcome(
                [Fault("informational", step.kind, _(step.detail))], severity="information"
            )
            entries.append({"response": {"status": _status(200), "outcome": said}})
        elif isinstance(step, Fetch):
            entries.append(_fetched(step.asked, sender.laboratory_id, base=base))
        else:
            entries.append(_refused(step))
    told: Tree = {"resourceType": "Bundle", "type": f"{bundle.kind}-response"}
    return told | ({"entry": entries} if entries else {})


def _allowed(step: Step, kind: str, sender: Sender) -> Step:
    """Let a step be done that the key is good for; refuse it, or with it all of a transaction."""
    needed = scopes_for(step) if isinstance(step, Write) else READ
    if not isinstance(step, Write | Fetch) or set(needed) <= set(sender.scopes):
        return step
    if kind == "transaction":
        raise OutOfScope(needed)
    where = step.expression if isinstance(step, Write) else ""
    return Refused([Fault("forbidden", where, str(OutOfScope(needed).detail))], status=403)


def _status(code: int) -> str:
    return f"{code} {_REASONS.get(code, '')}".strip()


def _written(done: Done | NotKept | Refused, preference: Preference) -> Tree:
    if isinstance(done, NotKept):
        return {"response": {"status": _status(200), "outcome": done.outcome}}
    if isinstance(done, Refused):
        return _refused(done)
    # What waits is always shown, so that the client sees that it does
    wish = preference.or_else("representation" if done.standing.waits else "minimal")
    response: Tree = {
        "status": _status(done.status),
        "location": done.location,
        **({"etag": done.standing.etag} if done.standing.version else {}),
        "lastModified": instant(done.standing.at),
    }
    if wish == "OperationOutcome" or done.standing.waits:
        response["outcome"] = done.outcome
    return ({"resource": done.resource} if wish == "representation" else {}) | {
        "response": response
    }


def _fetched(asked: Asked, laboratory_id: int, *, base: str) -> Tree:
    try:
        found = _fetch(asked, laboratory_id, base=base)
    except Refused as refused:
        return _refused(refused)
    response: Tree = {"status": _status(200)}
    if "ETag" in found.headers:
        response["etag"] = found.headers["ETag"]
    return {"resource": found.resource, "response": response}


def _fetch(asked: Asked, laboratory_id: int, *, base: str) -> reads.Found:
    if asked.kind != reads.OBSERVATION:
        raise Refused([Fault("not-supported", "", _("Only Observation can be read."))], status=404)
    if asked.id is not None:
        return reads.read(laboratory_id, asked.id)
    return reads.search(laboratory_id, asked.terms, base=base)


def _refused(refused: Refused) -> Tree:
    return {"response": {"status": _status(refused.status), "outcome": outcome(refused.faults)}}


def refused_in(told: Tree) -> list[tuple[str, str]]:
    """Give code and place of every fault for which an entry of a batch was refused."""
    return [
        (issue["code"], (issue.get("expression") or [""])[0])
        for entry in told.get("entry", [])
        if entry["response"]["status"] >= "4"
        for issue in entry["response"]["outcome"]["issue"]
    ]
