"""What becomes of a message, result by result: what a dry run answers, and what a page shows."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from patients.intake.receipts import Answer
from patients.intake.reports import DrawReport
from patients.intake.tables.faults import Fault, shown
from patients.intake.tables.reading import Reading


class State(StrEnum):
    """What becomes of one result, the most urgent first."""

    REFUSED = "refused"
    PARKED = "parked"
    CORRECTED = "corrected"
    LATE = "late"  # kept as an older version: a newer one is on record
    NOTHING = "nothing"  # a row of a wide table without any value
    RECORDED = "recorded"
    KNOWN = "known"
    IGNORED = "ignored"  # the laboratory's profile says so
    RECEIVED = "received"  # all that a sender is told who may not read


@dataclass(frozen=True)
class Verdict:
    """What becomes of one result; of a refused row, why.

    Attributes
    ----------
    pointer
        Where it stands: `/rows/7/value` of a table, `/draws/0/results/1` of a list of draws.
    row
        The row of a table, as a spreadsheet numbers it; 0 where there are none.
    reasons
        Of a refused row sentences, of a parked result codes of `patients.intake.reasons.Reason`.
    """

    pointer: str
    row: int
    accession: str
    analyte: str
    state: State
    reasons: tuple[str, ...] = ()


def counts_of(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """Count the verdicts by what becomes of the results; what does not occur is left out."""
    counts = Counter(each.state for each in verdicts)
    return {state.value: counts[state] for state in State if state in counts}


def verdicts_of(reports: Sequence[DrawReport], answers: Sequence[Answer]) -> list[Verdict]:
    """Say what becomes of every result of a message that is no table."""
    return [
        Verdict(
            pointer=f"{report.pointer}/results/{position}",
            row=0,
            accession=report.accession,
            analyte=result.codes[0].code,
            state=state,
            reasons=_reasons(answer),
        )
        for report, answer in zip(reports, answers, strict=True)
        for position, (result, state) in enumerate(
            zip(report.results, _states(report, answer), strict=True)
        )
    ]


def verdicts_of_table(reading: Reading, answers: Sequence[Answer]) -> list[Verdict]:
    """Say what becomes of every row of a table, in the order of the file."""
    verdicts = [*_refused(reading.faults), *_placed(reading, answers)]
    verdicts += [
        Verdict(f"/rows/{row}", row, "", "", State.NOTHING) for row in reading.without_result
    ]
    return sorted(verdicts, key=lambda each: each.row)


def _refused(faults: Sequence[Fault]) -> Iterator[Verdict]:
    """Put the faults of one row together."""
    by_row: dict[int, list[Fault]] = {}
    for fault in faults:
        by_row.setdefault(fault.row, []).append(fault)
    for row, found in by_row.items():
        reasons = tuple(
            f"column “{shown(each.column)}”: {each.detail}" if each.column else each.detail
            for each in found
        )
        yield Verdict(found[0].pointer, row, "", "", State.REFUSED, reasons)


def _placed(reading: Reading, answers: Sequence[Answer]) -> Iterator[Verdict]:
    for report, places, answer in zip(reading.reports, reading.places, answers, strict=True):
        states = _states(report, answer)
        for result, stands, state in zip(report.results, places, states, strict=True):
            for nth, place in enumerate(stands):
                is_repeat = nth > 0 and state is not State.PARKED
                yield Verdict(
                    pointer=Fault(place.row, place.column, "").pointer,
                    row=place.row,
                    accession=report.accession,
                    analyte=result.codes[0].code,
                    state=State.KNOWN if is_repeat else state,
                    reasons=_reasons(answer),
                )


def _reasons(answer: Answer) -> tuple[str, ...]:
    """Say why a draw is parked; which of its results are late is told by their states."""
    return answer.reasons if answer.state == State.PARKED else ()


def _states(report: DrawReport, answer: Answer) -> list[State]:
    """Say what becomes of each result; a draw is parked whole."""
    kept = len(report.results) - len(answer.ignored)
    is_of_the_draw = answer.state in {State.PARKED, State.RECEIVED}
    states = iter(
        [State(answer.state)] * kept
        if is_of_the_draw or len(answer.results) != kept
        else [State(each.state) for each in answer.results]
    )
    return [
        State.IGNORED if position in answer.ignored else next(states)
        for position in range(len(report.results))
    ]
