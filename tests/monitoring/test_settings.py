"""What the environment says wrongly is refused by a sentence, before anything is started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.site import ROOT


def _run(folder: Path, **said: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", "check_vectors", "--help"],
        cwd=ROOT,
        env={**os.environ, "VAR": str(folder), **said},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("PORT", "abc", "a whole number from 1 to 65535, and is “abc”"),
        ("PORT", "70000", "a whole number from 1 to 65535, and is “70000”"),
        ("DATABASE_URL", "mysql://me:secret@host/x", "postgres:// or postgresql://"),
        ("REDIS_URL", "secret", "redis://"),
        ("EMAIL_URL", "secret", "smtp://"),
        ("TRUSTED_PROXY_COUNT", "-1", "a whole number from 0 to 10, and is “-1”"),
        ("LOG_LEVEL", "CHATTY", "one of DEBUG, INFO, WARNING, ERROR, CRITICAL, and is “CHATTY”"),
        ("SITE_URL", "https://", "a host that ALLOWED_HOSTS names too"),
        ("DEBUG", "perhaps", "true or false, and is “perhaps”"),
        ("BEHIND_TLS_PROXY", "ja", "true or false, and is “ja”"),
        ("SIGN_OUT_AFTER_MINUTES", "0", "a whole number from 5 to 1440, and is “0”"),
        ("SIGN_OUT_AFTER_HOURS", "1000", "a whole number from 1 to 24, and is “1000”"),
        ("MODEL_RELEASE", "my-clinic-1.json", "names a model that nobody has approved"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    name: str, text: str, wanted: str, tmp_path: Path
) -> None:
    answer = _run(tmp_path, **{name: text})

    assert answer.returncode == 1
    assert answer.stderr.startswith(f"Soundings is not set up rightly: {name} ")
    assert wanted in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert "secret" not in answer.stderr  # addresses hold passwords
    assert list(tmp_path.iterdir()) == []  # nothing half-made is left


def test_an_empty_setting_counts_as_not_set(tmp_path: Path) -> None:
    answer = _run(tmp_path, PORT="", DATABASE_URL="", REDIS_URL="", EMAIL_URL="", SITE_URL="")

    assert (answer.returncode, answer.stderr) == (0, "")


def test_the_host_that_people_type_is_answered_and_one_that_is_not_is_refused(
    tmp_path: Path,
) -> None:
    site = "https://soundings.example"

    assert _run(tmp_path, SITE_URL=site).returncode == 0
    refused = _run(tmp_path, SITE_URL=site, ALLOWED_HOSTS="other.example")

    assert "SITE_URL cannot be used" in refused.stderr
