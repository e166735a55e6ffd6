"""Which model a site assesses by, and that no unapproved one gets that far."""

import json
from datetime import date
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from analytics import CURRENT_RELEASE
from analytics.releases import dump
from monitoring.model_in_force import choose
from tests.analytics.test_approval import trained


def put(folder: Path, **changed: str) -> tuple[str, str]:
    release = trained()
    model, approval = folder / "model.json", folder / "approval.json"
    model.write_text(dump(release))
    said = {
        "release": release.version,
        "checksum": release.checksum,
        "approved_by": "Dr A",
        "approved_on": "2026-11-28",
        "reason": "Validated",
    }
    approval.write_text(json.dumps(said | changed))
    return str(model), str(approval)


def test_without_a_word_it_is_the_one_that_comes_along() -> None:
    assert choose("", "") == (CURRENT_RELEASE, None)


def test_an_approved_one_is_in_force(tmp_path: Path) -> None:
    release, approval = choose(*put(tmp_path))

    assert release.version == "my-clinic-1"
    assert approval is not None
    assert (approval.approved_by, approval.approved_on) == ("Dr A", date(2026, 11, 28))


def test_one_without_an_approval_of_it_is_refused(tmp_path: Path) -> None:
    model, approval = put(tmp_path, checksum="0" * 64)

    with pytest.raises(ImproperlyConfigured, match="nobody has approved"):
        choose(model, "")
    with pytest.raises(ImproperlyConfigured, match="and not of my-clinic-1"):
        choose(model, approval)
    with pytest.raises(ImproperlyConfigured, match="no model"):
        choose("", approval)


def test_a_file_that_is_not_there_or_is_none_is_refused(tmp_path: Path) -> None:
    model, approval = put(tmp_path)
    Path(model).write_text("{}")

    with pytest.raises(ImproperlyConfigured, match="MODEL_RELEASE cannot be used: not a release"):
        choose(model, approval)
    with pytest.raises(ImproperlyConfigured, match="MODEL_RELEASE cannot be read"):
        choose(str(tmp_path / "none.json"), approval)
