"""Rows of llama-bench as cells under a header, which CSV and SQL share."""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.formats.csv_rows import wrong_width
from experiments.formats.documents import InvalidFileError, Problem
from experiments.formats.llama_bench.rows import Source

_REQUIRED = ("model_type", "n_prompt", "n_gen", "avg_ts")


def check_header(header: Sequence[str], place: str) -> None:
    """Raise InvalidFileError for a header that lacks a column, or has one twice."""
    if absent := [name for name in _REQUIRED if name not in header]:
        raise InvalidFileError(
            Problem(place, "The header lacks columns of llama-bench.", ", ".join(absent))
        )
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise InvalidFileError(
            Problem(place, "A column stands twice; keep the right one.", ", ".join(twice))
        )


def row_of_cells(
    header: Sequence[str], values: Sequence[str | None], place: str
) -> Source | Problem:
    """Return the row as a mapping of the columns that are filled, or why it cannot be read."""
    if wrong := wrong_width(header, values, place):
        return wrong
    record: Mapping[str, Any] = {
        name: value for name, value in zip(header, values, strict=True) if value
    }
    return Source(place=place, record=record)
