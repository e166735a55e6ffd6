"""The draws as a table: values, what a draw is worth, what has really changed, and who decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics import Estimate, LeftOut
from analytics.real_changes import Reading, real_changes
from analytics.real_changes import Verdict as ChangeVerdict
from analytics.reasons import CAUTIONS, Reason, Validity
from monitoring import change_words
from monitoring.portal import dates, draw_words
from monitoring.portal.presenters import measured
from monitoring.portal.presenters.banner import Tag, capitalised
from monitoring.queries import SIL6R, PatientRecord
from patients.models import Draw, DrawVerdict, Result, ResultStatus, Verdict
from patients.record.draws import SAID_MORE

_RESULT_TONES = {
    ResultStatus.PRELIMINARY: "waiting",
    ResultStatus.CORRECTED: "attention",
    ResultStatus.AMENDED: "attention",
}


@dataclass(frozen=True)
class Cell:
    """One analyte of one draw: the value in the column's unit, and what must be said with it."""

    value: str
    tags: list[Tag]
    notes: list[str]


@dataclass(frozen=True)
class DrawRow:
    """One draw, a cell for each analyte of the table."""

    collected: SafeString
    laboratory: str
    accession: str
    cells: list[tuple[str, Cell]]
    is_replaced: bool
    note: str
    worth: "Worth"
    public_id: str
    # What was seen of the sample, and how each result was measured
    measured: list[tuple[str, str]]


@dataclass(frozen=True)
class DrawTable:
    """The draws with a column for each analyte that was ever measured, and its unit."""

    columns: list[tuple[str, str]]
    rows: list[DrawRow]


def draw_table(record: PatientRecord) -> DrawTable:
    """Lay the draws out, the newest on top."""
    zone = record.patient.team.site.zone
    analytes = {
        result.analyte.code: result.analyte
        for draw in record.draws
        for result in draw.results.all()
    }
    columns = sorted(analytes.values(), key=lambda analyte: analyte.position)
    reasons = _reasons(record.estimate)
    changes = changes_of(record)
    assumed = {(each.analyte, each.drawn_at) for each in record.measured if each.is_kit_assumed}
    judged = {verdict.draw_public_id: verdict for verdict in record.verdicts}
    newest = sorted(record.draws, key=lambda draw: (draw.collected_at, draw.pk), reverse=True)
    rows = []
    for draw in newest:
        results = list(draw.results.all())
        rows.append(
            DrawRow(
                collected=dates.clinical_moment(draw.collected_at, zone=zone),
                laboratory=draw.laboratory.name,
                accession=draw.accession,
                cells=[
                    (
                        f"{analyte.code}, {analyte.unit}",
                        _cell(
                            [each for each in results if each.analyte_id == analyte.pk],
                            unit=analyte.unit,
                            reason=reasons.get((analyte.code, draw.collected_at.timestamp()), ""),
                            change=changes.get((analyte.code, draw.collected_at.timestamp()), ""),
                            is_kit_assumed=(analyte.code, draw.collected_at) in assumed,
                        ),
                    )
                    for analyte in columns
                ],
                is_replaced=draw.superseded_at is not None,
                note=_replaced(draw),
                public_id=str(draw.public_id),
                worth=worth_of(draw, record, judged.get(draw.public_id)),
                measured=measured.in_words(draw, _results(draw)),
            )
        )
    return DrawTable([(each.code, each.unit) for each in columns], rows)


def _reasons(estimate: Estimate | None) -> dict[tuple[str, float], str]:
    parts = estimate.left_out if estimate else ()
    return {
        (part.analyte, part.drawn_at.timestamp()): draw_words.left_out(part)
        for part in parts
        if part.reasons != (draw_words.CENSORED,)
    }


def _replaced(draw: Draw) -> str:
    if draw.superseded_at is None:
        return ""
    return format_html(
        "{} {}: {}",
        _("Replaced"),
        dates.system_moment(draw.superseded_at),
        _("the laboratory said something else of the sample")
        if draw.superseded_reason == SAID_MORE
        else _("the laboratory sent another time of collection"),
    )


def _cell(
    versions: Sequence[Result], *, unit: str, reason: str, change: str, is_kit_assumed: bool
) -> Cell:
    """Put one analyte into words: the current version first, then what it was before."""
    if not versions:
        return Cell(_("No data"), [], [])
    current = next((each for each in versions if each.superseded_at is None), versions[-1])
    tags: list[Tag] = []
    status = ResultStatus(current.status)
    if status in _RESULT_TONES and current.value is not None:
        tags.append((_RESULT_TONES[status], capitalised(str(status.label))))
    notes: list[str] = [*_as_sent(current, unit=unit)]
    if reason and current.superseded_at is None:
        notes.append(_("Not scored: %(reason)s") % {"reason": reason})
    if change and not reason and current.superseded_at is None and current.value is not None:
        notes.append(capitalised(change))
    if is_kit_assumed and not (current.kit or current.method):
        notes.append(_("Kit not stated: taken to be that of the other draws"))
    before = [each for each in versions if each is not current]
    notes.extend(
        format_html(
            "{} {}",
            _("Was %(value)s, replaced") % {"value": _value(old)},
            dates.system_moment(old.superseded_at),
        )
        for old in reversed(before)
        if _is_another_value(old, current) and old.superseded_at is not None
    )
    return Cell(_value(current), tags, notes)


def _is_another_value(old: Result, now: Result) -> bool:
    return (old.value, old.comparator) != (now.value, now.comparator)


def value_of(result: Result) -> str:
    """Give the value of a result with its unit."""
    return f"{_value(result)} {result.analyte.unit}"


def _value(result: Result) -> str:
    """Give the value as it was sent; in the record's unit where another one was sent."""
    if result.value is None:
        return no_value(result.status, absent_reason=result.absent_reason)
    is_as_sent = result.sent_unit.strip() == result.analyte.unit
    value = result.sent_value if is_as_sent and result.sent_value else f"{result.value:f}"
    return f"{result.get_comparator_display()}{value}"


def no_value(status: str, *, absent_reason: str) -> str:
    """Say why there is no value; it is never shown as a zero."""
    match status:
        case ResultStatus.CANCELLED:
            return _("Cancelled")
        case ResultStatus.ENTERED_IN_ERROR:
            return _("Withdrawn: entered in error")
        case ResultStatus.REGISTERED:
            return _("Pending")
        case _ if absent_reason:
            return _("No value: %(reason)s") % {"reason": absent_reason}
        case _:
            return _("No value")


def _as_sent(result: Result, *, unit: str) -> list[str]:
    if result.value is None or result.sent_unit.strip() == unit or not result.sent_unit:
        return []
    return [
        _("Converted from %(value)s %(unit)s")
        % {
            "value": f"{result.get_comparator_display()}{result.sent_value}",
            "unit": result.sent_unit,
        }
    ]


@dataclass(frozen=True)
class Worth:
    """What a draw is worth for the marker: a state in a word, why, and what a person may decide."""

    tag: Tag
    reasons: list[str]
    decided: str
    link: str
    link_text: str


_DECIDED: dict[str, Promise] = {
    Verdict.SCORE: gettext_lazy("Scored in spite of the caution: %(reason)s"),
    Verdict.RELEASE: gettext_lazy("Checked and released: %(reason)s"),
    Verdict.KEEP_OUT: gettext_lazy("Checked and kept out: %(reason)s"),
}


def worth_of(draw: Draw, record: PatientRecord, verdict: DrawVerdict | None) -> Worth:
    """Say what the newest assessment made of a draw, and offer what a person may decide."""
    part = exclusion_of(draw, record.estimate)
    decided = "" if verdict is None else _decided(verdict, stand_of(draw, record.estimate))
    link = reverse("portal:judge_draw", args=[record.patient.public_id, draw.public_id])
    if draw.superseded_at is not None or not any(
        each.analyte.code == SIL6R for each in _results(draw)
    ):
        return Worth(("neutral", _("Not used")), [], decided, "", "")
    if verdict is not None and verdict.verdict == Verdict.KEEP_OUT:
        return Worth(("attention", _("Excluded")), [], decided, link, _("Decide anew"))
    if part is None:
        again = _("Decide anew") if verdict else ""
        return Worth(("done", _("Valid")), [], decided, link if verdict else "", again)
    reasons = [
        draw_words.left_out_reason(code) for code in part.reasons if code != draw_words.CENSORED
    ]
    if Reason.IMPLAUSIBLE in part.reasons:
        tag = ("attention", _("Held: waits for a check"))
        return Worth(tag, reasons, decided, link, _("Release it, or keep it out"))
    match part.validity:
        case Validity.CAUTION:
            tag, text = ("waiting", _("Caution")), _("Score it all the same")
            return Worth(tag, reasons, decided, link, text)
        case Validity.EXCLUDED:
            return Worth(("attention", _("Excluded")), reasons, decided, "", "")
        case _:
            return Worth(("done", _("Valid")), reasons, decided, "", "")


class Stand(NamedTuple):
    """How a draw stands: the marker's value, and by code what speaks against scoring it.

    What a person has waived is among it: a decision made anew speaks of that too.
    """

    value: str
    against: tuple[str, ...]


def stand_of(draw: Draw, estimate: Estimate | None) -> Stand:
    """Say what a person who decides about a draw now has before them."""
    marker = next((each for each in _results(draw) if each.analyte.code == SIL6R), None)
    value = "" if marker is None or marker.value is None else f"{marker.value.normalize():f}"
    parts = () if estimate is None else (*estimate.left_out, *estimate.waived)
    against = {code for part in parts if _is_of(part, draw) for code in part.reasons}
    return Stand(
        f"{marker.comparator if marker else ''}{value}",
        tuple(sorted(against & {*CAUTIONS, Reason.IMPLAUSIBLE.value})),
    )


def _decided(verdict: DrawVerdict, stand: Stand) -> str:
    """Repeat a decision, and say if the draw is no longer what it was decided of."""
    said = str(_DECIDED[verdict.verdict]) % {"reason": verdict.reason}
    if verdict.verdict == Verdict.KEEP_OUT:
        return said
    if verdict.value is not None and verdict.value != stand.value:
        return _("%(said)s (said of the value %(value)s, and holds for no other)") % {
            "said": said,
            "value": verdict.value,
        }
    later = [] if verdict.against is None else [*set(stand.against) - set(verdict.against)]
    if later:
        what = "; ".join(draw_words.left_out_reason(code) for code in sorted(later))
        return _("%(said)s (said before this was known: %(what)s)") % {"said": said, "what": what}
    return said


def _results(draw: Draw) -> list[Result]:
    return [each for each in draw.results.all() if each.superseded_at is None]


def exclusion_of(draw: Draw, estimate: Estimate | None) -> LeftOut | None:
    """Find why the marker of this draw was not scored, if it was not."""
    parts = () if estimate is None else estimate.left_out
    return next(
        (part for part in parts if _is_of(part, draw) and part.reasons != (draw_words.CENSORED,)),
        None,
    )


def _is_of(part: LeftOut, draw: Draw) -> bool:
    return part.analyte == SIL6R and part.drawn_at.timestamp() == draw.collected_at.timestamp()


def changes_of(record: PatientRecord) -> dict[tuple[str, float], str]:
    """Say of every current result what its change against the one before means."""
    zone = record.patient.team.site.zone
    left_out = {
        (part.analyte, part.drawn_at.timestamp())
        for part in (record.estimate.left_out if record.estimate else ())
        if part.reasons != (draw_words.CENSORED,)
    }
    readings: dict[str, list[Reading]] = {}
    for each in record.measured:
        readings.setdefault(each.analyte, []).append(
            Reading(
                drawn_at=each.drawn_at,
                value=each.value,
                comparator=each.comparator,
                segment=each.segment,
                is_scored=(each.analyte, each.drawn_at.timestamp()) not in left_out,
                assay_cv=each.assay_cv,
            )
        )
    return _in_words(readings, zone=zone)


def _in_words(
    readings: dict[str, list[Reading]], *, zone: ZoneInfo
) -> dict[tuple[str, float], str]:
    said = {}
    for code, found in readings.items():
        for change in real_changes(found, analyte=code):
            if change.verdict is ChangeVerdict.NOT_COMPARABLE and len(found) == 1:
                continue
            key = (code, change.drawn_at.timestamp())
            said[key] = change_words.in_words(change, zone=zone)
    return said


def latest_change(record: PatientRecord) -> str:
    """Say what the newest result of the marker means against the one before."""
    found = [(at, text) for (code, at), text in changes_of(record).items() if code == SIL6R]
    return max(found)[1] if found else ""
