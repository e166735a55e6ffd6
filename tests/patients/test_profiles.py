"""What a laboratory's profile changes in how its messages are read."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from patients.intake.reports import Code, Identifier, PatientNumber, Precision, SeenTime, TimeRole
from patients.models import Audit, Draw, Kit, Laboratory, Patient, Result
from patients.record.profile_document import FaultyProfile, read_profile
from patients.record.profiles import load_profile, profile_of
from tests.conftest import MONDAY
from tests.factories import LaboratoryFactory
from tests.patients.observations import observation, take

pytestmark = pytest.mark.django_db

WHOLE: dict[str, Any] = {
    "name": "North laboratory",
    "time_zone": "Europe/Berlin",
    "charset": "ISO-8859-1",
    "draw_times": ["observed", "collected"],
    "if_preliminary": "wait",
    "processing_ids": ["P", "T"],
    "silent_after_h": 72,
    "csv": {"delimiter": ";", "decimal": ",", "statuses": {"K": "corrected"}},
    "pushes_per_minute": 600,
    "codes": [
        {"system": "http://north.example/codes", "code": "IL6R-S", "analyte": "sIL-6R"},
        {"code": "X1", "analyte": "hs-CRP"},
    ],
    "ignored_codes": [{"system": "", "code": "GLU"}],
    "units": [{"sent": "nanogram/mL", "means": "ng/mL"}],
    "patient_numbers": [{"sent": "HOSP^MR", "means": "urn:clinic:mrn"}],
    "kits": [
        {
            "analyte": "sIL-6R",
            "name": "Kit A",
            "lot": "L1",
            "unit": "ng/mL",
            "limit_of_detection": "0.50",
            "upper_limit": "200",
            "cv_percent": "6.2",
            "used_from": "2026-01-01",
        }
    ],
}


def load(laboratory: Laboratory, **fields: Any) -> list[str]:
    document = read_profile({"name": laboratory.name, **fields})
    return load_profile(document, by="operator:test", at=MONDAY)[1]


def test_a_profile_is_loaded_whole_and_read_back_as_it_was() -> None:
    document = read_profile(WHOLE)

    laboratory, changed = load_profile(document, by="operator:test", at=MONDAY)

    assert changed == ["the laboratory “North laboratory” is new"]
    assert profile_of(laboratory).model_dump() == document.model_dump() | {"is_active": True}
    assert str(Kit.objects.get().limit_of_detection) == "0.50"
    assert Audit.objects.filter(verb="add_laboratory").count() == 1


def test_the_same_profile_again_changes_nothing() -> None:
    load_profile(read_profile(WHOLE), by="operator:test", at=MONDAY)

    _, changed = load_profile(read_profile(WHOLE), by="operator:test", at=MONDAY)

    assert changed == []
    assert Audit.objects.filter(subject__startswith="laboratory:").count() == 1


def test_what_a_profile_leaves_out_stays_as_it_is() -> None:
    load_profile(read_profile(WHOLE), by="operator:test", at=MONDAY)

    laboratory, changed = load_profile(
        read_profile({"name": "North laboratory", "units": [], "silent_after_h": None}),
        by="operator:test",
        at=MONDAY,
    )

    assert changed == [
        "silent_after_h: 72 becomes None",
        "units: sent 'nanogram/mL', means 'ng/mL' is removed",
    ]
    assert laboratory.charset == "ISO-8859-1"
    assert laboratory.analyte_aliases.count() == 2


@pytest.mark.parametrize(
    ("fields", "where", "words"),
    [
        ({"time_zone": "Mars/North"}, "/time_zone", "Mars/North"),
        ({"draw_times": ["issued"]}, "/draw_times/0", "collected"),
        ({"draw_times": ["collected", "collected"]}, "", "twice"),
        ({"codes": [{"code": "X", "analyte": "Ferritin"}]}, "/codes/0/analyte", "sIL-6R"),
        ({"units": [{"sent": "U", "means": "IU/mL"}]}, "/units/0/means", "ng/mL"),
        ({"units": [{"sent": "a", "means": "g/L"}] * 2}, "", "twice"),
        ({"units": [{"sent": "mg/mL", "means": "ng/mL"}]}, "/units/0/sent", "mg/mL"),
        ({"units": [{"sent": "μg/l", "means": "pg/mL"}]}, "/units/0/sent", "pg/mL"),
        (
            {
                "codes": [{"code": "X", "analyte": "IL-6"}],
                "ignored_codes": [{"code": "Y"}, {"code": "X"}],
            },
            "/ignored_codes/1/code",
            "IL-6",
        ),
        ({"charset": "klingon"}, "/charset", "UTF-8"),
        ({"kist": []}, "/kist", "not permitted"),
        ({"if_preliminary": "drop"}, "/if_preliminary", "record"),
        ({"silent_after_h": 0}, "/silent_after_h", "greater"),
        (
            {
                "kits": [
                    {
                        "analyte": "sIL-6R",
                        "name": "A",
                        "unit": "ng/mL",
                        "limit_of_detection": "5",
                        "upper_limit": "1",
                    }
                ]
            },
            "/kits/0",
            "above",
        ),
    ],
)
def test_a_faulty_profile_is_refused_with_its_place(
    fields: dict[str, Any], where: str, words: str
) -> None:
    with pytest.raises(FaultyProfile) as refused:
        read_profile({"name": "North laboratory", **fields})

    [(found_at, why)] = refused.value.faults
    assert found_at == where
    assert words in why
    assert not Laboratory.objects.exists()


def test_a_code_means_what_it_says_in_its_own_system_only(
    laboratory: Laboratory, patient: Patient
) -> None:
    load(laboratory, codes=[{"system": "urn:a", "code": "77", "analyte": "sIL-6R"}])
    coded = observation().results[0]

    def with_code(system: str, name: str) -> Any:
        code = Code(system=system, code="77")
        result = coded.model_copy(
            update={"codes": (code,), "names": (Identifier(system="n", value=name),)}
        )
        return observation().model_copy(update={"results": (result,)})

    right = take(laboratory, with_code("urn:a", "1"))
    wrong = take(laboratory, with_code("urn:b", "2"))

    assert right.state == "recorded"
    assert wrong.reasons == ("unknown_analyte: 77",)


def test_a_translation_of_the_code_is_enough(laboratory: Laboratory, patient: Patient) -> None:
    report = observation()
    codes = (Code(system="urn:x", code="0815", text="sIL-6R"), Code(system="", code="sIL-6R"))
    result = report.results[0].model_copy(update={"codes": codes})

    answer = take(laboratory, report.model_copy(update={"results": (result,)}))

    assert answer.state == "recorded"


def test_codes_of_two_analytes_in_one_result_go_to_a_person(
    laboratory: Laboratory, patient: Patient
) -> None:
    report = observation()
    codes = (Code(code="IL-6"), Code(code="sIL-6R"))
    result = report.results[0].model_copy(update={"codes": codes})

    answer = take(laboratory, report.model_copy(update={"results": (result,)}))

    assert answer.reasons == ("codes_of_different_analytes",)


def test_a_unit_in_the_laboratorys_spelling_is_read(
    laboratory: Laboratory, patient: Patient
) -> None:
    load(laboratory, units=[{"sent": "nanogram/mL", "means": "ng/mL"}])

    take(laboratory, observation(unit="nanogram/mL"))

    result = Result.objects.get()
    assert (str(result.value), result.sent_unit) == ("37.50", "nanogram/mL")


def test_a_unit_may_be_written_out_as_what_it_is() -> None:
    spelt = [{"sent": "µg/L", "means": "ng/mL"}, {"sent": "mg/ml", "means": "mg/mL"}]

    assert read_profile({"name": "North laboratory", "units": spelt}).units is not None


@pytest.mark.parametrize("authority", ["HOSP^MR", ""])
def test_a_numbering_in_the_laboratorys_words_finds_the_patient(
    laboratory: Laboratory, patient: Patient, authority: str
) -> None:
    load(laboratory, patient_numbers=[{"sent": authority, "means": "urn:clinic:mrn"}])
    other = LaboratoryFactory.create()
    report = observation().model_copy(
        update={"patients": (PatientNumber(system=authority, value="0042"),)}
    )

    ours, theirs = take(laboratory, report), take(other, report)

    assert ours.state == "recorded"
    assert theirs.reasons == ("unknown_patient",)


def test_the_laboratory_says_which_of_its_times_is_that_of_the_draw(
    laboratory: Laboratory, patient: Patient
) -> None:
    released, drawn = MONDAY - timedelta(hours=1), MONDAY - timedelta(days=2)
    report = observation().model_copy(
        update={
            "times": (
                SeenTime(role=TimeRole.EFFECTIVE, text="", at=released),
                SeenTime(role=TimeRole.COLLECTED, text="", at=drawn),
            )
        }
    )
    load(laboratory, draw_times=["effective", "collected"])

    take(laboratory, report)

    assert Result.objects.get().draw.collected_at == released


def test_the_time_of_issue_never_stands_in_for_the_draw(
    laboratory: Laboratory, patient: Patient
) -> None:
    issued = SeenTime(role=TimeRole.ISSUED, text="", at=MONDAY)

    answer = take(laboratory, observation().model_copy(update={"times": (issued,)}))

    assert answer.reasons == ("unusable_time",)


BERLIN = ZoneInfo("Europe/Berlin")


def test_an_hour_that_the_clocks_leave_out_is_no_time_of_a_draw(
    laboratory: Laboratory, patient: Patient
) -> None:
    left_out = observation(drawn_at=datetime(2026, 3, 29, 2, 30))  # noqa: DTZ001 - read in its zone

    answer = take(laboratory, left_out.in_zone(BERLIN))

    assert answer.reasons == ("unusable_time",)


def test_an_hour_that_comes_twice_is_exact_to_the_day(
    laboratory: Laboratory, patient: Patient
) -> None:
    twice = observation(drawn_at=datetime(2025, 10, 26, 2, 30))  # noqa: DTZ001 - read in its zone

    take(laboratory, twice.in_zone(BERLIN))

    draw = Draw.objects.get()
    assert (draw.collected_at.isoformat(), draw.collected_precision) == (
        "2025-10-25T22:00:00+00:00",  # a day begins at its midnight, in Berlin here
        "day",
    )


@pytest.mark.parametrize("hour", [0, 1, 3])
def test_the_hours_around_a_change_of_clocks_are_exact(hour: int) -> None:
    at = datetime(2026, 3, 29, hour)  # noqa: DTZ001 - read in its zone

    [time] = observation(drawn_at=at).in_zone(BERLIN).times

    assert (time.at, time.precision) == (at.replace(tzinfo=BERLIN), Precision.MINUTE)


def test_a_day_that_begins_when_the_clocks_change_is_a_day() -> None:
    at = datetime(2026, 4, 24)  # noqa: DTZ001 - read in its zone

    [time] = (
        observation(drawn_at=at, precision=Precision.DAY).in_zone(ZoneInfo("Africa/Cairo")).times
    )

    assert (time.at, time.precision) == (at.replace(tzinfo=ZoneInfo("Africa/Cairo")), Precision.DAY)


def test_a_laboratory_may_let_preliminary_values_wait_for_the_final_one(
    laboratory: Laboratory, patient: Patient
) -> None:
    load(laboratory, if_preliminary="wait")

    take(laboratory, observation(status="preliminary", issued=1))
    pending = Result.objects.get()
    take(laboratory, observation(status="final", issued=2))

    assert (pending.status, pending.value, pending.sent_value) == ("registered", None, "37.50")
    assert str(Result.objects.get(superseded_at=None).value) == "37.50"


@pytest.mark.parametrize(
    ("lot", "drawn_on", "kit"),
    [
        ("L1", date(2026, 11, 1), "Kit A"),
        ("L9", date(2026, 11, 1), ""),
        ("L1", date(2025, 11, 1), ""),
    ],
)
def test_a_result_gets_the_kit_that_the_laboratory_uses(
    laboratory: Laboratory, patient: Patient, lot: str, drawn_on: date, kit: str
) -> None:
    load(laboratory, kits=WHOLE["kits"])
    at = MONDAY.replace(year=drawn_on.year, month=drawn_on.month, day=drawn_on.day)

    take(laboratory, observation(lot=lot, drawn_at=at))

    assert Result.objects.get().kit == kit
