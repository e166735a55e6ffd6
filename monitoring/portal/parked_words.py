"""Why a draw waits, in words."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from monitoring.portal.words import UnknownCode
from patients.intake.reasons import Reason

_REASONS: dict[str, Promise] = {
    Reason.UNKNOWN_PATIENT: gettext_lazy("No patient is known by this number."),
    Reason.NUMBER_NOT_IN_FORCE: gettext_lazy(
        "Its number is a patient’s, but was not in force on the day of the draw: it may be "
        "somebody else’s."
    ),
    Reason.PATIENTS_DISAGREE: gettext_lazy("Its numbers belong to different patients."),
    Reason.UNKNOWN_ANALYTE: gettext_lazy("The analyte “%(what)s” is not in the catalogue."),
    Reason.CODES_DISAGREE: gettext_lazy("The codes of a result mean different analytes."),
    Reason.UNKNOWN_UNIT: gettext_lazy("The unit “%(what)s” is not known."),
    Reason.UNKNOWN_STATUS: gettext_lazy("The status “%(what)s” says nothing of how sure it is."),
    Reason.UNUSABLE_VALUE: gettext_lazy("“%(what)s” is no concentration."),
    Reason.UNUSABLE_TIME: gettext_lazy(
        "When the blood was taken is not stated, or not exactly to the day."
    ),
    Reason.COLLECTED_IN_THE_FUTURE: gettext_lazy("The time of collection is in the future."),
    Reason.VALUE_MISSING: gettext_lazy("A value is missing, and nothing says why."),
    Reason.OTHER_PATIENT: gettext_lazy(
        "The accession, or a name of a result, is on record for another patient."
    ),
    Reason.OTHER_ANALYTE: gettext_lazy("The name of a result is on record for another analyte."),
    Reason.NAMES_DISAGREE: gettext_lazy("The names of its results belong to different draws."),
    Reason.POSSIBLE_DUPLICATE: gettext_lazy(
        "This patient has a result of the same analyte and moment already, under another name."
    ),
    Reason.NUMBER_USED_AGAIN: gettext_lazy(
        "Its number is on record for a draw more than a week before or after this one, or of "
        "another day with another value."
    ),
    Reason.MAY_NOT_CORRECT: gettext_lazy(
        "It would change a result on record, and came with a key that may only bring new ones."
    ),
    Reason.SAMPLE_WITHOUT_DRAW: gettext_lazy(
        "It tells of a sample whose draw is not on record; it joins the draw when that comes."
    ),
    Reason.IN_TURN: gettext_lazy(
        "Its message says much of one draw; it is placed in its turn, within a minute."
    ),
}


REASONS_IN_SHORT: dict[str, Promise] = {
    Reason.UNKNOWN_PATIENT.value: gettext_lazy("unknown patient"),
    Reason.NUMBER_NOT_IN_FORCE.value: gettext_lazy("patient’s number not in force"),
    Reason.PATIENTS_DISAGREE.value: gettext_lazy("numbers of different patients"),
    Reason.OTHER_PATIENT.value: gettext_lazy("on record for another patient"),
    Reason.UNKNOWN_ANALYTE.value: gettext_lazy("unknown analyte"),
    Reason.CODES_DISAGREE.value: gettext_lazy("codes of different analytes"),
    Reason.OTHER_ANALYTE.value: gettext_lazy("on record for another analyte"),
    Reason.UNKNOWN_UNIT.value: gettext_lazy("unknown unit"),
    Reason.UNUSABLE_VALUE.value: gettext_lazy("no concentration"),
    Reason.VALUE_MISSING.value: gettext_lazy("value missing"),
    Reason.UNKNOWN_STATUS.value: gettext_lazy("unknown status"),
    Reason.UNUSABLE_TIME.value: gettext_lazy("time of collection not stated"),
    Reason.COLLECTED_IN_THE_FUTURE.value: gettext_lazy("collected in the future"),
    Reason.NAMES_DISAGREE.value: gettext_lazy("names of different results"),
    Reason.POSSIBLE_DUPLICATE.value: gettext_lazy("possible duplicate"),
    Reason.NUMBER_USED_AGAIN.value: gettext_lazy("number of a draw long before or after"),
    Reason.MAY_NOT_CORRECT.value: gettext_lazy("correction by a key that only creates"),
    Reason.SAMPLE_WITHOUT_DRAW.value: gettext_lazy("a sample without its draw"),
    Reason.IN_TURN.value: gettext_lazy("placed in its turn"),
}


def parked_reason(code: str) -> str:
    """Say why a draw waits; what follows the colon is the laboratory's own word."""
    name, _colon, what = code.partition(": ")
    if name not in _REASONS:
        raise UnknownCode(code)
    return str(_REASONS[Reason(name)]) % {"what": what}
