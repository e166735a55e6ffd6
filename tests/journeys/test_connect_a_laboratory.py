"""The how-to for laboratories is run as it stands: every block, in its order, on a started copy."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.clinic import Clinic, set_up
from tests.journeys.node_clients import install
from tests.journeys.site import ROOT, RunningSite

pytestmark = pytest.mark.journey

HOW_TO = ROOT / "docs/how-to/connect-a-laboratory.md"
BLOCK = re.compile(r"^```(sh|python|js)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def script(text: str, *, site: str, with_node: bool) -> str:
    """Write the document's blocks as one script; what they say to each other stays in the shell."""
    parts = ["set -e -o pipefail"]
    for number, (language, code) in enumerate(BLOCK.findall(text)):
        if "snd_kQI3" in code:  # the key of an example
            continue
        if language == "sh":
            # Run in a folder of its own, so that its files are nobody's
            here = code.replace("http://127.0.0.1:8000", site)
            parts.append(
                here.replace(".venv/bin/python manage.py", f"{sys.executable} {ROOT}/manage.py")
            )
        elif language == "python":
            parts.append(f"{sys.executable} - <<'END'\n{code}END")
        elif with_node:
            parts.append(f"cat > block{number}.mjs <<'END'\n{code}END\nnode block{number}.mjs")
        parts.append("echo")
    return "\n".join(parts)


@pytest.fixture(scope="module")
def clinic(running_site: RunningSite, tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    return set_up(running_site, tmp_path_factory.mktemp("clinic"))


def test_every_block_of_the_how_to_does_what_it_says(
    running_site: RunningSite, clinic: Clinic, tmp_path: Path
) -> None:
    missing = install(tmp_path)
    text = HOW_TO.read_text().replace('"North laboratory"', '"How-to laboratory"')

    done = subprocess.run(
        ["bash", "-c", script(text, site=running_site.url, with_node=not missing)],
        cwd=tmp_path,
        env={**running_site.environment, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=240,
    )

    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-2000:]
    said = ["fhirclient ", "fhirpy ", "token for system/Observation.cu", "MSA|AA|M-23"]
    said += [] if missing else ["fhir-kit-client ", "medplum "]
    for word in said:
        assert word in done.stdout
    assert done.stdout.count("5 of 5 results are held as they should be.") == 2
    if missing:
        pytest.skip(f"The JavaScript blocks were not tried: {missing}")


@pytest.mark.parametrize(
    ("dialect", "seed"), [("json", "11"), ("fhir", "12"), ("hl7v2", "13"), ("csv", "14")]
)
def test_the_invented_laboratory_finds_all_held_as_it_should_be(
    running_site: RunningSite, clinic: Clinic, dialect: str, seed: str
) -> None:
    options = ["--dialect", dialect, "--seed", seed, "--draws", "25", "--check"]
    known = ["--patient", "urn:clinic:mrn|0000"]

    told = running_site.manage(
        "lab_simulator", "--url", running_site.url, "--key", clinic.key, *options, *known
    )

    assert told.returncode == 0, told.stdout + told.stderr
    assert "; 0 wrong." in told.stdout
    assert "25 of 25 results are held as they should be." in told.stdout


def test_the_invented_laboratory_says_what_is_wrong(running_site: RunningSite) -> None:
    told = running_site.manage(
        "lab_simulator", "--url", running_site.url, "--key", "snd_wrong", "--draws", "3"
    )

    assert told.returncode != 0
    assert "401 - WRONG" in told.stdout


def test_the_tools_of_the_how_to_are_here() -> None:
    assert shutil.which("bash")
    assert shutil.which("curl")
