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
    what they are. Nothing else may be asked of the connection meanwhile. A transaction that is
    rolled back takes the plans along. While Django logs queries, they are sent as any other: the
    log has no words for what was prepared.
    """
    if connection.queries_logged:
        with connection.cursor() as cursor:
            yield cursor
        return
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    raw = connection.connection
    usual = raw.cursor_factory, raw.prepare_threshold
    try:
        # Else unprepared statements would be counted too: psycopg would keep each with its values.
        raw.cursor_factory, raw.prepare_threshold = ServerBindingCursor, 0
        with connection.cursor() as cursor:
            yield cursor
    finally:
        raw.cursor_factory, raw.prepare_threshold = usual
