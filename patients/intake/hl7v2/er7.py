"""From bytes to segments: ER7, the form of HL7 v2 with bars, as real systems write it.

Separators are those that MSH declares (four or five of them). Segments end with CR, LF or both; a
byte order mark and the bytes of MLLP around the message are passed over. A line break inside a
field, which some systems send raw, stays part of that field.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from patients.intake.hl7v2.charsets import decode
from patients.intake.hl7v2.faults import ErrorCode, Place, refuse

START_OF_BLOCK, END_OF_BLOCK = "\x0b", "\x1c"
SEGMENTS_AT_MOST = 20_000
FIELDS_AT_MOST = 1_000
COMPONENTS_AT_MOST = 100
REPETITIONS_AT_MOST = 500
LETTERS_AT_MOST = 20_000
# No text holds them, and a number with one in it is no number: a blank takes their place
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BREAKS = re.compile(r"[\t\n\r]+")
_NOT_A_SEPARATOR = re.compile(r"[A-Za-z0-9\s\"]")
_KNOWN_ESCAPES = (
    r"F|S|T|R|E|P|H|N|\.(?:br|sp|fi|nf|in|ti|sk|ce)[+\-]?[0-9]{0,4}|X[0-9A-Fa-f]{1,200}"
)


@dataclass(frozen=True)
class Separators:
    """What divides a message, as its MSH declares."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    truncation: str = "#"

    @cached_property
    def _escapes(self) -> re.Pattern[str]:
        mark = re.escape(self.escape)
        return re.compile(f"{mark}({_KNOWN_ESCAPES}){mark}")

    def unescape(self, text: str) -> str:
        """Put the characters back that escapes stand for; what is no escape stays as it is."""
        if self.escape not in text:
            return text
        return self._escapes.sub(self._character, text)

    def _character(self, found: re.Match[str]) -> str:
        word = found[1]
        match word:
            case "F":
                return self.field
            case "S":
                return self.component
            case "T":
                return self.subcomponent
            case "R":
                return self.repetition
            case "E":
                return self.escape
            case "P":
                return self.truncation
        if word.startswith("X"):
            return _from_hexadecimal(word[1:]) or found[0]
        return "\n" if word.startswith((".br", ".sp", ".ce")) else ""

    def escaped(self, text: str) -> str:
        """Write a text so that it can stand in a field."""
        marks = {
            self.escape: "E",
            self.field: "F",
            self.component: "S",
            self.subcomponent: "T",
            self.repetition: "R",
        }
        written = "".join(
            f"{self.escape}{marks[each]}{self.escape}" if each in marks else each for each in text
        )
        return re.sub(r"\r\n|\r|\n", lambda _: f"{self.escape}.br{self.escape}", written)


def _from_hexadecimal(digits: str) -> str | None:
    """Read what an X escape holds in hexadecimal; None when it is no text."""
    if len(digits) % 2:
        return None
    try:
        text = bytes.fromhex(digits).decode("utf-8")
    except UnicodeDecodeError:
        text = bytes.fromhex(digits).decode("latin-1")
    return _CONTROLS.sub(" ", text)


@dataclass(frozen=True)
class Segment:
    """One line of a message. Fields are counted as HL7 does, from 1."""

    place: Place
    fields: tuple[str, ...]
    separators: Separators = field(repr=False)

    @property
    def name(self) -> str:
        return self.place.segment

    def at(self, number: int) -> Place:
        """Name a field of this segment."""
        return Place(self.place.segment, self.place.sequence, number)

    def raw(self, number: int) -> str:
        """Give a field as it was sent; empty when the segment ends before it."""
        return self.fields[number] if number < len(self.fields) else ""

    def repetitions(self, number: int) -> list[str]:
        """Give the repetitions of a field that hold anything."""
        raw = self.raw(number)
        if raw.count(self.separators.repetition) > REPETITIONS_AT_MOST:
            detail = f"a field is repeated at most {REPETITIONS_AT_MOST} times here"
            raise refuse(ErrorCode.INTERNAL, self.at(number), detail)
        return [each for each in raw.split(self.separators.repetition) if each]

    def parts(self, number: int) -> list[str]:
        """Give the components of a field's first repetition, as text."""
        return self.components(self.raw(number).partition(self.separators.repetition)[0])

    def components(self, raw: str) -> list[str]:
        """Give the components of one repetition, as text; the first subcomponent stands for all."""
        return [
            self.text(each) for each in raw.split(self.separators.component, COMPONENTS_AT_MOST)
        ]

    def subcomponents(self, raw: str, number: int) -> list[str]:
        """Give the subcomponents of one component, as text."""
        components = raw.split(self.separators.component, COMPONENTS_AT_MOST)
        if number > len(components):
            return []
        return [
            _one_line(self.separators.unescape(each))
            for each in components[number - 1].split(
                self.separators.subcomponent, COMPONENTS_AT_MOST
            )
        ]

    def text(self, raw: str) -> str:
        """Give a component as text."""
        first = raw.partition(self.separators.subcomponent)[0]
        return _one_line(self.separators.unescape(_shortened(first)))

    def whole(self, number: int) -> str:
        """Give a field of free text, which holds no components."""
        return self.plain(self.raw(number))

    def plain(self, raw: str) -> str:
        """Give what was sent as text, with whatever separators stand in it."""
        return self.separators.unescape(_shortened(raw)).strip()

    def filled(self, number: int) -> list[str]:
        """Give the repetitions of a field without the separators behind which nothing stands."""
        behind = self.separators.component + self.separators.subcomponent
        trimmed = (each.rstrip(behind) for each in self.repetitions(number))
        return [each for each in trimmed if each]


def _one_line(text: str) -> str:
    """Write what is a name, a code or a number on one line."""
    return _BREAKS.sub(" ", text).strip()


def _shortened(raw: str) -> str:
    """Cut what is longer than anything that is read, where it says so; a number it is no more."""
    return raw if len(raw) <= LETTERS_AT_MOST else f"{raw[:LETTERS_AT_MOST]}…"


@dataclass(frozen=True)
class Message:
    """The segments of a message, of which the first is MSH."""

    segments: tuple[Segment, ...]

    @property
    def header(self) -> Segment:
        return self.segments[0]


def read_er7(body: bytes, *, charset: str = "") -> Message:
    """Read one message; `charset` is that of the laboratory, for messages that name none.

    Raises
    ------
    Refused
        When the bytes are no ER7, or in another character set than they say.
    """
    text = decode(body, charset=charset).strip(START_OF_BLOCK + END_OF_BLOCK + "\r\n ")
    text = _CONTROLS.sub(" ", text)
    separators = _separators_of(text)
    segments = tuple(_segments(text, separators))
    if len(segments) > 1 and any(each.name == "MSH" for each in segments[1:]):
        raise refuse(
            ErrorCode.SEGMENT_SEQUENCE, Place("MSH", 2), "one message at a time: MSH stands twice"
        )
    return Message(segments)


def _separators_of(text: str) -> Separators:
    if text.startswith(("FHS", "BHS")):
        raise refuse(
            ErrorCode.SEGMENT_SEQUENCE,
            Place(text[:3]),
            "one message at a time: it begins with MSH, without FHS or BHS around it",
        )
    if not text.startswith("MSH") or len(text) < 8:
        raise refuse(
            ErrorCode.SEGMENT_SEQUENCE,
            Place("MSH"),
            "a message begins with MSH and its separators, such as MSH|^~\\&|",
        )
    mark, rest = text[3], text[4:]
    encoding = rest[: rest.find(mark)] if mark in rest[:8] else ""
    given = mark + encoding
    is_whole = 4 <= len(encoding) <= 5 and len(set(given)) == len(given)
    if not is_whole or _NOT_A_SEPARATOR.search(given):
        raise refuse(
            ErrorCode.DATA_TYPE,
            Place("MSH", 1, 2),
            "MSH-1 and MSH-2 must declare five or six different separators, such as |^~\\&",
        )
    return Separators(*given)


def _segments(text: str, separators: Separators) -> Iterator[Segment]:
    mark = re.escape(separators.field)
    # A lone LF ends a segment only where the next one begins
    line_break = re.compile(rf"[\r\n]+(?=[A-Z][A-Z0-9]{{2}}(?:{mark}|[\r\n]|$))|\r+\n*")
    seen: dict[str, int] = {}
    for count, line in enumerate(line_break.split(text)):
        if not line.strip():
            continue
        if count >= SEGMENTS_AT_MOST:
            raise refuse(
                ErrorCode.INTERNAL,
                Place("MSH"),
                f"a message holds at most {SEGMENTS_AT_MOST} segments",
            )
        name, _, rest = line.partition(separators.field)
        name = name.strip()
        if not re.fullmatch(r"[A-Z][A-Z0-9]{2}", name):
            raise refuse(
                ErrorCode.SEGMENT_SEQUENCE,
                Place("MSH"),
                f"line {count + 1} must begin with the name of a segment and {separators.field}",
            )
        seen[name] = seen.get(name, 0) + 1
        fields = rest.split(separators.field, FIELDS_AT_MOST)
        # MSH-1 is the separator itself
        counted = (name, separators.field, *fields) if name == "MSH" else (name, *fields)
        yield Segment(Place(name, seen[name]), counted, separators)
