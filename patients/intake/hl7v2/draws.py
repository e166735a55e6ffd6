"""Which orders of a message are one draw, and which results of one order number are several."""

from collections.abc import Iterator, Sequence

from patients.intake.order_names import drawn_at, named_at
from patients.intake.reports import DrawReport, Identifier, ResultReport, Specimen


def without_repetitions(results: Sequence[ResultReport]) -> tuple[ResultReport, ...]:
    """Take what stands twice word for word once."""
    if len({each.codes for each in results}) == len(results):
        return tuple(results)
    said: dict[ResultReport, ResultReport] = {}
    for each in results:
        said.setdefault(each.model_copy(update={"pointer": ""}), each)
    return tuple(said.values())


def merged(reports: list[DrawReport]) -> list[DrawReport]:
    """Put orders together that are one draw: same number, same patient, same times."""
    draws: dict[object, DrawReport] = {}
    for place, report in enumerate(reports):
        key = (report.accession, report.patients, report.times) if report.accession else place
        known = draws.get(key)
        draws[key] = (
            report
            if known is None
            else known.model_copy(
                update={
                    "results": without_repetitions((*known.results, *report.results)),
                    "specimen": _both(known.specimen, report.specimen),
                }
            )
        )
    return list(draws.values())


def told_apart(reports: Sequence[DrawReport]) -> Iterator[DrawReport]:
    """Name results after their time too, where one order number has a code at several times.

    Such is a series of samples under one order: none of them is a version of another.
    """
    times: dict[Identifier, set[str]] = {}
    for report in reports:
        for name in {name for result in report.results for name in result.names}:
            times.setdefault(name, set()).add(drawn_at(report))
    for report in reports:
        results = tuple(
            result.model_copy(
                update={
                    "names": tuple(
                        named_at(name, drawn_at(report)) if len(times[name]) > 1 else name
                        for name in result.names
                    )
                }
            )
            for result in report.results
        )
        yield (
            report if results == report.results else report.model_copy(update={"results": results})
        )


def _both(one: Specimen | None, other: Specimen | None) -> Specimen | None:
    """Put together what two orders say of one sample; what the first does not say, the other may.

    Notes and conditions add up.
    """
    if one is None or other is None or one == other:
        return one or other
    notes = " / ".join(dict.fromkeys(filter(None, (one.notes, other.notes))))
    return Specimen.model_validate(
        other.model_dump()
        | one.model_dump(exclude_defaults=True)
        | {
            "notes": _line(notes, 500),
            "conditions": tuple(dict.fromkeys((*one.conditions, *other.conditions)))[:20],
        }
    )


def _line(text: str, at_most: int) -> str:
    return text if len(text) <= at_most else f"{text[: at_most - 1]}…"
