"""Lists of a clinic: taken whole or not at all, with every fault named where it stands."""

from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from monitoring.imports.patients import Verdict, enrol_patients, read_patients
from monitoring.imports.ratings import import_ratings
from monitoring.imports.tables import FileIsFaulty, read_table
from monitoring.models import CrisisPlan, Flag, FlagKind
from patients.models import Audit, CareTeam, Episode, Patient, Rating, Sex, Site
from tests.conftest import MONDAY

pytestmark = pytest.mark.django_db

HEADER = "system,value,family,given,birth_date,sex,started_on"
BY = "operator:ola"
# 3 + 2 + 1 + 2 + 1 + 0 + 1 + 2 + 1 = 13 by the rule of the QIDS-SR16 (ids-qids.org)
ITEMS = "3,1,0,2,2,1,0,1,0,2,1,0,1,2,1,0"
ITEM_HEADER = ",".join(f"q{number}" for number in range(1, 17))


def _list(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows]).encode()


def _faults(data: bytes, team: CareTeam) -> list[str]:
    with pytest.raises(FileIsFaulty) as refused:
        read_patients(data, team=team, at=MONDAY)
    return [str(fault) for fault in refused.value.faults]


# The file itself


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfa,b\r\n1,2\r\n",
        b"a;b\n1;2\n",
        b"A , b\n 1 , 2 \n\n",
        b'b,a\n"2","1"',
        "a;b\n1;2\n".encode("utf-16"),
        b"sep=;\na;b\n1;2\n",
    ],
)
def test_a_table_is_read_as_spreadsheets_write_it(data: bytes) -> None:
    [row] = read_table(data, required=["a", "b"])

    assert (row.number, row.cells) == (2, {"a": "1", "b": "2"})


def test_a_cell_in_quotes_may_hold_commas_and_lines() -> None:
    rows = read_table(b'a,b\n"1, or\nmore",2\n3,4\n', required=["a", "b"])

    assert [(row.number, row.cells["a"]) for row in rows] == [(2, "1, or\nmore"), (3, "3")]


def test_an_empty_file_lacks_its_columns() -> None:
    with pytest.raises(FileIsFaulty, match="it must begin with the names of the columns"):
        read_table(b"", required=["a", "b"])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a", "row 1, b: this column is missing; the columns are a, b"),
        (b"a\n1", "row 1, b: this column is missing; the columns are a, b"),
        (b"a,b,c\n1,2,3", "row 1, header: “c” is not a column of this file; the columns are a, b"),
        (b"a,b,a\n1,2,3", "row 1, header: “a” stands twice"),
        (b"a,b\n", "row 1: there is no row below the header"),
        (b"a,b\n1\n", "row 2: holds 1 cells; the header has 2 columns"),
        (
            b"a,b\n1,\xfc\n",
            "row 2: holds bytes that are not UTF-8; save the file as UTF-8, "
            "or state its character set",
        ),
        (b'a,b\n1,"2\n', "row 2: a quotation mark is opened here and never closed"),
        (b"a,b\n1,2\x00\n", "row 2: holds U+0000, which is no text; save the file as text"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_by_row(data: bytes, said: str) -> None:
    with pytest.raises(FileIsFaulty) as refused:
        read_table(data, required=["a", "b"])

    assert str(refused.value) == said


# Patients


def test_a_list_becomes_patients(team: CareTeam) -> None:
    data = _list(
        "urn:clinic:mrn,0100,Ångström,Åsa,1980-02-29,female,2026-10-01",
        "urn:clinic:mrn,0101,Solo,Bo,,,",
    )

    rows = read_patients(data, team=team, at=MONDAY)
    n_new = enrol_patients(rows, team=team, by=BY, at=MONDAY)

    asa, bo = Patient.objects.order_by("pk")
    assert n_new == 2
    assert (asa.family_name, asa.birth_date, asa.sex) == ("Ångström", date(1980, 2, 29), Sex.FEMALE)
    assert (bo.birth_date, bo.sex, bo.is_synthetic) == (None, Sex.UNKNOWN, False)
    assert Episode.objects.get().patient == asa
    assert set(Audit.objects.filter(verb="enrol").values_list("by", flat=True)) == {BY}


def test_somebody_known_is_left_alone(team: CareTeam, patient: Patient) -> None:
    data = _list("urn:clinic:mrn,0042,Other,Name,,,", "urn:clinic:mrn,0043,New,Name,,,")

    rows = read_patients(data, team=team, at=MONDAY)
    enrol_patients(rows, team=team, by=BY, at=MONDAY)

    patient.refresh_from_db()
    assert [row.verdict for row in rows] == [Verdict.KNOWN, Verdict.NEW]
    assert patient.family_name == "Invented"
    assert Patient.objects.count() == 2


def test_every_fault_is_named_with_row_column_value_and_what_would_be_right(
    team: CareTeam,
) -> None:
    data = _list(
        ",0100,A,B,,,",
        "s,0101,,B,01.02.1980,f,2026-10-01",
        "s,0102,A,B,1980-02-30,,2026-11-03",
        "s,0103,A,B,2000-01-01,,1999-12-31",
        "s,0104,A,B,,,",
        "s,0104,C,,2050-01-01,,",
    )

    faults = _faults(data, team)

    born = "must be a day from 1900-01-01 to 2026-11-02, written YYYY-MM-DD, or empty"
    began = "must be a day from 1950-01-01 to 2026-11-02, written YYYY-MM-DD, or empty"
    assert faults == [
        "row 2, system: must not be empty",
        "row 3, family: must not be empty",
        f"row 3, birth_date: “01.02.1980” {born}",
        "row 3, sex: “f” must be female, male, other or unknown, or empty",
        f"row 4, birth_date: “1980-02-30” {born}",
        f"row 4, started_on: “2026-11-03” {began}",
        "row 5, started_on: “1999-12-31” must not come before the birth on 2000-01-01",
        "row 7, value: “0104” stands in row 6 already",
        "row 7, given: must not be empty",
        f"row 7, birth_date: “2050-01-01” {born}",
    ]


def test_today_is_the_day_of_the_site(team: CareTeam) -> None:
    # 23:00 in London on the 2nd is the morning of the 3rd in Tokyo, where the team works
    late = datetime(2026, 11, 2, 23, tzinfo=UTC)

    [row] = read_patients(_list("s,1,A,B,,,2026-11-03"), team=team, at=late)

    assert row.started_on == date(2026, 11, 3)


@pytest.mark.parametrize("name", ["x" * 101, "a\tb"])
def test_a_name_that_the_record_cannot_hold_is_refused(team: CareTeam, name: str) -> None:
    [fault] = _faults(_list(f"s,1,{name},B,,,"), team)

    assert fault.startswith("row 2, family: ")


def test_one_fault_keeps_the_whole_list_out(team: CareTeam, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(_list("s,1,A,B,,,", "s,2,A,B,,x,"))

    with pytest.raises(CommandError, match=r"row 3, sex: “x” .*\n*Nothing was imported"):
        call_command("import_patients", str(file), "--team", "Ward 3")

    assert not Patient.objects.exists()


def test_a_dry_run_says_what_would_be_done_and_changes_nothing(
    team: CareTeam, patient: Patient, tmp_path: Path
) -> None:
    file, out = tmp_path / "list.csv", StringIO()
    file.write_bytes(_list("urn:clinic:mrn,0042,A,B,,,", "urn:clinic:mrn,0043,A,B,,,"))
    lines = Audit.objects.count()

    call_command("import_patients", str(file), "--team", "Ward 3", "--dry-run", stdout=out)

    assert out.getvalue().splitlines() == [
        "row 2: urn:clinic:mrn 0042 is known",
        "row 3: urn:clinic:mrn 0043 is new",
        "Would enrol 1 patients; 1 are known. Nothing was changed.",
    ]
    assert Patient.objects.count() == 1
    assert Audit.objects.count() == lines


def test_the_same_list_again_enrols_nobody(team: CareTeam, tmp_path: Path) -> None:
    file, out = tmp_path / "list.csv", StringIO()
    file.write_bytes(_list("s,1,A,B,,,"))
    call_command("import_patients", str(file), "--team", "Ward 3", stdout=StringIO())

    call_command("import_patients", str(file), "--team", "Ward 3", stdout=out)

    assert "Enrolled 0 patients" in out.getvalue()
    assert Patient.objects.count() == 1


def test_a_file_that_is_not_there_is_refused(team: CareTeam) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("import_patients", "/nowhere/list.csv", "--team", "Ward 3")


# Ratings


def _rate(*rows: str, header: str) -> tuple[int, int]:
    taken = import_ratings(_list(*rows, header=header), by=BY, at=MONDAY)
    return taken.n_new, taken.n_known


BY_TOTAL = "system,value,instrument,rated_at,total"
BY_ITEMS = f"system,value,instrument,rated_at,{ITEM_HEADER}"
FORM = "urn:clinic:mrn,0042,QIDS-SR16,2026-11-01T08:30:00+09:00"


def test_a_total_becomes_a_rating(patient: Patient) -> None:
    taken = _rate(f"{FORM},17", header=BY_TOTAL)

    rating = Rating.objects.get()
    assert taken == (1, 0)
    assert (rating.total, rating.items, rating.recorded_by) == (17, None, BY)
    assert rating.rated_at == datetime(2026, 10, 31, 23, 30, tzinfo=UTC)


def test_items_become_a_rating_with_its_total(patient: Patient) -> None:
    _rate(f"{FORM},{ITEMS}", header=BY_ITEMS)

    assert Rating.objects.get().total == 13


def test_a_time_without_an_offset_and_a_day_alone_are_read_at_the_site(patient: Patient) -> None:
    start = "urn:clinic:mrn,0042,QIDS-SR16"

    _rate(f"{start},2026-10-30T08:30,9", f"{start},2026-10-20,9", header=BY_TOTAL)

    assert list(Rating.objects.order_by("-rated_at").values_list("rated_at", flat=True)) == [
        datetime(2026, 10, 29, 23, 30, tzinfo=UTC),  # Tokyo is nine hours ahead
        datetime(2026, 10, 19, 15, 0, tzinfo=UTC),
    ]


def test_the_same_ratings_again_change_nothing(patient: Patient) -> None:
    _rate(f"{FORM},{ITEMS}", header=BY_ITEMS)
    version = Patient.objects.get().history_version

    again = _rate(f"{FORM},{ITEMS}", header=BY_ITEMS)

    assert again == (0, 1)
    assert Patient.objects.get().history_version == version


def test_a_positive_self_harm_item_raises_its_flag_with_the_import(patient: Patient) -> None:
    items = ITEMS.split(",")
    items[11] = "2"

    _rate(f"{FORM},{','.join(items)}", header=BY_ITEMS)

    assert Flag.objects.get().kind == FlagKind.SAFETY


def test_a_fault_in_a_list_of_ratings_takes_back_the_flag_too(patient: Patient) -> None:
    items = ITEMS.split(",")
    items[11] = "2"
    other = FORM.replace("11-01", "10-01")

    with pytest.raises(FileIsFaulty):
        _rate(f"{FORM},{','.join(items)}", f"{other},{'9,' * 15}9", header=BY_ITEMS)

    assert not Rating.objects.exists()
    assert not Flag.objects.exists()


def test_a_refused_list_names_first_whoever_must_be_seen_to_now(patient: Patient) -> None:
    items = ITEMS.split(",")
    items[11] = "2"
    other = FORM.replace("11-01", "10-01")

    with pytest.raises(FileIsFaulty) as refused:
        _rate(f"{other},{'9,' * 15}9", f"{FORM},{','.join(items)}", header=BY_ITEMS)

    first, second, *_rest = str(refused.value).splitlines()
    # The row in which every answer is impossible may hold a positive one too
    assert first.startswith("row 2: answers the item on self-harm above zero")
    assert second.startswith("row 3: answers the item on self-harm above zero")
    assert "see to this person now" in second


@pytest.mark.parametrize(
    ("scale", "cells"),
    [
        ("phq-9", {"q9": "3"}),
        ("PHQ9", {"q1": "1", "q9": "1"}),
        ("Patient Health Questionnaire", {"q1": "0", "q9": "2"}),
        ("qids sr 16", {"q12": "1", "q16": "0"}),
        ("HAMD-17", {"q3": "2", "q17": "0"}),
        ("madrs", {"total": "57"}),
        ("none of ours", {"self_harm": "1"}),
    ],
)
def test_a_positive_answer_on_a_scale_that_is_misspelt_interrupts_too(
    patient: Patient, scale: str, cells: dict[str, str]
) -> None:
    columns = ["total", "self_harm", *ITEM_HEADER.split(",")]
    row = ",".join(cells.get(column, "") for column in columns)

    with pytest.raises(FileIsFaulty) as refused:
        _rate(
            f"urn:clinic:mrn,0042,{scale},2026-10-30,{row}",
            header=f"system,value,instrument,rated_at,{','.join(columns)}",
        )

    assert str(refused.value).startswith("row 2: answers the item on self-harm above zero")


def test_a_misspelt_scale_without_a_positive_answer_does_not_interrupt(patient: Patient) -> None:
    with pytest.raises(FileIsFaulty) as refused:
        _rate(
            f"urn:clinic:mrn,0042,qids-sr16,2026-10-30,{ITEMS}",
            header=BY_ITEMS,
        )

    assert "self-harm" not in str(refused.value)


@pytest.mark.parametrize(
    "data",
    [
        b"system,value,instrument,date,q9\nurn:clinic:mrn,0042,PHQ-9,2026-10-28,3\n",
        b"system,value,instrument,rated_at,item9\nurn:clinic:mrn,0042,PHQ-9,2026-10-28,3\n",
        b"system,value,instrument,rated_at,q9\nurn:clinic:mrn,0042,PHQ-9,2026-10-28,3,4\n",
        b"system,value,instrument,rated_at,q9\nurn:clinic:mrn,0042,PHQ-9,2026-10-28,\xff\n",
    ],
)
def test_a_file_that_nobody_can_read_says_what_may_stand_in_it(
    patient: Patient, data: bytes
) -> None:
    with pytest.raises(FileIsFaulty) as refused:
        import_ratings(data, by=BY, at=MONDAY)

    first, second, *_rest = str(refused.value).splitlines()
    assert first.startswith("Nobody has read this file. If the item on self-harm is answered")
    assert second.startswith("row ")


def test_an_hour_that_the_clocks_left_out_is_refused(patient: Patient) -> None:
    Site.objects.update(time_zone="Europe/Berlin")
    start = "urn:clinic:mrn,0042,QIDS-SR16,2026-03-29"

    with pytest.raises(FileIsFaulty, match="the clocks were put forward over this hour"):
        _rate(f"{start}T02:30,9", header=BY_TOTAL)

    assert _rate(f"{start}T03:30,9", header=BY_TOTAL) == (1, 0)


def test_a_day_whose_midnight_was_left_out_is_a_day_all_the_same(patient: Patient) -> None:
    Site.objects.update(time_zone="Africa/Cairo")  # put forward at midnight, 24-Apr-2026

    assert _rate("urn:clinic:mrn,0042,QIDS-SR16,2026-04-24,9", header=BY_TOTAL) == (1, 0)


def test_the_answer_to_the_item_may_stand_beside_a_total(patient: Patient) -> None:
    header = f"{BY_TOTAL},self_harm"
    start = "urn:clinic:mrn,0042,MADRS,2026-10-30T08:30"

    with pytest.raises(FileIsFaulty, match="self_harm: “7” must be a whole number from 0 to 6"):
        _rate(f"{start},30,7", header=header)
    _rate(f"{start},30,4", header=header)

    assert Rating.objects.get().self_harm_answer == 4
    assert Flag.objects.get().kind == FlagKind.SAFETY


def test_a_zero_beside_a_total_that_proves_otherwise_is_refused_and_interrupts(
    patient: Patient,
) -> None:
    with pytest.raises(FileIsFaulty) as refused:
        _rate("urn:clinic:mrn,0042,MADRS,2026-10-30T08:30,60,0", header=f"{BY_TOTAL},self_harm")

    first, second = str(refused.value).splitlines()
    assert "see to this person now" in first
    assert "cannot be without item 10 at 6 or more" in second


def test_the_command_interrupts_with_the_sites_crisis_text(
    patient: Patient, tmp_path: Path
) -> None:
    CrisisPlan.objects.create(
        site=patient.team.site, text="Call Dr Mori.", numbers="Ward: 1234", changed_at=MONDAY
    )
    file, out = tmp_path / "ratings.csv", StringIO()
    file.write_bytes(_list(f"{FORM},17,3", header=f"{BY_TOTAL},self_harm"))

    call_command("import_ratings", str(file), stdout=out)

    said = out.getvalue()
    assert "ATTENTION: 1 of them answer the item on self-harm above zero" in said
    assert "Call Dr Mori." in said
    assert "Ward: 1234" in said


def test_every_fault_of_a_list_of_ratings_is_named(patient: Patient) -> None:
    start = "urn:clinic:mrn,0042,QIDS-SR16"
    _rate(f"{FORM},17", header=BY_TOTAL)

    with pytest.raises(FileIsFaulty) as refused:
        _rate(
            "urn:clinic:mrn,9,QIDS-SR16,2026-10-01,5",
            "urn:clinic:mrn,0042,QIDS,2026-10-01,5",
            f"{start},yesterday,5",
            f"{start},2026-12-24,5",
            f"{start},0001-01-01T00:00+14:00,5",
            f"{start},2026-10-01,28",
            f"{start},2026-10-02,",
            f"{FORM},16",
            header=BY_TOTAL,
        )

    warning, *faults = str(refused.value).splitlines()
    assert warning.startswith("row 3: is of no scale we know, so nobody can tell what it answers")
    assert faults == [
        "row 2, value: “9” no patient has this number of “urn:clinic:mrn”",
        "row 3, instrument: “QIDS” is no scale we know; "
        "known: QIDS-SR16, QIDS-C16, HAM-D17, MADRS, PHQ-9",
        "row 4, rated_at: “yesterday” must be a day or a day with a time: "
        "2026-11-02, 2026-11-02T08:10 or with +01:00",
        "row 5, rated_at: “2026-12-24” the rating is dated in the future",
        "row 6, rated_at: “0001-01-01T00:00+14:00” must not lie before 1950-01-01; check the year",
        "row 7, total: “28” must be a whole number from 0 to 27, or empty",
        "row 8, total: the total must be a whole number from 0 to 27",
        "row 9, rated_at: “2026-11-01T08:30:00+09:00” this scale is on record for this moment "
        "with other answers; correct that one",
    ]


def test_a_row_that_is_wrong_twice_says_both(patient: Patient) -> None:
    with pytest.raises(FileIsFaulty) as refused:
        _rate("urn:clinic:mrn,0042,QIDS-SR16,2026-12-24,28", header=BY_TOTAL)

    assert str(refused.value).splitlines() == [
        "row 2, rated_at: “2026-12-24” the rating is dated in the future",
        "row 2, total: “28” must be a whole number from 0 to 27, or empty",
    ]


def test_every_wrong_item_is_named(patient: Patient) -> None:
    items = ITEMS.split(",")
    items[0], items[4] = "4", "x"

    with pytest.raises(FileIsFaulty) as refused:
        _rate(f"{FORM},{','.join(items)}", header=BY_ITEMS)

    assert str(refused.value).splitlines() == [
        "row 2, q1: “4” must be a whole number from 0 to 3, or empty",
        "row 2, q5: “x” must be a whole number from 0 to 3, or empty",
    ]


def test_the_command_says_how_many_were_new(patient: Patient, tmp_path: Path) -> None:
    file, out = tmp_path / "ratings.csv", StringIO()
    file.write_bytes(_list(f"{FORM},17", header=BY_TOTAL))

    call_command("import_ratings", str(file), stdout=out)

    assert out.getvalue() == "Recorded 1 ratings; 0 were on record already.\n"


def test_the_command_names_the_rows_of_positive_answers(patient: Patient, tmp_path: Path) -> None:
    file, out = tmp_path / "ratings.csv", StringIO()
    items = ITEMS.split(",")
    items[11] = "2"
    file.write_bytes(_list(f"{FORM},{','.join(items)}", header=BY_ITEMS))

    call_command("import_ratings", str(file), stdout=out)

    assert "1 of them answer the item on self-harm above zero (row 2)" in out.getvalue()
