"""Every value of every JSON sample, in turn another kind of thing: read, or refused in words."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from experiments.formats import detect_format
from experiments.formats.content import decode
from experiments.formats.documents import FormatError
from tests.experiments.samples import sample_files

JSON_SAMPLES = [path for path in sample_files() if path.suffix in (".json", ".jsonl")]
# An integer that no float holds, nothing, a text, and a list.
ODD: tuple[Any, ...] = (10**400, None, "x", [])


def paths_of(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything within a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        yield (*here, key)
        if isinstance(item, dict | list):
            yield from paths_of(item, (*here, key))


def with_odd_values(document: Any) -> Iterator[tuple[Any, ...]]:
    """Put each odd value in the place of each other, and yield the path; of lists the first."""
    for path in list(paths_of(document)):
        if any(step for step in path if isinstance(step, int)):
            continue
        holder = document
        for step in path[:-1]:
            holder = holder[step]
        usual = holder[path[-1]]
        for odd in ODD:
            holder[path[-1]] = odd
            yield path
        holder[path[-1]] = usual


@pytest.mark.parametrize("path", JSON_SAMPLES, ids=lambda path: path.name)
def test_no_odd_value_is_a_defect(path: Path) -> None:
    """Of several documents in a file the first stands for all."""
    document = decode(path.read_bytes(), path.name).json[0][0].value
    for place in with_odd_values(document):
        content = decode(json.dumps(document).encode(), path.name)
        try:
            with suppress(FormatError):
                detect_format(content).parse(content)
        except Exception as error:
            error.add_note(f"with something odd at {place}")
            raise
