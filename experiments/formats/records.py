"""The JSON objects of a file one by one, whether they stand alone, in arrays or in a row."""

from collections.abc import Iterator
from typing import Any

from experiments.formats.content import Content
from experiments.formats.documents import Problem
from experiments.formats.problems import short_value


def records_of(content: Content) -> Iterator[tuple[str, dict[str, Any] | Problem]]:
    """Yield each object with its place: "" alone, `[3]` in an array, `line 5` among documents.

    A Problem stands for what is no object.
    """
    for document in content.json[0]:
        is_list = isinstance(document.value, list)
        for index, value in enumerate(document.value if is_list else [document.value]):
            place = f"{document.place}[{index}]" if is_list else document.place
            if isinstance(value, dict):
                yield place, value
            else:
                yield place, Problem(place, "A result is a JSON object.", short_value(value))
