"""The symptom scales: what their items are, how they add up, and what a total means.

Each scale is one JSON file in ``scales/``, with the source of every figure; nothing about a scale
is written anywhere else, and a further file is a further scale. The record scores with it and the
analytics judge with it, which is why it stands below both and knows neither.

Item texts are shipped only where their rights allow it; otherwise items are known by number and
domain, and a site supplies its own licensed wording.
"""

from instruments.declaration import (
    Band,
    DecisionPoint,
    Instrument,
    InstrumentIsUnfit,
    ItemFault,
    SafetyLevel,
    SelfHarm,
    Source,
    instrument_from_json,
    load_instruments,
)
from instruments.spelling import scales_named

INSTRUMENTS: dict[str, Instrument] = load_instruments()
QIDS_SR16 = "QIDS-SR16"


def scales_meant(name: str, *, n_items: int) -> list[Instrument]:
    """Give the scale that is meant by a name; any of so many items, where it is no name of one."""
    return scales_named(INSTRUMENTS, name, n_items=n_items)


__all__ = [
    "INSTRUMENTS",
    "QIDS_SR16",
    "Band",
    "DecisionPoint",
    "Instrument",
    "InstrumentIsUnfit",
    "ItemFault",
    "SafetyLevel",
    "SelfHarm",
    "Source",
    "instrument_from_json",
    "load_instruments",
    "scales_meant",
]
