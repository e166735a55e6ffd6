"""Laboratories in words: how each is read, and when it was last heard from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from monitoring import silences
from monitoring.models import Silence
from monitoring.portal import dates
from patients.models import Laboratory, Matrix
from patients.record.profile_document import ProfileDocument


def say_silence(silence: Silence) -> SafeString:
    """Say since when a laboratory is silent, and what would be usual."""
    usual = max(1, round(silence.allowed_h))
    allowed = ngettext("%(n)d hour", "%(n)d hours", usual) % {"n": usual}
    return format_html(
        "{} {} {}. {}",
        _("No data from %(laboratory)s since") % {"laboratory": silence.laboratory},
        f"{silence.last_heard_at:%A},",
        dates.system_moment(silence.last_heard_at),
        _("It is usually heard from within %(allowed)s.") % {"allowed": allowed},
    )


@dataclass(frozen=True)
class LaboratoryRow:
    """One line of the list."""

    pk: int
    name: str
    heard: str | SafeString
    rhythm: str
    is_silent: bool
    was_heard: bool
    is_active: bool
    refused: int


def rows_of(
    laboratories: Sequence[Laboratory],
    *,
    open_silences: Sequence[Silence],
    refused: Mapping[int | None, int],
    at: datetime,
) -> list[LaboratoryRow]:
    """Put the laboratories into words."""
    heard = silences.last_heard()
    silent = {each.laboratory_id for each in open_silences}
    return [
        LaboratoryRow(
            pk=each.pk,
            name=each.name,
            heard=dates.system_moment(heard[each.pk]) if each.pk in heard else _("Never"),
            rhythm=_rhythm(silences.rhythm_of(each, at=at)),
            is_silent=each.pk in silent,
            was_heard=each.pk in heard,
            is_active=each.is_active,
            refused=refused.get(each.pk, 0),
        )
        for each in laboratories
    ]


def _rhythm(rhythm: silences.Rhythm) -> str:
    hours = round(rhythm.allowed.total_seconds() / 3600)
    said = ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    if rhythm.is_set:
        return _("%(hours)s, as set") % {"hours": said}
    if rhythm.is_learned:
        return _("%(hours)s, as learned") % {"hours": said}
    return _("%(hours)s, until its rhythm is known") % {"hours": said}


@dataclass(frozen=True)
class Entry:
    """One entry of a list of the profile."""

    words: str
    position: int


@dataclass(frozen=True)
class Part:
    """One list of the profile, with what it is good for."""

    name: str
    title: str
    note: str
    entries: list[Entry]


def parts_of(profile: ProfileDocument) -> list[Part]:
    """Put the lists of a profile into words."""
    return [*_of_codes(profile), *_of_units_and_numbers(profile), _of_kits(profile)]


def _of_codes(profile: ProfileDocument) -> list[Part]:
    return [
        Part(
            "codes",
            _("Codes of analytes"),
            _("What the laboratory calls what it measures. A code nobody knows parks the draw."),
            [
                Entry(f"{each.code}{_in(each.system)} → {each.analyte}", position)
                for position, each in enumerate(profile.codes or ())
            ],
        ),
        Part(
            "ignored_codes",
            _("Codes that are ignored"),
            _(
                "What the laboratory measures besides. It stays in the raw message only; a code "
                "that means an analyte is never ignored."
            ),
            [
                Entry(f"{each.code}{_in(each.system)}", position)
                for position, each in enumerate(profile.ignored_codes or ())
            ],
        ),
    ]


def _of_units_and_numbers(profile: ProfileDocument) -> list[Part]:
    return [
        Part(
            "units",
            _("Spellings of units"),
            _("What is not a unit of UCUM as it stands."),
            [
                Entry(f"{each.sent} → {each.means}", position)
                for position, each in enumerate(profile.units or ())
            ],
        ),
        Part(
            "patient_numbers",
            _("Numberings of patients"),
            _("Whose numbers the laboratory sends, and what they are called here."),
            [
                Entry(
                    f"{each.sent or _('without a name')}{_in(each.type)} → {each.means}", position
                )
                for position, each in enumerate(profile.patient_numbers or ())
            ],
        ),
    ]


def _of_kits(profile: ProfileDocument) -> Part:
    return Part(
        "kits",
        _("Kits"),
        _("Levels are comparable within one laboratory and kit only."),
        [
            Entry(_kit(each.model_dump(mode="json", exclude_none=True)), position)
            for position, each in enumerate(profile.kits or ())
        ],
    )


def _in(system: str) -> str:
    return f" ({system})" if system else ""


def _kit(kit: dict[str, str]) -> str:
    unit = kit["unit"]
    said = [f"{kit['analyte']}: {kit['name']}"]
    if kit["lot"]:
        said.append(_("lot %(lot)s") % {"lot": kit["lot"]})
    if "limit_of_detection" in kit:
        said.append(
            _("from %(limit)s %(unit)s") % {"limit": kit["limit_of_detection"], "unit": unit}
        )
    if "upper_limit" in kit:
        said.append(_("up to %(limit)s %(unit)s") % {"limit": kit["upper_limit"], "unit": unit})
    if "cv_percent" in kit:
        said.append(_("CV %(percent)s%%") % {"percent": kit["cv_percent"]})
    if kit["matrix"]:
        said.append(_("for %(fluid)s") % {"fluid": Matrix(kit["matrix"]).label})
    if "used_from" in kit:
        said.append(_("since %(day)s") % {"day": kit["used_from"]})
    return ", ".join(said)
