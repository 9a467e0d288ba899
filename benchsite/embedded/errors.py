"""What can go wrong with the embedded PostgreSQL."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


class EmbeddedError(Exception):
    """The embedded server cannot run here; the text says why and what to do."""


@contextmanager
def explaining_files() -> Iterator[None]:
    """Turn what the system says about files into an EmbeddedError with what to do about it."""
    try:
        yield
    except PermissionError as error:
        raise EmbeddedError(
            f"{error.filename} belongs to another user: run the site as the user who started "
            "it first, or set BENCHSITE_DATA_DIR to a folder of your own."
        ) from error
    except OSError as error:
        if error.errno in NO_ROOM:
            raise EmbeddedError(
                f"There is no room left for {error.filename}: free some on its disk, or set "
                "BENCHSITE_DATA_DIR to a folder on another one."
            ) from error
        raise EmbeddedError(
            f"{error.filename} cannot be used ({error.strerror}): set BENCHSITE_DATA_DIR to a "
            "folder that can be written to."
        ) from error
