"""The published vectors agree, and a wrong one is found and named."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from analytics.policy import FlagKind
from monitoring.management.commands.check_vectors import PUBLISHED
from monitoring.vectors import KINDS, Case, answer, first_difference, read_vectors

CASES = read_vectors(PUBLISHED, kinds=KINDS)


def vectors(tmp_path: Path, **change: Any) -> Path:
    content = {
        "format": 1,
        "kind": "score",
        "about": "a stranger's file",
        "source": "ids-qids.org",
        "cases": [
            {
                "name": "one item",
                "given": {"instrument": "QIDS-SR16", "items": [0] * 15 + [2]},
                "expected": {"total": 2},
            }
        ],
    }
    (tmp_path / "theirs.json").write_text(json.dumps(content | change))
    return tmp_path


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.file}: {case.name}")
def test_every_published_case_agrees(case: Case) -> None:
    got = answer(case.kind, case.given)

    assert first_difference(case.expected, got, tolerance=case.tolerance) is None


def test_there_are_enough_cases_and_each_says_where_it_is_from() -> None:
    assert len(CASES) >= 150
    assert all(case.source for case in CASES)


def test_every_kind_of_flag_is_fired_by_a_case() -> None:
    fired = {
        kind
        for case in CASES
        if isinstance(case.expected, dict)
        for kind in _flags_of(case.expected)
    }

    assert fired == {kind.value for kind in FlagKind}


def _flags_of(expected: dict[str, Any]) -> set[str]:
    found = {kind for kind, flag in expected.get("flags", {}).items() if flag.get("is_raise", True)}
    flag = expected.get("flag")
    if isinstance(flag, str):
        found.add(flag)
    elif flag and flag.get("is_raise", True):
        found.add(flag["kind"])
    return found


def test_the_command_prints_how_many_agree() -> None:
    out = io.StringIO()

    call_command("check_vectors", stdout=out)

    assert out.getvalue() == f"{len(CASES)} cases in {len({c.file for c in CASES})} files agree.\n"


def test_a_strangers_directory_is_read(tmp_path: Path) -> None:
    out = io.StringIO()

    call_command("check_vectors", str(vectors(tmp_path)), stdout=out)

    assert out.getvalue() == "1 cases in 1 files agree.\n"


def test_the_first_case_that_differs_is_named_with_both_values(tmp_path: Path) -> None:
    wrong = {
        "name": "wrong",
        "given": {"instrument": "PHQ-9", "items": [1] * 9},
        "expected": {"total": 8},
    }

    with pytest.raises(CommandError, match=r"theirs\.json, “wrong”: total: expected 8, got 9"):
        call_command("check_vectors", str(vectors(tmp_path, cases=[wrong])))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"format": 2}, "format 2; wanted: 1"),
        ({"kind": "horoscope"}, "kind 'horoscope'"),
        ({"kind": ["score"]}, "kind"),
        ({"cases": [{"name": "bare"}]}, "an object given, and what is expected"),
        ({"cases": [{"name": "n", "given": [], "expected": {}}]}, "an object given"),
        ({"cases": {"n": 1}}, "wanted: a list of cases"),
        ({"cases": []}, "no case in any file"),
        ({"tolerance": "little"}, "tolerance 'little'; wanted: a number"),
        ({"tolerance": float("inf")}, "Infinity is no number of JSON"),
        ({"tolerance": 1e9}, "tolerance 1000000000.0; wanted: a number from 0 to 0.01"),
        ({"cases": [{"name": "n", "given": {"z": float("nan")}}]}, "NaN is no number of JSON"),
        ({"source": " "}, "source ' '; wanted: where the values come from"),
    ],
)
def test_a_file_that_holds_no_vectors_is_refused(
    tmp_path: Path, change: dict[str, Any], fault: str
) -> None:
    with pytest.raises(CommandError, match=fault):
        call_command("check_vectors", str(vectors(tmp_path, **change)))


def test_a_directory_without_vectors_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"no file that ends in \.json"):
        call_command("check_vectors", str(tmp_path))


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="there is no such directory"):
        call_command("check_vectors", str(tmp_path / "nowhere"))


def test_a_single_file_will_do(tmp_path: Path) -> None:
    out = io.StringIO()

    call_command("check_vectors", str(vectors(tmp_path) / "theirs.json"), stdout=out)

    assert out.getvalue() == "1 cases in 1 files agree.\n"


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("history", {"at_day": 3, "ratings": [{"day": "monday", "total": 3}]}),
        ("history", {"at_day": 3, "ratings": 7}),
        ("score", {"instrument": "PHQ-9", "items": 3}),
        ("schedule", {"what": "rating", "started_on": 20260105, "today": "2026-01-05"}),
        ("real change", {"results": []}),
        ("reference change", {"within_cv": 0.15, "assay_cv": 0.1, "form": "symetric"}),
        ("history", {"at_day": 3, "trails": []}),
        ("history", {"at_day": 3, "trials": [{"from_day": 0, "adherance": "poor"}]}),
        ("score", {"instrumnt": "PHQ-9", "items": [0] * 9}),
    ],
)
def test_a_case_of_another_shape_is_named_with_what_is_wrong(
    tmp_path: Path, kind: str, given: dict[str, Any]
) -> None:
    odd = {"name": "odd", "given": given, "expected": {"total": 1}}

    with pytest.raises(CommandError, match=r"theirs\.json, “odd”: what is given cannot be read"):
        call_command("check_vectors", str(vectors(tmp_path, kind=kind, cases=[odd])))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_case_that_lost_what_it_gave_is_no_refusal_that_was_expected(
    tmp_path: Path, kind: str
) -> None:
    lost = {"name": "lost", "given": {}, "expected": {"is_refused": True}}

    with pytest.raises(CommandError, match=r"theirs\.json, “lost”"):
        call_command("check_vectors", str(vectors(tmp_path, kind=kind, cases=[lost])))


def test_a_row_that_lost_a_field_is_named_too(tmp_path: Path) -> None:
    given = {"at_day": 50, "ratings": [{"day": 3}]}
    lost = {"name": "lost", "given": given, "expected": {"is_refused": True}}

    with pytest.raises(CommandError, match=r"\(total: not given\)"):
        call_command("check_vectors", str(vectors(tmp_path, kind="history", cases=[lost])))


def test_a_number_too_great_for_a_computer_is_refused(tmp_path: Path) -> None:
    text = (vectors(tmp_path) / "theirs.json").read_text()
    (tmp_path / "theirs.json").write_text(text.replace('"total": 2', '"total": 1e999'))

    with pytest.raises(CommandError, match="1e999 is no number of JSON"):
        call_command("check_vectors", str(tmp_path))


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    text = (vectors(tmp_path) / "theirs.json").read_text()
    (tmp_path / "theirs.json").write_text(text.replace('"format": 1,', '"format": 1, "kind": "x",'))

    with pytest.raises(CommandError, match="'kind' stands twice in one object"):
        call_command("check_vectors", str(tmp_path))


def test_a_field_that_does_not_exist_is_no_refusal_that_was_expected(tmp_path: Path) -> None:
    odd = {"name": "odd", "given": {"instrumnt": "PHQ-9"}, "expected": {"is_refused": True}}

    with pytest.raises(CommandError, match="instrumnt: there is no such field; wanted: instrument"):
        call_command("check_vectors", str(vectors(tmp_path, cases=[odd])))


def test_what_a_case_forgets_to_give_is_named(tmp_path: Path) -> None:
    lacking = {"name": "lacking", "given": {"items": []}, "expected": {"total": 0}}

    with pytest.raises(CommandError, match="instrument"):
        call_command("check_vectors", str(vectors(tmp_path, cases=[lacking])))
