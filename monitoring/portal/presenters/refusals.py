"""What was refused of a laboratory, in words."""

from dataclasses import dataclass
from typing import Self

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from monitoring import refusals
from monitoring.models import DoorRequest
from monitoring.portal import dates

DIGITS_SHOWN = 16
_BY_STATUS = {
    400: "it cannot be read at all",
    422: "the whole of it cannot be used",
    401: "no key that is known",
    403: "the key is not good for this",
    412: "another version was to be replaced",
    413: "larger than is taken",
    415: "another content type",
    429: "too many messages in a minute",
    503: "the database was away",
}


@dataclass(frozen=True)
class Refusal:
    """One refused request: when, at which door, what it was answered, why, and of which bytes."""

    at: SafeString
    door: str
    answer: str
    why: str
    sent: str

    @classmethod
    def of(cls, line: DoorRequest) -> Self:
        answer = str(line.status) if line.status >= 400 else line.outcome
        if line.outcome == refusals.PARTLY:
            answer = _("some entries of a batch")
        why = line.why or _BY_STATUS.get(line.status, "")
        sent = ""
        if line.size is not None:
            known = {"size": line.size, "digest": line.sha256[:DIGITS_SHOWN]}
            sent = _("%(size)d bytes, SHA-256 %(digest)s…") % known
        return cls(dates.system_moment(line.at), f"{line.method} {line.door}", answer, why, sent)
