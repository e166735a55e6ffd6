"""What the clinic decides: scales, courses, corrections, verdicts, snoozes, the calendar."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring import corrected, flags, overdue
from monitoring.models import Alert, Flag, FlagKind, FlagState, RiskAssessment, Standing
from monitoring.recompute import recompute
from patients.models import (
    Audit,
    Clinician,
    DrawVerdict,
    Episode,
    GenotypeConsent,
    Membership,
    Patient,
    Rating,
    Role,
    SiteDose,
    Trial,
    TrialKind,
)
from patients.record.ratings import correct_rating
from patients.record.treatment import Course, TrialFault, record_course
from patients.record.verdicts import EpisodeFacts, TwoPrimaryScales, state_episode
from tests.factories import (
    MONDAY,
    ClinicianFactory,
    DoseStepFactory,
    DrawFactory,
    EpisodeFactory,
    EventFactory,
    FlagFactory,
    PatientFactory,
    RatingFactory,
    ResultFactory,
    TrialFactory,
)

pytestmark = pytest.mark.django_db
BY = "clinician:0"


@pytest.fixture
def patient() -> Patient:
    return PatientFactory.create()


@pytest.fixture
def reader(client: Client, patient: Patient) -> Clinician:
    somebody = ClinicianFactory.create(teams=[patient.team])
    client.force_login(somebody)
    return somebody


def page(name: str, *arguments: object) -> str:
    return reverse(f"portal:{name}", args=arguments)


# Scales


@pytest.mark.parametrize(
    ("scale", "n_items", "total"), [("PHQ-9", 9, 9), ("HAM-D17", 17, 17), ("MADRS", 10, 10)]
)
def test_every_scale_is_entered_by_its_items(
    client: Client, reader: Clinician, patient: Patient, scale: str, n_items: int, total: int
) -> None:
    said = {f"item_{number}": 1 for number in range(1, n_items + 1)}
    said |= {"rated_on": "02-Nov-2026", "rated_time": "09:30"}  # type: ignore[dict-item]

    client.post(page("add_rating", patient.public_id) + f"?scale={scale}", said)

    rating = Rating.objects.get()
    assert (rating.instrument, rating.total, rating.self_harm_answer) == (scale, total, 1)


def test_the_phq_9_is_shown_with_its_wording_and_the_madrs_without(
    client: Client, reader: Clinician, patient: Patient
) -> None:
    address = page("add_rating", patient.public_id)

    assert "Little interest or pleasure" in client.get(address + "?scale=PHQ-9").content.decode()
    assert "Item 10: suicidal thoughts" in client.get(address + "?scale=MADRS").content.decode()
    assert client.get(address + "?scale=BDI").status_code == 404


def test_a_rating_is_corrected_from_its_page_with_a_reason(
    client: Client, reader: Clinician, patient: Patient
) -> None:
    rating = RatingFactory.create(patient=patient, total=15)
    said = {"rated_on": "22-Nov-2026", "rated_time": "10:00", "total": 12}
    address = page("correct_rating", patient.public_id, rating.pk)

    assert client.post(address, said).status_code == 422
    client.post(address, said | {"reason": "misread"})

    rating.refresh_from_db()
    assert Rating.objects.get(superseded_at=None).total == 12
    assert rating.superseded_reason == "misread"
    text = client.get(page("patient", patient.public_id)).content.decode()
    assert "misread" in text


# Courses


def test_what_stands_beside_a_trial_is_no_trial(
    client: Client, reader: Clinician, patient: Patient
) -> None:
    said = {"kind": "ect", "drug": "ECT", "started_on": "28-Sep-2026"}

    client.post(page("add_trial", patient.public_id), said)

    course = Trial.objects.get()
    assert (course.kind, course.atc) == (TrialKind.ECT, "")
    assert not Episode.objects.exists()


def test_one_drug_is_not_taken_in_two_courses_at_once(patient: Patient) -> None:
    TrialFactory.create(patient=patient)

    with pytest.raises(TrialFault, match="escitalopram is on record from 28-Sep-2026 to today"):
        record_course(
            patient=patient,
            course=Course("escitalopram", "N06AB10", date(2026, 10, 5)),
            by=BY,
            at=MONDAY,
        )


def test_a_course_before_birth_is_refused(patient: Patient) -> None:
    with pytest.raises(TrialFault, match="before the patient was born"):
        record_course(
            patient=patient,
            course=Course("escitalopram", "N06AB10", date(1980, 1, 1)),
            by=BY,
            at=MONDAY,
        )


def test_a_clinicians_word_on_adequacy_goes_before_the_rule(
    client: Client, reader: Clinician, patient: Patient
) -> None:
    EpisodeFactory.create(patient=patient)
    trial = TrialFactory.create(patient=patient)
    DoseStepFactory.create(trial=trial, dose_mg=Decimal(5))
    said = {
        "drug": "escitalopram",
        "started_on": "28-Sep-2026",
        "dose_1_mg": "5 mg",
        "adherence": "good",
        "override": "adequate",
        "override_reason": "slow metaboliser, level in range",
        "reason": "judged anew",
    }

    client.post(page("correct_trial", patient.public_id, trial.pk), said)
    recompute([patient.pk], at=timezone.now())

    text = client.get(page("patient", patient.public_id)).content.decode()
    assert "slow metaboliser, level in range" in text
    assert "Adherence: good" in text


def test_a_sites_own_dose_counts_and_only_a_lead_sets_it(
    client: Client, reader: Clinician, patient: Patient
) -> None:
    address = page("doses", patient.team.site_id)
    assert client.post(address, {"N06AB10": "20"}).status_code == 403
    Membership.objects.update(role=Role.LEAD)

    assert "not an ATHF table" in client.get(address).content.decode()
    client.post(address, {"N06AB10": "20"})

    assert SiteDose.objects.get().least_mg == 20


# The episode and the genotype


def facts(**said: Any) -> EpisodeFacts:
    plain: dict[str, Any] = {
        "started_on": date(2026, 9, 28),
        "ill_since": None,
        "severity": "",
        "diagnosis": "",
        "is_bipolar": None,
        "primary_instrument": "",
        "earlier_failures": None,
    }
    return EpisodeFacts(**(plain | said))


def test_a_second_primary_scale_is_refused(patient: Patient) -> None:
    first, second = facts(primary_instrument="QIDS-SR16"), facts(primary_instrument="PHQ-9")
    state_episode(patient=patient, facts=first, reason="", by=BY, at=MONDAY)

    with pytest.raises(TwoPrimaryScales, match="The primary scale of this episode is QIDS-SR16"):
        state_episode(patient=patient, facts=second, reason="", by=BY, at=MONDAY)


def test_bipolar_disorder_is_not_assessed_by_the_rule(
    client: Client, reader: Clinician, patient: Patient
) -> None:
    EpisodeFactory.create(patient=patient)
    said = {"started_on": "28-Sep-2026", "is_bipolar": "yes", "diagnosis": "F31.4"}

    client.post(page("episode", patient.public_id), said)
    recompute([patient.pk], at=timezone.now())

    assert Episode.objects.get(superseded_at=None).is_bipolar is True
    assert RiskAssessment.objects.latest("pk").outcome == "not_assessable"


def test_the_genotype_needs_a_consent_and_is_shown_on_demand_only(
    client: Client, reader: Clinician, patient: Patient
) -> None:
    address = page("genotype", patient.public_id)
    client.post(address, {"consented_on": "02-Nov-2026", "rs2228145": "CC"})

    assert "rs2228145" not in client.get(page("patient", patient.public_id)).content.decode()
    assert "rs2228145" in client.get(address).content.decode()
    assert Audit.objects.filter(verb="view_genotype", patient_id=patient.pk).exists()
    client.post(page("forget_genotype", patient.public_id), {"reason": "withdrawn"})
    assert not GenotypeConsent.objects.filter(superseded_at=None).exists()


# Draws


def seen_at(client: Client, address: str) -> str:
    """Read what the page of a draw says that its reader has before them."""
    found = re.search(r'name="seen" value="([^"]*)"', client.get(address).content.decode())
    assert found is not None
    return found[1]


def test_a_caution_is_overridden_with_a_reason(
    client: Client, reader: Clinician, patient: Patient
) -> None:
    EpisodeFactory.create(patient=patient)
    draw = DrawFactory.create(patient=patient)
    ResultFactory.create(draw=draw)
    EventFactory.create(patient=patient, started_on=draw.collected_at.date())
    recompute([patient.pk], at=MONDAY)
    before = client.get(page("patient", patient.public_id)).content.decode()

    address = page("judge_draw", patient.public_id, draw.public_id)
    said = {"verdict": "score", "seen": seen_at(client, address)}
    assert client.post(address, said).status_code == 422
    client.post(address, said | {"reason": "a cold without fever"})
    recompute([patient.pk], at=MONDAY)

    assert "Caution" in before
    assert DrawVerdict.objects.get().reason == "a cold without fever"
    content = RiskAssessment.objects.latest("pk").content
    assert [part["reason"] for part in content["left_out"]] == []
    assert len(content["waived"]) == 1


def test_a_draw_that_is_kept_out_is_scored_no_more(
    client: Client, reader: Clinician, patient: Patient
) -> None:
    EpisodeFactory.create(patient=patient)
    draw = DrawFactory.create(patient=patient)
    ResultFactory.create(draw=draw)
    address = page("judge_draw", patient.public_id, draw.public_id)

    said = {"verdict": "keep_out", "reason": "another patient's tube"}
    client.post(address, said | {"seen": seen_at(client, address)})
    recompute([patient.pk], at=MONDAY)

    assert RiskAssessment.objects.latest("pk").content["trajectories"] == []
    text = client.get(page("patient", patient.public_id)).content.decode()
    assert "Checked and kept out" in text


# 30 ng/mL, then 36.6: up 22 %; the limits of -37 % and +58 % are those of the reference, section 5
def test_every_new_result_says_whether_it_has_really_changed(
    client: Client, reader: Clinician, patient: Patient
) -> None:
    EpisodeFactory.create(patient=patient)
    first = DrawFactory.create(patient=patient, collected_at=MONDAY - timedelta(weeks=6))
    laboratory = first.laboratory
    second = DrawFactory.create(patient=patient, laboratory=laboratory)
    ResultFactory.create(draw=first, value=Decimal("30.0"))
    ResultFactory.create(draw=second, value=Decimal("36.6"))

    text = client.get(page("patient", patient.public_id)).content.decode()

    assert "Up 22 % since 12-Oct-2026, within expected variation (−37 % to +58 %)" in text


# Flags


def test_a_snooze_has_a_reason_and_an_end_and_comes_back(patient: Patient) -> None:
    doctor = ClinicianFactory.create(teams=[patient.team])
    flag = FlagFactory.create(patient=patient)
    until = MONDAY + timedelta(weeks=2)

    with pytest.raises(flags.SnoozeFault):
        flags.snooze(flag=flag, version=1, until=until, reason=" ", by=doctor, at=MONDAY)
    late = MONDAY + timedelta(weeks=13)
    with pytest.raises(flags.SnoozeFault):
        flags.snooze(flag=flag, version=1, until=late, reason="x", by=doctor, at=MONDAY)
    flags.snooze(flag=flag, version=1, until=until, reason="draw due", by=doctor, at=MONDAY)

    assert flags.wake_snoozed(at=until - timedelta(days=1)) == 0
    assert flags.wake_snoozed(at=until) == 1
    flag.refresh_from_db()
    assert (flag.state, flag.has_returned) == (FlagState.RAISED, True)
    assert Alert.objects.filter(flag=flag, clinician=doctor).exists()


def test_a_safety_flag_is_never_snoozed(patient: Patient) -> None:
    doctor = ClinicianFactory.create(teams=[patient.team])
    flag = FlagFactory.create(
        patient=patient, kind=FlagKind.SAFETY, level="safety", urgency="urgent"
    )

    with pytest.raises(flags.SafetyHasItsOwnPath):
        flags.snooze(
            flag=flag,
            version=1,
            until=MONDAY + timedelta(days=1),
            reason="later",
            by=doctor,
            at=MONDAY,
        )


# First dose on 28-Sep-2026; week 6 is 09-Nov, its window closes three days later
def test_what_is_overdue_raises_its_flag_and_what_comes_lowers_it(patient: Patient) -> None:
    EpisodeFactory.create(patient=patient)
    Standing.objects.create(patient=patient, team=patient.team)

    overdue.check_visits(at=MONDAY)

    flag = Flag.objects.up().get(kind=FlagKind.OVERDUE)
    assert set(flag.reasons) == {"draw_overdue", "rating_overdue"}
    RatingFactory.create(patient=patient)
    ResultFactory.create(draw=DrawFactory.create(patient=patient))
    recompute([patient.pk], at=MONDAY)
    overdue.check_visits(at=MONDAY)
    assert not Flag.objects.up().filter(kind=FlagKind.OVERDUE).exists()


def test_a_rating_on_another_scale_than_the_primary_one_leaves_the_visit_overdue(
    patient: Patient,
) -> None:
    EpisodeFactory.create(patient=patient, primary_instrument="PHQ-9")
    ResultFactory.create(draw=DrawFactory.create(patient=patient))
    RatingFactory.create(patient=patient, instrument="QIDS-SR16")
    recompute([patient.pk], at=MONDAY)

    overdue.check_visits(at=MONDAY)

    flag = Flag.objects.up().get(kind=FlagKind.OVERDUE)
    assert set(flag.reasons) == {"rating_overdue"}
    [visits] = overdue.visits_by_patient([patient], at=MONDAY).values()
    assert not any(visit.done_on for visit in visits.ratings)


def test_where_no_scale_was_chosen_the_one_that_is_followed_is_waited_for(patient: Patient) -> None:
    EpisodeFactory.create(patient=patient)
    ResultFactory.create(draw=DrawFactory.create(patient=patient))
    first_dose = datetime(2026, 9, 28, 9, 0, tzinfo=UTC)
    for scale, days in (("PHQ-9", (0, 14, 28)), ("QIDS-SR16", (0, 41))):
        for day in days:
            at = first_dose + timedelta(days=day)
            RatingFactory.create(patient=patient, instrument=scale, rated_at=at)
    recompute([patient.pk], at=MONDAY)

    overdue.check_visits(at=MONDAY)

    flag = Flag.objects.up().get(kind=FlagKind.OVERDUE)
    assert set(flag.reasons) == {"rating_overdue"}


def test_a_patient_is_looked_at_once_a_day(patient: Patient) -> None:
    EpisodeFactory.create(patient=patient)
    Standing.objects.create(patient=patient, team=patient.team)

    assert len(overdue.check_visits(at=MONDAY)) == 1
    assert overdue.check_visits(at=MONDAY) == []
    assert len(overdue.check_visits(at=MONDAY + timedelta(days=1))) == 1


def test_a_correction_that_changes_the_picture_tells_exactly_those_who_acted(
    patient: Patient,
) -> None:
    EpisodeFactory.create(patient=patient)
    trial = TrialFactory.create(patient=patient)
    DoseStepFactory.create(trial=trial)
    rated = {"patient": patient, "recorded_at": MONDAY - timedelta(weeks=8)}
    RatingFactory.create(rated_at=MONDAY - timedelta(weeks=8), total=20, **rated)
    wrong = RatingFactory.create(rated_at=MONDAY - timedelta(weeks=5), total=19, **rated)
    acted, bystander = (ClinicianFactory.create(teams=[patient.team]) for _ in range(2))
    recompute([patient.pk], at=MONDAY)
    flag = Flag.objects.up().exclude(kind=FlagKind.SAFETY).first()
    assert flag is not None
    flags.see(flag=flag, version=flag.version, by=acted, at=MONDAY + timedelta(hours=1))

    correct_rating(
        rating=wrong,
        rated_at=wrong.rated_at,
        total=4,
        reason="misread",
        by=BY,
        at=MONDAY + timedelta(hours=2),
    )
    recompute([patient.pk], at=MONDAY + timedelta(hours=3))

    told = Alert.objects.filter(flag__kind=FlagKind.CORRECTED)
    assert {alert.clinician for alert in told} == {acted}
    assert bystander not in {alert.clinician for alert in told}
    assert corrected.who_acted(patient.pk, since=MONDAY) == {acted.pk}


# The explanation


def test_an_assessment_is_explained_as_page_data_and_pdf(
    client: Client, reader: Clinician, patient: Patient
) -> None:
    EpisodeFactory.create(patient=patient)
    ResultFactory.create(draw=DrawFactory.create(patient=patient))
    [made] = recompute([patient.pk], at=MONDAY)
    address = (patient.public_id, made.pk)

    text = client.get(page("explanation", *address)).content.decode()
    data = client.get(page("explanation_json", *address)).json()
    pdf = client.get(page("explanation_pdf", *address))

    assert "What would change it" in text
    assert "Sources and their grade" in text
    assert data["versions"]["model"] == made.model
    assert pdf.content.startswith(b"%PDF-")
    assert Audit.objects.filter(verb="view_explanation").count() == 3


def test_an_explanation_is_not_there_for_a_stranger(client: Client, patient: Patient) -> None:
    EpisodeFactory.create(patient=patient)
    [made] = recompute([patient.pk], at=MONDAY)
    client.force_login(ClinicianFactory.create(teams=[PatientFactory.create().team]))

    for name in ("explanation", "explanation_json", "explanation_pdf"):
        assert client.get(page(name, patient.public_id, made.pk)).status_code == 404


# Lists and the trail


def test_the_lists_say_why_they_are_empty(client: Client, reader: Clinician) -> None:
    assert "Nothing is overdue" in client.get(page("overdue")).content.decode()
    assert "No result is held" in client.get(page("held")).content.decode()


def test_the_worklist_says_how_many_patients_have_changed(
    client: Client, reader: Clinician, patient: Patient
) -> None:
    since = (MONDAY - timedelta(minutes=1)).isoformat()
    recompute([patient.pk], at=MONDAY)

    text = client.get(page("changes"), {"since": since}).content.decode()

    assert "1 patient changed since" in text
    assert client.get(page("changes"), {"since": "yesterday"}).status_code == 404


def test_signing_in_and_failing_to_leave_a_line(client: Client) -> None:
    somebody = ClinicianFactory.create(email="jo@clinic.example")
    somebody.set_password("a long enough password")
    somebody.save()
    login = reverse("account_login")

    client.post(login, {"login": "jo@clinic.example", "password": "wrong"})
    client.post(login, {"login": "jo@clinic.example", "password": "a long enough password"})
    client.post(reverse("account_logout"))

    verbs = list(Audit.objects.order_by("pk").values_list("verb", flat=True))
    assert verbs == ["sign_in_failed", "sign_in", "sign_out"]
    assert "jo@" not in str(list(Audit.objects.values()))
