"""The document of definitions says what the program applies."""

from pathlib import Path

import pytest

from analytics.definitions import RULE_SETS, Rules
from analytics.doses import DOSE_TABLE, LeastDose
from analytics.policy import FlagKind
from analytics.reasons import BIT, Reason, validity_of
from analytics.schedule import DEFAULT_PLAN
from analytics.validity import DISTURBANCES
from instruments import INSTRUMENTS, Instrument

DOCUMENT = (Path(__file__).parents[2] / "docs/reference/definitions.md").read_text()
LINES = DOCUMENT.splitlines()


def row(*starts: str) -> str:
    """Give the one line of a table that begins with these cells."""
    [found] = [line for line in LINES if line.startswith("| " + " | ".join(starts) + " |")]
    return found


@pytest.mark.parametrize("rules", RULE_SETS, ids=lambda rules: rules.version)
def test_every_rule_set_has_its_day(rules: Rules) -> None:
    assert row(f"`{rules.version}`", rules.effective_from.isoformat())


@pytest.mark.parametrize("dose", DOSE_TABLE.values(), ids=lambda dose: dose.drug)
def test_every_least_dose_is_the_one_applied(dose: LeastDose) -> None:
    assert row(dose.drug, dose.atc, f"{dose.least_mg:g}", f"{dose.usual_to_mg:g}")


@pytest.mark.parametrize("scale", INSTRUMENTS.values(), ids=lambda scale: scale.code)
def test_every_scale_has_its_cut_offs(scale: Instrument) -> None:
    found = row(scale.code, f"0-{scale.highest_total}")

    assert f"| {scale.remission_at_most} or less | {scale.relapse_at_least} or more |" in found
    assert found.endswith(f"| {scale.self_harm.item} |")
    assert all(f"{band.name} {band.lowest}-{band.highest}" in found for band in scale.bands)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_its_state(reason: Reason) -> None:
    [found] = [line for line in LINES if line.startswith("| `") and f"`{reason.value}`" in line]

    assert found.split("|")[2].strip().split(",")[0] == validity_of(int(BIT[reason])).value


@pytest.mark.parametrize("kind", DISTURBANCES)
def test_every_window_is_the_one_applied(kind: str) -> None:
    one = DISTURBANCES[kind]
    [found] = [line for line in LINES if line.startswith("| `") and f"`{one.reason.value}`" in line]

    days = f"{one.days_after:g} day" if one.days_after > 1 else "24 hours"
    assert days in found


@pytest.mark.parametrize("kind", list(FlagKind))
def test_every_kind_of_flag_is_described(kind: FlagKind) -> None:
    assert any(line.startswith(f"| `{kind.value}` |") for line in LINES)


def test_the_weeks_of_the_plan_are_the_ones_applied() -> None:
    *weeks, last = map(str, DEFAULT_PLAN.weeks)

    assert f"weeks {', '.join(weeks)} and {last}" in DOCUMENT
