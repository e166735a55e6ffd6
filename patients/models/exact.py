"""A column that keeps a decimal exactly as it is given: 37.50 stays 37.50."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class ExactDecimalField(models.DecimalField):  # type: ignore[type-arg]
    """PostgreSQL's numeric without a scale: nothing is rounded and no zero is lost or added."""

    def __init__(self, *args: Any, **options: Any) -> None:
        # Django wants the two numbers; they bound what a form may take, not the column
        super().__init__(*args, **{"max_digits": 60, "decimal_places": 30, **options})

    def db_type(self, connection: BaseDatabaseWrapper) -> str:  # noqa: ARG002
        return "numeric"
