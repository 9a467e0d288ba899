"""Whole rows as JSON text that PostgreSQL makes: taken, compared and put back exactly.

Its text of a float8 is the shortest that reads back as the same number, and NULLs, samples and
times come back as they were. Rows are told by column names, so that an image outlives a migration
that adds columns. `is_current` of scores is left out: it follows from the other scores.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model

from benchmarks.models import BenchmarkScore, ScoreCategory
from experiments.models import Measurement, TestRun, Upload

Images = dict[str, list[str]]
"""Rows by the table's name, each as the text of a JSON object."""

TABLES: dict[type[Model], str] = {
    TestRun: "id",
    Measurement: "run_id",
    BenchmarkScore: "id",
    ScoreCategory: "benchmark_score_id",
    Upload: "id",
}
"""Each table with the column that names the run, the score or the upload a row belongs to."""
_DERIVED = "is_current"


def take_images(ids: Collection[UUID]) -> dict[UUID, Images]:
    """Return the rows of these runs, scores and uploads by id: one query a table."""
    images: dict[UUID, Images] = defaultdict(dict)
    for model, column in TABLES.items():
        columns = ", ".join(f'"{name}"' for name in columns_of(model))
        table = model._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(
                f'SELECT t."{column}", (SELECT row_to_json(r)::text FROM (SELECT {columns}) r)'  # noqa: S608
                f' FROM "{table}" t WHERE t."{column}" = ANY(%s) ORDER BY t."id"',
                [list(ids)],
            )
            for owner, row in cursor:
                images[owner].setdefault(table, []).append(row)
    return images


def columns_of(model: type[Model]) -> list[str]:
    """Return the columns that an image holds."""
    return [field.attname for field in model._meta.concrete_fields if field.attname != _DERIVED]


def differences(expected: Images, found: Images) -> list[str]:
    """Return which tables or columns are other than an image says, [] where none is.

    Columns that the image does not know came with a newer version of the site and do not count.
    """
    names: list[str] = []
    for table in {**expected, **found}:
        rows, present = expected.get(table, []), found.get(table, [])
        if rows == present:
            continue
        if len(rows) != len(present):
            names.append(f"{table.partition('_')[2]}: {len(rows)} rows then, {len(present)} now")
            continue
        for then, now in zip(map(json.loads, rows), map(json.loads, present), strict=True):
            names += [name for name in then if then[name] != now.get(name) and name not in names]
    return names


def update_rows(model: type[Model], rows: Sequence[str]) -> None:
    """Write images over the rows with their ids."""
    if not rows:
        return
    names = [name for name in _columns_in(model, rows) if name != "id"]
    changes = ", ".join(f'"{name}" = r."{name}"' for name in names)
    _execute(
        f'UPDATE "{model._meta.db_table}" t SET {changes} '  # noqa: S608
        f'FROM json_populate_recordset(NULL::"{model._meta.db_table}", %s::json) r '
        "WHERE t.id = r.id",
        [_array(rows)],
    )


def insert_rows(model: type[Model], rows: Sequence[str]) -> None:
    """Insert rows again as their images say, with their ids."""
    if not rows:
        return
    names = ", ".join(f'"{name}"' for name in _columns_in(model, rows))
    table = model._meta.db_table
    _execute(
        f'INSERT INTO "{table}" ({names}) '  # noqa: S608
        f'SELECT {names} FROM json_populate_recordset(NULL::"{table}", %s::json)',
        [_array(rows)],
    )


def ids_in(images: Iterable[Images], model: type[Model], column: str = "id") -> set[Any]:
    """Return the values of a column in the images of a table, without NULL."""
    field = next(item for item in model._meta.concrete_fields if item.attname == column)
    values = {json.loads(row)[column] for row in rows_in(images, model)}
    return {field.to_python(value) for value in values if value is not None}


def rows_in(images: Iterable[Images], model: type[Model]) -> list[str]:
    """Return all rows of a table."""
    return [row for item in images for row in item.get(model._meta.db_table, ())]


def delete_rows(model: type[Model], ids: Collection[Any]) -> None:
    """Delete rows that nothing refers to any more; one that is referred to is an IntegrityError."""
    if ids:
        _execute(f'DELETE FROM "{model._meta.db_table}" WHERE id = ANY(%s)', [list(ids)])  # noqa: S608


def _columns_in(model: type[Model], rows: Sequence[str]) -> list[str]:
    """Return those of the columns there are now that the images know."""
    known: Mapping[str, Any] = json.loads(rows[0])
    return [name for name in columns_of(model) if name in known]


def _array(rows: Sequence[str]) -> str:
    return f"[{','.join(rows)}]"


def _execute(sql: str, parameters: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
