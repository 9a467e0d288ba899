"""Inserting many rows by COPY, which costs a fraction of what INSERT does."""

from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import Any

from django.db import connection
from django.db.models import JSONField, Model
from psycopg import sql
from psycopg.types.json import Jsonb

FEWEST = 8
"""Fewer rows than these are as quick by INSERT."""


def copy_rows(model: type[Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of values in the order of `names`; keys that the database makes are left to it.

    Columns that are not named take the default of the database. What a constraint refuses is an
    IntegrityError, as from any insert.
    """
    known = {field.name: field for field in model._meta.concrete_fields}
    fields = [known[name] for name in names]
    waiting = iter(rows)
    first = list(islice(waiting, FEWEST))
    if len(first) < FEWEST:
        columns = [field.attname for field in fields]
        model._default_manager.bulk_create(
            [model(**dict(zip(columns, row, strict=True))) for row in first]
        )
        return
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table),
        sql.SQL(", ").join(sql.Identifier(str(field.column)) for field in fields),
    )
    is_json = [isinstance(field, JSONField) for field in fields]
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        for row in chain(first, waiting):
            copy.write_row(
                [
                    Jsonb(value) if json and value is not None else value
                    for json, value in zip(is_json, row, strict=True)
                ]
            )


def copy_models(rows: Sequence[Model]) -> None:
    """Insert new rows of one model; keys that the database makes are not read back."""
    if not rows:
        return
    fields = [
        field
        for field in rows[0]._meta.concrete_fields
        if not field.get_internal_type().endswith("AutoField")
    ]
    columns = [field.attname for field in fields]
    values = ([getattr(row, column) for column in columns] for row in rows)
    copy_rows(type(rows[0]), [field.name for field in fields], values)
