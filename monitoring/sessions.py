"""How long a sign-in lasts: as long as it is used, and never longer than a working day.

Each page puts the end off, and what a page asks for by itself does not: a screen that was left
open would stay open for good. The end stands in the session's own row, which is written at most
once a minute, so that looking at pages costs no writing.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, TypeVar, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.contrib.sessions.backends.db import SessionStore as StoredSession
from django.contrib.sessions.models import Session
from django.utils import timezone

from patients.models import Clinician

WRITTEN_EVERY = timedelta(minutes=1)
_WARNED_BEFORE = timedelta(minutes=5)
# After its end a session is kept for a while, so that the sign-in can say why it ended
_KEPT_FOR = timedelta(days=7)
SIGNED_IN_AT = "signed_in_at"

View = TypeVar("View", bound=Callable[..., Any])


class Ended(Enum):
    """Why somebody who was signed in no longer is."""

    UNUSED = "nothing was asked for during the idle time"
    LASTED = "it lasted as long as a sign-in may"
    CALLED_OFF = "it is not there: ended by an operator, or long ago"


@dataclass(frozen=True)
class Ending:
    """A sign-in that ends within minutes, and whether its reader can put that off."""

    at: datetime
    may_be_put_off: bool


class SessionStore(StoredSession):
    """Django's own sessions in the database, with two ends: unused, and lasted long enough."""

    ends_at: datetime | None = None
    ended: Ended | None = None

    def load(self) -> dict[str, Any]:
        """Read the session, or find out why there is none any more."""
        key = self.session_key or ""
        # A key that we never made may hold what PostgreSQL refuses
        row = Session.objects.filter(pk=key).first() if set(key) <= set(VALID_KEY_CHARS) else None
        if row is None:
            self.ended = Ended.CALLED_OFF
        else:
            data: dict[str, Any] = self.decode(row.session_data)
            if row.expire_date > timezone.now():
                self.ends_at = row.expire_date
                return data
            if SESSION_KEY in data:
                has_lasted = (
                    end := _last_end(data.get(SIGNED_IN_AT))
                ) is not None and row.expire_date >= end
                self.ended = Ended.LASTED if has_lasted else Ended.UNUSED
        self._session_key = None
        return {}

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Note when somebody signed in, with the first row that says who."""
        if SESSION_KEY in data:
            data.setdefault(SIGNED_IN_AT, int(time.time()))
        return cast(Session, super().create_model_instance(data))

    def get_expiry_date(self, **options: Any) -> datetime:
        """Give the end of the idle time, or of the sign-in where that comes first."""
        unused: datetime = super().get_expiry_date(**options)
        last = _last_end(self.get(SIGNED_IN_AT))
        return unused if last is None else min(unused, last)

    def put_off_end(self, *, at: datetime) -> None:
        """Let the idle time begin anew, unless that was written just now."""
        if self.ends_at is None:
            return
        if SIGNED_IN_AT not in self:  # of a version that did not note it
            self.modified = True
            return
        end = self.get_expiry_date()
        if end - self.ends_at >= WRITTEN_EVERY:
            self.model.objects.filter(pk=self.session_key, expire_date__gt=at).update(
                expire_date=end
            )
            self.ends_at = end

    def ending(self, *, at: datetime) -> Ending | None:
        """Say whether the end is so near that the reader must hear of it."""
        soon = min(_WARNED_BEFORE, timedelta(seconds=settings.SESSION_COOKIE_AGE) / 3)
        if self.ends_at is None or self.ends_at - at > soon:
            return None
        last = _last_end(self.get(SIGNED_IN_AT))
        return Ending(
            self.ends_at, may_be_put_off=last is None or last - self.ends_at > WRITTEN_EVERY
        )


def _last_end(began_s: int | None) -> datetime | None:
    if began_s is None:
        return None
    return datetime.fromtimestamp(began_s, UTC) + timedelta(hours=settings.SIGN_OUT_AFTER_HOURS)


def asked_by_itself(view: View) -> View:
    """Mark a view that an open page asks for by itself: it says nothing of a reader being there."""
    view.is_asked_by_itself = True  # type: ignore[attr-defined]
    return view


def is_asked_by_itself(view: Callable[..., Any]) -> bool:
    """Tell whether a view says nothing of a reader being there."""
    return getattr(view, "is_asked_by_itself", False)


def end_all_of(clinician: Clinician) -> int:
    """End every sign-in of somebody, wherever; say how many."""
    theirs = [
        row.pk
        for row in Session.objects.iterator()
        if row.get_decoded().get(SESSION_KEY) == str(clinician.pk)
    ]
    return Session.objects.filter(pk__in=theirs).delete()[0]


def forget_old(*, at: datetime) -> None:
    """Delete the sessions that ended long ago."""
    Session.objects.filter(expire_date__lt=at - _KEPT_FOR).delete()
