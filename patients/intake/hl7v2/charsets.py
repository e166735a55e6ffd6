"""In which characters a message is written: what it says itself (MSH-18), else its laboratory's.

Nothing is guessed: µ read in the wrong character set is another unit. What does not decode is
refused, with the place of the byte.
"""

import codecs
import re

from patients.intake.hl7v2.faults import ErrorCode, Place, refuse

# HL7 table 0211, and the names that are sent in its place
_BY_NAME = {
    "ASCII": "ascii",
    "US-ASCII": "ascii",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "ISO IR192": "utf-8",
    "UNICODE UTF-16": "utf-16",
    "UNICODE UTF-32": "utf-32",
    "ISO IR6": "ascii",
    "ISO IR100": "iso8859-1",
    "ISO IR13": "iso2022_jp_ext",
    "ISO IR14": "iso2022_jp_2",
    "ISO IR87": "iso2022_jp_2",
    "ISO IR159": "iso2022_jp_2",
    "ISO-2022-JP": "iso2022_jp_2",
    "SHIFT_JIS": "cp932",  # as Windows writes it
    "SJIS": "cp932",
    "CP932": "cp932",
    "MS932": "cp932",
    "WINDOWS-31J": "cp932",
    "EUC-JP": "euc_jp",
    "GB 18030-2000": "gb18030",
    "GB18030": "gb18030",
    "GBK": "gb18030",
    "GB2312": "gb18030",
    "KS X 1001": "euc_kr",
    "EUC-KR": "euc_kr",
    "BIG-5": "big5",
    **{f"WINDOWS-{page}": f"cp{page}" for page in range(1250, 1259)},
    **{f"CP{page}": f"cp{page}" for page in range(1250, 1259)},
    "LATIN-1": "iso8859-1",
    **{f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
    **{f"8859-{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
    **{f"ISO-8859-{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
}
KNOWN = tuple(_BY_NAME)
_BETWEEN_LETTERS = re.compile(r"[\s_-]+")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FIRST_LINE_AT_MOST = 4096


def codec_of(name: str) -> str | None:
    """Give Python's name of a character set; None when it is not known.

    “ISO-8859-1”, “ISO 8859-1” and “iso8859_1” are one name.
    """
    return _BY_LETTERS.get(_letters_of(name))


def _letters_of(name: str) -> str:
    return _BETWEEN_LETTERS.sub("", name).upper()


_BY_LETTERS = {_letters_of(name): codec for name, codec in _BY_NAME.items()}


def decode(body: bytes, *, charset: str) -> str:
    """Read the bytes of a message as text.

    Raises
    ------
    Refused
        When the character set is not known, or the bytes are not written in it.
    """
    body = body.lstrip(b"\x0b\r\n ")
    codec = _mark_of(body) or _declared(body) or _of_the_laboratory(charset)
    try:
        text = body.decode(codec)
    except UnicodeDecodeError as fault:
        raise refuse(
            ErrorCode.DATA_TYPE,
            Place("MSH", 1, 18),
            f"byte {fault.start + 1} is not {codec}: MSH-18 must name the character set in which "
            "the message is written",
        ) from fault
    if "\x00" in text:
        raise refuse(
            ErrorCode.DATA_TYPE, Place("MSH"), "the message holds U+0000, which is no text"
        )
    return text.removeprefix("\ufeff")


def _mark_of(body: bytes) -> str | None:
    return next((codec for mark, codec in _MARKS if body.startswith(mark)), None)


def _of_the_laboratory(charset: str) -> str:
    if not charset:
        return "utf-8"
    codec = codec_of(charset)
    if codec is None:
        raise refuse(
            ErrorCode.TABLE_VALUE,
            Place("MSH", 1, 18),
            "the laboratory's character set is not known",
        )
    return codec


def _declared(body: bytes) -> str | None:
    """Find what MSH-18 says; the bytes up to there are the same in every set it can name."""
    if not body.startswith(b"MSH") or len(body) < 8:
        return None
    first = body[:_FIRST_LINE_AT_MOST].split(b"\r", 1)[0].split(b"\n", 1)[0]
    fields = first.split(body[3:4])
    if len(fields) < 18:
        return None
    stated = fields[17].decode("ascii", errors="replace").strip()
    if not stated:
        return None
    repetition = chr(body[5])
    names = [each.strip() for each in stated.split(repetition) if each.strip()]
    codecs_named = [codec_of(each) for each in names]
    if not names or None in codecs_named:
        raise refuse(
            ErrorCode.TABLE_VALUE,
            Place("MSH", 1, 18),
            "MSH-18 names a character set that is not of table 0211; UNICODE UTF-8 is best",
        )
    # With repetitions the later ones are switched to by escape sequences
    if "iso2022_jp_ext" in codecs_named:  # which knows half-width kana besides
        return "iso2022_jp_ext"
    return "iso2022_jp_2" if "iso2022_jp_2" in codecs_named else codecs_named[0]
