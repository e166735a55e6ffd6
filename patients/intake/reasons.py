"""Why a draw waits for a person: what is wrong with its results, its patient or its time."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from patients.intake.profiles import KnownAnalyte, Profile
from patients.intake.reports import EARLIEST_YEAR, ResultReport
from patients.models import WITHOUT_VALUE, ResultStatus

# A laboratory's clock may run a little ahead of ours
CLOCK_ALLOWANCE = timedelta(minutes=5)
_STATUSES = frozenset(ResultStatus.values)
_A_CONCENTRATION = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)


class Reason(StrEnum):
    """Why a draw waits for a person."""

    UNKNOWN_PATIENT = "unknown_patient"
    NUMBER_NOT_IN_FORCE = "patient_number_not_in_force"
    UNKNOWN_ANALYTE = "unknown_analyte"
    CODES_DISAGREE = "codes_of_different_analytes"
    UNKNOWN_UNIT = "unknown_unit"
    UNKNOWN_STATUS = "unknown_status"
    UNUSABLE_VALUE = "unusable_value"
    VALUE_MISSING = "value_missing"
    UNUSABLE_TIME = "unusable_time"
    COLLECTED_IN_THE_FUTURE = "collected_in_the_future"
    PATIENTS_DISAGREE = "numbers_of_different_patients"
    OTHER_PATIENT = "accession_belongs_to_another_patient"
    OTHER_ANALYTE = "name_belongs_to_another_analyte"
    NAMES_DISAGREE = "names_of_different_results"
    POSSIBLE_DUPLICATE = "possible_duplicate"
    NUMBER_USED_AGAIN = "number_of_a_draw_long_before_or_after"
    MAY_NOT_CORRECT = "correction_by_a_key_that_only_creates"
    SAMPLE_WITHOUT_DRAW = "draw_of_the_sample_not_on_record"
    IN_TURN = "told_many_times_in_one_message"


def is_a_concentration(text: str) -> bool:
    """Tell whether it is a number, of digits that something measured may have.

    FHIR and JSON know powers of ten and have written them out; elsewhere `1e3` is a text.
    """
    return _A_CONCENTRATION.fullmatch(text) is not None


def faults_of_result(
    report: ResultReport, analytes: set[KnownAnalyte], profile: Profile
) -> Iterator[str]:
    if not analytes:
        yield f"{Reason.UNKNOWN_ANALYTE}: {report.codes[0].key[1]}"
    elif len(analytes) > 1:
        yield Reason.CODES_DISAGREE.value
    if report.status not in _STATUSES:
        yield f"{Reason.UNKNOWN_STATUS}: {report.status}"
    elif report.status in WITHOUT_VALUE or report.keeps_value:
        return
    elif report.value is None:
        if not report.absent_reason:
            yield Reason.VALUE_MISSING.value
        return
    if report.value is not None and not is_a_concentration(report.value):
        yield f"{Reason.UNUSABLE_VALUE}: {report.value}"
    if profile.unit(report.unit) is None:
        yield f"{Reason.UNKNOWN_UNIT}: {report.unit}"


def faults_of_draw(
    collected_at: datetime | None, patient_ids: set[int], *, is_named: bool, at: datetime
) -> Iterator[str]:
    """Say what is wrong; `is_named` by a number that was, or will be, a patient's."""
    if not patient_ids and is_named:
        yield Reason.NUMBER_NOT_IN_FORCE.value
    elif not patient_ids:
        yield Reason.UNKNOWN_PATIENT.value
    elif len(patient_ids) > 1:
        yield Reason.PATIENTS_DISAGREE.value
    if collected_at is None or collected_at.year < EARLIEST_YEAR:
        yield Reason.UNUSABLE_TIME.value
    elif collected_at > at + CLOCK_ALLOWANCE:
        yield Reason.COLLECTED_IN_THE_FUTURE.value
