"""What a sender is told who may not read: ids made of its own message, whatever the record knows.

One result on record may be told twice, and a result of an unknown patient is parked as often as it
comes: by the ids of the record both could be told apart, and with them who is a patient here.
"""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID, uuid5

from patients.intake.receipts import Answer, Condition, ResultAnswer
from patients.intake.reports import ADDRESS, DrawReport, ResultReport
from patients.intake.surroundings import Message
from patients.models import ResultName

RECEIVED = "received"
_OURS = UUID("6f1c7a52-3c0e-4b0e-9c56-0d5a4d1f6b3e")
# In these dialects a result can be addressed by the id that was told of it
_WITH_ADDRESSES = frozenset({"fhir"})


class Told:
    """The ids of the draws of one message, or of several that are one draw each."""

    def __init__(
        self,
        reports: Sequence[DrawReport],
        conditions: Sequence[Condition],
        messages: Sequence[Message],
        *,
        laboratory_id: int,
    ) -> None:
        self._reports, self._conditions = reports, conditions
        self._laboratory_id = laboratory_id
        self._messages = [*messages] * (len(reports) if len(messages) == 1 else 1)
        self._namespace = uuid5(_OURS, str(laboratory_id))

    def _id(self, *parts: str) -> UUID:
        return uuid5(self._namespace, "\n".join(parts))

    def of_draw(self, each: int) -> UUID:
        """Name a draw by its accession, or the report that it stands in; else by the message."""
        report, whole = self._reports[each], self._conditions[each].of_report
        if whole is not None and whole.names:
            return self._id("report", whole.names[0].system, whole.names[0].value)
        if whole is None and report.accession:
            return self._id("draw", report.accession)
        return self._id("message", self._messages[each].sha256, report.pointer)

    def of_result(self, each: int, position: int) -> UUID:
        """Name a result by the first of its names; else by the message."""
        report = self._reports[each]
        for name in report.results[position].names:
            if name.system != ADDRESS:
                return self._id("result", name.system, name.value)
        return self._id("message", self._messages[each].sha256, report.pointer, str(position))

    def answer(self, each: int, became: Answer, *, is_beside: bool) -> Answer:
        """Say that a draw was received, and no more; what lies beside others is no result."""
        report, ignored = self._reports[each], frozenset(became.ignored)
        results = () if is_beside else self._results(each, ignored)
        state = "ignored" if len(ignored) == len(report.results) else RECEIVED
        return Answer(self.of_draw(each), report.accession, state, (), results, became.ignored)

    def _results(self, each: int, ignored: frozenset[int]) -> tuple[ResultAnswer, ...]:
        places = range(len(self._reports[each].results))
        return tuple(
            ResultAnswer(self.of_result(each, position), 1, RECEIVED)
            for position in places
            if position not in ignored
        )

    def keep(self, answers: Mapping[int, Answer]) -> None:
        """Let the ids that are told lead to what became of the results."""
        lines = {
            str(id_told): line
            for each, became in answers.items()
            if self._messages[each].dialect in _WITH_ADDRESSES
            for id_told, line in self._leading(each, became)
        }
        if not lines:
            return
        ResultName.objects.bulk_create(
            [
                ResultName(
                    laboratory_id=self._laboratory_id,
                    system=ADDRESS,
                    value=value,
                    line=line,
                    is_alias=True,
                )
                for value, line in sorted(lines.items())
            ],
            update_conflicts=True,
            unique_fields=["laboratory", "system", "value"],
            update_fields=["line"],
        )

    def _leading(self, each: int, became: Answer) -> Iterator[tuple[UUID, UUID]]:
        """Say to which result each id leads; one with an address of its sender's needs none."""
        results = self._reports[each].results
        kept = [n for n in range(len(results)) if n not in became.ignored]
        if len(kept) != len(became.results):  # seen of a sample: there is nothing to lead to
            return
        for position, result in zip(kept, became.results, strict=True):
            if not _has_address(results[position]):
                yield self.of_result(each, position), result.line


def _has_address(said: ResultReport) -> bool:
    return any(name.system == ADDRESS for name in said.names)
