"""Verdicts on the rows of a file, in words and as a table to take away."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from monitoring.portal import parked_words
from patients.intake.verdicts import State, Verdict, counts_of

SHOWN_AT_MOST = 500
_LABELS: dict[State, Promise] = {
    State.REFUSED: gettext_lazy("Refused"),
    State.PARKED: gettext_lazy("Would be parked"),
    State.CORRECTED: gettext_lazy("Correction"),
    State.LATE: gettext_lazy("Older version"),
    State.NOTHING: gettext_lazy("No result"),
    State.RECORDED: gettext_lazy("New"),
    State.KNOWN: gettext_lazy("Known"),
    State.IGNORED: gettext_lazy("Ignored"),
    State.RECEIVED: gettext_lazy("Received"),
}
_TONES = {
    State.REFUSED: "urgent",
    State.PARKED: "attention",
    State.CORRECTED: "waiting",
    State.RECORDED: "done",
}
_NOTES: dict[State, Promise] = {
    State.CORRECTED: gettext_lazy("Another value or status is on record; it stays readable."),
    State.LATE: gettext_lazy("A newer version is on record; this one is kept behind it."),
    State.NOTHING: gettext_lazy("No cell of this row holds a value, so nothing is stored."),
    State.KNOWN: gettext_lazy("It is on record as it stands here; nothing changes."),
    State.IGNORED: gettext_lazy("The profile of the laboratory says that this code is ignored."),
}
# A spreadsheet takes a cell that begins like this for a formula and runs it
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class VerdictRow:
    """One line of the table."""

    row: int
    label: str
    tone: str
    accession: str
    analyte: str
    reasons: list[str]

    @classmethod
    def of(cls, verdict: Verdict) -> "VerdictRow":
        """Put a verdict into words."""
        return cls(
            row=verdict.row,
            label=str(_LABELS[verdict.state]),
            tone=_TONES.get(verdict.state, "neutral"),
            accession=verdict.accession,
            analyte=verdict.analyte,
            reasons=reasons_of(verdict),
        )


@dataclass(frozen=True)
class Count:
    """How many results share a fate."""

    label: str
    tone: str
    n: int


@dataclass(frozen=True)
class Verdicts:
    """Everything that portal/upload_verdicts.html prints."""

    title: str
    counts: list[Count]
    rows: list[VerdictRow]
    hidden: str

    @classmethod
    def of(cls, verdicts: Sequence[Verdict]) -> "Verdicts":
        """Put the verdicts into words, problems first."""
        order = list(State)
        by_need = sorted(verdicts, key=lambda each: (order.index(each.state), each.row))
        n, n_refused = len(verdicts), counts_of(verdicts).get(State.REFUSED, 0)
        title = ngettext("%(n)d row can be taken in", "%(n)d rows can be taken in", n)
        if n_refused:
            title = ngettext(
                "%(n)d row cannot be read, so nothing can be taken in",
                "%(n)d rows cannot be read, so nothing can be taken in",
                n_refused,
            )
        hidden = ""
        if n > SHOWN_AT_MOST:
            hidden = _("The first %(shown)d of %(all)d are shown; the table to download has all.")
        return cls(
            title=title % {"n": n_refused or n},
            counts=[
                Count(str(_LABELS[state]), _TONES.get(state, "neutral"), count)
                for state, count in ((State(k), v) for k, v in counts_of(verdicts).items())
            ],
            rows=[VerdictRow.of(each) for each in by_need[:SHOWN_AT_MOST]],
            hidden=hidden % {"shown": SHOWN_AT_MOST, "all": n} if hidden else "",
        )


def reasons_of(verdict: Verdict) -> list[str]:
    """Say why, or what it means."""
    if verdict.state is State.REFUSED:
        return list(verdict.reasons)
    if verdict.state is State.PARKED:
        return [_why_parked(code) for code in verdict.reasons]
    return [str(_NOTES[verdict.state])] if verdict.state in _NOTES else []


def _why_parked(code: str) -> str:
    if code == "rejected":
        return _("It was parked before, and a person has rejected it.")
    return parked_words.parked_reason(code)


def say_counts(counts: dict[str, int]) -> str:
    """Say in one line what became of a file."""
    words = {
        State.RECORDED: _("new: %(n)d"),
        State.CORRECTED: _("corrections: %(n)d"),
        State.LATE: _("older versions: %(n)d"),
        State.KNOWN: _("known: %(n)d"),
        State.IGNORED: _("ignored: %(n)d"),
        State.PARKED: _("parked: %(n)d"),
        State.NOTHING: _("without a result: %(n)d"),
    }
    said = [words[State(name)] % {"n": n} for name, n in counts.items()]
    return _("The file is taken in (%(counts)s).") % {"counts": ", ".join(said)}


def verdicts_as_csv(verdicts: Sequence[Verdict]) -> bytes:
    """Write all verdicts as a table, in the order of the file; no cell of it is a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["row", "verdict", "accession", "analyte", "why"])
    for each in verdicts:
        cells = (each.accession, each.analyte, " ".join(reasons_of(each)))
        writer.writerow([each.row, each.state.value, *map(without_formula, cells)])
    return ("\ufeff" + text.getvalue()).encode()


def without_formula(cell: str) -> str:
    """Keep a spreadsheet from running what a laboratory wrote."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
