"""Promises about the whole house: sizes, names, signals, the clock, the declared columns."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("instruments", "patients", "analytics", "monitoring")
LINES_AT_MOST = 400
LINES_OF_TESTS_AT_MOST = 600
LINES_OF_A_FUNCTION_AT_MOST = 50

# Who may read the clock: views, tasks, commands, and the processes that run a copy
DOORS = (
    "monitoring/hl7v2/mllp.py",
    "monitoring/hl7v2/views.py",
    "monitoring/api/",
    "monitoring/oauth2/views.py",
    "monitoring/wsgi.py",
    "monitoring/fhir/views.py",
    "monitoring/portal/",
    "monitoring/tasks.py",
    "monitoring/management/",
    "monitoring/mail_files.py",
    "monitoring/embedded/",
    "monitoring/pulse.py",
    "monitoring/sessions.py",
    "monitoring/health.py",
)
CLOCKS = {
    "timezone.now",
    "timezone.localdate",
    "timezone.localtime",
    "datetime.now",
    "datetime.today",
    "datetime.utcnow",
    "date.today",
    "time.time",
    "functions.Now",
    "Now",
}
# A localtime of a given time only changes its zone
WITHOUT_ARGUMENTS_ONLY = {"timezone.localtime", "timezone.localdate"}
NO_NAMES = {"utils", "helpers", "common", "services", "util", "helper", "misc"}
COLUMNS = ROOT / "docs/reference/columns.json"


def modules(*rooms: str) -> list[Path]:
    """The Python files of these rooms; migrations are made by a tool."""
    return [
        path
        for room in rooms
        for path in sorted((ROOT / room).rglob("*.py"))
        if "migrations" not in path.parts
    ]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def lines_of_code(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> int:
    """Count what is to be understood: not the docstring, which is a contract, nor comments."""
    inside = set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    if ast.get_docstring(node) is not None:
        contract = node.body[0]
        inside -= set(range(contract.lineno, (contract.end_lineno or contract.lineno) + 1))
    texts = [lines[number - 1].strip() for number in inside]
    return sum(bool(text) and not text.startswith("#") for text in texts)


def dotted(node: ast.expr) -> str:
    """The last two names of an expression: django.utils.timezone.now is timezone.now."""
    match node:
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return f"{owner}.{name}"
        case ast.Attribute(value=ast.Attribute(attr=owner), attr=name):
            return f"{owner}.{name}"
        case ast.Name(id=name):
            return name
        case _:
            return ""


# Sizes and names


@pytest.mark.parametrize(
    ("rooms", "at_most"),
    [((*ROOMS, "bench"), LINES_AT_MOST), (("tests",), LINES_OF_TESTS_AT_MOST)],
)
def test_a_file_can_be_held_in_one_head(rooms: tuple[str, ...], at_most: int) -> None:
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in modules(*rooms)}

    assert {name: length for name, length in lengths.items() if length > at_most} == {}


def test_a_function_can_be_seen_at_one_glance() -> None:
    long = {}
    for path in modules(*ROOMS, "bench"):
        lines = path.read_text().splitlines()
        for function in functions(path):
            if (length := lines_of_code(function, lines)) > LINES_OF_A_FUNCTION_AT_MOST:
                long[f"{name_of(path)}:{function.name}"] = length

    assert long == {}


def test_no_file_has_a_name_that_says_nothing() -> None:
    named = [name_of(path) for path in modules(*ROOMS, "bench", "tests") if _says_nothing(path)]

    assert named == []


def _says_nothing(path: Path) -> bool:
    return bool(NO_NAMES & {path.stem, *path.relative_to(ROOT).parent.parts})


def test_each_module_opens_with_its_place() -> None:
    silent = [
        name_of(path)
        for path in modules(*ROOMS, "bench", "tests")
        if path.read_text().strip() and ast.get_docstring(ast.parse(path.read_text())) is None
    ]

    assert silent == []


# What is called is called by name


def test_there_are_no_signals() -> None:
    signs = re.compile(
        r"django\.dispatch|models\.signals|core\.signals|celery\.signals|@receiver\b"
        r"|\b(?:pre|post)_(?:save|delete|init|migrate)\b|m2m_changed"
    )

    found = [name_of(path) for path in modules(*ROOMS) if signs.search(path.read_text())]

    assert found == []


def test_nothing_is_imported_inside_a_function() -> None:
    found = {
        f"{name_of(path)}:{function.name}"
        for path in modules(*ROOMS, "bench", "tests")
        for function in functions(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }

    assert found == set()


# The clock


def test_only_doors_read_the_clock() -> None:
    readers = {
        f"{name_of(path)}:{line}"
        for path in modules(*ROOMS)
        if not name_of(path).startswith(DOORS)
        for line in _clock_readings(path)
    }

    assert readers == set()


def _clock_readings(path: Path) -> Iterator[int]:
    """Lines that call a clock, or hand one on to be called (default=timezone.now)."""
    tree = ast.parse(path.read_text())
    given = {
        id(node.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node.args and dotted(node.func) in WITHOUT_ARGUMENTS_ONLY
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute | ast.Name)
            and isinstance(node.ctx, ast.Load)
            and id(node) not in given
            and dotted(node) in CLOCKS
        ):
            yield node.lineno


# Copies of the database


def declared() -> dict[str, dict[str, str]]:
    tables: dict[str, dict[str, str]] = json.loads(COLUMNS.read_text())
    return tables


@pytest.mark.django_db
def test_every_column_of_the_database_is_declared_and_no_other() -> None:
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        found = {
            table: {
                column.name
                for column in connection.introspection.get_table_description(cursor, table)
            }
            for table in tables
        }

    assert {table: set(columns) for table, columns in declared().items()} == found


def test_a_column_is_scrubbed_or_kept() -> None:
    words = {word for columns in declared().values() for word in columns.values()}

    assert words == {"scrub", "keep"}


def test_free_text_bytes_and_days_of_patients_are_never_kept() -> None:
    telling = {"TextField", "JSONField", "BinaryField", "DateField", "DateTimeField", "UUIDField"}
    kept = [
        f"{model._meta.db_table}.{field.column}"
        for model in apps.get_models()
        if model._meta.app_label in {"patients", "monitoring"}
        for field in model._meta.local_concrete_fields
        if field.get_internal_type() in telling
        and declared()[model._meta.db_table][str(field.column)] == "keep"
    ]

    assert kept == []
