"""What tests of the serving tools' formats share: reading samples, and their figures by name."""

from pathlib import Path
from typing import Any

import pytest

from experiments.formats import detect_format
from experiments.formats.content import decode
from experiments.formats.documents import FormatError, ParsedFile, Problem, RunDocument

SAMPLES = Path(__file__).parent / "samples"

Key = tuple[str, str, str | None]


def read(name: str) -> bytes:
    """Return the bytes of a sample."""
    return (SAMPLES / name).read_bytes()


def parse(data: bytes, format_name: str) -> ParsedFile:
    """Return what a file of this format says."""
    content = decode(data)
    found = detect_format(content)
    assert found.name == format_name
    return found.parse(content)


def refusal(data: bytes, format_name: str) -> tuple[Problem, ...]:
    """Return why a file of this format is refused."""
    with pytest.raises(FormatError) as caught:
        parse(data, format_name)
    return caught.value.problems


def figures(run: RunDocument) -> dict[Key, float]:
    """Return the figures of a run by (metric, statistic, definition)."""
    return {item.identity: item.value for item in run.measurements}


def derived(run: RunDocument) -> dict[Key, Any]:
    """Return the inputs of the figures that were derived."""
    return {item.identity: item.derived_from for item in run.measurements if item.derived_from}


def told(parsed: ParsedFile, words: str) -> list[Problem]:
    """Return the warnings with these words."""
    return [item for item in parsed.warnings if words in item.message]
