"""Which scale somebody means who has not written its code as we do.

Nothing is taken in by this: the record wants the code. It serves only what must be said aloud
of an answer that is turned away.
"""

from collections.abc import Mapping

from instruments.declaration import Instrument


def scales_named(scales: Mapping[str, Instrument], name: str, *, n_items: int) -> list[Instrument]:
    """Give the scale of a name, however it is spelt; where it is none, those of that length."""
    plain = {_plain(code): scale for code, scale in scales.items()}
    if (named := plain.get(_plain(name))) is not None:
        return [named]
    return [scale for scale in scales.values() if scale.n_items == n_items]


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
