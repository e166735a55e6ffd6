"""The profile of a laboratory as one document: read, compared, changed.

A document may leave fields out; what it leaves out stays as it is. A list that is given replaces
the whole list. The command and the pages change a profile by such documents and by nothing else.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from pydantic import BaseModel

from patients import audit
from patients.intake.tables.layout import Layout
from patients.models import (
    Analyte,
    AnalyteAlias,
    Draw,
    Kit,
    Laboratory,
    NumberingAlias,
    UnitAlias,
)
from patients.record.profile_document import (
    AnalyteCode,
    FaultyProfile,
    IgnoredCode,
    KitInUse,
    Numbering,
    ProfileDocument,
    UnitSpelling,
)
from patients.record.versions import count_up


def profile_of(laboratory: Laboratory) -> ProfileDocument:
    """Write the present profile of a laboratory as a document that leaves nothing out."""
    codes = AnalyteAlias.objects.filter(laboratory=laboratory).order_by("pk")
    kits = Kit.objects.filter(laboratory=laboratory).order_by("pk")
    return ProfileDocument(
        **{name: getattr(laboratory, name) for name in ("name", *_FIELDS)},
        csv=Layout.model_validate(laboratory.csv),
        codes=[
            AnalyteCode(system=each.system, code=each.code, analyte=each.analyte.code)
            for each in codes.select_related("analyte")
        ],
        ignored_codes=[IgnoredCode.model_validate(each) for each in laboratory.ignored_codes],
        units=[
            UnitSpelling(sent=each.sent, means=each.means)
            for each in UnitAlias.objects.filter(laboratory=laboratory).order_by("pk")
        ],
        patient_numbers=[
            Numbering(sent=each.sent, type=each.kind, means=each.means)
            for each in NumberingAlias.objects.filter(laboratory=laboratory).order_by("pk")
        ],
        kits=[
            KitInUse(
                analyte=each.analyte.code,
                **{name: getattr(each, name) for name in _OF_KITS},
            )
            for each in kits.select_related("analyte")
        ],
    )


_FIELDS = (
    "time_zone",
    "is_active",
    "pushes_per_minute",
    "charset",
    "draw_times",
    "if_preliminary",
    "processing_ids",
    "silent_after_h",
)
_MAY_BE_EMPTY = frozenset({"pushes_per_minute", "silent_after_h"})
_LISTS = ("codes", "ignored_codes", "units", "patient_numbers", "kits")
_OF_KITS = (
    "name",
    "lot",
    "unit",
    "limit_of_detection",
    "upper_limit",
    "cv_percent",
    "used_from",
    "matrix",
)


def differences(document: ProfileDocument, laboratory: Laboratory | None) -> list[str]:
    """Say in words what the document would change."""
    given = document.model_fields_set - {"name"}
    if laboratory is None:
        return [f"the laboratory “{document.name}” is new"]
    before = profile_of(laboratory)
    said = []
    for name in (*_FIELDS, "csv", *_LISTS):
        now, was = getattr(document, name), getattr(before, name)
        if name not in given or now == was or (now is None and name not in _MAY_BE_EMPTY):
            continue
        if name in _LISTS:
            said.extend(_of_list(name, was or [], now or []))
        elif name == "csv":
            template = "as the template"
            said.append(f"csv: {_words(was) or template} becomes {_words(now) or template}")
        else:
            said.append(f"{name}: {was!r} becomes {now!r}")
    return said


def _of_list(name: str, was: list[Any], now: list[Any]) -> list[str]:
    gone, come = [e for e in was if e not in now], [e for e in now if e not in was]
    return [f"{name}: {_words(each)} is added" for each in come] + [
        f"{name}: {_words(each)} is removed" for each in gone
    ]


def _words(part: BaseModel) -> str:
    said = part.model_dump(mode="json", exclude_defaults=True)
    return ", ".join(f"{name} {value!r}" for name, value in said.items())


def refuse_other_letters(name: str) -> None:
    """Refuse a name that differs from the one on record in capitals only: a slip, not another."""
    known = Laboratory.objects.filter(name__iexact=name).exclude(name=name).first()
    if known is not None:
        message = f"“{name}” is on record as “{known.name}”; write it so, or choose another name"
        raise FaultyProfile([("/name", message)])


@transaction.atomic
def load_profile(
    document: ProfileDocument, *, by: str, at: datetime
) -> tuple[Laboratory, list[str]]:
    """Create the laboratory, or bring its profile to what the document says; say what changed.

    The same document again changes nothing.
    """
    refuse_other_letters(document.name)
    laboratory, is_new = Laboratory.objects.get_or_create(name=document.name)
    laboratory = Laboratory.objects.select_for_update().get(pk=laboratory.pk)
    changed = differences(document, None if is_new else laboratory)
    if not changed:
        return laboratory, []
    given = document.model_fields_set
    for name in _FIELDS:
        value = getattr(document, name)
        if name in given and (value is not None or name in _MAY_BE_EMPTY):
            setattr(laboratory, name, value)
    if document.csv is not None:
        laboratory.csv = document.csv.model_dump(mode="json", exclude_defaults=True)
    if document.ignored_codes is not None:
        laboratory.ignored_codes = [each.model_dump() for each in document.ignored_codes]
    laboratory.profile_version += 1  # what waits under an earlier one is tried again
    laboratory.save()
    analytes = {each.code: each for each in Analyte.objects.all()}
    _replace_lists(laboratory, document, analytes)
    if any(each.startswith("kits") for each in changed):
        # Limits, variation and fluid of a kit decide what its results are worth
        measured = Draw.objects.filter(laboratory=laboratory, superseded_at=None)
        count_up(measured.values_list("patient_id", flat=True).distinct(), at=at)
    audit.write(
        verb="add_laboratory" if is_new else "change_laboratory",
        subject=f"laboratory:{laboratory.pk}",
        by=by,
        at=at,
        fields=sorted(given - {"name"}),
    )
    return laboratory, changed


def _replace_lists(
    laboratory: Laboratory, document: ProfileDocument, analytes: dict[str, Analyte]
) -> None:
    if document.codes is not None:
        AnalyteAlias.objects.filter(laboratory=laboratory).delete()
        AnalyteAlias.objects.bulk_create(
            AnalyteAlias(
                laboratory=laboratory,
                system=each.system,
                code=each.code,
                analyte=analytes[each.analyte],
            )
            for each in document.codes
        )
    if document.units is not None:
        UnitAlias.objects.filter(laboratory=laboratory).delete()
        UnitAlias.objects.bulk_create(
            UnitAlias(laboratory=laboratory, sent=each.sent, means=each.means)
            for each in document.units
        )
    if document.patient_numbers is not None:
        NumberingAlias.objects.filter(laboratory=laboratory).delete()
        NumberingAlias.objects.bulk_create(
            NumberingAlias(laboratory=laboratory, sent=each.sent, kind=each.type, means=each.means)
            for each in document.patient_numbers
        )
    if document.kits is not None:
        Kit.objects.filter(laboratory=laboratory).delete()
        Kit.objects.bulk_create(
            Kit(
                laboratory=laboratory,
                analyte=analytes[each.analyte],
                **{name: getattr(each, name) for name in _OF_KITS},
            )
            for each in document.kits
        )
