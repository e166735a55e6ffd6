"""The documents say what is there: settings, commands, links."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import load_command_class
from django.core.management.base import BaseCommand

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = ROOT / "monitoring/management/commands"
REFERENCE = ROOT / "docs/reference"
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s]+)\)")
NOT_OURS = {"var", "node_modules"}


def documents() -> list[Path]:
    return [path for path in files() if path.suffix == ".md"]


def files() -> list[Path]:
    """Every file of the repository, without what tools and running copies leave behind."""
    return sorted(
        path
        for path in ROOT.rglob("*")
        if path.is_file()
        and not any(_is_left_behind(part) for part in path.relative_to(ROOT).parts)
    )


def _is_left_behind(part: str) -> bool:
    hidden = part.startswith(".") and part not in {".ci", ".gitignore", ".dockerignore"}
    return hidden or part in NOT_OURS or part == "__pycache__"


def section(document: Path, title: str) -> str:
    """The text under one heading of the second level."""
    parts = re.split(r"^## ", document.read_text(), flags=re.MULTILINE)
    return next(part for part in parts if part.partition("\n")[0] == title)


def names_in_first_column(text: str) -> set[str]:
    return set(re.findall(r"^\| `([A-Z_]+)` \|", text, flags=re.MULTILINE))


# Settings


def names_read_by_the_settings() -> set[str]:
    """What env.…( ), _read_number( ) or _read_flag( ) is given first, or is looked for in env."""
    tree = ast.parse((ROOT / "monitoring/settings.py").read_text())
    return set(_names_read(tree))


def _names_read(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="env")), args=[ast.Constant(value=name), *_]
            ):
                yield str(name)
            case ast.Call(
                func=ast.Name(id="_read_number" | "_read_flag"), args=[ast.Constant(value=name), *_]
            ):
                yield str(name)
            case ast.Compare(left=ast.Constant(value=name), comparators=[ast.Name(id="env")]):
                yield str(name)
            case _:
                pass


def test_every_variable_that_the_settings_read_is_described_and_no_other() -> None:
    described = names_in_first_column(section(REFERENCE / "settings.md", "The site"))

    assert described == names_read_by_the_settings()


def test_every_variable_that_compose_asks_for_is_described_and_no_other() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()

    asked = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", compose))

    assert names_in_first_column(section(REFERENCE / "settings.md", "Docker Compose")) == asked


@pytest.mark.parametrize("path", ["instruments", "patients", "analytics", "monitoring"])
def test_the_environment_is_read_in_the_settings_and_nowhere_else(path: str) -> None:
    reads = re.compile(r"os\.getenv|os\.environ\[|os\.environ\.get|environ\.Env\(")

    readers = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / path).rglob("*.py")
        if reads.search(file.read_text())
    }

    assert readers <= {"monitoring/settings.py"}


# Commands


def commands() -> list[str]:
    return sorted(file.stem for file in COMMANDS.glob("*.py") if file.stem != "__init__")


def options_of(command: BaseCommand) -> set[str]:
    parser = command.create_parser("manage.py", "")
    return {option for action in parser._actions for option in action.option_strings}


def test_every_command_is_described_and_no_other() -> None:
    described = re.findall(r"^## (\w+)$", (REFERENCE / "commands.md").read_text(), re.MULTILINE)

    assert sorted(described) == commands()


@pytest.mark.parametrize("name", commands())
def test_a_command_is_described_with_its_options_and_no_other(name: str) -> None:
    own = options_of(load_command_class("monitoring", name)) - options_of(BaseCommand())

    described = re.findall(r"--[a-z][a-z-]+", section(REFERENCE / "commands.md", name))

    assert set(described) == own


# Links and promises


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_links_to_exists(document: Path) -> None:
    links = LINK.findall(document.read_text())

    broken = [link for link in links if not (document.parent / link.partition("#")[0]).exists()]

    assert broken == []


@pytest.mark.parametrize("command", ["make run", "make test"])
def test_the_readme_names_the_two_commands(command: str) -> None:
    readme = (ROOT / "README.md").read_text().splitlines()

    assert command in readme


def test_every_decision_is_in_the_index_and_has_its_parts() -> None:
    records = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))

    index = (ROOT / "docs/adr/README.md").read_text()

    for record in records:
        text = record.read_text()
        assert f"]({record.name})" in index
        assert re.search(r"^Date: \d{4}-\d{2}-\d{2}\. Status: ", text, re.MULTILINE), record
        for part in ("Context", "Decision", "Consequences", "Rejected"):
            assert f"\n## {part}\n" in text, record


def test_no_file_points_at_a_place_outside_the_repository() -> None:
    # Put together here, so that this file does not find itself
    outside = re.compile("|".join([r"\.\./" + "shared", r"(?<![\w.])/" + r"work(?![\w-])"]))

    pointing = [
        file.relative_to(ROOT).as_posix() for file in files() if outside.search(_text_of(file))
    ]

    assert pointing == []


def _text_of(file: Path) -> str:
    try:
        return file.read_text()
    except UnicodeDecodeError:
        return ""  # a picture
