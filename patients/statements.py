"""Statements of the road, where one push and its assessment must cost few round trips.

Elsewhere the ORM speaks to the database. Here several questions that do not depend on each other's
answers leave together, and each is planned once a connection. They take part in Django's
transaction like any other statement.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from psycopg import Cursor

Question = tuple[str, Sequence[Any] | Mapping[str, Any]]


def ask(*questions: Question) -> list[list[tuple[Any, ...]]]:
    """Put these questions to the database in one round trip; give back the rows of each."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        if len(questions) == 1:  # a pipeline for one costs more than it saves
            return [_rows(_put(questions[0]))]
        with connection.connection.pipeline():
            cursors = [_put(question) for question in questions]
        return [_rows(cursor) for cursor in cursors]


def _put(question: Question) -> Cursor[tuple[Any, ...]]:
    sql, parameters = question
    return Cursor(connection.connection).execute(sql, parameters, prepare=True)


def _rows(cursor: Cursor[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return cursor.fetchall() if cursor.description else []


def numbers(values: Iterable[float | None]) -> str:
    """Spell an array of numbers as PostgreSQL reads it; give it a cast, as ``%s::bigint[]``.

    psycopg looks at every element of a list by itself, which takes longer than the statement.
    """
    return "{" + ",".join(["NULL" if each is None else repr(each) for each in values]) + "}"
