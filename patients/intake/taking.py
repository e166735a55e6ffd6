"""The taking in of a message: what is read, placed and written of it, wave by wave.

Draws of one message may touch each other: four observations of one draw, or a result and its
correction. Those that do not are placed together; those that do wait for the next wave, which sees
what the one before has written. An ordinary message is one wave, whatever its length.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Q

from patients.intake.answering import WRITTEN, answer_parked, answer_taken_back, answer_written
from patients.intake.arriving import Arriving
from patients.intake.finding import Terms
from patients.intake.naming import Claim
from patients.intake.parking import take_back
from patients.intake.persons import Told, note_contradictions
from patients.intake.placing import Unplaceable, place, whose
from patients.intake.reasons import Reason
from patients.intake.receipts import (
    VERSIONS_AT_MOST,
    Answer,
    CorrectionNotAllowed,
    OtherVersion,
    OverlappingIdentities,
    ResultAnswer,
    ToldTooOften,
)
from patients.intake.repeated import Known, by_draw, by_names
from patients.intake.report_links import name_after_reports
from patients.intake.report_versions import current_version, lines_named_after
from patients.intake.reports import ResultReport
from patients.intake.retractions import takes_back
from patients.intake.samples import waits_for_draw
from patients.intake.waiting import last_word, waiting_of
from patients.intake.waves import Wave
from patients.models import Inbound, Parked, Result
from patients.record.draws import Placed, write_draws
from patients.record.parking import ToPark, in_parking, park
from patients.record.results import RETRACTED
from patients.statements import ask


class Taking(Arriving):
    """A message on its way in, or several; it lives as long as the transaction."""

    def place_all(
        self,
        inbound_ids: Sequence[int],
        *,
        only: Sequence[int] | None = None,
        refuse_overlaps: bool = False,
    ) -> None:
        """Place or park the draws, each with the number of its message, and answer each."""
        self.inbound_ids = inbound_ids
        places = range(len(self.reports)) if only is None else only
        waiting = [each for each in places if each not in self.answers]
        parked: dict[int, Unplaceable] = {}
        overlaps: list[int] = []
        surplus: list[int] = []
        for _number in range(VERSIONS_AT_MOST):
            wave = self._wave(waiting)
            if refuse_overlaps and wave.overlaps:
                if self.tells_what_is_known:
                    raise OverlappingIdentities(wave.overlaps[0])
                overlaps += (each for each in wave.overlaps if each in wave.later)
            self._write(wave.placed)
            parked |= wave.unplaceable
            surplus += wave.surplus
            waiting = [each for each in wave.later if each not in overlaps]
            if not waiting:
                break
            [rows] = ask(self._draws_question(waiting))
            self.around.take_in(rows)
        else:
            surplus += waiting
            if self.tells_what_is_known:
                raise ToldTooOften(waiting[0])
        parked |= self._waiting_for(Reason.POSSIBLE_DUPLICATE, overlaps)
        parked |= self._waiting_for(Reason.IN_TURN, surplus)
        self._park(dict(sorted(parked.items())))
        name_after_reports(
            self.answers,
            self.conditions,
            laboratory_id=self.sender.laboratory_id,
            told=self._id_of_report,
        )
        self._refuse_corrections()
        self._take_back()
        for each, ignored in self.ignored.items():
            self.answers[each] = self.answers[each]._replace(ignored=ignored)

    def _wave(self, waiting: Iterable[int]) -> Wave:
        wave = Wave()
        for each in waiting:
            if (answer := self._answer_existing(each)) is not None:
                self.answers[each] = answer
                continue
            claims = self._claims(each)
            if not wave.must_wait(each, [claim.line for claim in claims]):
                wave.add(each, self._place(each, claims), self.reports[each])
            if wave.surplus and self.tells_what_is_known:
                raise ToldTooOften(each)
        return wave

    def _waiting_for(self, reason: Reason, places: Iterable[int]) -> dict[int, Unplaceable]:
        """Let draws wait that others are refused, since a refusal would tell what is on record."""
        if not self.sender.may_update:  # then no rule may place what may be a correction
            reason = Reason.MAY_NOT_CORRECT
        return {
            each: Unplaceable(
                self.reports[each],
                (reason.value,),
                tuple(claim.line for claim in self._claims(each)),
            )
            for each in places
        }

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
        if isinstance(found, Unplaceable):
            return waits_for_draw(found) if each in self.without_draw else found
        if self.sender.may_only_create and found.changes_what_is_known(received_at=self.at):
            # A refusal would tell that the result exists; a person decides instead
            lines = tuple(claim.line for claim in claims)
            return Unplaceable(report, (Reason.MAY_NOT_CORRECT.value,), lines)
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
        on_record = _answer_on_record(by_names(claims, self.around), report.accession)
        if on_record is not None:
            return on_record
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
        note_contradictions(
            [
                Told(
                    placed[each].patient_id,
                    done.public_id,
                    self.inbound_ids[each],
                    self.reports[each].person,
                )
                for each, done in zip(placed, written, strict=True)
            ],
            at=self.at,
        )
        self._rename(
            (result, line.public_id)
            for each, draw in placed.items()
            for result, line in zip(self.reports[each].results, draw.lines, strict=True)
        )

    def _rename(self, meant: Iterable[tuple[ResultReport, UUID]]) -> None:
        rename = self.names.rename(list(meant), laboratory_id=self.sender.laboratory_id)
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
                if takes_back(unplaceable[each].report):
                    self.parked_retractions.append(parked[digest].parked.pk)

        self._rename(
            named
            for draw in unplaceable.values()
            if not draw.is_disputed
            for named in zip(draw.report.results, draw.lines, strict=True)
        )

    def _id_of_report(self, place_: int) -> UUID:
        may_read = self.sender.may_read
        return self.answers[place_].id if may_read else self.told.of_draw(place_)

    def _take_back(self) -> None:
        """Let what waited for these results take them back; they are told as what came late."""
        written = [each for each, answer in self.answers.items() if answer.state in WRITTEN]
        waiting = [*self.around.retractions, *self.parked_retractions]
        if not (written and waiting and take_back(waiting, at=self.at)):
            return
        told = [result.line for each in written for result in self.answers[each].results]
        now = Result.objects.filter(
            public_id__in=told, superseded_at=None, status__in=RETRACTED, recorded_at=self.at
        )
        versions = dict(now.values_list("public_id", "version"))
        for each in written:
            self.answers[each] = answer_taken_back(self.answers[each], self.reports[each], versions)

    def _refuse_corrections(self) -> None:
        """Refuse what a sender would correct that may not; what waited for it was no correction."""
        if self.sender.may_update:
            return
        for each, answer in sorted(self.answers.items()):
            if any(_changes_known(result) for result in answer.results):
                raise CorrectionNotAllowed(each)

    def for_eyes_of_sender(self) -> tuple[Answer, ...]:
        """Answer in the order of the reports; who may not read is told of its own message alone."""
        places = range(len(self.sent))
        if self.sender.may_read:
            return tuple(self.answers[each] for each in places)
        self.told.keep(self.answers)
        return tuple(
            self.told.answer(each, self.answers[each], is_beside=each in self.beside)
            for each in places
        )

    def repeat(self, message_sha256: str) -> None:
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
            self._check_version_again(each, inbound)
            known = parked.get(digest) or parked.get(f"at:{report.pointer}")
            answer = (
                answer_parked(in_parking(known), known.accession)
                if known is not None
                else self._answer_of_sample(each) or self._answer_repeated(each)
            )
            if answer is None:
                new.append(each)
            else:
                self.answers[each] = answer
        self.place_all([inbound.pk] * len(self.reports), only=new)

    def _check_version_again(self, place_: int, inbound: Inbound) -> None:
        """Refuse again what was refused for its version: of that, nothing was stored."""
        condition = self.conditions[place_]
        if condition.if_versions is None:
            return
        together = (
            self.reports[other]
            for other, each in enumerate(self.conditions)
            if other == place_ or (condition.of_report and each.of_report == condition.of_report)
        )
        pointers = [result.pointer for report in together for result in report.results]
        written = Result.objects.filter(
            Q(inbound=inbound) | Q(inbound=None, draw__inbound=inbound), pointer__in=pointers
        )
        waited = Parked.objects.filter(
            inbound=inbound, report__results__contains=[{"pointer": pointers[0]}]
        )
        if not (written.exists() or waited.exists()):
            self._version_seen(place_, self._claims(place_))

    def _answer_of_sample(self, each: int) -> Answer | None:
        draw = self.of_sample[each].on_record if each in self.of_sample else None
        return None if draw is None else Answer(draw.public_id, draw.accession, "known")

    def _answer_repeated(self, each: int) -> Answer | None:
        """Answer with the very results that the draw has brought, not with others of its sample."""
        report = self.reports[each]
        return self._answer_known(each) or _answer_on_record(
            by_draw(report, self.around), report.accession
        )


def _answer_on_record(known: Sequence[Known], accession: str) -> Answer | None:
    if not known:
        return None
    draw, _ = known[0]
    results = tuple(ResultAnswer(each.line, each.version, "known") for _, each in known)
    return Answer(draw.public_id, accession, "known", (), results)


# A late result becomes an older version: that changes what is known of an earlier one, too
CORRECTIONS = frozenset({"corrected", "late"})


def _changes_known(result: ResultAnswer) -> bool:
    """Tell whether this is another version: a correction, or a final value after a preliminary."""
    return result.state in CORRECTIONS or (result.state == "recorded" and result.version > 1)
