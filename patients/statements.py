"""Statements of the road, where one push and its assessment must cost few round trips.

Elsewhere the ORM speaks to the database. Here several questions that do not depend on each other's
answers leave together, and each is planned once a connection. They take part in Django's
transaction like any other statement.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import Connection, Cursor

Question = tuple[str, Sequence[Any] | Mapping[str, Any]]


def ask(*questions: Question) -> list[list[tuple[Any, ...]]]:
    """Put these questions to the database in one round trip; give back the rows of each."""
    database = connections[DEFAULT_DB_ALIAS]  # the proxy would look it up at every word
    database.ensure_connection()
    with database.wrap_database_errors:
        if len(questions) == 1:  # a pipeline for one costs more than it saves
            return [_rows(_put(questions[0], database.connection))]
        with database.connection.pipeline():
            cursors = [_put(question, database.connection) for question in questions]
        return [_rows(cursor) for cursor in cursors]


def _put(question: Question, line: Connection[Any]) -> Cursor[tuple[Any, ...]]:
    sql, parameters = question
    return Cursor(line).execute(sql, parameters, prepare=True)


def _rows(cursor: Cursor[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    # description would make an object of every column
    result = cursor.pgresult
    return cursor.fetchall() if result is not None and result.nfields else []


def numbers(values: Iterable[float | None]) -> str:
    """Spell an array of numbers as PostgreSQL reads it; give it a cast, as ``%s::bigint[]``.

    psycopg looks at every element of a list by itself, which takes longer than the statement.
    """
    return "{" + ",".join(["NULL" if each is None else repr(each) for each in values]) + "}"


def as_rows(rows: Iterable[Mapping[str, Any]]) -> str:
    """Spell rows as one parameter, for ``json_to_recordset``; a decimal travels as its digits.

    psycopg would look at every cell by itself.
    """
    return orjson.dumps(list(rows), default=str).decode()
