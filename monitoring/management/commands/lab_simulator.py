"""The operator's door: an invented laboratory pushes, and says what it was answered."""

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from monitoring.simulator.dialects import DIALECTS, Dialect, Reply
from monitoring.simulator.line import Line, NoReceiver
from monitoring.simulator.stream import Saying, Stream, What, stream

DRAWS_AT_MOST = 100_000


class Command(BaseCommand):
    help = (
        "Push a seeded stream of synthetic results with duplicates, corrections, disorder and "
        "faults; with --check compare what the receiver holds with what it should."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", required=True, help="a whole site, or a door of it")
        parser.add_argument("--dialect", choices=DIALECTS, default="fhir")
        parser.add_argument("--key", help="a laboratory's key")
        parser.add_argument("--client", metavar="NAME", help="a client id, with --secret")
        parser.add_argument("--secret", help="the client's secret")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--draws", type=int, default=20, metavar="N")
        parser.add_argument(
            "--patient",
            action="append",
            default=[],
            metavar="SYSTEM|VALUE",
            help="a number that the receiver knows; may be repeated",
        )
        parser.add_argument("--check", action="store_true")
        parser.add_argument("--quiet", action="store_true", help="only the counts")

    def handle(self, *args: Any, **options: Any) -> None:
        dialect = DIALECTS[options["dialect"]]
        said = stream(
            seed=options["seed"],
            draws=_read_count(options["draws"]),
            patients=[_read_patient(each) for each in options["patient"]],
            keeps_order=not dialect.has_time_of_issue,
        )
        try:
            line = Line(options["url"], door=dialect.door)
            _open(line, options)
            wrong = self._push(line, dialect, said, is_quiet=options["quiet"])
            if options["check"]:
                wrong += self._check(line, dialect, said)
        except NoReceiver as fault:
            raise CommandError(str(fault)) from fault
        if wrong:
            message = f"{wrong} answers are not those of a perfect receiver."
            raise CommandError(message)

    def _push(self, line: Line, dialect: Dialect, said: Stream, *, is_quiet: bool) -> int:
        """Send everything; count what was refused though it is right, or taken though it is not."""
        counts: Counter[str] = Counter()
        wrong = 0
        for number, saying in enumerate(said.sayings, start=1):
            reply = line.send(dialect.write(saying))
            is_right = _is_right(dialect, saying, reply)
            wrong += not is_right
            counts[saying.what] += 1
            counts["repeated"] += saying.is_repeated
            if not is_quiet or not is_right:
                again = " again" if saying.is_repeated else ""
                verdict = "" if is_right else " - WRONG"
                self.stdout.write(
                    f"{number:5} {saying.what}{again} {saying.name}: {reply.status}{verdict}"
                )
        sent = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()) if count)
        self.stdout.write(f"Sent {len(said.sayings)} messages (synthetic): {sent}; {wrong} wrong.")
        return wrong

    def _check(self, line: Line, dialect: Dialect, said: Stream) -> int:
        """Ask after every result; say which are not held as they should be."""
        wrong = 0
        for saying in said.last.values():
            reply = line.send(dialect.ask_again(saying))
            if not dialect.holds(reply, saying):
                wrong += 1
                self.stdout.write(f"{saying.name} is not held as {saying.what}: {reply.status}")
        held = len(said.last) - wrong
        self.stdout.write(f"{held} of {len(said.last)} results are held as they should be.")
        return wrong


def _is_right(dialect: Dialect, saying: Saying, reply: Reply) -> bool:
    """Tell whether what is right was taken, and what is faulty refused without breaking down."""
    if saying.what == What.FAULT:
        return reply.status < 500 and not dialect.is_taken(reply)
    return dialect.is_taken(reply)


def _open(line: Line, options: dict[str, Any]) -> None:
    if options["key"]:
        line.show_key(options["key"])
    elif options["client"] and options["secret"]:
        line.sign_in(options["client"], options["secret"])
    else:
        raise CommandError("Give --key, or --client with --secret.")


def _read_count(draws: int) -> int:
    if not 0 < draws <= DRAWS_AT_MOST:
        message = f"--draws must be a whole number from 1 to {DRAWS_AT_MOST}."
        raise CommandError(message)
    return draws


def _read_patient(text: str) -> tuple[str, str]:
    system, bar, value = text.partition("|")
    if not (system and bar and value):
        message = f"--patient {text} is not SYSTEM|VALUE, such as urn:clinic:mrn|0042."
        raise CommandError(message)
    return system, value
