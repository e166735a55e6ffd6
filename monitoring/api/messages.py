"""From the body of a push to reports of draws, in whichever dialect it is written."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.http import parse_header_parameters
from django.utils.translation import gettext as _
from rest_framework.response import Response

from monitoring import refusals
from monitoring.api.parsers import CSV, XLSX
from monitoring.api.problems import problem
from patients.intake.json_dialect import Fault, Faulty, Unreadable, read_json
from patients.intake.receipts import Answer
from patients.intake.reports import DrawReport
from patients.intake.tables.faults import FileIsUnreadable
from patients.intake.tables.profiles import layout_of
from patients.intake.tables.reading import Kind, Reading, read_table
from patients.intake.verdicts import Verdict, verdicts_of, verdicts_of_table

_KINDS = {CSV: Kind.CSV, XLSX: Kind.XLSX}


@dataclass(frozen=True)
class Message:
    """A message that can be read; of a table, with the rows that cannot."""

    dialect: str
    reports: Sequence[DrawReport]
    is_list: bool = True
    table: Reading | None = None

    @property
    def asked(self) -> str:
        """Say what was asked for beside the bytes: how a table was read."""
        return "" if self.table is None else self.table.read_as

    def verdicts(self, answers: Sequence[Answer]) -> list[Verdict]:
        """Say what becomes of every result."""
        if self.table is None:
            return verdicts_of(self.reports, answers)
        return verdicts_of_table(self.table, answers)


class MessageIsRefused(Exception):
    """The message cannot be read; it bears its answer."""

    def __init__(self, answer: Response) -> None:
        super().__init__(str(answer.status_code))
        self.answer = answer

    @property
    def why(self) -> str:
        """Say what was wrong, by the places alone."""
        faults: list[dict[str, str]] = self.answer.data.get("errors", [])
        return refusals.say(("", each["pointer"]) for each in faults)


def read_message(
    body: bytes, *, content_type: str, laboratory_id: int, is_dry_run: bool
) -> Message:
    """Read a message.

    Raises
    ------
    MessageIsRefused
        When it cannot be read. Of a table that is taken in for good no row may be wrong; a dry run
        says of every row what is.
    """
    if not body:
        raise MessageIsRefused(problem(400, _("The message is empty")))
    media_type, parameters = parse_header_parameters(content_type)
    kind = _KINDS.get(media_type)
    if kind is None:
        return _read_json(body)
    try:
        table = read_table(
            body,
            kind=kind,
            layout=layout_of(laboratory_id=laboratory_id),
            charset=parameters.get("charset", ""),
        )
    except FileIsUnreadable as fault:
        faults = [Fault(each.pointer, str(each)) for each in fault.faults]
        raise MessageIsRefused(
            _unprocessable(_("This cannot be read as a table"), faults)
        ) from fault
    if table.faults and not is_dry_run:
        faults = [Fault(each.pointer, str(each)) for each in table.faults]
        raise MessageIsRefused(_unprocessable(_("Some rows cannot be read"), faults))
    return Message(kind.value, table.reports, table=table)


def _read_json(body: bytes) -> Message:
    try:
        reports, is_list = read_json(body)
    except Unreadable as fault:
        raise MessageIsRefused(problem(400, _("This is not JSON"), detail=str(fault))) from fault
    except Faulty as fault:
        answer = _unprocessable(_("This cannot be read as a draw"), fault.faults)
        raise MessageIsRefused(answer) from fault
    return Message("json", reports, is_list=is_list)


def _unprocessable(title: str, faults: Sequence[Fault]) -> Response:
    return problem(422, title, detail=_("Nothing of this message was stored."), faults=faults)
