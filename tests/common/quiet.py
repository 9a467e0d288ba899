"""Moments in which the server has one writer less: the other workers of the tests."""

from collections.abc import Callable
from typing import TypeVar

from benchsite.common.freshness import data_version

FoundT = TypeVar("FoundT")


def while_nothing_is_written(ask: Callable[[], FoundT]) -> FoundT:
    """Return what `ask` found while no session wrote to any database of the server.

    A write by another worker of the tests gives the data another version meanwhile: then it is
    asked again.
    """
    while True:
        before = data_version()
        found = ask()
        if data_version() == before:
            return found
