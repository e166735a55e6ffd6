"""What a person decides: about a draw, about an episode, about the genotype, about a dose."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from instruments import INSTRUMENTS
from patients import audit
from patients.models import (
    DrawVerdict,
    Episode,
    GenotypeConsent,
    Patient,
    Site,
    SiteRules,
    Verdict,
)
from patients.record.versions import count_up, lock


class VerdictFault(Exception):
    """A decision that cannot be; says in a sentence what would be right."""


class TwoPrimaryScales(VerdictFault):
    """An episode has one primary scale; it is kept, because curves of two scales never mix."""


@dataclass(frozen=True)
class EpisodeFacts:
    """What is known of an episode; what is not known is left empty."""

    started_on: date
    ill_since: date | None
    severity: str
    diagnosis: str
    is_bipolar: bool | None
    primary_instrument: str
    earlier_failures: int | None
    ended_on: date | None = None

    @classmethod
    def of(cls, episode: Episode) -> "EpisodeFacts":
        """Read them back from the record."""
        return cls(**{each.name: getattr(episode, each.name) for each in fields(cls)})


@transaction.atomic
def judge_draw(
    *,
    patient: Patient,
    draw: UUID,
    verdict: Verdict,
    reason: str,
    against: Sequence[str],
    value: str,
    by: str,
    at: datetime,
) -> DrawVerdict:
    """Decide about a draw, with a reason; an earlier decision stays readable.

    `against` is what stood against scoring it, by code, and `value` the marker's value, as the
    person saw them.
    """
    if not reason.strip():
        message = "Say why."
        raise VerdictFault(message)
    lock(patient.pk)
    before = DrawVerdict.objects.filter(draw_public_id=draw, superseded_at=None).first()
    if before is not None:
        before.superseded_at, before.superseded_reason = at, "decided anew"
        before.save()
    after = DrawVerdict(
        patient=patient,
        draw_public_id=draw,
        verdict=verdict,
        reason=reason.strip(),
        against=list(against),
        value=value,
        recorded_at=at,
        recorded_by=by,
    )
    after.save(force_insert=True)
    if before is not None:
        before.superseded_by = after
        before.save()
    audit.write(
        verb="judge_draw",
        subject=f"draw:{draw}",
        by=by,
        at=at,
        patient_id=patient.pk,
        verdict=verdict.value,
    )
    count_up([patient.pk], at=at)
    return after


@transaction.atomic
def state_episode(
    *, patient: Patient, facts: EpisodeFacts, reason: str, by: str, at: datetime
) -> Episode:
    """Say what is known of the open episode; what was known before stays readable."""
    _check(facts, patient)
    lock(patient.pk)
    before: Episode | None = Episode.objects.filter(
        patient=patient, ended_on=None, superseded_at=None
    ).first()
    primary = "" if before is None else _scale_chosen_for(before)
    if primary and facts.primary_instrument and primary != facts.primary_instrument:
        message = (
            f"The primary scale of this episode is {primary} already. An episode has one, because "
            "totals of two scales are never mixed in one curve or percentage; what was chosen once "
            "may be left out and comes back, and no other takes its place."
        )
        raise TwoPrimaryScales(message)
    if before is not None:
        before.superseded_at, before.superseded_reason = at, reason.strip() or "more is known"
        before.save()
    after = Episode(patient=patient, recorded_at=at, recorded_by=by, **vars(facts))
    after.save(force_insert=True)
    if before is not None:
        before.superseded_by = after
        before.save()
    audit.write(
        verb="state_episode",
        subject=f"episode:{after.pk}",
        by=by,
        at=at,
        patient_id=patient.pk,
    )
    count_up([patient.pk], at=at)
    return after


def _scale_chosen_for(episode: Episode) -> str:
    """Name the primary scale of an episode, also where it was left out since."""
    among = Episode.objects.filter(patient=episode.patient_id, superseded_by__isnull=False)
    earlier = {each.superseded_by_id: each for each in among}
    while not episode.primary_instrument and episode.pk in earlier:
        episode = earlier[episode.pk]
    return episode.primary_instrument


def _check(facts: EpisodeFacts, patient: Patient) -> None:
    born = patient.birth_date
    for is_wrong, sentence in (
        (
            facts.primary_instrument and facts.primary_instrument not in INSTRUMENTS,
            f"“{facts.primary_instrument}” is not a scale we know; known: {', '.join(INSTRUMENTS)}",
        ),
        (
            facts.ill_since is not None and facts.ill_since > facts.started_on,
            "The illness began before its treatment: check both days.",
        ),
        (
            born is not None and facts.started_on < born,
            "The first dose lies before the patient was born; check the year.",
        ),
        (
            facts.ended_on is not None and facts.ended_on < facts.started_on,
            "The episode ends after its first dose: check both days.",
        ),
    ):
        if is_wrong:
            raise VerdictFault(sentence)
    _refuse_overlap(facts, patient)


def _refuse_overlap(facts: EpisodeFacts, patient: Patient) -> None:
    """One episode ends before the next begins."""
    ended = Episode.objects.filter(
        patient=patient, superseded_at=None, ended_on__gt=facts.started_on
    )
    if facts.ended_on is not None:
        ended = ended.filter(started_on__lt=facts.ended_on)
    other = ended.order_by("started_on").first()
    if other is not None:
        message = (
            f"An episode from {other.started_on:%d-%b-%Y} to {other.ended_on:%d-%b-%Y} is on "
            "record already, and two cannot overlap: check the day of the first dose."
        )
        raise VerdictFault(message)


@transaction.atomic
def consent_to_genotype(
    *, patient: Patient, consented_on: date, rs2228145: str, by: str, at: datetime
) -> GenotypeConsent:
    """Record a consent of its own to know the genotype, and the genotype if it is known."""
    lock(patient.pk)
    withdraw_genotype(patient=patient, reason="stated anew", by=by, at=at)
    consent = GenotypeConsent(
        patient=patient,
        consented_on=consented_on,
        rs2228145=rs2228145,
        recorded_at=at,
        recorded_by=by,
    )
    consent.save(force_insert=True)
    audit.write(
        verb="consent_to_genotype",
        subject=f"genotype:{consent.pk}",
        by=by,
        at=at,
        patient_id=patient.pk,
    )
    count_up([patient.pk], at=at)
    return consent


@transaction.atomic
def withdraw_genotype(*, patient: Patient, reason: str, by: str, at: datetime) -> None:
    """Take note that the consent is withdrawn: the genotype is used and shown no more."""
    lock(patient.pk)
    current = GenotypeConsent.objects.filter(patient=patient, superseded_at=None)
    if current.update(superseded_at=at, superseded_reason=reason.strip() or "withdrawn"):
        audit.write(
            verb="withdraw_genotype",
            subject=f"patient:{patient.pk}",
            by=by,
            at=at,
            patient_id=patient.pk,
        )
        count_up([patient.pk], at=at)


@transaction.atomic
def set_visit_interval(*, site: Site, weeks: int, by: str, at: datetime) -> None:
    """Say how often draws and ratings are expected after week 12."""
    Site.objects.filter(pk=site.pk).update(visits_every_weeks=weeks)
    audit.write(verb="set_visit_interval", subject=f"site:{site.pk}", by=by, at=at, weeks=weeks)


@transaction.atomic
def choose_rules(
    *, site: Site, name: str, adequate_weeks: Decimal, version: str, by: str, at: datetime
) -> SiteRules:
    """Choose the rules by which a site's patients are assessed from today on.

    Who was assessed by others is found by the version, and assessed anew; the old assessments
    stay as they were made.
    """
    chosen = SiteRules.objects.create(
        site=site,
        name=name,
        adequate_weeks=adequate_weeks,
        version=version,
        effective_from=at.astimezone(site.zone).date(),
        changed_at=at,
        changed_by=by,
    )
    audit.write(verb="choose_rules", subject=f"site:{site.pk}", by=by, at=at, version=version)
    return chosen
