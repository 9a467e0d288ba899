"""Questions that are planned once a connection, and what keeps the connection in order."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.backends.postgresql.base import Cursor
from django.test.utils import CaptureQueriesContext

from benchsite.common.prepared import prepared_cursor

pytestmark = pytest.mark.django_db

QUESTION = "SELECT %s::int + 1"
PREPARED = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s"


def asked(number: int) -> int:
    with prepared_cursor() as cursor:
        cursor.execute(QUESTION, [number])
        return int(cursor.fetchone()[0])


def plans() -> int:
    with connection.cursor() as cursor:
        cursor.execute(PREPARED, ["SELECT $1::int + 1%"])
        return int(cursor.fetchone()[0])


def test_a_question_is_planned_once_for_all_values() -> None:
    before = plans()
    assert [asked(1), asked(2), asked(3)] == [2, 3, 4]
    assert plans() == max(before, 1)


def test_what_is_asked_otherwise_is_neither_planned_nor_kept() -> None:
    asked(1)
    kept = len(connection.connection._prepared._counts)
    with connection.cursor() as cursor:
        assert isinstance(cursor.cursor, Cursor)
        cursor.execute("SELECT %s", ["x" * 1000])
    assert len(connection.connection._prepared._counts) == kept


def test_a_question_that_fails_leaves_the_connection_in_order() -> None:
    asked(1)
    with pytest.raises(DatabaseError), transaction.atomic(), prepared_cursor() as cursor:
        cursor.execute("SELECT 1 / %s::int", [0])
    with connection.cursor() as cursor:
        assert isinstance(cursor.cursor, Cursor)
    assert asked(4) == 5


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_question_is_planned_anew_where_the_connection_was_lost() -> None:
    asked(1)
    connection.close()
    assert asked(5) == 6


def test_a_log_of_queries_has_the_text_with_its_values() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert asked(6) == 7
    assert [query["sql"] for query in queries] == ["SELECT 6::int + 1"]
