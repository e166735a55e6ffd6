"""What was seen of a sample and sent as a result of its own goes with the draw of that sample.

An index of haemolysis sent as an Observation is no result of the patient. Its words are laid beside
the results of the same sample: in the same message, else on the record, else when they come.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from patients.intake.placing import Unplaceable
from patients.intake.profiles import Profile
from patients.intake.reasons import Reason
from patients.intake.reports import DrawReport, Identifier, ResultReport, Specimen
from patients.intake.specimens import is_of_sample, specimen_of
from patients.intake.surroundings import Surroundings
from patients.record.draws import DrawOnRecord, Placed

_SAYS_SOMETHING = frozenset({"preliminary", "final", "amended", "corrected"})
_NOTES_AT_MOST = 500
Key = tuple[tuple[Identifier, ...], str | datetime | None]


def tells_of_sample_alone(report: DrawReport, profile: Profile) -> bool:
    """Tell whether nothing of this is a result: neither by its name nor by the profile."""
    return all(
        not profile.analytes(each.codes)
        and each.status in _SAYS_SOMETHING
        and each.value
        and any(is_of_sample(code.text or code.code) for code in each.codes)
        for each in report.results
    )


def key_of(report: DrawReport, profile: Profile) -> Key:
    """Name the sample: by the patient and its number, else the time."""
    if report.accession:
        return (report.patients, report.accession)
    time = profile.draw_time(report)
    return (report.patients, None if time is None else time.at)


def with_remarks(report: DrawReport, seen: Sequence[DrawReport]) -> DrawReport:
    """Lay what was seen of a sample beside its results."""
    specimen = report.specimen or Specimen()
    notes = [specimen.notes, *(_words(each) for one in seen for each in one.results)]
    joined = " / ".join(dict.fromkeys(filter(None, notes)))
    said = specimen.model_copy(update={"notes": joined[:_NOTES_AT_MOST]})
    return report.model_copy(update={"specimen": said})


def waits_for_draw(found: Unplaceable) -> Unplaceable:
    """Say that what was seen of a sample waits for its draw; no code or unit need be taught."""
    of_results = f"{Reason.UNKNOWN_ANALYTE}: ", f"{Reason.UNKNOWN_UNIT}: ", Reason.UNUSABLE_VALUE
    others = [each for each in found.reasons if not each.startswith(of_results)]
    return replace(found, reasons=(*others, Reason.SAMPLE_WITHOUT_DRAW.value))


def added_to_record(
    seen: DrawReport, around: Surroundings, *, patient_ids: set[int]
) -> Placed | None:
    """Add what was seen to the one draw of the sample that is on record; None where none is."""
    draw = _draw_of(seen, around, patient_ids)
    if draw is None:
        return None
    alone = seen.model_copy(update={"results": ()})
    specimen = specimen_of(with_remarks(alone, [seen])) or {}
    before = (draw.specimen or {}).get("notes", "")
    if before and specimen.get("notes"):
        parts = dict.fromkeys([*before.split(" / "), *specimen["notes"].split(" / ")])
        specimen["notes"] = " / ".join(parts)
    return Placed(
        accession=draw.accession,
        collected_at=draw.collected_at,
        precision=draw.precision,
        patient_id=draw.patient_id,
        lines=(),
        on_record=draw,
        specimen=specimen,
    )


def _draw_of(seen: DrawReport, around: Surroundings, patient_ids: set[int]) -> DrawOnRecord | None:
    if seen.accession:
        found = (
            [around.by_accession[seen.accession]] if seen.accession in around.by_accession else []
        )
    else:
        time = around.profile.draw_time(seen)
        found = (
            [draw for patient_id in patient_ids for draw in around.at(patient_id, time.at)]
            if time is not None and time.at is not None
            else []
        )
    return found[0] if len(found) == 1 and {found[0].patient_id} == patient_ids else None


def _words(result: ResultReport) -> str:
    """Say it as a laboratory writes it in a note: “Hemolysis index: 320 mg/dL”."""
    name = next(text for code in result.codes if is_of_sample(text := code.text or code.code))
    return " ".join(f"{name}: {result.comparator}{result.value} {result.unit}".split())
