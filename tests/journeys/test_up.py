"""One command runs everything, says what it needs to say, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.journeys.conftest import StartSite
from tests.journeys.site import READY, ROOT, RunningSite, wait_for

pytestmark = pytest.mark.journey

# On a machine that is busy with something else, times say nothing about us
WAS_IDLE = os.getloadavg()[0] < (os.cpu_count() or 1)
EVERYONE = {"postgres", "valkey", "web", "worker", "beat", "watchdog"}


def test_everything_runs_and_one_line_says_where(running_site: RunningSite) -> None:
    page = httpx.get(running_site.url, follow_redirects=True)

    assert page.status_code == 200
    assert set(running_site.processes()) == EVERYONE
    lines = running_site.log.splitlines()
    ready = [line for line in lines if line.startswith(READY)]
    assert len(ready) == 1
    assert f"{running_site.url}/" in ready[0]
    assert f"mail goes to 127.0.0.1:{running_site.mail_server.port}" in ready[0]
    # Each line says whose it is; a web, a worker and a beat that are well have nothing to say
    for name in ("valkey", "postgres"):
        assert f"{name} | " in running_site.log


def test_commands_find_the_embedded_servers_by_themselves(running_site: RunningSite) -> None:
    shown = running_site.manage("migrate", "--check")

    assert (shown.returncode, shown.stderr) == (0, "")


def test_a_second_up_on_the_same_data_says_so(running_site: RunningSite) -> None:
    before = running_site.processes()

    second = running_site.manage("up", "--no-demo")

    assert second.returncode == 1
    assert f"already runs on the data in {running_site.var}" in second.stderr
    assert f"process {running_site.up.pid}" in second.stderr
    assert running_site.processes() == before


def test_a_busy_port_is_said_before_anything_is_started(
    running_site: RunningSite, tmp_path: Path
) -> None:
    other = RunningSite(tmp_path)
    other.environment["PORT"] = str(running_site.port)

    refused = other.manage("up", "--no-demo")

    assert refused.returncode == 1
    assert f"Port {running_site.port} on 127.0.0.1 is already in use" in refused.stderr
    assert refused.stdout == ""
    assert not other.var.exists()


def test_a_database_that_does_not_answer_is_said_before_anything_is_started(
    tmp_path: Path,
) -> None:
    site = RunningSite(tmp_path)
    site.environment["DATABASE_URL"] = "postgres://me:hush@127.0.0.1:1/soundings"

    refused = site.manage("up", "--no-demo")

    assert refused.returncode == 1
    assert "The database of DATABASE_URL does not answer" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "hush" not in refused.stderr
    assert not site.var.exists()


def test_a_command_without_a_port_names_that_of_the_running_copy(running_site: RunningSite) -> None:
    without = {key: value for key, value in running_site.environment.items() if key != "PORT"}
    shown = subprocess.run(
        [
            *(sys.executable, "manage.py", "shell", "-v0", "-c"),
            "from django.conf import settings; print(settings.SITE_URL)",
        ],
        cwd=ROOT,
        env=without,
        capture_output=True,
        text=True,
        check=True,
    )

    assert shown.stdout.strip() == running_site.url


@pytest.mark.parametrize("name", ["web", "worker", "beat", "valkey", "postgres"])
def test_whoever_is_killed_is_started_again(running_site: RunningSite, name: str) -> None:
    before = set(running_site.processes()[name])

    running_site.kill(name)

    def is_back() -> bool:
        now = running_site.processes().get(name, [])
        return bool(now) and not before & set(now)

    wait_for(is_back, within_s=20, what=lambda: running_site.log)
    running_site.wait_until_healthy()
    assert f"{name} | ended with code -9; starts again in" in running_site.log


def test_ctrl_c_stops_everything_and_the_next_start_finds_the_data(start_site: StartSite) -> None:
    site = start_site("--no-demo")
    port_of_database = _database_port(site)
    site.manage("shell", "-c", "from django.core.cache import cache; cache.set('kept', '42', None)")

    code = site.stop(signal.SIGINT)
    site.assert_nothing_is_left()
    log_of_first = site.log
    asked_at_s = time.monotonic()
    site.launch("--no-demo")
    wait_for(lambda: site.status_of("/account/login/") == 200, within_s=60, what=lambda: site.log)
    took_s = time.monotonic() - asked_at_s
    kept = site.manage(
        "shell", "-v0", "-c", "from django.core.cache import cache as c; print(c.get('kept'))"
    )

    assert code == 0
    stops = ["web | has stopped", "Valkey is now ready to exit", "database system is shut"]
    assert sorted(stops, key=log_of_first.index) == stops
    assert kept.stdout.strip() == "42"
    assert _database_port(site) == port_of_database
    print(f"second start to first page: {took_s:.1f} s")
    assert took_s < 10 or not WAS_IDLE  # 5 s by day, here with tests beside it


def test_two_copies_side_by_side_do_not_meet(
    running_site: RunningSite, start_site: StartSite
) -> None:
    other = start_site("--no-demo")

    ours = {pid for pids in running_site.processes().values() for pid in pids}
    theirs = {pid for pids in other.processes().values() for pid in pids}

    assert not ours & theirs
    assert _database_port(running_site) != _database_port(other)
    assert other.stop() == 0
    running_site.wait_until_healthy()


def test_nothing_outlives_an_up_that_is_killed_and_the_next_one_starts(
    start_site: StartSite,
) -> None:
    site = start_site("--no-demo")
    assert set(site.processes()) >= {"postgres", "valkey", "web", "watchdog"}

    site.up.kill()
    site.up.wait(5)
    site.launch("--no-demo")  # at once: it waits for what is still being stopped

    wait_for(lambda: READY in site.log, within_s=60, what=lambda: site.log)
    site.stop()
    site.assert_nothing_is_left()


def test_nothing_outlives_an_up_that_is_killed_together_with_its_watchdog(
    start_site: StartSite,
) -> None:
    site = start_site("--no-demo")
    wait_for(lambda: "worker" in site.processes(), within_s=10)

    site.kill("watchdog")
    site.up.kill()
    site.up.wait(5)

    site.assert_nothing_is_left()


def test_a_web_that_was_killed_leaves_no_process_on_its_port(running_site: RunningSite) -> None:
    workers = running_site.processes()["web"][1:]

    running_site.kill("web")

    assert workers
    wait_for(lambda: not any(Path(f"/proc/{pid}/fd").exists() for pid in workers), within_s=5)
    running_site.wait_until_healthy()


def test_the_first_start_shows_the_demo_cohort_and_its_sign_in(start_site: StartSite) -> None:
    asked_at_s = time.monotonic()

    site = start_site()

    took_s = time.monotonic() - asked_at_s
    email, password = (site.var / "demo_sign_in.txt").read_text().split()
    ready = next(line for line in site.log.splitlines() if line.startswith(READY))
    assert email in ready
    assert password in ready
    print(f"first start with demo data: {took_s:.1f} s")
    assert took_s < 30 or not WAS_IDLE  # 15 s by day, here with tests beside it


def _database_port(site: RunningSite) -> str:
    found = re.search(r"127\.0\.0\.1:(\d+)/soundings", (site.var / "addresses.json").read_text())
    assert found
    return found[1]
