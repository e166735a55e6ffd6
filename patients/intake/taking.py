"""The taking in of a message: what is read, placed and written of it, wave by wave.

Draws of one message may touch each other: four observations of one draw, or a result and its
correction. Those that do not are placed together; those that do wait for the next wave, which sees
what the one before has written. An ordinary message is one wave, whatever its length.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from patients.intake.answering import answer_parked, answer_written
from patients.intake.naming import Claim, Names, names_in
from patients.intake.placing import Terms, Unplaceable, draw_taken_back, place, whose
from patients.intake.profiles import read_profile, without_ignored
from patients.intake.receipts import (
    VERSIONS_AT_MOST,
    Answer,
    Condition,
    OtherVersion,
    OverlappingIdentities,
    ResultAnswer,
    Sender,
    ToldTooOften,
    WholeReport,
)
from patients.intake.report_versions import current_version, lines_named_after
from patients.intake.reports import DrawReport
from patients.intake.samples import (
    Key,
    added_to_record,
    key_of,
    tells_of_sample_alone,
    waits_for_draw,
    with_remarks,
)
from patients.intake.surroundings import (
    LOCK_PATIENTS,
    Message,
    Surroundings,
    arrival_question,
    draws_question,
)
from patients.intake.waiting import last_word, waiting_of
from patients.intake.waves import Wave
from patients.models import Inbound, Parked, ResultName
from patients.record.draws import Placed, write_draws
from patients.record.parking import ToPark, in_parking, park
from patients.record.results import RETRACTED
from patients.statements import Question, ask


class Taking:
    """A message on its way in, or several; it lives as long as the transaction."""

    def __init__(
        self,
        reports: Sequence[DrawReport],
        conditions: Sequence[Condition],
        *,
        sender: Sender,
        at: datetime,
    ) -> None:
        self.reports, self.conditions = list(reports), conditions
        self.sender, self.at = sender, at
        self.names = Names(reports)
        self.answers: dict[int, Answer] = {}
        self.inbound_ids: Sequence[int] = ()
        self.parked_anew: set[int] = set()
        self.ignored: dict[int, tuple[int, ...]] = {}
        # What was seen of a sample whose draw is on record already
        self.of_sample: dict[int, Placed] = {}
        self.without_draw: set[int] = set()
        self.reports_seen: dict[WholeReport, int] = {}

    def look_around(self, messages: Sequence[Message]) -> list[int | None]:
        """Store the messages, lock their patients, claim their names, read what is on record.

        Gives the number of each message; none for one that was stored before.
        """
        numbers = sorted(
            {(each.system, each.value) for report in self.reports for each in report.patients}
        )
        [arrival], *claimed, draws = ask(
            arrival_question(messages, sender=self.sender, numbers=numbers, at=self.at),
            *self.names.claim(laboratory_id=self.sender.laboratory_id),
            self._draws_question(range(len(self.reports))),
        )
        stored, profile, patients = arrival
        for rows in claimed:
            self.names.read(rows)
        self.around = Surroundings(profile=read_profile(profile), patients=patients or ())
        self.around.take_in(draws)
        self._lock_patients_of_retractions()
        self._leave_out_ignored()
        self._set_samples_apart()
        return [(stored or {}).get(message.sha256) for message in messages]

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

    def place_all(
        self,
        inbound_ids: Sequence[int],
        *,
        only: Sequence[int] | None = None,
        refuse_overlaps: bool = False,
    ) -> tuple[Answer, ...]:
        """Place or park the draws, each with the number of its message; answer in their order."""
        self.inbound_ids = inbound_ids
        places = range(len(self.reports)) if only is None else only
        waiting = [each for each in places if each not in self.answers]
        parked: dict[int, Unplaceable] = {}
        for _number in range(VERSIONS_AT_MOST):
            wave = Wave()
            for each in waiting:
                if (answer := self._answer_existing(each)) is not None:
                    self.answers[each] = answer
                    continue
                claims = self._claims(each)
                if not wave.must_wait(each, [claim.line for claim in claims]):
                    wave.add(each, self._place(each, claims), self.reports[each])
            if refuse_overlaps and wave.overlaps:
                raise OverlappingIdentities(wave.overlaps[0])
            self._write(wave.placed)
            parked |= wave.unplaceable
            waiting = wave.later
            if not waiting:
                break
            [rows] = ask(self._draws_question(waiting))
            self.around.take_in(rows)
        else:
            raise ToldTooOften(waiting[0])
        self._park(parked)
        for each, ignored in self.ignored.items():
            self.answers[each] = self.answers[each]._replace(ignored=ignored)
        return tuple(self.answers[each] for each in range(len(self.reports)))

    def _place(self, each: int, claims: Sequence[Claim]) -> Placed | Unplaceable:
        if each in self.of_sample:
            return self.of_sample[each]
        report = self.reports[each]
        found = place(
            report,
            claims=claims,
            among=self.around,
            patient_ids=whose(report, among=self.around),
            terms=Terms(at=self.at, received_at=self.at, replaces=self._version_seen(each, claims)),
        )
        if isinstance(found, Unplaceable) and each in self.without_draw:
            return waits_for_draw(found)
        return found

    def _version_seen(self, each: int, claims: Sequence[Claim]) -> int | None:
        """Give the current version if the sender says that it has seen it; None if it says nothing.

        Of a report it is asked once, before the first of its results is written.
        """
        condition = self.conditions[each]
        wanted, report = condition.if_versions, condition.of_report
        if wanted is None:
            return None
        if report is None:
            version = max(self._version(claim) for claim in claims)
        elif report in self.reports_seen:
            version = self.reports_seen[report]
        else:
            laboratory_id = self.sender.laboratory_id
            lines = lines_named_after(report.names, laboratory_id=laboratory_id)
            version = current_version(lines, laboratory_id=laboratory_id)
            self.reports_seen[report] = version
        if version == 0 or (wanted and version not in wanted):
            raise OtherVersion(each)
        return version if wanted else None

    def _version(self, claim: Claim) -> int:
        if claim.line in self.around.by_line:
            _draw, result = self.around.by_line[claim.line]
            return result.version
        waiting = waiting_of(self.sender.laboratory_id, [claim.line]).get(claim.line)
        return last_word(waiting).version if waiting else 0

    def _answer_existing(self, each: int) -> Answer | None:
        """Answer a draw that was to be taken in only if none is known by its names."""
        if not self.conditions[each].if_none_exists:
            return None
        return self._answer_known(each)

    def _answer_known(self, each: int) -> Answer | None:
        report = self.reports[each]
        claims = self._claims(each)
        on_record = [self.around.by_line[c.line] for c in claims if c.line in self.around.by_line]
        if on_record:
            draw, _ = on_record[0]
            results = tuple(ResultAnswer(r.line, r.version, "known") for _, r in on_record)
            return Answer(draw.public_id, report.accession, "known", (), results)
        lines = [claim.line for claim in claims if claim.is_known]
        waits = (
            Parked.objects.select_related("draw")
            .prefetch_related("results")
            .filter(laboratory_id=self.sender.laboratory_id, results__line__in=lines)
            .order_by("-pk")
        )
        found = waits.first() if lines else None
        return None if found is None else answer_parked(in_parking(found), found.accession)

    def _write(self, placed: dict[int, Placed]) -> None:
        written = write_draws(
            list(placed.values()),
            laboratory_id=self.sender.laboratory_id,
            inbound_ids=[self.inbound_ids[each] for each in placed],
            received_at=self.at,
            by=self.sender.name,
            at=self.at,
        )
        for each, done in zip(placed, written, strict=True):
            self.answers[each] = answer_written(done, self.reports[each])
        rename = self.names.rename(
            [
                (result, line.public_id)
                for each, draw in placed.items()
                for result, line in zip(self.reports[each].results, draw.lines, strict=True)
            ],
            laboratory_id=self.sender.laboratory_id,
        )
        if rename:
            ask(*rename)

    def _park(self, unplaceable: dict[int, Unplaceable]) -> None:
        digests = {each: draw.report.sha256 for each, draw in unplaceable.items()}
        parked, new = park(
            [
                ToPark(
                    self.inbound_ids[each],
                    draw.report.accession,
                    digests[each],
                    draw.report.model_dump(mode="json"),
                    draw.reasons,
                    draw.lines,
                    self.around.profile.version,
                )
                for each, draw in unplaceable.items()
            ],
            laboratory_id=self.sender.laboratory_id,
            by=self.sender.name,
            at=self.at,
        )
        for each, digest in digests.items():
            accession = unplaceable[each].report.accession
            self.answers[each] = answer_parked(parked[digest], accession)
            if digest in new:  # the same draw a second time is not
                new.remove(digest)
                self.parked_anew.add(each)

    def repeat(self, message_sha256: str) -> tuple[Answer, ...]:
        """Answer a message that was taken in before: the same names, and nothing new.

        A draw that was corrected since stays corrected: these bytes are an old message, not a new
        wish. How a report is read may have changed since, and then its digest does; where it stands
        in the message does not.
        """
        inbound = Inbound.objects.get(
            laboratory_id=self.sender.laboratory_id, sha256=message_sha256
        )
        digests = [report.sha256 for report in self.reports]
        parked: dict[str, Parked] = {}
        for waits in (
            Parked.objects.select_related("draw")
            .prefetch_related("results")
            .filter(laboratory_id=self.sender.laboratory_id)
            .filter(Q(inbound=inbound) | Q(sha256__in=digests))
        ):
            parked[waits.sha256] = waits
            if waits.inbound_id == inbound.pk:
                parked[f"at:{waits.report.get('pointer', '')}"] = waits
        new = []
        for each, (report, digest) in enumerate(zip(self.reports, digests, strict=True)):
            if each in self.answers:
                continue
            known = parked.get(digest) or parked.get(f"at:{report.pointer}")
            answer = (
                answer_parked(in_parking(known), known.accession)
                if known is not None
                else self._answer_of_sample(each)
                or self._answer_on_record(each)
                or self._answer_known(each)
            )
            if answer is None:
                new.append(each)
            else:
                self.answers[each] = answer
        return self.place_all([inbound.pk] * len(self.reports), only=new)

    def _answer_of_sample(self, each: int) -> Answer | None:
        draw = self.of_sample[each].on_record if each in self.of_sample else None
        return None if draw is None else Answer(draw.public_id, draw.accession, "known")

    def _answer_on_record(self, place_: int) -> Answer | None:
        report = self.reports[place_]
        draw = self.around.by_accession.get(report.accession)
        if draw is None:
            return None
        results = tuple(
            ResultAnswer(each.line, each.version, "known") for each in draw.results.values()
        )
        return Answer(draw.public_id, report.accession, "known", (), results)
