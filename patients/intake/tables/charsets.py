"""In which characters a CSV file is written: by its mark, its sender, or its laboratory's profile.

Nothing is guessed: µ read in the wrong character set is another unit. What does not decode is
refused, with the row of the byte.
"""

import codecs

from patients.intake.tables.faults import unreadable

_CODECS = {
    "UTF-8": "utf-8",
    "UTF-16": "utf-16",
    "US-ASCII": "ascii",
    "ISO-8859-1": "iso8859-1",
    "ISO-8859-2": "iso8859-2",
    "ISO-8859-15": "iso8859-15",
    "WINDOWS-1250": "cp1250",
    "WINDOWS-1251": "cp1251",
    "WINDOWS-1252": "cp1252",
    "SHIFT_JIS": "cp932",  # as Windows and Excel write it
    "EUC-JP": "euc_jp",
    "GB18030": "gb18030",
    "BIG5": "big5",
    "EUC-KR": "euc_kr",
}
_OTHER_NAMES = {
    "UTF8": "UTF-8",
    "ASCII": "US-ASCII",
    "LATIN-1": "ISO-8859-1",
    "LATIN1": "ISO-8859-1",
    "CP1250": "WINDOWS-1250",
    "CP1251": "WINDOWS-1251",
    "CP1252": "WINDOWS-1252",
    "CP932": "SHIFT_JIS",
    "WINDOWS-31J": "SHIFT_JIS",
}
_MARKS = (
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
KNOWN = tuple(_CODECS)


def codec_of(name: str) -> str | None:
    """Give Python's name of a character set; None when it is not known."""
    stated = name.strip().strip('"').upper()
    return _CODECS.get(_OTHER_NAMES.get(stated, stated))


def decode(body: bytes, *, charset: str) -> str:
    """Read the bytes of a file as text.

    Raises
    ------
    FileIsUnreadable
        When the character set is not known, or the bytes are not written in it.
    """
    marked = next((name for mark, name in _MARKS if body.startswith(mark)), None)
    name = marked or charset
    codec = codec_of(name)
    if codec is None:
        raise unreadable(f"the character set is not known; known are {', '.join(KNOWN)}")
    if codec == "utf-16" and marked is None:
        raise unreadable("a file in UTF-16 must begin with a byte-order mark")
    try:
        text = body.decode(codec)
    except UnicodeDecodeError as fault:
        row = body[: fault.start].count(b"\n") + 1
        raise unreadable(
            f"holds bytes that are not {name}; save the file as UTF-8, or state its character set",
            row=row,
        ) from fault
    return text.removeprefix("\ufeff")
