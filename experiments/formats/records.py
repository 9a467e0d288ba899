"""The JSON objects of a file one by one, whether they stand alone, in arrays or in a row."""

from collections.abc import Iterable, Iterator
from typing import Any

from experiments.formats.content import Content
from experiments.formats.documents import Problem
from experiments.formats.problems import ShapeT, checked, short_value


def records_of(
    content: Content, *, what: str = "A result"
) -> Iterator[tuple[str, dict[str, Any] | Problem]]:
    """Yield each object with its place: "" alone, `[3]` in an array, `line 5` among documents.

    A Problem stands for what is no object; `what` says what should be one.
    """
    for place, value in content.json_values():
        if isinstance(value, dict):
            yield place, value
        else:
            yield place, Problem(place, f"{what} is a JSON object.", short_value(value))


def checked_records(
    records: Iterable[tuple[str, dict[str, Any] | Problem]],
    shape: type[ShapeT],
    problems: list[Problem],
) -> Iterator[tuple[str, dict[str, Any], ShapeT]]:
    """Yield each record with its place and its shape; what cannot be right joins the problems."""
    for place, record in records:
        if isinstance(record, Problem):
            problems.append(record)
        elif (checked_record := checked(shape, record, place, problems)) is not None:
            yield place, record, checked_record


def skipped_lines(content: Content) -> list[Problem]:
    """Return a warning of the lines between JSON documents that are no JSON, none without such."""
    _documents, skipped = content.json
    message = "Lines between the JSON documents that are no JSON were skipped."
    return [Problem("", message, skipped)] if skipped else []
