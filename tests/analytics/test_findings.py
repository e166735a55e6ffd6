"""What an estimate is made of comes back from the record, whatever its codes were called."""

from analytics.findings import LeftOut
from analytics.reasons import Reason


def test_a_reason_that_was_renamed_is_read_by_its_present_name() -> None:
    content = {
        "what": "sIL-6R",
        "reason": "crp_over_10_in_same_draw",
        "reasons": ["crp_over_10_in_same_draw", "haemolysis"],
        "analyte": "sIL-6R",
        "drawn_at": "2026-02-02T08:00:00+00:00",
        "is_plotted": True,
    }

    found = LeftOut.from_json(content)

    assert found.reason == Reason.ACUTE_PHASE
    assert found.reasons == (Reason.ACUTE_PHASE, Reason.HAEMOLYSIS)
