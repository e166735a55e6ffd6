"""What goes into the figure: dates by the site, exact texts, marks that tell the truth."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from monitoring import queries
from monitoring.portal.timeline import Figure, draw_timeline
from patients.models import Patient
from tests.factories import (
    FIRST_DOSE,
    MONDAY,
    ClinicianFactory,
    DoseStepFactory,
    DrawFactory,
    EpisodeFactory,
    FlagFactory,
    PatientFactory,
    RatingFactory,
    ResultFactory,
    TrialFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    followed = PatientFactory.create()
    EpisodeFactory.create(patient=followed)
    return followed


def drawn(patient: Patient) -> str:
    reader = ClinicianFactory.create(teams=[patient.team])
    record = queries.read_patient(reader, patient.public_id)
    with timezone.override("Europe/Berlin"):
        figure = draw_timeline(record, sentence="What is known.", at=MONDAY)
    assert isinstance(figure, Figure)
    return str(figure.wide)


def give_draw(patient: Patient, value: str, *, at: datetime, **options: object) -> None:
    draw = DrawFactory.create(patient=patient, collected_at=at)
    ResultFactory.create(draw=draw, value=Decimal(value), **options)


def test_an_evening_draw_keeps_its_day(patient: Patient) -> None:
    give_draw(patient, "37.50", at=datetime.fromisoformat("2026-11-02T22:30:00+01:00"))

    svg = drawn(patient)

    assert "37.50" in svg
    assert "02-Nov-2026" in svg
    assert "03-Nov-2026" not in svg


def test_a_value_beyond_the_kit_is_hollow_and_says_so(patient: Patient) -> None:
    give_draw(patient, "0.50", at=MONDAY - timedelta(days=3), comparator="<")

    svg = drawn(patient)

    assert "&lt;0.50" in svg
    assert "below what the kit can measure" in svg


def test_a_value_wrong_by_ten_does_not_flatten_the_true_ones(patient: Patient) -> None:
    draw = DrawFactory.create(patient=patient)
    old = {"superseded_at": MONDAY, "superseded_reason": "the laboratory sent it as corrected"}
    ResultFactory.create(draw=draw, value=Decimal("267.0"), **old)
    ResultFactory.create(draw=draw, value=Decimal("26.7"), version=2)

    svg = drawn(patient)

    assert "replaced by a correction" in svg
    assert ">60<" in svg  # the axis ends where it always ends
    assert ">300<" not in svg


def test_a_trial_is_drawn_with_its_doses(patient: Patient) -> None:
    trial = TrialFactory.create(patient=patient)
    DoseStepFactory.create(trial=trial, dose_mg=Decimal("10.00"))
    later = FIRST_DOSE + timedelta(weeks=2)
    DoseStepFactory.create(trial=trial, started_on=later, dose_mg=Decimal("37.50"))

    svg = drawn(patient)

    assert "escitalopram" in svg
    assert "10 mg" in svg
    assert "37.5 mg" in svg


def test_a_visit_that_nobody_came_to_is_marked(patient: Patient) -> None:
    RatingFactory.create(patient=patient, rated_at=MONDAY - timedelta(weeks=8))

    assert "due, not received" in drawn(patient)


def test_a_flag_stands_in_the_figure_by_its_short_name(patient: Patient) -> None:
    FlagFactory.create(patient=patient)

    assert ">Marker<" in drawn(patient)


def test_without_an_episode_the_figure_starts_with_the_first_entry() -> None:
    patient = PatientFactory.create()
    give_draw(patient, "37.50", at=MONDAY - timedelta(days=3))

    svg = drawn(patient)

    assert "First entry 20-Nov-2026" in svg


def test_nothing_on_record_is_no_figure() -> None:
    patient = PatientFactory.create()
    reader = ClinicianFactory.create(teams=[patient.team])
    record = queries.read_patient(reader, patient.public_id)

    assert draw_timeline(record, sentence="", at=MONDAY) is None


def test_the_curve_is_of_the_scale_that_was_chosen_and_of_no_other() -> None:
    patient = PatientFactory.create()
    EpisodeFactory.create(patient=patient, primary_instrument="PHQ-9")
    RatingFactory.create(patient=patient, instrument="QIDS-SR16", total=27, rated_at=MONDAY)
    for weeks, total in ((3, 18), (1, 12)):
        at = MONDAY - timedelta(weeks=weeks)
        RatingFactory.create(patient=patient, instrument="PHQ-9", total=total, rated_at=at)

    svg = drawn(patient)

    assert "PHQ-9" in svg
    assert "QIDS-SR16" not in svg
    assert "remission at 4 or" in " ".join(svg.split())


def test_where_no_scale_was_chosen_the_curve_is_of_the_one_that_is_used() -> None:
    patient = PatientFactory.create()
    EpisodeFactory.create(patient=patient)
    RatingFactory.create(patient=patient, instrument="MADRS", total=30, rated_at=MONDAY)

    svg = drawn(patient)

    assert "MADRS" in svg
    assert "QIDS-SR16" not in svg
