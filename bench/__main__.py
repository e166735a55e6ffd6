"""Measure the road, each figure beside its yardstick of the same run: `make bench`.

python -m bench [--write]     --write puts the tables into docs/reference/performance.md
"""

import os
import platform
import sys
from collections.abc import Callable, Sequence
from datetime import date
from importlib import import_module
from pathlib import Path

import django

from bench import site

PAGE = Path("docs/reference/performance.md")
TEAMS = {"few": 100, "many": 10_000, "very many": 100_000}


def machine() -> str:
    names = [
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    model = names[0].partition(":")[2].strip() if names else platform.processor()
    memory = Path("/proc/meminfo").read_text().split()[1]
    return (
        f"{len(os.sched_getaffinity(0))} processors ({model}), "
        f"{int(memory) / 1024**2:.0f} GiB, Python {platform.python_version()}, "
        f"{date.today().isoformat()}"  # noqa: DTZ011 - the day of the run, for people
    )


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def measure(say: Callable[[str], None]) -> None:
    """Run every measurement; modules that need Django are taken once it is set up."""
    data, door = import_module("bench.data"), import_module("bench.door")
    yardsticks = import_module("bench.yardsticks")
    assert yardsticks.fsync_is_on()
    yardsticks.make_table()
    teams = {
        name: data.make_team(name, patients=TEAMS[name], with_draws=False)
        for name in ("few", "many")
    }
    key = data.key()
    team, patients = teams["many"], TEAMS["many"]
    say(_latency_table(team, patients, key))
    teams["very many"] = data.make_team("very many", patients=TEAMS["very many"], with_draws=True)

    insert = yardsticks.single_inserts_per_second(seconds=8)
    copied = yardsticks.copied_rows_per_second(rows=200_000)
    copied_draws = yardsticks.copied_draws_per_second(team, draws=50_000)
    _wait_until_calm()
    with site.worker_held():
        door.single_pushes(team, patients, key, clients=8, s=3)  # warm-up
        pushed = {
            clients: door.single_pushes(team, patients, key, clients=clients, s=8)
            for clients in (8, 16, 32)
        }
        batched = door.batches(team, patients, key, clients=8, count=200)
    insert_again = yardsticks.single_inserts_per_second(seconds=8)
    insert = (insert + insert_again) / 2
    say(_door_table(insert, copied, copied_draws, pushed, batched))
    say(_fhir_tables(team, patients, key, copied_draws))
    _wait_until_calm()
    with site.worker_held():
        rate = import_module("bench.assessing").assessments_per_second(teams["very many"])
    say(
        table(
            ("assessing 100,000 patients with 10 draws each", "a second"),
            [("estimates with flags and alerts, written", f"{rate:,.0f}")],
        )
    )
    rows = []
    for name, count in TEAMS.items():
        queries, worklist, empty = import_module("bench.worklist").look(teams[name])
        rows.append((f"{count:,}", str(queries), f"{worklist:.1f} ms", f"{worklist / empty:.1f}×"))
    say(table(("patients", "queries", "worklist", "of an empty signed-in page"), rows))


def _latency_table(team: object, patients: int, key: str) -> str:
    """Push at steady rates while the worker is at its ordinary work and has nothing left over."""
    door = import_module("bench.door")
    import_module("patients.models").Patient.objects.update(stale_since="2026-09-01T00:00:00Z")
    _wait_until_calm()
    door.push_to_assessed_ms(team, patients, key, per_second=50, seconds=4)  # warm-up
    waits = {
        rate: door.push_to_assessed_ms(team, patients, key, per_second=rate, seconds=10)
        for rate in (20, 100, 200)
    }
    door.stop_watching_assessments()
    return table(
        ("pushes/s", "push to assessed p50", "p99"),
        [(str(rate), f"{p50:.0f} ms", f"{p99:.0f} ms") for rate, (p50, p99) in waits.items()],
    )


def _door_table(
    insert: float,
    copied: float,
    copied_draws: float,
    pushed: dict[int, object],
    batched: float,
) -> str:
    rows = [
        ("yardstick: pgbench, single INSERT, 8 clients", f"{insert:,.0f} /s", "1", "", ""),
    ]
    for clients, outcome in pushed.items():
        per_second = outcome.per_second  # type: ignore[attr-defined]
        rows.append(
            (
                f"single pushes, {clients} clients",
                f"{per_second:,.0f} /s",
                f"{per_second / insert:.3f}",
                f"{outcome.percentile_ms(0.5):.1f} ms",  # type: ignore[attr-defined]
                f"{outcome.percentile_ms(0.99):.1f} ms",  # type: ignore[attr-defined]
            )
        )
    rows += [
        ("yardstick: COPY of draws into the same tables", f"{copied_draws:,.0f} /s", "1", "", ""),
        (
            "draws in batches of 100, 8 clients",
            f"{batched:,.0f} /s",
            f"{batched / copied_draws:.3f}",
            "",
            "",
        ),
        (
            "the same, against COPY into one plain table",
            f"{copied:,.0f} rows/s",
            f"{batched / copied:.3f}",
            "",
            "",
        ),
    ]
    return table(("the laboratory's door", "rate", "ratio", "p50", "p99"), rows)


def _fhir_tables(team: object, patients: int, key: str, copied_draws: float) -> str:
    """Push the same rows by the FHIR door and by plain SQL; set the reader beside json.loads."""
    fhir, yardsticks = import_module("bench.fhir"), import_module("bench.yardsticks")
    _wait_until_calm()
    plain = yardsticks.plain_results_per_second(team, seconds=8)
    rows = [("yardstick: the same rows by plain SQL, 8 clients", f"{plain:,.0f} /s", "", "1")]
    with site.worker_held():
        fhir.single_results(team, patients, key, clients=8, s=3)  # warm-up
        fhir.batches(team, patients, key, results=100, clients=4, s=3)
        pushed = {1: fhir.single_results(team, patients, key, clients=8, s=8)} | {
            results: fhir.batches(team, patients, key, results=results, clients=4, s=6)
            for results in (100, 500)
        }
    for results, outcome in pushed.items():
        if results == 100:
            told = f"{copied_draws:,.0f} /s"
            rows.append(("yardstick: COPY of the same rows, one transaction", told, "", "1"))
        stick = plain if results == 1 else copied_draws
        rows.append(
            (
                "one Observation, 8 clients" if results == 1 else f"batch of {results}, 4 clients",
                f"{outcome.per_second * results:,.0f} /s",
                f"{outcome.per_second:,.1f} /s, {outcome.percentile_ms(0.5):.1f} ms, "
                f"{outcome.percentile_ms(0.99):.1f} ms",
                f"{outcome.per_second * results / stick:.3f}",
            )
        )
    head = ("the FHIR door", "results", "requests, p50, p99", "ratio")
    reader = table(
        ("the FHIR reader", "size", "json.loads", "read and checked", "ratio"),
        fhir.reader_rows(team, patients),
    )
    others = table(
        ("the other readers", "size", "json.loads, str.split, csv", "read and checked", "ratio"),
        import_module("bench.readers").reader_rows(),
    )
    return f"{table(head, rows)}\n\n{reader}\n\n{others}"


def _wait_until_calm() -> None:
    """Let the worker work off what is new; held in the middle of it, it would hold rows."""
    patient = import_module("patients.models").Patient
    sleep = import_module("time").sleep
    patient.objects.filter(standing=None).update(stale_since="2026-09-01T00:00:00Z")
    while patient.objects.stale().exists():
        sleep(0.5)
    # The day's first look at everybody locks them too; it waits for its turn in the timetable
    standing = import_module("monitoring.models").Standing
    today = import_module("django.utils.timezone").now().date()
    with import_module("django.db").transaction.atomic():
        # in one order, as workers are at some of them
        list(standing.objects.select_for_update().order_by("pk").values_list("pk"))
        standing.objects.update(visits_checked_on=today)
    sleep(1)


def main() -> None:
    told = [f"Measured on {machine()}, embedded PostgreSQL and Valkey, fsync on."]

    def say(text: str) -> None:
        told.append(text)
        print(f"\n{text}", flush=True)

    with site.running():
        django.setup()
        measure(say)
    if "--write" in sys.argv:
        before, mark, _ = PAGE.read_text().partition("<!-- measured -->")
        PAGE.write_text(before + mark + "\n\n" + "\n\n".join(told) + "\n")


if __name__ == "__main__":
    main()
