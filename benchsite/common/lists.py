"""Long lists: how many rows there are, told without counting them all each time."""

from collections.abc import Callable, Iterable
from functools import cached_property, reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.utils.text import smart_split, unescape_string_literal

from benchsite.common.freshness import of_this_data

MOST_COUNTED = 10_000
_ID_DIGITS = 32


class AtLeast(int):
    """A number that was not counted to its end; it reads as “10,000+”."""

    def __str__(self) -> str:
        return f"{int(self):,}+"


class BoundedPaginator(Paginator):  # type: ignore[type-arg] # takes none at run time
    """Pages of the first MOST_COUNTED rows: counting a million takes longer than showing fifty."""

    @cached_property
    def count(self) -> int:
        """Return how many rows there are, AtLeast MOST_COUNTED beyond that."""
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        counted = rows.order_by()[: MOST_COUNTED + 1].count()
        return counted if counted <= MOST_COUNTED else AtLeast(MOST_COUNTED)


def total_of(rows: "QuerySet[Any]") -> int:
    """Return how many rows there are, counted once for the same data."""
    sql, parameters = rows.order_by().query.sql_with_params()
    count: int = of_this_data(f"count {sql} {parameters}", rows.count)
    return count


def ids_beginning_with(text: str) -> Q | None:
    """Return the condition that a UUID begins so, None where none can; it is a range of an index.

    `text` is hexadecimal digits, with or without the dashes.
    """
    digits = text.replace("-", "").lower()
    if not 0 < len(digits) <= _ID_DIGITS or not set(digits) <= set("0123456789abcdef"):
        return None
    ends = (digits.ljust(_ID_DIGITS, filler) for filler in "0f")
    return Q(pk__range=[UUID(end) for end in ends])


def all_words(text: str, conditions: Iterable[Callable[[str], Q | None]]) -> Q:
    """Return the condition that each word of a text, or phrase in quotes, meets one of several.

    Each of `conditions` makes one of a word, None where the word can meet none.
    """
    nothing = Q(pk__in=[])
    wanted = Q()
    for word in smart_split(text):
        if word.startswith(('"', "'")) and word[0] == word[-1]:
            word = unescape_string_literal(word)
        made = (condition(word) for condition in conditions)
        wanted &= reduce(or_, filter(None, made), nothing)
    return wanted
