"""A message arrives: it is stored, its patients are locked, and what it touches is read."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from patients.intake.naming import Claim, Names, names_in
from patients.intake.placing import draw_taken_back, whose
from patients.intake.profiles import read_profile, without_ignored
from patients.intake.receipts import (
    Answer,
    Condition,
    Sender,
    WholeReport,
)
from patients.intake.reports import DrawReport
from patients.intake.retractions import retractions_question, takes_back
from patients.intake.samples import (
    Key,
    added_to_record,
    key_of,
    tells_of_sample_alone,
    with_remarks,
)
from patients.intake.surroundings import (
    LOCK_PATIENTS,
    Message,
    Surroundings,
    arrival_question,
    draws_question,
)
from patients.intake.told import Told
from patients.models import ResultName
from patients.record.draws import Placed
from patients.record.results import RETRACTED
from patients.statements import Question, ask


class Arriving:
    """A message at the door, or several, and what must be known of the record to place it."""

    def __init__(
        self,
        reports: Sequence[DrawReport],
        conditions: Sequence[Condition],
        *,
        sender: Sender,
        at: datetime,
        tells_what_is_known: bool,
    ) -> None:
        self.tells_what_is_known = tells_what_is_known
        self.sent, self.conditions = tuple(reports), conditions
        self.reports = list(reports)
        self.sender, self.at = sender, at
        self.names = Names(reports)
        self.answers: dict[int, Answer] = {}
        self.inbound_ids: Sequence[int] = ()
        self.parked_anew: set[int] = set()
        self.parked_retractions: list[int] = []
        self.ignored: dict[int, tuple[int, ...]] = {}
        # What was seen of a sample whose draw is on record already
        self.of_sample: dict[int, Placed] = {}
        self.without_draw: set[int] = set()
        # What was seen of a sample whose results stand in the same message
        self.beside: set[int] = set()
        self.reports_seen: dict[WholeReport, int] = {}

    def look_around(self, messages: Sequence[Message]) -> list[int | None]:
        """Store the messages, lock their patients, claim their names, read what is on record.

        Gives the number of each message; none for one that was stored before.
        """
        self._lock_patients_ahead()
        numbers = {each for report in self.reports for each in report.patients}
        self.told = Told(
            self.sent, self.conditions, messages, laboratory_id=self.sender.laboratory_id
        )
        [arrival], *claimed, draws, retractions = ask(
            arrival_question(messages, sender=self.sender, numbers=numbers, at=self.at),
            *self.names.claim(laboratory_id=self.sender.laboratory_id),
            self._draws_question(range(len(self.reports))),
            retractions_question(
                self.reports,
                laboratory_id=self.sender.laboratory_id,
                listed_as=[name for each in self.conditions for name in each.listed_as],
            ),
        )
        stored, profile, patients = arrival
        for rows in claimed:
            self.names.read(rows)
        self.around = Surroundings(profile=read_profile(profile), patients=patients or ())
        self.around.take_in(draws)
        self.around.retractions = [pk for (pk,) in retractions]
        self._lock_patients_of_retractions()
        self._leave_out_ignored()
        self._set_samples_apart()
        return [(stored or {}).get(message.sha256) for message in messages]

    def _lock_patients_ahead(self) -> None:
        """Lock those whose results are taken back by name alone, before the names are claimed.

        Everybody else locks patients first and claims names then; in the other order the two could
        each wait for the other.
        """
        bare = [
            place_
            for place_, report in enumerate(self.reports)
            if not report.patients and takes_back(report)
        ]
        if not bare:
            return
        [draws] = ask(self._draws_question(bare))
        if patient_ids := sorted({patient_id for _draw, _public_id, patient_id, *_ in draws}):
            ask((LOCK_PATIENTS, [patient_ids]))

    def _lock_patients_of_retractions(self) -> None:
        """Lock those whose results are taken back by name alone, and read their draws again."""
        patient_ids = {
            draw.patient_id
            for place_, report in enumerate(self.reports)
            if report.results[0].status in RETRACTED
            and (draw := draw_taken_back(report, self._claims(place_), self.around)) is not None
            and not whose(report, among=self.around)
        }
        if patient_ids:
            _locked, rows = ask(
                (LOCK_PATIENTS, [sorted(patient_ids)]),
                self._draws_question(range(len(self.reports))),
            )
            self.around.take_in(rows)

    def _leave_out_ignored(self) -> None:
        """Go on without the results that the profile ignores; the raw message keeps them."""
        fresh: list[UUID] = []
        for place_, report in enumerate(self.reports):
            kept, ignored = without_ignored(report, self.around.profile)
            if not ignored:
                continue
            claims = self._claims(place_)
            fresh += [claims[each].line for each in ignored if not claims[each].is_known]
            self.ignored[place_] = ignored
            self.reports[place_] = kept
            if not kept.results:
                self.answers[place_] = Answer(
                    claims[0].line, report.accession, "ignored", ignored=ignored
                )
        self._forget(fresh)

    def _set_samples_apart(self) -> None:
        """Let what was seen of a sample go with the draw of that sample; it is no result."""
        profile = self.around.profile
        waiting = [each for each in range(len(self.reports)) if each not in self.answers]
        seen = [each for each in waiting if tells_of_sample_alone(self.reports[each], profile)]
        if not seen:
            return
        of_key: dict[Key, list[int]] = {}
        for each in sorted({*waiting} - {*seen}):
            of_key.setdefault(key_of(self.reports[each], profile), []).append(each)
        beside: dict[int, list[DrawReport]] = {}
        fresh: list[UUID] = []
        for place_ in seen:
            report, claims = self.reports[place_], self._claims(place_)
            if results := of_key.get(key_of(report, profile)):
                for each in results:
                    beside.setdefault(each, []).append(report)
                self.beside.add(place_)
                self.answers[place_] = Answer(claims[0].line, report.accession, "known")
            elif (placed := self._added_to_record(report)) is not None:
                self.of_sample[place_] = placed
                self.reports[place_] = report.model_copy(update={"results": ()})
            else:
                self.without_draw.add(place_)
                continue
            fresh += [claim.line for claim in claims if not claim.is_known]
        for place_, remarks in beside.items():
            self.reports[place_] = with_remarks(self.reports[place_], remarks)
        self._forget(fresh)

    def _added_to_record(self, report: DrawReport) -> Placed | None:
        patient_ids = whose(report, among=self.around)
        return added_to_record(report, self.around, patient_ids=patient_ids)

    def _forget(self, lines: list[UUID]) -> None:
        """Keep no name that means nothing."""
        if lines:
            ResultName.objects.filter(
                laboratory_id=self.sender.laboratory_id, line__in=lines
            ).delete()

    def _draws_question(self, places: Sequence[int]) -> Question:
        reports = [self.reports[place] for place in places]
        return draws_question(
            reports, laboratory_id=self.sender.laboratory_id, names=names_in(reports)
        )

    def _claims(self, place_: int) -> list[Claim]:
        """Say which results are meant; those that are ignored have kept their places in `names`."""
        results = self.reports[place_].results
        left_out = frozenset(self.ignored.get(place_, ()))
        places = (n for n in range(len(results) + len(left_out)) if n not in left_out)
        return [
            self.names.of(place_, position, result)
            for position, result in zip(places, results, strict=True)
        ]
