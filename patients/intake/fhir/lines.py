"""Texts for one line of a page: whatever was sent, without line breaks and of bounded length."""

from patients.intake.fhir.datatypes import CodeableConcept


def line(text: str | None, at_most: int) -> str:
    """Put a text on one line; cut what is too long where it says so."""
    joined = " ".join((text or "").split()).replace("\x7f", "")
    return joined if len(joined) <= at_most else f"{joined[: at_most - 1]}…"


def words_of(concept: CodeableConcept | None, at_most: int) -> str:
    """Say a concept in words: its text, else what its first coding is called, else the code."""
    if concept is None:
        return ""
    for coding in concept.coding:
        if concept.text is None and (coding.display or coding.code):
            return line(coding.display or coding.code, at_most)
    return line(concept.text, at_most)


def code_of(concept: CodeableConcept | None, at_most: int) -> str:
    """Give a concept's first code, or its words when it has none."""
    if concept is None:
        return ""
    code = next((coding.code for coding in concept.coding if coding.code), None)
    return line(code, at_most) if code else words_of(concept, at_most)
