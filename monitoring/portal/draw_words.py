"""Why a result is not scored, in words; every code has a sentence, or this refuses."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from analytics import LeftOut, Reason
from monitoring.portal.words import UnknownCode

CENSORED = "censored"
_LEFT_OUT: dict[str, Promise] = {
    Reason.KEPT_OUT: gettext_lazy("kept out by a person, who said why"),
    Reason.IL6R_BLOCKER: gettext_lazy("an IL-6 receptor blocker is running or washing out"),
    Reason.WRONG_MATRIX: gettext_lazy("not the kind of specimen that this laboratory’s kit is for"),
    Reason.GROSS_HAEMOLYSIS: gettext_lazy("grossly haemolysed"),
    Reason.UNKNOWN_KIT: gettext_lazy("the kit is not known, so the level means nothing"),
    Reason.ZERO: gettext_lazy(
        "0 is no concentration: who finds less than a kit can measure sends “<” and its limit"
    ),
    Reason.DUPLICATE: gettext_lazy("the same draw is on record already"),
    Reason.BEFORE_EPISODE: gettext_lazy("drawn long before the first dose of this episode"),
    Reason.INFECTION: gettext_lazy("infection at the time or in the four weeks before"),
    Reason.VACCINATION: gettext_lazy("vaccination in the four weeks before"),
    Reason.SURGERY: gettext_lazy("surgery in the four weeks before"),
    Reason.STEROID: gettext_lazy("steroid at the time or in the two weeks before"),
    Reason.BIOLOGIC: gettext_lazy("biologic at the time or in the months before"),
    Reason.ECT: gettext_lazy("electroconvulsive therapy in the days before"),
    Reason.PREGNANCY: gettext_lazy("pregnancy, or the weeks after"),
    Reason.EXERCISE: gettext_lazy("hard exercise in the last 24 hours"),
    Reason.ACUTE_PHASE: gettext_lazy("hs-CRP above 10 mg/L on the same day"),
    Reason.ACUTE_PHASE_NEAR: gettext_lazy("hs-CRP above 10 mg/L within three days"),
    Reason.HAEMOLYSIS: gettext_lazy("moderately haemolysed"),
    Reason.UNSUITABLE: gettext_lazy("called unfit by its laboratory"),
    Reason.THAWED: gettext_lazy("thawed three times or more"),
    Reason.NEW_LOT: gettext_lazy("the first result of a new lot of the kit"),
    Reason.OTHER_HOUR: gettext_lazy(
        "drawn more than three hours off the usual hour of this patient"
    ),
    Reason.PRELIMINARY: gettext_lazy("preliminary: the final value has not come yet"),
    Reason.EARLIER_SEGMENT: gettext_lazy(
        "another laboratory or kit: its level cannot be compared with the present one"
    ),
    Reason.IMPLAUSIBLE: gettext_lazy("implausible beside the other values"),
    CENSORED: gettext_lazy("beyond what the kit can measure: only a bound is known"),
}


def left_out_reason(code: str) -> str:
    """Say why a result is not scored."""
    if code not in _LEFT_OUT:
        raise UnknownCode(code)
    return str(_LEFT_OUT[code])


def left_out(part: LeftOut) -> str:
    """Say everything that speaks against scoring a result."""
    return "; ".join(left_out_reason(code) for code in part.reasons)
