"""What the road asks is planned once a connection, and not at every push."""

import pytest
from django.db import connection

from patients.statements import ask

pytestmark = pytest.mark.django_db


def test_what_is_asked_again_is_neither_parsed_nor_planned_again() -> None:
    question = "SELECT id FROM patients_patient WHERE id = ANY(%s)"

    for _ in range(7):
        ask((question, [[1, 2]]))

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements"
            " WHERE statement LIKE 'SELECT id FROM patients_patient%'"
        )
        assert cursor.fetchall() == [(7, 0)]
