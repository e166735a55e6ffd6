"""What an operator sets up before anybody can work, by the commands that operators have."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.journeys.site import RunningSite, wait_for

EMAIL, PASSWORD = "reader@example.org", "a long enough password"


@dataclass
class Clinic:
    """A team with one clinician, one laboratory with its key, and patients who are known."""

    site: RunningSite
    key: str

    def push(self, message: dict[str, Any]) -> httpx.Response:
        return httpx.post(
            f"{self.site.url}/api/v1/results",
            json=message,
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=20,
        )

    def status(self) -> dict[str, Any]:
        """Read what the copy says of itself."""
        told = self.site.manage("status", "--json")
        assert told.returncode == 0, told.stderr
        return dict(json.loads(told.stdout))

    def wait_until(self, within_s: float = 60, **wanted: Any) -> None:
        """Wait until the copy says these things of itself."""

        def is_so() -> bool:
            status = self.status()
            return all(status[name] == value for name, value in wanted.items())

        wait_for(is_so, within_s=within_s, what=lambda: f"{self.status()}\n{self.site.log}")


def days_ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds")


def draw(number: int, mrn: str, *, days: float = 3, value: str = "37.50") -> dict[str, Any]:
    return {
        "accession": f"A-{number}",
        "patient": {"system": "urn:clinic:mrn", "value": mrn},
        "collected_at": days_ago(days),
        "results": [{"analyte": "sIL-6R", "value": value, "unit": "ng/mL"}],
    }


def set_up(site: RunningSite, folder: Path, *, patients: int = 1) -> Clinic:
    """Add people, a laboratory and patients as the guide for operators says."""
    first_dose = (datetime.now(UTC) - timedelta(weeks=8)).date().isoformat()
    people = folder / "patients.csv"
    people.write_text(
        "system,value,family,given,birth_date,sex,started_on\n"
        + "".join(
            f"urn:clinic:mrn,{number:04},Invented,Ida,1980-05-01,female,{first_dose}\n"
            for number in range(patients)
        )
    )
    key = ""
    for arguments, typed in [
        (["add_team", "Kita clinic", "Ward 3", "--zone", "Asia/Tokyo"], None),
        (["add_clinician", EMAIL, "--team", "Ward 3", "--password-stdin"], PASSWORD),
        (["add_laboratory", "North", "--zone", "Asia/Tokyo"], None),
        (["import_patients", str(people), "--team", "Ward 3"], None),
        (["issue_key", "North"], None),
    ]:
        done = site.manage(*arguments, input=typed)
        assert done.returncode == 0, done.stdout + done.stderr
        key = done.stdout.strip().splitlines()[-1]
    return Clinic(site, key)


def import_ratings(clinic: Clinic, folder: Path, text: str) -> None:
    """Bring ratings in by the operator's command."""
    file = folder / "ratings.csv"
    file.write_text(text)
    done = clinic.site.manage("import_ratings", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def without_improvement(mrn: str) -> str:
    """Write ratings that say that nothing has improved in eight weeks."""
    return "system,value,instrument,rated_at,total\n" + "".join(
        f"urn:clinic:mrn,{mrn},QIDS-SR16,{days_ago(days)},{total}\n"
        for days, total in [(56, 18), (42, 18), (28, 17), (14, 18), (1, 18)]
    )


def with_self_harm(mrn: str) -> str:
    """Write one rating by item whose item 12 is above zero."""
    items = ",".join(f"q{number}" for number in range(1, 17))
    answers = ",".join("2" if number == 12 else "1" for number in range(1, 17))
    return (
        f"system,value,instrument,rated_at,{items}\n"
        f"urn:clinic:mrn,{mrn},QIDS-SR16,{days_ago(1)},{answers}\n"
    )
