"""Long questions that PostgreSQL plans once a connection, not each time they are asked."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper


@contextmanager
def prepared_cursor() -> Iterator[CursorWrapper]:
    """Yield a cursor that prepares each text on its first use: for texts of which there are few.

    Values are sent beside the text, and the plan is made for all of them: it must not depend on
    what they are. While Django logs queries, they are sent as any other: the log has no words for
    what was prepared.
    """
    connection.ensure_connection()
    raw = connection.connection
    usual = raw.cursor_factory
    if not connection.queries_logged:
        raw.cursor_factory = ServerBindingCursor
    try:
        cursor = connection.cursor()
    finally:
        raw.cursor_factory = usual
    with cursor:
        yield cursor
