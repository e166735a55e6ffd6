"""What a laboratory says of a sample, brought to the words by which a draw is judged."""

import pytest

from patients.intake.reports import Code, DrawReport, ResultReport, Specimen
from patients.intake.specimens import grade_of_index, is_of_sample, matrix_kind, specimen_of


def report(*, specimen: Specimen | None = None, notes: str = "") -> DrawReport:
    result = ResultReport(codes=(Code(code="sIL-6R"),), value="37.5", unit="ng/mL", notes=notes)
    return DrawReport(specimen=specimen, results=(result,))


def said(*, notes: str = "", **facts: object) -> dict[str, object]:
    return specimen_of(report(specimen=Specimen.model_validate(facts), notes=notes)) or {}


def test_a_sample_of_which_nothing_is_said_has_no_facts() -> None:
    assert specimen_of(report()) is None


@pytest.mark.parametrize(
    ("remark", "grade"),
    [
        ("Specimen grossly hemolyzed", "gross"),
        ("SPECIMEN MARKEDLY HEMOLYZED.", "gross"),
        ("Moderate haemolysis; potassium not reported", "moderate"),
        ("slightly haemolysed", "slight"),
        ("Sample hemolyzed", "moderate"),
        ("Hemolysis: 3+", "gross"),
        ("Hemolysis ++", "moderate"),
        ("H-index 12, no haemolysis", "none"),
        ("Hemolysis index: 250 mg/dL", "moderate"),
        ("Hemolysis Index: 4", "none"),
        ("H-Index: 320 mg/dL", "gross"),
        ("not haemolysed", "none"),
        ("Haemolysis absent", "none"),
        ("leicht hämolytisch", "slight"),
        ("stark hämolytische Probe", "gross"),
        ("échantillon hémolysé", "moderate"),
        ("Known haemolytic anaemia", None),
        ("Reject if hemolyzed", None),
        ("Repeated by dilution 1:2", None),
    ],
)
def test_notes_tell_of_haemolysis(remark: str, grade: str | None) -> None:
    assert said(notes=remark).get("haemolysis") == grade


@pytest.mark.parametrize(
    ("remark", "lipaemia", "icterus", "haemolysis"),
    [
        ("Grossly lipemic", "gross", None, None),
        ("Lipaemia index: 120 mg/dL", "moderate", None, None),
        ("Icterus index: 21 mg/dL", None, "gross", None),
        ("slightly icteric, not haemolysed", None, "slight", "none"),
        ("HIL: hemolysis 1+; lipemia 3+; icterus negative", "gross", "none", "slight"),
        ("stark lipämisch", "gross", None, None),
        ("Patient has hyperlipidaemia", None, None, None),
    ],
)
def test_notes_tell_of_lipaemia_and_icterus(
    remark: str, lipaemia: str | None, icterus: str | None, haemolysis: str | None
) -> None:
    found = said(notes=remark)

    assert found.get("lipaemia") == lipaemia
    assert found.get("icterus") == icterus
    assert found.get("haemolysis") == haemolysis
    assert found.get("is_unsuitable", False) == ("gross" in {lipaemia, icterus})


@pytest.mark.parametrize(
    ("index", "grade"),
    [
        ("0", "none"),
        ("29.9", "none"),
        ("30", "slight"),
        ("99", "slight"),
        ("100", "moderate"),
        ("300", "gross"),
        ("3,5 g/L", "gross"),
        ("1+", "slight"),
        ("++", "moderate"),
        ("4+", "gross"),
        ("+++", "gross"),
        ("negative", "none"),
        ("hemolyzed", "moderate"),
        ("see note", ""),
        ("", ""),
    ],
)
def test_an_index_is_free_haemoglobin_or_pluses(index: str, grade: str) -> None:
    assert grade_of_index(index) == grade


@pytest.mark.parametrize(
    ("codes", "grade", "is_unsuitable"),
    [
        (("HEM",), "moderate", False),
        (("RH",), "gross", False),
        (("CLOT",), None, True),
        (("unsatisfactory",), None, True),
        (("FROZ",), None, False),
        (("Hemolyzed specimen",), "moderate", False),
    ],
)
def test_codes_tell_of_haemolysis_and_of_unfit_samples(
    codes: tuple[str, ...], grade: str | None, is_unsuitable: bool
) -> None:
    found = said(conditions=codes)

    assert (found.get("haemolysis"), found["is_unsuitable"]) == (grade, is_unsuitable)


def test_the_senders_own_grade_counts_before_index_and_index_before_words() -> None:
    assert said(haemolysis="slight", haemolysis_index="400")["haemolysis"] == "slight"
    assert said(haemolysis_index="10", notes="grossly hemolyzed")["haemolysis"] == "none"


@pytest.mark.parametrize(
    ("matrix", "tube", "kind"),
    [
        ("Serum", "", "serum"),
        ("SER", "", "serum"),
        ("Serum specimen", "SST", "serum"),
        ("119364003", "", "serum"),
        ("EDTA plasma", "", "edta_plasma"),
        ("Plasma", "K2-EDTA", "edta_plasma"),
        ("PLAS", "EDTK", "edta_plasma"),
        ("Lithium-heparin plasma", "", "heparin_plasma"),
        ("citrated plasma", "", "citrate_plasma"),
        ("Plasma", "", "plasma"),
        ("BLD", "", ""),
        ("Venous blood", "EDTA", "edta_plasma"),
        ("Urine", "", "other"),
        ("CSF", "", "other"),
        ("Saliva", "Salivette", "other"),
        ("", "", ""),
    ],
)
def test_matrix_and_tube_tell_the_fluid(matrix: str, tube: str, kind: str) -> None:
    assert matrix_kind(matrix, tube) == kind


@pytest.mark.parametrize(
    ("remark", "cycles"),
    [
        ("3 freeze-thaw cycles", 3),
        ("Freeze/thaw cycles: 2", 2),
        ("thawed 4 times", 4),
        ("frozen at -80", None),
    ],
)
def test_notes_tell_of_thaws(remark: str, cycles: int | None) -> None:
    assert said(notes=remark).get("freeze_thaw_cycles") == cycles


@pytest.mark.parametrize(
    ("remark", "fasting"),
    [("Fasting: Y", "yes"), ("patient fasted", "yes"), ("non-fasting", "no"), ("Fasting: N", "no")],
)
def test_notes_tell_of_fasting(remark: str, fasting: str) -> None:
    assert said(notes=remark)["fasting"] == fasting


@pytest.mark.parametrize("name", ["Hemolysis index", "H-Index", "Lipemia", "Freeze-thaw cycles"])
def test_what_was_seen_of_a_sample_is_no_result(name: str) -> None:
    assert is_of_sample(name)


@pytest.mark.parametrize("name", ["IL-6", "sIL-6R", "TNF-alpha", "hs-CRP", "Haemoglobin"])
def test_a_marker_is_a_result(name: str) -> None:
    assert not is_of_sample(name)
