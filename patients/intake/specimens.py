"""What a laboratory says of a sample, brought to a few words: haemolysis, matrix, thaws, fasting.

Laboratories say it in codes, indices and notes. What was sent is kept as it was sent; beside it
stand the words by which the worth of a draw is judged. What nobody said stays unsaid.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any, NamedTuple

from patients.intake.reports import DrawReport, Fasting, Specimen

Borders = tuple[tuple[float, str], ...]
GRADES = ("", "none", "slight", "moderate", "gross")
# From which index a sample has that grade, all graded M: a laboratory may use others. Haemolysis is
# free haemoglobin in mg/dL: below 30 nothing is seen by eye, 100 and 300 are usual borders of
# moderate and gross. Lipaemia is mg/dL of a fat emulsion, icterus bilirubin in mg/dL; their borders
# are those of the usual 1+, 2+ and 4+ of analysers
INDEX_GRADES = ((300.0, "gross"), (100.0, "moderate"), (30.0, "slight"), (0.0, "none"))
_LIPAEMIA_GRADES = ((300.0, "gross"), (100.0, "moderate"), (40.0, "slight"), (0.0, "none"))
_ICTERUS_GRADES = ((20.0, "gross"), (5.0, "moderate"), (2.5, "slight"), (0.0, "none"))
# HL7 tables 0493 (condition) and 0490 (reason of rejection), FHIR rejection-criteria and status
_UNSUITABLE_CODES = frozenset(
    {"AUT", "CLOT", "CON", "EX", "QS", "RB", "RC", "RI", "RN", "RR", "unsatisfactory"}
) | frozenset({"insufficient", "broken", "clotted", "wrong-temperature"})
_REJECTED_AS_HAEMOLYSED = frozenset({"RH", "hemolized"})
_HAEMOLYSED_CODES = frozenset({"HEM"})
_CLAUSE = re.compile(r"[.;,/|](?!\d)")
_ACCENTS = re.compile("[\u0300-\u036f]+")  # what is left beside a letter when it is taken apart
_HAEMOLYSIS = re.compile(
    r"h(?:ae?|e)mol[yi][stz](?!\w*\W+(?:anaemia|anemia|uremic|uraemic))|\bh\W?index\b"
)
_LIPAEMIA = re.compile(r"\blip(?:ae|e|a)mi[acs]|\bturbid|\bl\W?index\b")
_ICTERUS = re.compile(r"ict(?:erus|eric)|ikter\w*|jaundice|\bi\W?index\b")
_SUPPOSED = re.compile(r"\b(?:if|unless|avoid|wenn|falls)\b")
_NONE = re.compile(
    r"\b(?:no|not|non|none|nil|absent|negative|neg|without|free of|kein\w*|nicht|pas|sans|ohne)\b"
)
_GROSS = re.compile(
    r"gross|marked|severe|strong|heav[yi]|massive|stark\b|[34]\s?\+|\+\s?[34]|\+{3}"
)
_MODERATE = re.compile(r"moderate|massig|mittel|2\s?\+|\+\s?2|\+{2}")
_SLIGHT = re.compile(r"slight|mild|trace|minimal|weak|faint|leicht|gering|legere|1\s?\+|\+\s?1|\+")
_INDEX = re.compile(r"(?:index|:|=)\D{0,12}?(\d{1,5}(?:[.,]\d{1,3})?)\s*(g/l)?")
_BARE_INDEX = re.compile(r"(\d{1,5}(?:[.,]\d{1,3})?)\s*(g/l|mg/dl)?")
_THAWS = (
    re.compile(r"(\d{1,3})\s*(?:x\s*)?(?:freeze\W*thaw|thaw|f/t)"),
    re.compile(r"(?:freeze\W*thaw(?:\s*cycles?)?|thaws?|thawed)\s*[:=]?\s*(\d{1,3})"),
)
_FASTING = re.compile(r"\b(?:non|not|no)?\W?\bfast(?:ing|ed)\b(?:\s*[:=]\s*(?P<said>\w+))?")
_FASTING_CODES: dict[str, Fasting] = {"F": "yes", "Y": "yes", "NF": "no", "N": "no"}
_SERUM = re.compile(r"\bser(?:um)?\b|\bsst\b|119364003")
_PLASMA = re.compile(r"\bplas(?:ma)?\b|\bppp\b|\bplz\b|119361006")
_ADDITIVES = (
    (re.compile(r"edta|\bedt[kn]\b|lavender|\bpurple"), "edta_plasma"),
    (re.compile(r"heparin|\bhep[ln]\b|\blih\b"), "heparin_plasma"),
    (re.compile(r"citrat|\bc32\b|\bc38\b"), "citrate_plasma"),
)
# Neither serum nor plasma. Blood is not among them: it is what was taken, not what was measured in
_OTHER_FLUID = re.compile(
    r"urin|\bcsf\b|cerebrospinal|liquor|saliva|sputum|stool|faeces|feces|swab|dried blood"
)
_MATRIX_CODES = {"UR": "other", "CSF": "other", "SAL": "other", "SPT": "other", "STL": "other"}


_OF_SAMPLE = re.compile(
    r"h(?:ae?|e)mol[yi][stz]|lip(?:ae|e)mi[ac]|ict(?:erus|eric)|\b[hli]\W?index\b|freeze\W*thaw"
    r"|\bfasting\b|(?:specimen|sample) (?:condition|quality|integrity)"
)


def is_of_sample(name: str) -> bool:
    """Tell whether what is called so was seen of the sample, and is no result.

    Examples
    --------
    >>> is_of_sample("Hemolysis index"), is_of_sample("Interleukin 6 receptor, soluble")
    (True, False)
    """
    return _OF_SAMPLE.search(_plain(name)) is not None


def specimen_of(report: DrawReport) -> dict[str, Any] | None:
    """Give what is known of the sample of a draw, as sent and in words; None where nothing is.

    The notes of its results count as well: there laboratories write that a sample was haemolysed.
    """
    if report.specimen is None and not any(result.notes for result in report.results):
        return None  # as most draws come; reading what nobody said took a fifth of a list's time
    sent = report.specimen or Specimen()
    notes = dict.fromkeys((sent.notes, *(result.notes for result in report.results)))
    remarks = [_plain(each) for each in notes if each]
    said = {
        "matrix": sent.matrix,
        "tube": sent.tube,
        "matrix_kind": matrix_kind(sent.matrix, sent.tube),
        "conditions": list(sent.conditions),
        "haemolysis": sent.haemolysis or _haemolysis(sent, remarks),
        "haemolysis_index": sent.haemolysis_index,
        "lipaemia": sent.lipaemia or _gravest(sent, remarks, _LIPAEMIA_SEEN),
        "icterus": sent.icterus or _gravest(sent, remarks, _ICTERUS_SEEN),
        "freeze_thaw_cycles": _thaws(sent, remarks),
        "fasting": sent.fasting or _fasting(remarks),
        "storage": sent.storage,
        "processed_at": sent.processed_at,
        "notes": sent.notes,
    }
    said["is_unsuitable"] = _is_unsuitable(sent, {said["lipaemia"], said["icterus"]} - {""})
    return {name: value for name, value in said.items() if value not in ("", None, [])} or None


def _is_unsuitable(sent: Specimen, grades: set[Any]) -> bool | None:
    """Tell whether the laboratory called the sample unfit; None where it says nothing of that."""
    if not (sent.conditions or grades):
        return None
    return not _UNSUITABLE_CODES.isdisjoint(sent.conditions) or "gross" in grades


def matrix_kind(matrix: str, tube: str) -> str:
    """Say in which fluid it was measured; empty where it cannot be told.

    Examples
    --------
    >>> matrix_kind("Plasma specimen", "K2-EDTA"), matrix_kind("SER", ""), matrix_kind("BLD", "")
    ('edta_plasma', 'serum', '')
    """
    if matrix.strip() in _MATRIX_CODES:
        return _MATRIX_CODES[matrix.strip()]
    fluid, both = _plain(matrix), _plain(f"{matrix} {tube}")
    if _OTHER_FLUID.search(fluid):
        return "other"
    additive = next((kind for pattern, kind in _ADDITIVES if pattern.search(both)), "")
    if _PLASMA.search(fluid) or (additive and not _SERUM.search(fluid)):
        return additive or "plasma"
    return "serum" if _SERUM.search(both) else ""


def grade_of_index(index: str) -> str:
    """Grade an index of haemolysis: pluses, words, or free haemoglobin in mg/dL.

    Examples
    --------
    >>> [grade_of_index(each) for each in ("12", "150", "2.1 g/L", "3+", "neg", "?")]
    ['none', 'moderate', 'moderate', 'gross', 'none', '']
    """
    text = _plain(index).strip()
    found = _BARE_INDEX.fullmatch(text)
    if found is not None:
        return _grade_of_number(found[1], found[2], INDEX_GRADES)
    return _of_remark(text, _HAEMOLYSIS_SEEN) or _grade_of_words(text, otherwise="")


def _grade_of_number(number: str, unit: str | None, grades: Borders) -> str:
    mg_dl = float(number.replace(",", ".")) * (100 if unit == "g/l" else 1)
    return next(grade for least, grade in grades if mg_dl >= least)


def _grade_of_words(text: str, *, otherwise: str) -> str:
    for pattern, grade in ((_GROSS, "gross"), (_MODERATE, "moderate"), (_SLIGHT, "slight")):
        if pattern.search(text):
            return grade
    return "none" if _NONE.search(text) else otherwise


def _haemolysis(sent: Specimen, remarks: Iterable[str]) -> str:
    """Grade by the index where there is one, else by the gravest word that was said."""
    if grade := grade_of_index(sent.haemolysis_index):
        return grade
    by_code = "gross" if not _REJECTED_AS_HAEMOLYSED.isdisjoint(sent.conditions) else ""
    if not by_code and not _HAEMOLYSED_CODES.isdisjoint(sent.conditions):
        by_code = "moderate"
    return max(by_code, _gravest(sent, remarks, _HAEMOLYSIS_SEEN), key=GRADES.index)


def _gravest(sent: Specimen, remarks: Iterable[str], seen: "_Seen") -> str:
    """Give the gravest grade that conditions and remarks say, clause by clause."""
    clauses = [_plain(each) for each in sent.conditions]
    for remark in remarks:
        if seen.name.search(remark):
            clauses += _CLAUSE.split(remark)
    return max((_of_remark(each, seen) for each in clauses), key=GRADES.index, default="")


def _of_remark(clause: str, seen: "_Seen") -> str:
    """Grade one clause; without a degree it counts as moderate, which a person may overrule."""
    if not seen.name.search(clause) or _SUPPOSED.search(clause):
        return ""
    number = _INDEX.search(clause)
    if number is not None and "+" not in clause:
        return _grade_of_number(number[1], number[2], seen.borders)
    return _grade_of_words(clause, otherwise="moderate")


class _Seen(NamedTuple):
    """What may be seen of a sample: by which words, and from which index a grade begins."""

    name: re.Pattern[str]
    borders: Borders


_HAEMOLYSIS_SEEN = _Seen(_HAEMOLYSIS, INDEX_GRADES)
_LIPAEMIA_SEEN = _Seen(_LIPAEMIA, _LIPAEMIA_GRADES)
_ICTERUS_SEEN = _Seen(_ICTERUS, _ICTERUS_GRADES)


def _thaws(sent: Specimen, remarks: Iterable[str]) -> int | None:
    if sent.freeze_thaw_cycles is not None:
        return sent.freeze_thaw_cycles
    found = [
        int(match[1])
        for text in (*map(_plain, sent.conditions), *remarks)
        for pattern in _THAWS
        for match in pattern.finditer(text)
    ]
    return max(found, default=None)


def _fasting(remarks: Iterable[str]) -> str:
    for remark in remarks:
        found = _FASTING.search(remark)
        if found is not None:
            is_no = found[0].startswith("no") or found["said"] in {"n", "no", "nf"}
            return "no" if is_no else "yes"
    return ""


def fasting_of_code(code: str) -> Fasting:
    """Read HL7 table 0916; asked and not answered is nothing said."""
    return _FASTING_CODES.get(code.strip().upper(), "")


def _plain(text: str) -> str:
    """Put a text in small letters without accents, so that words are found in several languages.

    Blanks are one blank each: a pattern that may pass over any number of them would be slow.
    """
    text = " ".join(text.split())
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.replace("æ", "ae").replace("ß", "ss").casefold())
    return _ACCENTS.sub("", apart)
