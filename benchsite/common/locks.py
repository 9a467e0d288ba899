"""The one lock that everybody takes who writes facts."""

from django.db import connection

# Arbitrary, but it must stay: sites that run side by side on one database share it.
_WRITE_LOCK_KEY = 7_221_944_015


def take_write_lock() -> None:
    """Wait for the lock of all writers; it is held until the surrounding transaction ends.

    Writing transactions are short. Since each takes this lock first, none can deadlock with
    another, lose another's summary, or make the same row twice.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_WRITE_LOCK_KEY])
