"""The scales as they are shipped, and what a declaration may not say."""

import json
from pathlib import Path
from typing import Any

import pytest

from instruments import (
    INSTRUMENTS,
    InstrumentIsUnfit,
    ItemFault,
    SafetyLevel,
    instrument_from_json,
    load_instruments,
)
from instruments.declaration import SCALES


def declared(code: str = "PHQ-9") -> dict[str, Any]:
    content: dict[str, Any] = json.loads((SCALES / f"{code.lower()}.json").read_text())
    return content


def harm(
    *lowest: int, item: int = 9, words: tuple[str, ...] = ("same_day", "urgent")
) -> dict[str, Any]:
    levels = zip(lowest, words, strict=False)
    return {"item": item, "levels": [{"at_least": low, "level": word} for low, word in levels]}


def test_a_declaration_without_its_item_on_self_harm_is_refused() -> None:
    content = declared()
    del content["self_harm"]

    with pytest.raises(InstrumentIsUnfit, match="PHQ-9: self_harm: missing"):
        instrument_from_json(content)


def test_the_four_scales_and_the_clinicians_qids_are_shipped() -> None:
    assert set(INSTRUMENTS) == {"QIDS-SR16", "QIDS-C16", "HAM-D17", "MADRS", "PHQ-9"}


# Ranges: ids-qids.org; Zimmerman 2013; loinc.org 44261-6
@pytest.mark.parametrize(
    ("code", "highest"),
    [("QIDS-SR16", 27), ("QIDS-C16", 27), ("HAM-D17", 52), ("MADRS", 60), ("PHQ-9", 27)],
)
def test_all_highest_answers_give_the_highest_total(code: str, highest: int) -> None:
    scale = INSTRUMENTS[code]

    assert scale.total(list(scale.highest_answers)) == highest
    assert scale.total([0] * scale.n_items) == 0


@pytest.mark.parametrize("code", ["HAM-D17", "MADRS", "PHQ-9"])
def test_an_incomplete_form_of_single_items_has_no_total(code: str) -> None:
    scale = INSTRUMENTS[code]
    for place in range(scale.n_items):
        answers: list[int | None] = list(scale.highest_answers)
        answers[place] = None
        assert scale.total(answers) is None


_DAY, _URGENT, _NOW = SafetyLevel


@pytest.mark.parametrize(
    ("code", "item", "levels"),
    [
        ("QIDS-SR16", 12, [_DAY, _URGENT, _NOW]),
        ("PHQ-9", 9, [_DAY, _URGENT, _NOW]),
        ("HAM-D17", 3, [_DAY, _URGENT, _NOW, _NOW]),
        ("MADRS", 10, [_DAY, _URGENT, _NOW, _NOW, _NOW, _NOW]),
    ],
)
def test_every_scale_knows_its_item_on_self_harm_and_its_levels(
    code: str, item: int, levels: list[SafetyLevel]
) -> None:
    harm = INSTRUMENTS[code].self_harm

    assert harm.item == item
    assert harm.level(None) is None
    assert [harm.level(answer) for answer in range(len(levels) + 1)] == [None, *levels]


def test_an_answer_out_of_range_is_refused_by_item_and_range() -> None:
    answers = [0] * 17
    answers[3] = 3

    with pytest.raises(ItemFault, match="item 4: 3 is not a whole number from 0 to 2"):
        INSTRUMENTS["HAM-D17"].total(answers)


def test_only_phq_9_ships_its_wording() -> None:
    worded = {code: len(scale.item_texts) for code, scale in INSTRUMENTS.items()}

    assert worded == {"QIDS-SR16": 0, "QIDS-C16": 0, "HAM-D17": 0, "MADRS": 0, "PHQ-9": 9}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"highest_total": 28}, "add up"),
        ({"bands": [{"name": "all", "lowest": 1, "highest": 27}]}, "bands follow"),
        ({"remission_at_most": 10}, "remission lies below relapse"),
        ({"partial_share": 0.5}, "partial response"),
        ({"rater": "neighbour"}, "rater"),
        ({"item_texts": ["one"]}, "all or none"),
        ({"sources": []}, "sources"),
        ({"self_harm": {"item": 9, "levels": [{"at_least": 2, "level": "urgent"}]}}, "from 1"),
        ({"self_harm": harm(1, item=12)}, "one of the 9 items"),
        ({"self_harm": harm(1, 9)}, "answers that the item has, up to 3"),
        ({"self_harm": harm(1, 2, words=("immediate", "same_day"))}, "no less haste"),
        ({"remission_at_most": 40, "relapse_at_least": 41}, "totals of the scale"),
        ({"self_harm": None}, "another shape"),
        ({"bands": []}, "another shape"),
        ({"weight": 3}, "weight: there is no such field"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(
    change: dict[str, Any], fault: str
) -> None:
    with pytest.raises(InstrumentIsUnfit, match=fault):
        instrument_from_json(declared() | change)


def test_a_further_file_is_a_further_scale(tmp_path: Path) -> None:
    for place, code in enumerate(("PHQ-9", "OURS-9"), start=1):
        content = declared() | {"code": code, "rank": place}
        (tmp_path / f"{code}.json").write_text(json.dumps(content))

    assert list(load_instruments(tmp_path)) == ["PHQ-9", "OURS-9"]


def test_two_scales_of_one_rank_are_refused(tmp_path: Path) -> None:
    for code in ("PHQ-9", "OURS-9"):
        (tmp_path / f"{code}.json").write_text(json.dumps(declared() | {"code": code}))

    with pytest.raises(InstrumentIsUnfit, match="rank"):
        load_instruments(tmp_path)
