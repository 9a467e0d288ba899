"""The database's side of a backup: its tables, their rows as text, its sequences."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.db import connection
from psycopg import sql

from benchsite.backups.files import Counted, Rows

# The text of a value then depends on nothing but the value.
_SESSION = """
SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres';
SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1;
"""
# Only the site's own: somebody may share the database with other software.
_TABLES = """
SELECT relname FROM pg_class
WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND relname LIKE ANY(%s)
ORDER BY relname COLLATE "C"
"""
_COLUMNS = """
SELECT attname, atttypid::regtype::text, COALESCE(attnum = ANY(indkey), false)
FROM pg_attribute LEFT JOIN pg_index ON indrelid = attrelid AND indisprimary
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
ORDER BY attnum
"""
_SEQUENCES = """
SELECT sequencename, last_value FROM pg_sequences
WHERE schemaname = current_schema() AND last_value IS NOT NULL ORDER BY sequencename COLLATE "C"
"""
_TRIGGER_FUNCTIONS = """
SELECT DISTINCT tgfoid::regprocedure::text FROM pg_trigger
WHERE tgrelid = ANY(%s::regclass[]) AND NOT tgisinternal
"""
_TEXT_TYPES = ("character varying", "text")


def fix_formats() -> None:
    """Let values be written alike everywhere, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_SESSION)


def table_names() -> list[str]:
    """Return every table of the site, Django's own included."""
    patterns = [f"{app}\\_%" for app in ("django", *apps.app_configs)]
    return [name for (name,) in _rows(_TABLES, [patterns])]


def lock(tables: Iterable[str], mode: str) -> None:
    """Lock all tables at once, before any is read or dropped."""
    names = sql.SQL(", ").join(map(sql.Identifier, tables))
    _run(sql.SQL("LOCK TABLE {} IN {} MODE").format(names, sql.SQL(mode)))


def column_names(table: str) -> tuple[str, ...]:
    """Return the columns of a table that hold values of their own."""
    return tuple(name for name, _type, _is_key in _columns(table))


def text_of(table: str) -> Iterator[bytes]:
    """Yield a table's rows as COPY text, by their key: the same rows are the same text."""
    columns = _columns(table)
    names = sql.SQL(", ").join(sql.Identifier(name) for name, _type, _is_key in columns)
    order = sql.SQL(", ").join(
        sql.SQL('{} COLLATE "C"' if kind in _TEXT_TYPES else "{}").format(sql.Identifier(name))
        for name, kind, is_key in columns
        if is_key
    )
    query = sql.SQL("COPY (SELECT {} FROM {} ORDER BY {}) TO STDOUT")
    query_of_table = query.format(names, sql.Identifier(table), order)
    with connection.cursor() as cursor, cursor.copy(query_of_table) as copy:
        yield from map(bytes, copy)


def load(table: str, columns: Iterable[str], chunks: Iterable[bytes]) -> None:
    """Put COPY text into a table."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    query = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        for chunk in chunks:
            copy.write(chunk)


def content_of(table: str) -> Rows:
    """Return count and digest of a table's rows."""
    counted = Counted(text_of(table))
    for _ in counted:
        pass
    return counted.rows


def empty(tables: Iterable[str]) -> None:
    """Remove all rows."""
    names = sql.SQL(", ").join(map(sql.Identifier, tables))
    _run(sql.SQL("TRUNCATE {}").format(names))


def sequences() -> dict[str, int]:
    """Return the last number that each sequence gave out."""
    return dict(_rows(_SEQUENCES))


def set_sequence(name: str, last: int) -> None:
    """Let a sequence go on after `last`."""
    _rows("SELECT setval(%s::regclass, %s)", [_quoted(name), last])


def check_references() -> None:
    """Check now what is checked at the end of a transaction otherwise, then defer it again."""
    _run("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def analyze() -> None:
    """Count for the query planner, which knows nothing about new tables."""
    _run("ANALYZE")


def server_version() -> str:
    """Return the version of PostgreSQL."""
    ((version,),) = _rows("SHOW server_version")
    return str(version)


def drop(names: Iterable[str]) -> None:
    """Drop the tables, with the functions of their triggers."""
    names = list(names)
    functions = _rows(_TRIGGER_FUNCTIONS, [[_quoted(name) for name in names]])
    _run(sql.SQL("DROP TABLE {} CASCADE").format(sql.SQL(", ").join(map(sql.Identifier, names))))
    for (signature,) in functions:
        _run(f"DROP FUNCTION {signature}")


def _columns(table: str) -> list[tuple[str, str, bool]]:
    return _rows(_COLUMNS, [_quoted(table)])


def _quoted(name: str) -> str:
    return sql.Identifier(name).as_string()


def _run(statement: sql.Composed | str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _rows(query: str, parameters: list[Any] | None = None) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())
