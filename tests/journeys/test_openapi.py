"""Every operation of the OpenAPI document, asked many things by schemathesis: never a 5xx."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.clinic import set_up
from tests.journeys.site import ROOT, RunningSite

pytestmark = [pytest.mark.journey, pytest.mark.slow]


def test_no_request_that_the_document_allows_or_forbids_is_answered_with_a_5xx(
    running_site: RunningSite, tmp_path: Path
) -> None:
    key = set_up(running_site, tmp_path).key
    tool = Path(sys.executable).with_name("schemathesis")
    done = subprocess.run(
        [
            *(str(tool), "run", str(ROOT / "docs/reference/openapi.yaml")),
            *("--url", running_site.url, "--header", f"Authorization: Bearer {key}"),
            *("--checks", "not_a_server_error", "--max-examples", "30", "--no-color"),
            *("--phases", "examples,fuzzing", "--generation-deterministic"),
            *("--request-timeout", "20"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=500,
    )

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    assert " passed" in done.stdout
