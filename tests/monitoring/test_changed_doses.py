"""A changed least dose that takes a failure away, or makes one, is told to who acted on it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from monitoring.models import Alert, Flag, FlagKind
from monitoring.recompute import recompute
from patients import audit
from patients.models import Clinician, Patient, Site
from patients.record.least_doses import LeastDose, change_least_doses
from tests.factories import (
    MONDAY,
    ClinicianFactory,
    DoseStepFactory,
    EpisodeFactory,
    PatientFactory,
    RatingFactory,
    TrialFactory,
)

pytestmark = pytest.mark.django_db

DRUG, CODE = "escitalopram", "N06AB10"  # 10 mg in the default table, and of TrialFactory
ASSESSED_AT, LOOKED_AT, NOW = (MONDAY + timedelta(hours=hours) for hours in (1, 2, 3))


@pytest.fixture
def patient() -> Patient:
    """Give a patient with a trial of eight weeks that has failed by the default table."""
    found = PatientFactory.create()
    EpisodeFactory.create(patient=found)
    DoseStepFactory.create(trial=TrialFactory.create(patient=found))
    RatingFactory.create(patient=found, rated_at=MONDAY - timedelta(weeks=8), total=20)
    RatingFactory.create(patient=found, rated_at=MONDAY - timedelta(weeks=1), total=19)
    return found


def looks(patient: Patient) -> Clinician:
    reader = ClinicianFactory.create(teams=[patient.team])
    audit.write(
        verb="view_patient",
        subject=f"patient:{patient.pk}",
        by=audit.name_of(reader),
        at=LOOKED_AT,
        patient_id=patient.pk,
    )
    return reader


def change(site: Site, least_mg: int | None, *, drug: str = DRUG, code: str = CODE) -> None:
    dose = None if least_mg is None else Decimal(least_mg)
    change_least_doses(site=site, said=[LeastDose(code, drug, dose)], by="clinician:0", at=NOW)


def told() -> list[Clinician]:
    return [each.clinician for each in Alert.objects.filter(flag__kind=FlagKind.CORRECTED)]


def test_a_failure_that_is_taken_away_is_told_to_who_looked_and_to_nobody_else(
    patient: Patient,
) -> None:
    ClinicianFactory.create(teams=[patient.team])
    [made] = recompute([patient.pk], at=ASSESSED_AT)
    assert made.state == "trial 1 failed (adequate)"
    reader = looks(patient)

    change(patient.team.site, 20)
    [after] = recompute([patient.pk], at=NOW)

    assert after.state == "trial 1 inadequate"
    assert told() == [reader]
    flag = Flag.objects.get(kind=FlagKind.CORRECTED)
    assert flag.level == "high"  # for trending comes down
    assert flag.reasons[0] == "least_dose_of_the_site_changed"


def test_a_failure_that_is_made_is_told_too(patient: Patient) -> None:
    change_least_doses(
        site=patient.team.site,
        said=[LeastDose(CODE, DRUG, Decimal(20))],
        by="clinician:0",
        at=MONDAY,
    )
    recompute([patient.pk], at=ASSESSED_AT)
    reader = looks(patient)

    change(patient.team.site, None)
    [after] = recompute([patient.pk], at=NOW)

    assert after.state == "trial 1 failed (adequate)"
    assert told() == [reader]


@pytest.mark.parametrize(
    ("least_mg", "drug", "code"),
    [(5, DRUG, CODE), (100, "sertraline", "N06AB06")],
    ids=["still enough", "another drug"],
)
def test_a_change_that_judges_no_trial_otherwise_is_told_to_nobody(
    patient: Patient, least_mg: int, drug: str, code: str
) -> None:
    recompute([patient.pk], at=ASSESSED_AT)
    looks(patient)

    change(patient.team.site, least_mg, drug=drug, code=code)
    recompute([patient.pk], at=NOW)

    assert told() == []


def test_who_looked_before_the_old_figure_stood_has_not_acted_on_it(patient: Patient) -> None:
    looks(patient)
    later = LOOKED_AT + timedelta(minutes=1)
    change_least_doses(
        site=patient.team.site, said=[LeastDose(CODE, DRUG, Decimal(8))], by="clinician:0", at=later
    )
    recompute([patient.pk], at=later)

    change(patient.team.site, 20)
    recompute([patient.pk], at=NOW)

    assert told() == []


def test_the_table_of_another_site_changes_nothing_here(patient: Patient) -> None:
    recompute([patient.pk], at=ASSESSED_AT)
    looks(patient)

    change(PatientFactory.create().team.site, 20)

    assert recompute([patient.pk], at=NOW) == []
    assert told() == []
